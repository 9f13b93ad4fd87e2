#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/npy.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"

namespace planish::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  planish run model.plan                                        every input seeded random: does it run?\n"
    "  planish run model.plan --input data=x.npy --output-dir out    results in out/NAME.npy\n"
    "  planish run model.onnx --input ids=ids.pb --input mask=mask.npy --shape ids=1x128\n"
    "  planish run model.plan --input all.npz                        members of the archive by input name\n"
    "  planish run net.plan --input data=cat.jpg --top 5 --labels imagenet.txt \\\n"
    "      --image data:resize=256,crop=224,mean=123.675:116.28:103.53,std=58.395:57.12:57.375\n"
    "A recipe works in this order: resize=N (short side) or stretch=HxW, crop=N (centre), scale=S, mean=, std=, then\n"
    "order=rgb|bgr|gray and layout=nchw|nhwc. Pixels are 0 to 255 before it.";

struct RunCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  std::string output_dir, labels;
  int top = 0;
};

std::vector<std::string> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) labels.push_back(line);
  return labels;
}

// Indices of the `count` largest values, equal ones in order of index.
std::vector<size_t> best_of(const std::vector<double>& scores, int count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t kept = std::min(order.size(), static_cast<size_t>(count));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](size_t a, size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  order.resize(kept);
  return order;
}

void print_top(const std::string& name, const Tensor& tensor, int count, const std::vector<std::string>& labels) {
  const std::vector<double> scores = tensor.to_doubles();
  const std::vector<size_t> best = best_of(scores, count);
  std::printf("%s, best %zu of %zu:\n", name.c_str(), best.size(), scores.size());
  for (size_t i : best) std::printf("  %6zu  %12.6f  %s\n", i, scores[i], i < labels.size() ? labels[i].c_str() : "");
}

void print_summary(const std::string& name, const Tensor& tensor) {
  const std::vector<double> values = tensor.to_doubles();
  if (values.empty()) {
    std::printf("%s %s: empty\n", name.c_str(), tensor.type().str().c_str());
    return;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::printf("%s %s: min %.6g, mean %.6g, max %.6g\n", name.c_str(), tensor.type().str().c_str(), *low, mean, *high);
}

nlohmann::json output_json(const Tensor& tensor, int top) {
  const std::vector<double> values = tensor.to_doubles();
  nlohmann::json json = {{"type", tensor.type().str()}};
  if (values.empty()) return json;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  json["min"] = *low;
  json["max"] = *high;
  json["mean"] = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (size_t index : best_of(values, top)) json["top"].push_back({{"index", index}, {"value", values[index]}});
  return json;
}

void write_outputs(const std::string& folder, const std::map<std::string, Tensor>& outputs) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(Code::io, "--output-dir {}: cannot create it: {}", folder, error.message());
  for (const auto& [name, tensor] : outputs) write_npy(folder + "/" + file_name_of(name) + ".npy", tensor);
}

void run_model(const RunCommand& command) {
  if (command.top < 0) throw UsageError(fmt::format("--top {}: 0 or more is accepted", command.top));
  const auto labels = command.labels.empty() ? std::vector<std::string>{} : read_labels(command.labels);
  auto device = open_device(command.common);
  const auto inputs = read_inputs(command.inputs, command.images);
  Session session(obtain_plan(command.common, *device, inputs), device);
  const auto made_up = session.set_inputs(inputs);
  const bool talk = !command.common.quiet;
  for (const std::string& name : made_up)
    if (talk) std::printf("input %s: no file given, seeded random values\n", name.c_str());
  session.run();
  const auto outputs = session.outputs();
  nlohmann::json json = {{"random_inputs", made_up}, {"outputs", nlohmann::json::object()}};
  for (const auto& [name, tensor] : outputs) {
    if (talk) print_summary(name, tensor);
    if (command.top > 0 && command.common.json != "-") print_top(name, tensor, command.top, labels);
    if (!command.common.json.empty()) json["outputs"][name] = output_json(tensor, command.top);
  }
  if (!command.output_dir.empty()) write_outputs(command.output_dir, outputs);
  if (!command.common.json.empty()) write_json(command.common.json, json);
}

}  // namespace

void add_run(CLI::App& app) {
  auto command = std::make_shared<RunCommand>();
  CLI::App* sub = app.add_subcommand("run", "Run a plan or a model once");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_option("--input", command->inputs, "NAME=FILE: .npy, .npz, .pb, .jpg, .png or raw bytes");
  sub->add_option("--image", command->images,
                  "NAME:RECIPE for pictures: resize=256,crop=224,mean=…,std=…,order=rgb|bgr,layout=nchw|nhwc");
  sub->add_option("--output-dir", command->output_dir, "Write each output there as NAME.npy");
  sub->add_option("--top", command->top, "Print the K largest elements of each output");
  sub->add_option("--labels", command->labels, "Text file, one label a line, for --top");
  sub->footer(kExamples);
  sub->callback([command] { run_model(*command); });
}

}  // namespace planish::cli
