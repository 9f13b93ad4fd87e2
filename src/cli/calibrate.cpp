#include "compile/calibrate/calibrate.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/report.h"

namespace planish::cli {
namespace {

constexpr const char* kCalibrateExamples =
    "Examples:\n"
    "  planish calibrate model.onnx --data pictures -o model.table --samples 100 \\\n"
    "      --image data:crop=224,mean=123.675:116.28:103.53,std=58.395:57.12:57.375\n"
    "  planish calibrate model.onnx --data samples.npz -o model.table --method best\n"
    "  planish build model.onnx -o model.plan --precision int8 --calibration model.table\n"
    "The table is TensorRT's text: a header, then `tensor: scale` as the bits of a float.";

struct CalibrateCommand {
  CommonOptions common;
  std::string output;
};

void run_calibrate(CalibrateCommand& command) {
  const auto start = std::chrono::steady_clock::now();
  CommonOptions& common = command.common;
  if (command.output == "-") throw UsageError("--output -: a file is accepted");
  declare_files(common, {}, {{"--output", command.output}});
  if (is_plan_file(common.model)) fail(Code::invalid_argument, "{} is a plan; the model is accepted", common.model);
  const auto device = open_device(common);
  const Graph simple = simplified(import_model(common, {}));
  CalibrationReport report;
  const CalibrationTable found = calibrate_by_flags(common, simple, *device, &report);
  write_file_atomic(command.output, print_table(found));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!common.quiet) std::printf("%s written in %.1f s\n", command.output.c_str(), seconds.count());
  if (common.json.empty()) return;
  nlohmann::json json = {{"samples", report.samples},  {"method", method_name(report.method)},
                         {"dead", report.dead},        {"constant", report.constant},
                         {"seconds", seconds.count()}, {"scales", found.scales}};
  if (!report.decibels.empty()) json["decibels"] = report.decibels;
  write_json(common.json, json);
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto command = std::make_shared<CalibrateCommand>();
  CLI::App* sub = app.add_subcommand("calibrate", "Find the ranges of a network's values, from samples, for int8");
  add_model_options(*sub, command->common);
  sub->get_option("model")->description("An .onnx or .prototxt file");
  sub->add_option("--weights", command->common.weights, "The weights of a .prototxt: a .caffemodel");
  sub->add_flag("--random-weights", command->common.random_weights, "Seeded random weights for a .prototxt");
  sub->add_option("--shape", command->common.shapes, "Extents of a dynamic input: NAME=1x3x224x224");
  add_calibration_options(*sub, command->common.quantization, "--data");
  sub->get_option("--data")->required();
  sub->add_option("-o,--output", command->output, "The table")->required();
  sub->footer(kCalibrateExamples);
  sub->callback([command] { run_calibrate(*command); });
}

}  // namespace planish::cli
