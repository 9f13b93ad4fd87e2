#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
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

constexpr const char* kRunExamples =
    "Examples:\n"
    "  planish run model.plan                                        every input seeded random: does it run?\n"
    "  planish run model.plan --input data=x.npy --output-dir out    results in out/NAME.npy\n"
    "  planish run model.onnx --input ids=ids.pb --input mask=mask.npy --shape ids=1x128\n"
    "  planish run model.plan --input all.npz                        members of the archive by input name\n"
    "  planish run vad.onnx --input input=sound.npy --input sr=16000  a number is every element's value\n"
    "  planish run net.plan --input data=cat.jpg --top 5 --labels imagenet.txt \\\n"
    "      --image data:resize=256,crop=224,mean=123.675:116.28:103.53,std=58.395:57.12:57.375\n"
    "A recipe works in this order: resize=N (short side) or stretch=HxW, crop=N (centre), block=N (means of blocks), "
    "scale=S, mean=, std=, then\n"
    "order=rgb|bgr|gray and layout=nchw|nhwc. Pixels are 0 to 255 before it. JPEG and PNG of every kind become RGB of "
    "8\n"
    "bits: alpha is dropped, of 16 bits the upper 8 are taken, neither profiles nor EXIF turns are applied.";

struct RunCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  std::string output_dir, labels;
  int top = 0;
};

std::vector<std::string> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  const std::string content = read_file(path);
  if (content.find('\0') != std::string::npos)
    fail(Code::io, "{}: a binary file; text of one label a line is accepted", path);
  std::istringstream text(content);
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    labels.push_back(line);
  }
  return labels;
}

// Indices of the `count` largest values, equal ones in order of index, NaN last.
std::vector<size_t> best_of(const std::vector<double>& scores, int count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t kept = std::min(order.size(), static_cast<size_t>(count));
  const auto better = [&](size_t a, size_t b) {
    if (std::isnan(scores[a]) != std::isnan(scores[b])) return std::isnan(scores[b]);
    return scores[a] > scores[b] || (!(scores[b] > scores[a]) && a < b);
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), better);
  order.resize(kept);
  return order;
}

void print_top(const std::string& name, const Tensor& tensor, const RunCommand& command,
               const std::vector<std::string>& labels) {
  const std::vector<double> scores = tensor.to_doubles();
  const std::vector<size_t> best = best_of(scores, command.top);
  std::printf("%s, best %zu of %zu:\n", name.c_str(), best.size(), scores.size());
  bool missing = false;
  for (size_t i : best) {
    missing = missing || i >= labels.size();
    std::printf("  %6zu  %12.6f  %s\n", i, scores[i], i < labels.size() ? labels[i].c_str() : "");
  }
  if (missing && !command.labels.empty())
    std::fprintf(stderr, "%s has %zu labels, output '%s' %zu elements\n", command.labels.c_str(), labels.size(),
                 name.c_str(), scores.size());
}

struct Summary {
  double min = NAN, mean = NAN, max = NAN;  // of the finite values
  size_t not_finite = 0, count = 0;
};

Summary summary_of(const std::vector<double>& values) {
  Summary summary;
  summary.count = values.size();
  double sum = 0;
  for (double value : values) {
    if (!std::isfinite(value)) {
      ++summary.not_finite;
      continue;
    }
    summary.min = std::fmin(summary.min, value);
    summary.max = std::fmax(summary.max, value);
    sum += value;
  }
  if (summary.count > summary.not_finite) summary.mean = sum / static_cast<double>(summary.count - summary.not_finite);
  return summary;
}

void print_summary(const std::string& name, const Tensor& tensor) {
  const Summary s = summary_of(tensor.to_doubles());
  std::printf("%s %s: ", name.c_str(), tensor.type().str().c_str());
  if (s.count == 0) std::printf("empty");
  if (s.count > s.not_finite) std::printf("min %.6g, mean %.6g, max %.6g", s.min, s.mean, s.max);
  if (s.not_finite > 0)
    std::printf("%s%zu of %zu not finite", s.count > s.not_finite ? ", " : "", s.not_finite, s.count);
  std::printf("\n");
}

