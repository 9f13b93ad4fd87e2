#include "compile/tuner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "compile/selection.h"
#include "device/cuda/image_cache.h"
#include "kernels/kernel.h"
#include "ops/builder.h"
#include "tactics/cuda/common/source.h"

namespace planish {
namespace {

constexpr double kPrune = 3;              // an estimate this many times the best one is not timed
constexpr double kEnoughUs = 40e3;        // of runs of a candidate, for fast tuning: long ones differ little
constexpr int64_t kColdBytes = 64 << 20;  // copies of the weights that are rotated, at most
constexpr double kNeverUs = 1e12;         // what is not to be chosen

// Values of the symbols that the profile tunes for; of a symbol that data gives a value, the one that it must have, if
// any.
std::map<std::string, Dim, std::less<>> typical_values(const Graph& graph) {
  std::map<std::string, Dim, std::less<>> typical;
  for (const auto& [name, info] : graph.symbols) typical.emplace(name, info.range.opt);
  for (const Guard& guard : graph.guards)
    for (const auto& [symbol, value] : {std::pair(guard.left, guard.right), std::pair(guard.right, guard.left)})
      if (symbol.op() == DimOp::symbol && value.is_constant() && depends_on_data(symbol, graph.symbols))
        typical[std::string(symbol.name())] = value;
  return typical;
}

bool is_guessed(const Graph& graph, const Node& node) {
  const auto waits = [&](ValueId id) {
    return id.valid() && std::any_of(graph.value(id).type.shape.begin(), graph.value(id).type.shape.end(),
                                     [&](Dim dim) { return depends_on_data(dim, graph.symbols); });
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), waits) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), waits);
}

// A graph of this node alone: operands become inputs, constants stay.
Graph one_node_graph(const Graph& graph, const Node& node) {
  Graph single;
  single.name = node.name;
  const auto typical = typical_values(graph);
  const auto fixed = [&](TensorType type) {
    std::vector<Dim> dims;
    for (Dim dim : type.shape) dims.push_back(dim.substitute(typical));
    type.shape = Shape(std::move(dims));
    return type;
  };
  std::map<ValueId, ValueId> mapped;
  std::vector<ValueId> inputs;
  for (ValueId id : node.inputs) {
    if (id.valid() && mapped.count(id) == 0) {
      const Value& value = graph.value(id);
      mapped[id] = value.is_constant() ? single.add_constant(value.constant, value.name)
                                       : single.add_input(value.name, fixed(value.type));
    }
    inputs.push_back(id.valid() ? mapped[id] : ValueId{});
  }
  std::vector<TensorType> types;
  for (ValueId id : node.outputs) types.push_back(fixed(graph.value(id).type));
  const NodeId copy = single.add_node(node.op, std::move(inputs), node.attrs, std::move(types), node.name);
  for (const auto& region : node.regions) {
    auto body = std::make_unique<Graph>(region->clone());
    for (ValueId input : body->inputs()) body->mutable_value(input).type = fixed(body->value(input).type);
    for (NodeId inner : body->nodes())
      for (ValueId output : body->node(inner).outputs)
        body->mutable_value(output).type = fixed(body->value(output).type);
    single.add_region(copy, std::move(body));
  }
  for (ValueId output : single.node(copy).outputs) single.add_output(output);
  return single;
}

// Random elements, repeated after the first 2^16.
void fill(std::byte* data, DataType dtype, int64_t count, uint64_t seed) {
  std::mt19937_64 bits(seed);
  const int64_t distinct = std::min<int64_t>(count, 1 << 16);
  const TensorView view = make_view(data, dtype, {&distinct, 1});
  for (int64_t i = 0; i < distinct; ++i) {
    if (is_float(dtype))
      store_double(view, i, static_cast<double>(bits() >> 40) * 0x1p-23 - 1);
    else
      store_int(view, i, static_cast<int64_t>(bits() % 2));
  }
  const auto bytes = static_cast<size_t>(count * element_bytes(dtype));
  for (auto done = static_cast<size_t>(distinct * element_bytes(dtype)); done < bytes;) {
    const size_t more = std::min(done, bytes - done);
    std::memcpy(data + done, data, more);
    done += more;
  }
}

// An execution with its own memory.
struct Instance {
  std::unique_ptr<Context> context;
  std::vector<std::shared_ptr<std::byte>> memory;
};

