#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/npy.h"
#include "cli/options.h"
#include "cli/report.h"

namespace planish::cli {
namespace {

struct VerifyCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  std::string against = "reference";
  double tolerance = 1e-4;
};

struct ErrorStatistics {
  double relative_l2 = 0;  // |a - b| / |b|
  double max_abs = 0;
  bool same_shape = true;
};

ErrorStatistics compare(const Tensor& found, const Tensor& expected) {
  ErrorStatistics result;
  if (found.extents() != expected.extents()) return {INFINITY, INFINITY, false};
  const auto a = found.to_doubles(), b = expected.to_doubles();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) {
      norm += std::isfinite(b[i]) ? b[i] * b[i] : 0;
      continue;
    }
    const double delta = std::abs(a[i] - b[i]);
    result.max_abs = std::isfinite(delta) ? std::max(result.max_abs, delta) : INFINITY;
    difference += delta * delta;
    norm += b[i] * b[i];
  }
  result.relative_l2 = difference == 0 ? 0 : std::sqrt(difference / std::max(norm, 1e-300));
  if (std::isnan(result.relative_l2)) result.relative_l2 = INFINITY;
  return result;
}

// First result of every step, by the name of the last node it stands for.
std::map<std::string, Tensor> capture_layers(Session& session, std::vector<std::string>* order) {
  std::map<std::string, Tensor> values;
  session.context().set_observer([&](const Step& step, std::span<const TensorView> outputs) {
    if (step.origins.empty() || outputs.empty() || !outputs[0].present()) return;
    if (order != nullptr) order->push_back(step.origins.back());
    values[step.origins.back()] = Tensor::copy_of(outputs[0]);
  });
  session.run();
  session.context().set_observer({});
  return values;
}

struct Comparison {
  std::map<std::string, ErrorStatistics> outputs;
  std::vector<std::pair<std::string, ErrorStatistics>> layers;  // in the optimised plan's order
};

Comparison against_reference(const VerifyCommand& command, Session& session, std::shared_ptr<Device> device) {
  CommonOptions plain = command.common;
  plain.no_optimize = true;
  Session reference(obtain_plan(plain, *device, session.inputs()), device);
  reference.set_inputs(session.inputs());
  std::vector<std::string> order;
  const auto found = capture_layers(session, &order);
  const auto expected = capture_layers(reference, nullptr);
  Comparison result;
  for (const std::string& name : order) {
    auto at = expected.find(name);
    if (at == expected.end() || at->second.extents() != found.at(name).extents()) continue;
    result.layers.emplace_back(name, compare(found.at(name), at->second));
  }
  const auto goldens = reference.outputs();
  for (const auto& [name, tensor] : session.outputs()) result.outputs[name] = compare(tensor, goldens.at(name));
  return result;
}

Comparison against_file(const VerifyCommand& command, Session& session) {
  session.run();
  const auto goldens = read_npz(command.against);
  Comparison result;
  for (const auto& [name, tensor] : session.outputs()) {
    auto at = goldens.find(name);
    if (at == goldens.end()) at = goldens.find(file_name_of(name));
    if (at == goldens.end()) fail(Code::not_found, "{} has no array '{}'", command.against, name);
    result.outputs[name] = compare(tensor, at->second);
  }
  return result;
}

nlohmann::json to_json(const Comparison& comparison) {
  nlohmann::json outputs = nlohmann::json::object(), layers = nlohmann::json::array();
  for (const auto& [name, e] : comparison.outputs) outputs[name] = {{"relative_l2", e.relative_l2}, {"max_abs", e.max_abs}};
  for (const auto& [name, e] : comparison.layers)
    layers.push_back({{"name", name}, {"relative_l2", e.relative_l2}, {"max_abs", e.max_abs}});
  return {{"outputs", outputs}, {"layers", layers}};
}

void run_verify(const VerifyCommand& command) {
  if (is_plan_file(command.common.model)) fail(Code::invalid_argument, "verify needs the model, {} is a plan", command.common.model);
  auto device = open_device(command.common);
  const auto inputs = read_inputs(command.inputs, command.images);
  Session session(obtain_plan(command.common, *device, inputs), device);
  for (const std::string& made_up : session.set_inputs(inputs))
    std::printf("input %s: no file given, seeded random values\n", made_up.c_str());
  const Comparison result = command.against == "reference" ? against_reference(command, session, device)
                                                           : against_file(command, session);
  const std::pair<std::string, ErrorStatistics>* first = nullptr;
  for (const auto& row : result.layers) {
    if (command.common.verbose) std::printf("  %-60s rel L2 %.3e  max %.3e\n", row.first.c_str(), row.second.relative_l2, row.second.max_abs);
    if (first == nullptr && row.second.relative_l2 > command.tolerance) first = &row;
  }
  bool good = true;
  for (const auto& [name, e] : result.outputs) {
    std::printf("output %-40s rel L2 %.3e  max %.3e%s\n", name.c_str(), e.relative_l2, e.max_abs,
                e.same_shape ? "" : "  (different extents)");
    good = good && e.relative_l2 <= command.tolerance;
  }
  if (!result.layers.empty()) std::printf("%zu layers compared\n", result.layers.size());
  if (first != nullptr)
    std::printf("first layer beyond %.0e: %s (rel L2 %.3e)\n", command.tolerance, first->first.c_str(), first->second.relative_l2);
  if (!command.common.json.empty()) write_json(command.common.json, to_json(result));
  if (!good) fail(Code::mismatch, "{}: outputs differ by more than {:g}", command.common.model, command.tolerance);
}

}  // namespace

void add_verify(CLI::App& app) {
  auto command = std::make_shared<VerifyCommand>();
  CLI::App* sub = app.add_subcommand("verify", "Compare the optimised plan with reference kernels or stored outputs");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_option("--input", command->inputs, "NAME=FILE, as for run");
  sub->add_option("--image", command->images, "NAME:RECIPE, as for run");
  sub->add_option("--against", command->against, "reference, or an .npz with the expected outputs");
  sub->add_option("--tolerance", command->tolerance, "Largest relative L2 error of an output");
  sub->callback([command] { run_verify(*command); });
}

}  // namespace planish::cli
