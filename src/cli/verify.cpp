#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/difference.h"
#include "cli/layer_values.h"
#include "cli/npz.h"
#include "cli/options.h"
#include "cli/precision.h"
#include "cli/report.h"
#include "cli/session.h"

namespace planish::cli {
namespace {

constexpr const char* kVerifyExamples =
    "Examples:\n"
    "  planish verify model.onnx -v                    optimised plan against plain loops in double, layer by layer\n"
    "  planish verify model.onnx --input data=x.npy --against golden.npz\n"
    "                                                  against stored arrays, by tensor name: outputs, and whichever "
    "values\n"
    "                                                  between and inputs the archive holds\n"
    "  planish verify model.onnx --precision int8 --data DIR --image data:crop=224,std=255\n"
    "                                                  what each layer loses in int8, alone, and what they lose "
    "together\n"
    "Relative L2 is |found - expected| / max(|expected|, 1e-6 sqrt(n)). Exit status 1 when an output is beyond "
    "--tolerance.";

struct VerifyCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  std::string against = "reference";
  double tolerance = 1e-4;
};

struct LayerDifference {
  std::string layer, value;
  Difference difference;
};

struct Comparison {
  std::map<std::string, Difference> outputs;
  std::vector<LayerDifference> layers;  // in the order in which the optimised plan computes them
};

using Values = std::map<std::string, Tensor>;

// An array of the archive by tensor name, or by the name that `run --output-dir` would give its file.
const Tensor* find_value(const Values& values, const std::string& name) {
  auto at = values.find(name);
  if (at == values.end()) at = values.find(file_name_of(name));
  return at == values.end() ? nullptr : &at->second;
}

Values reference_values(const VerifyCommand& command, const Graph& model, const Inputs& inputs,
                        std::shared_ptr<Device> device) {
  CommonOptions plain = command.common;
  plain.no_optimize = true;
  plain.verbose = false;
  BuildReport report;
  Session session(obtain_plan(plain, *device, inputs, &report), device);
  session.set_inputs(inputs);
  Values values;
  const LayerValues layers(model, session.plan(), report);
  layers.visit(session, [&](const auto&, const auto& value, const Tensor& contents) { values[value] = contents; });
  for (const auto& [name, tensor] : session.outputs()) values[name] = tensor;
  return values;
}

Comparison compare_with(const Values& expected, const LayerValues& layers, Session& session,
                        const std::string& source) {
  Comparison result;
  layers.visit(session, [&](const std::string& layer, const std::string& value, const Tensor& contents) {
    const Tensor* wanted = find_value(expected, value);
    if (wanted != nullptr && wanted->extents() == contents.extents())
      result.layers.push_back({layer, value, difference_of(contents, *wanted)});
  });
  for (const auto& [name, tensor] : session.outputs()) {
    const Tensor* wanted = find_value(expected, name);
    if (wanted == nullptr) fail(Code::not_found, "{} has no array '{}' for the output of that name", source, name);
    result.outputs[name] = difference_of(tensor, *wanted);
  }
  return result;
}

// Arrays of the archive that are inputs of the model serve as such where no --input does.
void take_inputs(const Graph& model, const std::string& source, const Values& archive, Inputs& inputs, bool talk) {
  for (ValueId id : model.inputs()) {
    const std::string& name = model.value(id).name;
    const Tensor* stored = find_value(archive, name);
    if (stored == nullptr || inputs.count(name) > 0) continue;
    if (talk) std::printf("input %s: from the archive\n", name.c_str());
    inputs[name] = {*stored, source};
  }
}

nlohmann::json to_json(const Comparison& comparison) {
  nlohmann::json outputs = nlohmann::json::object(), layers = nlohmann::json::array();
  for (const auto& [name, difference] : comparison.outputs) outputs[name] = difference_json(difference);
  for (const LayerDifference& row : comparison.layers) {
    layers.push_back(difference_json(row.difference));
    layers.back()["name"] = row.layer;
    layers.back()["value"] = row.value;
  }
  return {{"outputs", outputs}, {"layers", layers}};
}

void print_layers(const VerifyCommand& command, const Comparison& comparison) {
  const LayerDifference *first = nullptr, *worst = nullptr;
  for (const LayerDifference& row : comparison.layers) {
    if (command.common.verbose)
      std::printf("  %-48s %-24s %s\n", row.layer.c_str(), row.value.c_str(), difference_text(row.difference).c_str());
    if (first == nullptr && row.difference.relative_l2 > command.tolerance) first = &row;
    if (worst == nullptr || row.difference.relative_l2 > worst->difference.relative_l2) worst = &row;
  }
  if (worst == nullptr) return;
  std::printf("%zu layers compared, the largest difference at %s: %s\n", comparison.layers.size(), worst->layer.c_str(),
              difference_text(worst->difference).c_str());
  if (first == nullptr)
    std::printf("no layer is beyond %.0e\n", command.tolerance);
  else
    std::printf("first layer beyond %.0e: %s, value %s: %s\n", command.tolerance, first->layer.c_str(),
                first->value.c_str(), difference_text(first->difference).c_str());
}

void print_outputs(const Comparison& comparison) {
  for (const auto& [name, difference] : comparison.outputs)
    std::printf("output %-32s %s\n", name.c_str(), difference_text(difference).c_str());
}

// The worst output decides.
void judge(const VerifyCommand& command, const Comparison& comparison) {
  const auto accepted = [&](const Difference& d) { return std::max(command.tolerance, d.rounding); };
  const auto worst =
      std::max_element(comparison.outputs.begin(), comparison.outputs.end(), [&](const auto& a, const auto& b) {
        return a.second.relative_l2 - accepted(a.second) < b.second.relative_l2 - accepted(b.second);
      });
  if (worst == comparison.outputs.end() || worst->second.relative_l2 <= accepted(worst->second)) return;
  fail(Code::mismatch, "{}: output '{}' differs: {}; up to {:g} is accepted", command.common.model, worst->first,
       difference_text(worst->second), accepted(worst->second));
}

void run_verify(VerifyCommand& command) {
  if (!(command.tolerance >= 0))
    throw UsageError(fmt::format("--tolerance {}: 0 or more is accepted", command.tolerance));
  if (is_plan_file(command.common.model))
    fail(Code::invalid_argument, "verify needs the model, {} is a plan", command.common.model);
  if (!command.common.quantization.data.data.empty()) {
    command.common.quantization.data.images = command.images;
    return verify_layers(command.common);
  }
  command.common.no_tf32 = true;  // the bar is that of exact products
  const bool with_reference = command.against == "reference";
  FlagPaths read = input_paths(command.inputs);
  if (!with_reference) read.push_back({"--against", command.against});
  declare_files(command.common, read);
  auto device = open_device(command.common);
  Inputs inputs = read_inputs(command.inputs, command.images);
  const Values archive = with_reference ? Values{} : read_npz(command.against);
  if (!with_reference)
    take_inputs(import_model(command.common, inputs), command.against, archive, inputs, !command.common.quiet);
  const Graph model = import_model(command.common, inputs);
  BuildReport report;
  Session session(obtain_plan(command.common, *device, inputs, &report), device);
  for (const std::string& made_up : session.set_inputs(inputs))
    if (!command.common.quiet) std::printf("input %s: no file given, seeded random values\n", made_up.c_str());
  const LayerValues layers(model, session.plan(), report);
  Inputs same;
  for (const auto& [name, tensor] : session.inputs()) same[name] = {tensor, "input " + name};
  const Values expected = with_reference ? reference_values(command, model, same, device) : archive;
  const Comparison result = compare_with(expected, layers, session, command.against);
  if (!command.common.quiet) print_layers(command, result);
  if (!command.common.quiet) print_outputs(result);
  if (!command.common.json.empty()) write_json(command.common.json, to_json(result));
  judge(command, result);
}

}  // namespace

void add_verify(CLI::App& app) {
  auto command = std::make_shared<VerifyCommand>();
  CLI::App* sub = app.add_subcommand("verify", "Compare the optimised plan with reference kernels or stored outputs");
  add_model_options(*sub, command->common);
  sub->get_option("model")->description("An .onnx or .prototxt file");
  add_build_options(*sub, command->common);
  sub->add_option("--input", command->inputs, "NAME=FILE or NAME=NUMBER, as for run");
  sub->add_option("--image", command->images, "NAME:RECIPE, as for run");
  add_calibration_options(*sub, command->common.quantization, "--data");
  add_error_option(*sub, command->common.quantization);
  sub->add_option(
      "--against", command->against,
      "reference, or an .npz with the expected outputs (and, as they are there, values between and inputs)");
  sub->add_option("--tolerance", command->tolerance,
                  "Largest relative L2 error of an output; one of f16 or bf16 may be off by a rounding");
  sub->footer(kVerifyExamples);
  sub->callback([command] { run_verify(*command); });
}

}  // namespace planish::cli