Instance make_instance(Engine& engine) {
  Instance instance{engine.create_context(), {}};
  SymbolValues typical;
  for (const auto& [name, info] : engine.plan().profiles[0].symbols) typical[name] = info.range.opt;
  for (const Binding& binding : engine.bindings()) {
    const auto extents = binding.type.shape.evaluate(typical);
    if (binding.is_input) instance.context->set_shape(binding.name, extents).raise();
    int64_t count = 1;
    for (int64_t extent : extents) count *= extent;
    const int64_t bytes = count * element_bytes(binding.type.dtype);
    instance.memory.push_back(engine.device().allocate(bytes));
    if (binding.is_input) fill(instance.memory.back().get(), binding.type.dtype, count, hash64(binding.name));
    instance.context->bind(binding.name, instance.memory.back().get(), static_cast<size_t>(bytes)).raise();
  }
  return instance;
}

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

// The user's file; of a GPU, without one, a file beside the images that were compiled for it.
std::string cache_file(Device& device, const BuildOptions& options, const EmitOptions& emit) {
  if (!options.timing_cache.empty() || emit.cuda.empty() || options.tuning == Tuning::off) return options.timing_cache;
  const std::string folder = cuda::cache_folder();
  const std::string machine = device.fingerprint() + tactics::cuda::sources_hash().hex();
  return folder.empty() ? "" : cuda::timings_file(folder, hash64(machine));
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

double run_us(Context& context) {
  std::vector<StepTiming> timings;
  context.enqueue().raise();
  context.timings(timings).raise();
  return computing_us(timings);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Threads that do pieces of work beside the caller, in their order, until they are told to stop. Fewer threads than
// were asked for, or none, where the system has no more. What a piece throws is lost.
class Helpers {
 public:
  using Piece = std::function<void(size_t at, const std::atomic<bool>& stop)>;

  Helpers(size_t threads, size_t count, Piece piece) : count_(count), piece_(std::move(piece)) {
    try {
      for (threads_.reserve(std::min(threads, count)); threads_.size() < std::min(threads, count);) add();
    } catch (const std::system_error& error) {
      log(Severity::verbose, "{} of {} threads compile: {}", threads_.size(), threads, error.what());
    } catch (...) {
      stop_and_join();
      throw;
    }
  }
  ~Helpers() { stop_and_join(); }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  void stop() { stop_ = true; }
  // Waits that long; true: all have ended.
  bool have_ended(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, wait, [this] { return running_ == 0; });
  }

 private:
  void add() {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this] { work(); });
    ++running_;
  }
  void work() noexcept {
    for (size_t at; !stop_ && (at = next_++) < count_;) try {
        piece_(at, stop_);
      } catch (...) {  // it goes wrong again where it is wanted, and is said there
      }
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }
  void stop_and_join() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  const size_t count_;
  const Piece piece_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  int running_ = 0;
  std::vector<std::thread> threads_;
};

// To the digits that the cache keeps: a build decides by the same numbers whether it reads or takes them.
double rounded_us(double us) { return std::max(std::round(us * 1000), 1.0) / 1000; }

}  // namespace

double computing_us(std::span<const StepTiming> timings) {
  double ms = 0;
  for (const StepTiming& timing : timings)
    if (timing.step->kind != StepKind::copy) ms += timing.milliseconds;
  return ms * 1e3;
}

Tuner::Tuner(Device& device, const BuildOptions& options, const EmitOptions& emit)
    : device_(device), options_(options), emit_(emit), cache_(cache_file(device, options, emit)) {
  times_ = read_cache();
}

void Tuner::permit(Precisions precisions) {
  emit_.precisions = precisions;
  seen_.clear();
}

