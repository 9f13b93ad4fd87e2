#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/peer.h"
#include "cli/report.h"

namespace planish::cli {
namespace {

struct BenchCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  int runs = 0;
  double seconds = 3;
  bool layers = false;
  std::string compare;
};

constexpr int kRounds = 5;

double time_once(Session& session) {
  const auto start = std::chrono::steady_clock::now();
  session.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

int runs_a_round(const BenchCommand& command, double first_ms) {
  if (command.runs > 0) return std::max(1, command.runs / kRounds);
  return std::clamp(static_cast<int>(command.seconds * 1e3 / kRounds / std::max(first_ms, 1e-3)), 2, 20000);
}

nlohmann::json to_json(const Statistics& s) {
  return {{"min_ms", s.min_ms}, {"p10_ms", s.p10_ms}, {"median_ms", s.median_ms},
          {"p90_ms", s.p90_ms}, {"p99_ms", s.p99_ms}, {"throughput", s.median_ms > 0 ? 1e3 / s.median_ms : 0},
          {"runs", s.runs}};
}

void print_statistics(const char* who, const Statistics& s) {
  std::printf("%-22s min %9.3f  p10 %9.3f  median %9.3f  p90 %9.3f  p99 %9.3f ms  %9.1f runs/s  (%d runs)\n", who,
              s.min_ms, s.p10_ms, s.median_ms, s.p90_ms, s.p99_ms, 1e3 / s.median_ms, s.runs);
}

std::unique_ptr<Peer> start_peer(const BenchCommand& command, Session& session) {
  if (command.compare.empty()) return nullptr;
  if (command.compare != "onnxruntime")
    fail(Code::invalid_argument, "--compare {}: onnxruntime is accepted", command.compare);
  if (is_plan_file(command.common.model))
    fail(Code::invalid_argument, "--compare needs the .onnx file, {} is a plan", command.common.model);
  return std::make_unique<Peer>(command.common.model, session.engine().device().pool().size(), session.inputs());
}

int64_t flops_of(Session& session) {
  int64_t flops = 0;
  for (const LayerRow& row : measure_layers(session, 1)) flops += row.flops;
  return flops;
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024e-6;
}

void run_bench(const BenchCommand& command) {
  auto device = open_device(command.common);
  const auto inputs = read_inputs(command.inputs, command.images);
  Session session(obtain_plan(command.common, *device, inputs), device);
  for (const std::string& made_up : session.set_inputs(inputs))
    std::printf("input %s: no file given, seeded random values\n", made_up.c_str());
  session.run();
  auto peer = start_peer(command, session);
  const int runs = runs_a_round(command, time_once(session));
  std::vector<double> ours, theirs;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < runs; ++i) ours.push_back(time_once(session));
    if (peer == nullptr) continue;
    const auto times = peer->time(runs);
    theirs.insert(theirs.end(), times.begin(), times.end());
  }
  const Isa isa = parse_isa(session.plan().isa);
  const double peak = measure_peak_gflops(isa, device->pool());
  const Statistics own = statistics_of(ours);
  const double gflops = static_cast<double>(flops_of(session)) / own.min_ms * 1e-6;
  print_statistics("planish", own);
  nlohmann::json result = to_json(own);
  if (peer != nullptr) {
    const Statistics other = statistics_of(theirs);
    print_statistics(("onnxruntime " + peer->version()).c_str(), other);
    std::printf("ratio of minima %.2f (above 1: planish is faster); of medians %.2f\n", other.min_ms / own.min_ms,
                other.median_ms / own.median_ms);
    result["onnxruntime"] = to_json(other);
  }
  const Profile& profile = session.plan().profiles[0];
  const double ratio = profile.live_peak_bytes > 0
                           ? static_cast<double>(profile.arena_bytes) / static_cast<double>(profile.live_peak_bytes)
                           : 1.0;
  std::printf("%d threads, %s; %.1f GFLOP/s at the minimum = %.1f %% of the %.1f GFLOP/s fp32 peak measured now\n",
              device->pool().size(), isa_name(isa).data(), gflops, 100 * gflops / peak, peak);
  std::printf("arena %.2f MB (%.3f of the live peak), peak RSS %.1f MB\n",
              static_cast<double>(profile.arena_bytes) * 1e-6, ratio, peak_rss_mb());
  result["gflops"] = gflops;
  result["peak_gflops"] = peak;
  result["arena_bytes"] = profile.arena_bytes;
  result["arena_over_live_peak"] = ratio;
  result["threads"] = device->pool().size();
  if (command.layers) {
    const auto rows = measure_layers(session, std::clamp(runs, 5, 50));
    print_layers(rows, peak);
    result["layers"] = layers_json(rows, peak);
  }
  if (!command.common.json.empty()) write_json(command.common.json, result);
}

}  // namespace

void add_bench(CLI::App& app) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* sub = app.add_subcommand("bench", "Time a plan or a model, as a whole and layer by layer");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_option("--input", command->inputs, "NAME=FILE, as for run");
  sub->add_option("--image", command->images, "NAME:RECIPE, as for run");
  sub->add_option("--runs", command->runs, "Executions to time (default: as many as --seconds allows)");
  sub->add_option("--seconds", command->seconds, "Time to spend");
  sub->add_flag("--layers", command->layers, "Table of layers: time, rates, kernel");
  sub->add_option("--compare", command->compare, "onnxruntime: time it interleaved, in the same run");
  sub->callback([command] { run_bench(*command); });
}

}  // namespace planish::cli