nlohmann::json output_json(const Tensor& tensor, int top) {
  const std::vector<double> values = tensor.to_doubles();
  const Summary s = summary_of(values);
  nlohmann::json json = {{"type", tensor.type().str()}};
  if (s.count == 0) return json;
  json.update({{"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"not_finite", s.not_finite}});
  for (size_t index : best_of(values, top)) json["top"].push_back({{"index", index}, {"value", values[index]}});
  return json;
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && !std::filesystem::is_directory(folder, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail(Code::io, "--output-dir {}: cannot create it: {}", folder, error.message());
}

// Where each output goes; refuses before anything has run.
std::map<std::string, std::string> output_paths(RunCommand& command, const Plan& plan) {
  std::vector<std::string> names;
  for (const Binding& binding : plan.bindings)
    if (!binding.is_input) names.push_back(binding.name);
  auto paths = file_names_of(names);
  for (auto& [name, path] : paths) {
    path = command.output_dir + "/" + path + ".npy";
    command.common.files.writes("--output-dir", path);
  }
  return paths;
}

void check(const RunCommand& command) {
  if (command.top < 0) throw UsageError(fmt::format("--top {}: 0 or more is accepted", command.top));
  if (!command.labels.empty() && command.top == 0)
    throw UsageError(fmt::format("--labels {}: --top K says how many are printed", command.labels));
}

void report(const RunCommand& command, const std::vector<std::string>& made_up,
            const std::map<std::string, Tensor>& outputs, const std::vector<std::string>& labels) {
  nlohmann::json json = {{"random_inputs", made_up}, {"outputs", nlohmann::json::object()}};
  for (const auto& [name, tensor] : outputs) {
    if (!command.common.quiet) print_summary(name, tensor);
    if (command.top > 0 && command.common.json != "-") print_top(name, tensor, command, labels);
    if (!command.common.json.empty()) json["outputs"][name] = output_json(tensor, command.top);
  }
  if (!command.common.json.empty()) write_json(command.common.json, json);
}

// Made-up values need not fit: indices beyond a table, counts beyond a row.
void run(Session& session, const std::vector<std::string>& made_up) {
  try {
    session.run();
  } catch (const Error& error) {
    if (made_up.empty()) throw;
    std::string names;
    for (const std::string& name : made_up) names += (names.empty() ? "" : ", ") + name;
    fail(error.code(), "{} (made-up values: {}; --input NAME=FILE or NAME=NUMBER gives others)", error.what(), names);
  }
}

void run_model(RunCommand& command) {
  check(command);
  FlagPaths read = input_paths(command.inputs);
  read.push_back({"--labels", command.labels});
  declare_files(command.common, read);
  const auto labels = command.labels.empty() ? std::vector<std::string>{} : read_labels(command.labels);
  if (!command.output_dir.empty()) make_folder(command.output_dir);
  auto device = open_device(command.common);
  const auto inputs = read_inputs(command.inputs, command.images);
  Session session(obtain_plan(command.common, *device, inputs), device);
  std::map<std::string, std::string> paths;
  if (!command.output_dir.empty()) paths = output_paths(command, session.plan());
  const auto made_up = session.set_inputs(inputs, run_extents(command.common));
  for (const std::string& name : made_up)
    if (!command.common.quiet) std::printf("input %s: no file given, seeded random values\n", name.c_str());
  run(session, made_up);
  const auto outputs = session.outputs();
  for (const auto& [name, path] : paths) write_npy(path, outputs.at(name));
  report(command, made_up, outputs, labels);
}

}  // namespace

void add_run(CLI::App& app) {
  auto command = std::make_shared<RunCommand>();
  CLI::App* sub = app.add_subcommand("run", "Run a plan or a model once");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_option(
      "--input", command->inputs,
      "NAME=FILE: .npy, .npz, .pb, .jpg, .png, or raw bytes of the input's type; NAME=NUMBER: every element is that");
  sub->add_option("--image", command->images,
                  "NAME:RECIPE for pictures: resize=256,crop=224,mean=…,std=…,order=rgb|bgr|gray,layout=nchw|nhwc");
  sub->add_option("--output-dir", command->output_dir, "Write each output there as NAME.npy");
  sub->add_option("--top", command->top, "Print the K largest elements of each output; 0: none");
  sub->add_option("--labels", command->labels, "Text file, one label a line, for --top");
  sub->footer(kRunExamples);
  sub->callback([command] { run_model(*command); });
}

}  // namespace planish::cli