std::string Tuner::key_of(const Graph& graph, const Node& node) const {
  return timing_key(graph, node, emit_.isa, emit_.cuda, emit_.timings_by_name);
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
    if (options_.timings == nullptr && cache_ != options_.timing_cache) cuda::mark_used(cache_);
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

// Images of the candidates of a node that will be timed or emitted.
void Tuner::compile_ahead(const Graph& graph, const Node& node, const std::atomic<bool>& stop) const {
  const TacticQuery query{graph, node, emit_.isa, emit_.threads, emit_.precisions, emit_.cuda};
  const Graph single = one_node_graph(graph, node);
  for (const Candidate& candidate : promising(cuda_tactics().propose_fast(query))) {
    if (stop) return;
    EmitOptions emit = emit_;
    emit.forced = candidate.name;
    emit.report = nullptr;
    emit_plan(single, emit);
  }
}

// A GPU's images are compiled by all threads while nodes are timed, in the order in which those want them.
void Tuner::tune(const Graph& graph) {
  constexpr std::chrono::milliseconds kPoll{100};
  const auto nodes = graph.nodes();
  const int count = static_cast<int>(nodes.size());
  std::vector<NodeId> ahead;
  std::set<std::string> seen;
  if (!emit_.cuda.empty())
    for (NodeId id : nodes)
      if (graph.node(id).op != "if" && seen.insert(key_of(graph, graph.node(id))).second) ahead.push_back(id);
  const auto start = std::chrono::steady_clock::now();
  const double left = options_.tuning_seconds - spent_seconds_;
  Helpers compilers(static_cast<size_t>(device_.pool().size()), ahead.size(),
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
  while (!compilers.have_ended(kPoll)) {
    if (!goes_on(count, count)) fail(Code::cancelled, "the build was cancelled");
    if (is_spent()) compilers.stop();
  }
  save_cache();
}

void Tuner::tune_node(const Graph& graph, const Node& node) {
  const std::string key = key_of(graph, node);
  if (!seen_.insert(key).second) return;
  const TacticQuery query{graph, node, emit_.isa, emit_.threads, emit_.precisions, emit_.cuda};
  const CandidateSink sink = emit_.cuda.empty() ? cpu_tactics().propose(query) : cuda_tactics().propose_fast(query);
  const int real = static_cast<int>(std::count_if(sink.candidates.begin(), sink.candidates.end(),
                                                  [](const Candidate& c) { return c.name != "reference"; }));
  if (real < 2) return;  // nothing to choose: the reference is there for what has no kernel
  const Graph single = one_node_graph(graph, node);
  double best = 1e30;
  for (const Candidate& candidate : promising(sink)) {
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
  const std::shared_ptr<Device> shared(&device_, [](Device*) {});
  std::vector<Instance> instances;
  std::vector<std::shared_ptr<Engine>> engines;
  const auto add_instance = [&] {
    engines.push_back(Engine::create(with_copied_constants(plan), shared));
    instances.push_back(make_instance(*engines.back()));
    instances.back().context->enable_profiling(true).raise();
  };
  add_instance();
  double us = run_us(*instances[0].context);
  if (us > kEnoughUs && !full) return us;
  try {
    while (instances.size() < static_cast<size_t>(copies)) add_instance();
  } catch (const Error& error) {
    if (error.code() != Code::out_of_memory) throw;
    log(Severity::info, "'{}' is timed with {} copies of its weights: {}", single.name, instances.size(), error.what());
  }
  const int rounds = us > 4 * best_us ? 1 : full ? 8 : 3;
  double total = us;
  for (int round = 0; round < rounds; ++round)
    for (Instance& instance : instances) {
      const double again = run_us(*instance.context);
      us = std::min(us, again);
      total += again;
      if (total > kEnoughUs && !full) return us;
    }
  return us;
}

// Minima of some rounds, the plans in turns; of one round, where the time for tuning is spent.
std::vector<double> Tuner::time_plans(const std::vector<const Plan*>& plans) {
  constexpr int kLeast = 3, kMost = 50;
  const std::shared_ptr<Device> shared(&device_, [](Device*) {});
  std::vector<std::shared_ptr<Engine>> engines;
  std::vector<Instance> instances;
  for (const Plan* plan : plans) {
    engines.push_back(Engine::create(Plan(*plan), shared));
    instances.push_back(make_instance(*engines.back()));
    instances.back().context->enqueue().raise();
  }
  std::vector<double> best(plans.size(), 1e30);
  double total = 0;
  const auto start = std::chrono::steady_clock::now();
  const double spent_before = spent_seconds_;
  for (int round = 0; round < kMost && (round < kLeast || total < 3 * kEnoughUs); ++round) {
    if (!goes_on(round, kMost)) fail(Code::cancelled, "the build was cancelled");
    spent_seconds_ = spent_before + seconds_since(start);
    if (round > 0 && is_spent()) break;
    for (size_t i = 0; i < plans.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      instances[i].context->enqueue().raise();
      const double us = 1e6 * seconds_since(begin);
      best[i] = std::min(best[i], us);
      total += us;
    }
  }
  return best;
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
