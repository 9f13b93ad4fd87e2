#include "compile/tuner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <list>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "compile/background_work.h"
#include "compile/one_node.h"
#include "compile/plan_race.h"
#include "compile/selection.h"
#include "compile/trial.h"

namespace planish {
namespace {

constexpr double kPrune = 3;              // an estimate this many times the best one is not timed
constexpr double kEnoughUs = 40e3;        // of runs of a candidate, for fast tuning: long ones differ little
constexpr int64_t kColdBytes = 64 << 20;  // copies of the weights that are rotated, at most
constexpr double kNeverUs = 1e12;         // what is not to be chosen

Plan with_copied_constants(const Plan& plan) {
  Plan copy = plan;
  for (Tensor& tensor : copy.constants) tensor = Tensor::copy_of(tensor.view());
  return copy;
}

int64_t constant_bytes(const Plan& plan) {
  int64_t bytes = 0;
  for (const Tensor& tensor : plan.constants) bytes += tensor.byte_count();
  return bytes;
}

// The user's file; without one, where kernels are compiled, a file that processes share.
std::string cache_file(const Device& device, const BuildOptions& options, const Target& target) {
  const bool shared = options.timing_cache.empty() && options.tuning != Tuning::off;
  return shared ? target.shared_timings(device) : options.timing_cache;
}

// Those whose estimates are near enough to the best one to be timed.
std::vector<Candidate> promising(CandidateSink sink) {
  double best = 1e30;
  for (const Candidate& candidate : sink.candidates) best = std::min(best, candidate.estimated_us);
  std::erase_if(sink.candidates, [&](const Candidate& candidate) {
    return candidate.name == "reference" || candidate.estimated_us > kPrune * best;
  });
  return std::move(sink.candidates);
}

// Where nodes are chosen for by name, one of a single kernel has a choice still: the reference, unless that takes long.
std::vector<Candidate> with_reference(const CandidateSink& sink) {
  constexpr double kPatience = 1e6;
  std::vector<Candidate> both = sink.candidates;
  std::erase_if(both, [](const Candidate& c) { return c.name == "reference" && c.estimated_us > kPatience; });
  return both;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// To the digits that the cache keeps: a build decides by the same numbers whether it reads or takes them.
double rounded_us(double us) { return std::max(std::round(us * 1000), 1.0) / 1000; }

}  // namespace

Tuner::Tuner(Device& device, const BuildOptions& options, const EmitOptions& emit)
    : device_(device), options_(options), emit_(emit), cache_(cache_file(device, options, emit.target)) {
  times_ = read_cache();
}

void Tuner::permit(Precisions precisions) {
  emit_.precisions = precisions;
  seen_.clear();
}

std::string Tuner::key_of(const Graph& graph, const Node& node) const {
  return timing_key(graph, node, emit_.target, emit_.timings_by_name);
}

// Operands that lie as bf16 are another thing to time.
std::string Tuner::row_name(const Candidate& candidate) const {
  const bool half = stores_half(emit_) && (candidate.half_inputs != 0 || candidate.half_output);
  return candidate.name + (half ? "/bf16" : "");
}

double Tuner::measured_us(const Graph& graph, const Node& node, const Candidate& candidate) const {
  const std::string key = key_of(graph, node), name = row_name(candidate);
  if (const std::string* only = times_.only(key); only != nullptr && *only != name) return kNeverUs;
  const TimingCache::Row* row = times_.find(key, name);
  return row == nullptr ? -1 : row->us;
}

const TimingCache::Row* Tuner::usable(const std::string& key, const std::string& name) const {
  const TimingCache::Row* row = times_.find(key, name);
  return row != nullptr && (row->full || !is_full() || times_.only(key) != nullptr) ? row : nullptr;
}

bool Tuner::goes_on(int done, int total) const {
  return !options_.progress || options_.progress({"tuning", done, total});
}

TimingCache Tuner::read_cache() {
  TimingCache none(device_.fingerprint());
  if (options_.timings == nullptr ? cache_.empty() : options_.timings->empty()) return none;
  try {
    const std::string text = options_.timings != nullptr ? *options_.timings : read_file(cache_);
    foreign_cache_ = options_.timings == nullptr && !TimingCache::is_one(text);
    if (options_.timings == nullptr && cache_ != options_.timing_cache) mark_timings_used(cache_);
    return TimingCache::parse(text, none.machine());
  } catch (const Error& error) {
    const std::string name = options_.timings != nullptr ? "the caller's" : cache_;
    if (error.code() != Code::not_found)
      log(Severity::warning, "timing cache {} is not used: {}{}", name, error.what(),
          foreign_cache_ ? ", and stays as it is" : "");
    return none;
  }
}

// With what other processes have added meanwhile.
void Tuner::save_cache() {
  if (timed_ == 0) return;
  if (options_.timings != nullptr) {
    *options_.timings = times_.str();
    return;
  }
  if (cache_.empty() || foreign_cache_) return;
  try {
    TimingCache all = times_;
    all.add(read_cache());
    write_file_atomic(cache_, all.str());
  } catch (const Error& error) {
    log(Severity::warning, "the timing cache was not written: {}", error.what());
  }
}

// Kernels of the candidates of a node that will be timed or emitted.
void Tuner::compile_ahead(const Graph& graph, const Node& node, const std::atomic<bool>& stop) const {
  const Graph single = one_node_graph(graph, node);
  for (const Candidate& candidate : promising(emit_.target.propose(graph, node, emit_.precisions))) {
    if (stop) return;
    EmitOptions emit = emit_;
    emit.forced = candidate.name;
    emit.report = nullptr;
    emit_plan(single, emit);
  }
}

// Kernels are compiled by all threads while nodes are timed, in the order in which those want them.
void Tuner::tune(const Graph& graph) {
  constexpr std::chrono::milliseconds kPoll{100};
  const auto nodes = graph.nodes();
  const int count = static_cast<int>(nodes.size());
  std::vector<NodeId> ahead;
  std::set<std::string> seen;
  if (emit_.target.compiles_kernels())
    for (NodeId id : nodes)
      if (graph.node(id).op != "if" && seen.insert(key_of(graph, graph.node(id))).second) ahead.push_back(id);
  const auto start = std::chrono::steady_clock::now();
  const double left = options_.tuning_seconds - spent_seconds_;
  BackgroundWork compilers(static_cast<size_t>(device_.pool().size()), ahead.size(),
                           [&](size_t at, const std::atomic<bool>& stop) {
                             if (options_.tuning_seconds > 0 && seconds_since(start) > left) return;
                             compile_ahead(graph, graph.node(ahead[at]), stop);
                           });
  for (int i = 0; i < count; ++i) {
    const Node& node = graph.node(nodes[static_cast<size_t>(i)]);
    at_ = {i, count};
    if (!goes_on(i, count)) fail(Code::cancelled, "the build was cancelled");
    if (is_spent()) compilers.stop();
    if (node.op != "if") tune_node(graph, node);
  }
  while (!compilers.has_ended(kPoll)) {
    if (!goes_on(count, count)) fail(Code::cancelled, "the build was cancelled");
    if (is_spent()) compilers.stop();
  }
  save_cache();
}

void Tuner::tune_node(const Graph& graph, const Node& node) {
  const std::string key = key_of(graph, node);
  if (!seen_.insert(key).second) return;
  const CandidateSink sink = emit_.target.propose(graph, node, emit_.precisions);
  const int real = static_cast<int>(std::count_if(sink.candidates.begin(), sink.candidates.end(),
                                                  [](const Candidate& c) { return c.name != "reference"; }));
  // Else nothing is to choose: the reference is there for what has no kernel.
  const std::vector<Candidate> candidates = real == 1 && emit_.timings_by_name ? with_reference(sink) : promising(sink);
  if (real < 1 || candidates.size() < 2 || (real < 2 && !emit_.timings_by_name)) return;
  const Graph single = one_node_graph(graph, node);
  double best = 1e30;
  for (const Candidate& candidate : candidates) {
    const std::string name = row_name(candidate);
    if (const TimingCache::Row* row = usable(key, name)) {
      best = std::min(best, row->us);
      ++cached_;
      continue;
    }
    if (is_spent()) return;
    if (!goes_on(at_.first, at_.second)) fail(Code::cancelled, "the build was cancelled");
    const auto start = std::chrono::steady_clock::now();
    double us = 0;
    try {
      us = rounded_us(time_candidate(single, candidate, best));
    } catch (const Error& error) {
      if (!is_guessed(graph, node)) throw;
      log(Severity::verbose, "'{}' is not timed: {}", node.name, error.what());
      return;  // guesses at extents that data decides need not go together
    }
    spent_seconds_ += seconds_since(start);
    times_.set(key, name, us, is_full());
    best = std::min(best, us);
    ++timed_;
  }
}

// Minimum over a few rounds; each run takes another copy of the weights.
double Tuner::time_candidate(const Graph& single, const Candidate& candidate, double best_us) {
  EmitOptions emit = emit_;
  emit.forced = candidate.name;
  emit.half_bindings = stores_half(emit_);
  emit.report = nullptr;
  const Plan plan = emit_plan(single, emit);
  const int64_t bytes = std::max<int64_t>(constant_bytes(plan), 1);
  const bool full = is_full();
  const int most = full ? 16 : 6;
  const int copies = static_cast<int>(std::clamp<int64_t>(kColdBytes / bytes, 1, most));
  std::list<Trial> trials;
  double us = trials.emplace_back(with_copied_constants(plan), device_).computing_us();
  if (us > kEnoughUs && !full) return us;
  try {
    while (trials.size() < static_cast<size_t>(copies)) trials.emplace_back(with_copied_constants(plan), device_);
  } catch (const Error& error) {
    if (error.code() != Code::out_of_memory) throw;
    log(Severity::info, "'{}' is timed with {} copies of its weights: {}", single.name, trials.size(), error.what());
  }
  const int rounds = us > 4 * best_us ? 1 : full ? 8 : 3;
  double total = us;
  for (int round = 0; round < rounds; ++round)
    for (Trial& trial : trials) {
      const double again = trial.computing_us();
      us = std::min(us, again);
      total += again;
      if (total > kEnoughUs && !full) return us;
    }
  return us;
}

// Of one round, where the time for tuning is spent.
std::vector<double> Tuner::time_plans(const std::vector<const Plan*>& plans) {
  const double spent_before = spent_seconds_;
  return race(device_, plans, [&](int round, int most, double seconds) {
    if (!goes_on(round, most)) fail(Code::cancelled, "the build was cancelled");
    spent_seconds_ = spent_before + seconds;
    return !is_spent();
  });
}

size_t Tuner::fastest(const Graph& graph, const std::vector<const Plan*>& plans,
                      const std::vector<std::string>& names) {
  std::string text;
  for (NodeId id : graph.nodes()) text += key_of(graph, graph.node(id));
  const std::string key = hash128(text.data(), text.size()).hex();
  const auto row = [&](size_t i) { return std::string(kWholePlan) + names[i]; };
  std::vector<double> us;
  for (size_t i = 0; i < plans.size(); ++i)
    if (const TimingCache::Row* known = usable(key, row(i))) us.push_back(known->us);
  if (us.size() < plans.size() && is_spent()) return 0;
  if (us.size() < plans.size()) try {
      us = time_plans(plans);
      for (size_t i = 0; i < plans.size(); ++i) times_.set(key, row(i), us[i] = rounded_us(us[i]), is_full());
      ++timed_;
      save_cache();
    } catch (const Error& error) {
      if (error.code() == Code::cancelled) throw;
      log(Severity::verbose, "the network is not timed as a whole: {}", error.what());
      return 0;  // guesses at inputs need not fit what the network makes of them
    }
  return static_cast<size_t>(std::min_element(us.begin(), us.end()) - us.begin());
}

}  // namespace planish
