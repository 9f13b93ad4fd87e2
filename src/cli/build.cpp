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

constexpr const char* kBuildExamples =
    "Examples:\n"
    "  planish build model.onnx -o model.plan                           this machine, all its cores\n"
    "  planish build model.onnx -o model.plan --shape data=8x3x224x224  another batch; one --shape for each dynamic "
    "input\n"
    "  planish build model.onnx -o model.plan --shape data=1x3x224x224:4x3x224x224:16x3x224x224\n"
    "                                        any batch from 1 to 16, tuned for 4\n"
    "  planish build model.onnx -o model.plan --tune full --timing-cache t.cache\n"
    "                                        more measuring; the cache makes the next build quick and the same\n"
    "  planish build deploy.prototxt --weights net.caffemodel -o net.plan    a Caffe network\n"
    "  planish build model.onnx -o model.plan --target cuda:sm_90a --fp16    for a GPU, here or not\n"
    "  planish build model.onnx -o model.plan --target avx2 --tune off  for a machine that is not here\n"
    "  planish build model.onnx -o model.plan --precision int8 --calibrate DIR --image data:crop=224,std=255\n"
    "                                        int8, with ranges from the pictures of a folder\n"
    "-v prints what each layer chose, with the time of every candidate or the reason of its refusal.";

struct BuildCommand {
  CommonOptions common;
  std::string output;
};

nlohmann::json report_json(const Plan& plan, const BuildReport& report) {
  nlohmann::json layers = nlohmann::json::array();
  for (const TacticChoice& choice : report.choices)
    layers.push_back({{"name", choice.node},
                      {"chosen", choice.chosen},
                      {"timings_us", choice.timings_us},
                      {"refusals", choice.refusals}});
  return {{"steps", plan.profiles[0].steps.size()},
          {"arena_bytes", plan.profiles[0].arena_bytes},
          {"phases_ms", report.phases_ms},
          {"timed", report.timed},
          {"cached", report.cached},
          {"images_compiled", report.images_compiled},
          {"images_from_disk", report.images_from_disk},
          {"compiler_seconds", report.compiler_seconds},
          {"layers", layers}};
}

int64_t constant_bytes(const Plan& plan) {
  int64_t bytes = 0;
  for (const Tensor& tensor : plan.constants) bytes += tensor.byte_count();
  return bytes;
}

// What a plan for a GPU leaves to the host, with the bytes that go there and back.
void print_host_steps(const Plan& plan) {
  if (plan.target == "cpu") return;
  int launches = 0, transfers = 0;
  for (const Step& step : plan.profiles[0].steps) {
    launches += step.kind == StepKind::launch ? 1 : 0;
    transfers += step.kind == StepKind::copy ? 1 : 0;
  }
  std::printf("%s: %d launches, %d copies between host and GPU, %.2f MB arena of the GPU\n", plan.target.c_str(),
              launches, transfers, static_cast<double>(plan.profiles[0].device_arena_bytes) * 1e-6);
  SymbolValues typical;
  for (const auto& [name, info] : plan.profiles[0].symbols) typical[name] = info.range.opt;
  for (const Step& step : plan.profiles[0].steps)
    if (step.kind != StepKind::launch && step.kind != StepKind::copy)
      std::printf("  on the host: %s (%s), %lld operations, %lld bytes\n", step.name.c_str(), step.op.c_str(),
                  static_cast<long long>(step.flops.evaluate(typical)),
                  static_cast<long long>(step.bytes.evaluate(typical)));
}

void print_phases(const BuildReport& report) {
  const char* between = "phases: ";
  for (const auto& [phase, ms] : report.phases_ms) {
    std::printf("%s%s %.2f s", between, phase.c_str(), ms * 1e-3);
    between = ", ";
  }
  std::printf("; %d candidates timed, %d known", report.timed, report.cached);
  if (report.images_compiled + report.images_from_disk > 0)
    std::printf("; %d images compiled in %.1f s of all threads, %d from disk", report.images_compiled,
                report.compiler_seconds, report.images_from_disk);
  std::printf("\n");
}

void run_build(BuildCommand& command) {
  const auto start = std::chrono::steady_clock::now();
  if (command.output == "-") throw UsageError("--output -: a file is accepted");
  declare_files(command.common, {}, {{"--output", command.output}});
  if (is_plan_file(command.common.model)) fail(Code::invalid_argument, "{} is a plan already", command.common.model);
  auto device = open_device(command.common);
  BuildReport report;
  const Plan plan = obtain_plan(command.common, *device, {}, &report);
  save(plan, command.output);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!command.common.json.empty()) write_json(command.common.json, report_json(plan, report));
  if (command.common.quiet) return;
  const Profile& profile = plan.profiles[0];
  std::printf("%s: %zu steps, %.1f MB constants, %.2f MB arena, for %s, in %.1f s\n", command.output.c_str(),
              profile.steps.size(), static_cast<double>(constant_bytes(plan)) * 1e-6,
              static_cast<double>(profile.arena_bytes) * 1e-6, plan.isa.c_str(), seconds.count());
  print_host_steps(plan);
  print_phases(report);
}

}  // namespace

void add_build(CLI::App& app) {
  auto command = std::make_shared<BuildCommand>();
  CLI::App* sub = app.add_subcommand("build", "Import a model, optimise it for this machine, write a plan");
  add_model_options(*sub, command->common);
  sub->get_option("model")->description("An .onnx or .prototxt file");
  add_build_options(*sub, command->common);
  add_calibration_options(*sub, command->common.quantization, "--calibrate");
  add_error_option(*sub, command->common.quantization);
  sub->add_option("-o,--output", command->output, "The plan file")->required();
  sub->footer(kBuildExamples);
  sub->callback([command] { run_build(*command); });
}

}  // namespace planish::cli
