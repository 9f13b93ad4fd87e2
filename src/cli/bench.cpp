#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/arithmetic.h"
#include "cli/commands.h"
#include "cli/layers.h"
#include "cli/options.h"
#include "cli/peer.h"
#include "cli/report.h"
#include "cli/session.h"

namespace planish::cli {
namespace {

struct BenchCommand {
  CommonOptions common;
  std::vector<std::string> inputs, images;
  int runs = 0;
  double seconds = 3;
  bool layers = false;
  int slowest = 0;
  std::string compare;
};

constexpr int kRounds = 5;
constexpr int kMaxRuns = 1000000;

constexpr const char* kBenchExamples =
    "Examples:\n"
    "  planish bench model.plan                             minimum, percentiles, throughput, fraction of the peak\n"
    "  planish bench model.plan --layers                    and what each layer takes\n"
    "  planish bench model.onnx --compare onnxruntime       beside ONNX Runtime, in turns (PLANISH_PYTHON names the "
    "Python)\n"
    "  planish bench model.onnx --threads 2 --json r.json   min_ms, p10_ms, median_ms, p90_ms, p99_ms, throughput, "
    "...\n"
    "The minimum says what the kernels can do, p99 what a user sees on this machine as it is loaded now.";

double time_once(Session& session) {
  const auto start = std::chrono::steady_clock::now();
  session.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// One round: its part of --runs, or as many as fit into its part of --seconds, two at least.
std::vector<double> time_round(const BenchCommand& command, int round, Session& session) {
  std::vector<double> times;
  if (command.runs > 0) {
    const int64_t before = int64_t{command.runs} * round / kRounds,
                  after = int64_t{command.runs} * (round + 1) / kRounds;
    for (int64_t i = before; i < after; ++i) times.push_back(time_once(session));
    return times;
  }
  double left_ms = command.seconds * 1e3 / kRounds;
  while (times.size() < 2 || (left_ms > 0 && times.size() < kMaxRuns / kRounds)) {
    times.push_back(time_once(session));
    left_ms -= times.back();
  }
  return times;
}

nlohmann::json to_json(const Statistics& s) {
  return {{"min_ms", s.min_ms}, {"p10_ms", s.p10_ms}, {"median_ms", s.median_ms},
          {"p90_ms", s.p90_ms}, {"p99_ms", s.p99_ms}, {"throughput", s.runs_a_second()},
          {"runs", s.runs}};
}

void print_statistics(const char* who, const Statistics& s) {
  std::printf("%-22s min %9.3f  p10 %9.3f  median %9.3f  p90 %9.3f  p99 %9.3f ms  %9.1f runs/s  (%d runs)\n", who,
              s.min_ms, s.p10_ms, s.median_ms, s.p90_ms, s.p99_ms, s.runs_a_second(), s.runs);
}

// One of the devices of --compare cpu,cuda.
struct Contender {
  std::string name;
  std::unique_ptr<Session> session;
  std::vector<double> times;
};

// "cpu,cuda" names them; empty: what is compared is no list of devices.
std::vector<std::string> devices_of(const std::string& compare) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= compare.size();) {
    const size_t end = std::min(compare.find(',', begin), compare.size());
    names.push_back(compare.substr(begin, end - begin));
    if (!is_device_name(names.back())) return {};
    begin = end + 1;
  }
  return names;
}

// The model on each device, built for it, with the same inputs, in turns; copies to and from a GPU are inside.
void compare_devices(BenchCommand& command, const std::vector<std::string>& names) {
  declare_files(command.common, input_paths(command.inputs));
  if (is_plan_file(command.common.model))
    fail(Code::invalid_argument, "--compare {}: {} is a plan for one device; a model is accepted", command.compare,
         command.common.model);
  const auto inputs = read_inputs(command.inputs, command.images);
  std::vector<Contender> contenders;
  for (const std::string& name : names) {
    command.common.device = name;
    auto device = open_device(command.common);
    auto session = std::make_unique<Session>(obtain_plan(command.common, *device, inputs), device);
    session->set_inputs(inputs, run_extents(command.common));
    session->run();
    contenders.push_back({name, std::move(session), {}});
  }
  for (int round = 0; round < kRounds; ++round)
    for (Contender& one : contenders) {
      const auto times = time_round(command, round, *one.session);
      one.times.insert(one.times.end(), times.begin(), times.end());
    }
  nlohmann::json result;
  const Statistics first = statistics_of(contenders.front().times);
  for (const Contender& one : contenders) {
    const Statistics own = statistics_of(one.times);
    result[one.name] = to_json(own);
    if (command.common.quiet) continue;
    print_statistics(one.name.c_str(), own);
    if (&one != &contenders.front())
      std::printf("%s beside %s: latency %.2f of it, throughput %.2f times\n", one.name.c_str(), names[0].c_str(),
                  own.median_ms / first.median_ms, own.runs_a_second() / first.runs_a_second());
  }
  if (!command.common.json.empty()) write_json(command.common.json, result);
}

// The model of "onnxruntime", or "onnxruntime=MODEL.onnx" where what is timed is a plan.
std::string peer_model(const BenchCommand& command) {
  if (command.compare.empty()) return {};
  const size_t equals = std::min(command.compare.find('='), command.compare.size());
  const bool named = equals < command.compare.size();
  if (command.compare.substr(0, equals) != "onnxruntime" || equals + 1 == command.compare.size())
    throw UsageError(fmt::format("--compare {}: onnxruntime, onnxruntime=MODEL.onnx or devices (cpu,cuda) are accepted",
                                 command.compare));
  if (!named && is_plan_file(command.common.model))
    fail(Code::invalid_argument, "--compare onnxruntime: {} is a plan; write onnxruntime=MODEL.onnx",
         command.common.model);
  const std::string model = named ? command.compare.substr(equals + 1) : command.common.model;
  if (is_caffe_name(model))
    fail(Code::invalid_argument, "--compare: ONNX Runtime does not read {}; onnxruntime=MODEL.onnx is accepted", model);
  FileMap::open(model);
  return model;
}

int64_t flops_of(Session& session) {
  int64_t flops = 0;
  for (const LayerRow& row : measure_layers(session, 1)) flops += row.flops;
  return flops;
}

// Of this process alone: getrusage() begins with the size of the process that started it.
double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string field; status >> field; std::getline(status, field))
    if (double kilobytes = 0; field == "VmHWM:" && status >> kilobytes) return kilobytes * 1024e-6;
  return 0;
}

struct Times {
  std::vector<double> ours, theirs;
};

Times time_interleaved(const BenchCommand& command, Session& session, Peer* peer) {
  Times times;
  time_once(session);
  for (int round = 0; round < kRounds; ++round) {
    const auto ours = time_round(command, round, session);
    times.ours.insert(times.ours.end(), ours.begin(), ours.end());
    if (peer == nullptr || ours.empty()) continue;
    const auto theirs = peer->time(static_cast<int>(ours.size()));
    times.theirs.insert(times.theirs.end(), theirs.begin(), theirs.end());
  }
  return times;
}

nlohmann::json machine_json(Session& session, double min_ms) {
  const Profile& profile = session.plan().profiles[0];
  const double peak = measure_peak_gflops(parse_isa(session.plan().isa), session.engine().device().pool());
  const auto live = static_cast<double>(profile.live_peak_bytes);
  return {{"gflops", static_cast<double>(flops_of(session)) / min_ms * 1e-6},
          {"peak_gflops", peak},
          {"arithmetic", arithmetic_of(session.plan())},
          {"isa", session.plan().isa},
          {"target", session.plan().target},
          {"threads", session.engine().device().pool().size()},
          {"arena_bytes", profile.arena_bytes},
          {"arena_over_live_peak", live > 0 ? static_cast<double>(profile.arena_bytes) / live : 1.0},
          {"rss_mb", peak_rss_mb()}};
}

void print_result(const nlohmann::json& result, const Statistics& own, const Peer* peer, const Statistics& other) {
  print_statistics("planish", own);
  if (peer != nullptr) {
    print_statistics(("onnxruntime " + peer->version()).c_str(), other);
    std::printf("ratio of minima %.2f (above 1: planish is faster); of medians %.2f\n", other.min_ms / own.min_ms,
                other.median_ms / own.median_ms);
  }
  const double gflops = result["gflops"], peak = result["peak_gflops"], arena = result["arena_bytes"];
  if (result["target"] != "cpu")
    std::printf("%s; %.1f GFLOP/s at the minimum\n", result["target"].get<std::string>().c_str(), gflops);
  else
    std::printf("%d threads, %s; %.1f GFLOP/s at the minimum = %.1f %% of the %.1f GFLOP/s fp32 peak measured now%s\n",
                result["threads"].get<int>(), result["isa"].get<std::string>().c_str(), gflops, 100 * gflops / peak,
                peak, above_fp32(result["arithmetic"]).c_str());
  std::printf("arena %.2f MB (%.3f of the live peak), peak RSS %.1f MB", arena * 1e-6,
              result["arena_over_live_peak"].get<double>(), result["rss_mb"].get<double>());
  if (peer != nullptr)
    std::printf(" (onnxruntime and its Python: %.1f MB)", result["onnxruntime"]["rss_mb"].get<double>());
  std::printf("\n");
}

void check(const BenchCommand& command) {
  if (command.slowest > 0 && !command.layers)
    throw UsageError(fmt::format("--slowest {}: --layers prints the table that it cuts", command.slowest));
  if (command.runs < 0 || command.runs > kMaxRuns)
    throw UsageError(
        fmt::format("--runs {}: 1 to {} is accepted, 0 for as many as --seconds allows", command.runs, kMaxRuns));
  if (command.slowest < 0) throw UsageError(fmt::format("--slowest {}: 0 or more is accepted", command.slowest));
  if (!(command.seconds > 0) || command.seconds > 86400)
    throw UsageError(fmt::format("--seconds {}: above 0, up to 86400 is accepted", command.seconds));
}

void run_bench(BenchCommand& command) {
  check(command);
  if (const auto names = devices_of(command.compare); !names.empty()) return compare_devices(command, names);
  const std::string peers = peer_model(command);
  if (!peers.empty()) Peer::check();
  FlagPaths read = input_paths(command.inputs);
  if (peers != command.common.model) read.push_back({"--compare", peers});
  declare_files(command.common, read);
  auto device = open_device(command.common);
  const bool talk = !command.common.quiet;
  const auto inputs = read_inputs(command.inputs, command.images);
  Session session(obtain_plan(command.common, *device, inputs), device);
  for (const std::string& made_up : session.set_inputs(inputs, run_extents(command.common)))
    if (talk) std::printf("input %s: no file given, seeded random values\n", made_up.c_str());
  session.run();
  std::unique_ptr<Peer> peer;
  if (!peers.empty()) peer = std::make_unique<Peer>(peers, session.engine().device().pool().size(), session.inputs());
  const Times times = time_interleaved(command, session, peer.get());
  const Statistics own = statistics_of(times.ours), other = statistics_of(times.theirs);
  nlohmann::json result = to_json(own);
  result.update(machine_json(session, own.min_ms));
  if (peer != nullptr) {
    result["onnxruntime"] = to_json(other);
    result["onnxruntime"]["version"] = peer->version();
    result["onnxruntime"]["rss_mb"] = peer->peak_rss_mb();
  }
  if (talk) print_result(result, own, peer.get(), other);
  if (command.layers) {
    const double peak = result["peak_gflops"];
    const auto rows = measure_layers(session, std::clamp(static_cast<int>(times.ours.size()) / kRounds, 5, 50));
    if (talk) print_layers(rows, peak, command.slowest);
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
  sub->add_option("--input", command->inputs, "NAME=FILE or NAME=NUMBER, as for run");
  sub->add_option("--image", command->images, "NAME:RECIPE, as for run");
  sub->add_option("--runs", command->runs, "Executions to time; 0: as many as --seconds allows");
  sub->add_option("--seconds", command->seconds, "Time to spend");
  sub->add_flag("--layers", command->layers, "Table of layers: time, rates, kernel");
  sub->add_option("--slowest", command->slowest, "Rows of that table: the N slowest layers; 0: all, in order");
  sub->add_option("--compare", command->compare,
                  "onnxruntime: time it interleaved, in the same run (onnxruntime=MODEL.onnx beside a plan); "
                  "cpu,cuda: the model on each of these devices");
  sub->footer(kBenchExamples);
  sub->callback([command] { run_bench(*command); });
}

}  // namespace planish::cli
