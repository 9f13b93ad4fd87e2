#include "trtexec/inference.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace planish::trtexec {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

double elapsed(const Event& from, const Event& to) {
  float time = 0;
  check(cudaEventElapsedTime(&time, from.get(), to.get()), "the time between two events");
  return time;
}

void sleep_on_stream(void* time) {
  std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(*static_cast<const double*>(time)));
}

// When times start: on the host, and on the device behind --sleepTime.
struct Start {
  explicit Start(const Options& options) : event(make_event(options.spin)), sleep(options.sleep) {
    if (sleep > 0) check(cudaLaunchHostFunc(stream.get(), sleep_on_stream, &sleep), "the sleep");
    host = Clock::now();
    check(cudaEventRecord(event.get(), stream.get()), "the first event");
  }
  ~Start() { cudaStreamSynchronize(stream.get()); }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;

  Stream stream = make_stream();
  Event event;
  double sleep;
  Clock::time_point host;
};

// One context on three streams: inputs, computation, outputs. Up to two executions are in flight, so that copies of one
// pass beside the computation of the other.
class Lane {
 public:
  Lane(const Options& options, int index, nvinfer1::IExecutionContext& context, const Tensors& tensors)
      : options_(options), index_(index), context_(context), tensors_(tensors), slots_(options.overlap ? 2 : 1) {
    for (Slot& slot : slots_)
      for (Event& event : slot.events) event = make_event(options.spin);
    if (!options.transfers) {
      tensors.copy_inputs(stream(kInput));
      check(cudaStreamSynchronize(stream(kInput)), "copies of the inputs");
    }
    if (options.graph) capture();
  }

  void wait_for(const Event& start) {
    for (const Stream& s : streams_) check(cudaStreamWaitEvent(s.get(), start.get(), 0), "the wait for the start");
  }

  void enqueue() {
    Slot& slot = slots_[next_];
    if (slot.active) return;
    if (options_.transfers) {
      record(kInputStart, kInput);
      tensors_.copy_inputs(stream(kInput));
      record(kInputEnd, kInput);
      check(cudaStreamWaitEvent(stream(kCompute), event(kInputEnd), 0), "the wait for inputs");
    }
    record(kComputeStart, kCompute);
    slot.enqueue_start = Clock::now();
    launch();
    slot.enqueue_end = Clock::now();
    record(kComputeEnd, kCompute);
    if (options_.transfers) {
      check(cudaStreamWaitEvent(stream(kOutput), event(kComputeEnd), 0), "the wait for results");
      record(kOutputStart, kOutput);
      tensors_.copy_outputs(stream(kOutput));
      record(kOutputEnd, kOutput);
    }
    slot.active = true;
    move_on();
  }

  // Waits for the execution that is oldest. The milliseconds at which its computation started; 0: there was none.
  double finish(const Start& start, std::vector<Trace>& traces) {
    Slot& slot = slots_[next_];
    if (!slot.active) return 0;
    check(cudaEventSynchronize(event(options_.transfers ? kOutputEnd : kComputeEnd)), "the wait for an execution");
    check(result_of_compute(), "an execution");
    slot.active = false;
    traces.push_back(trace(start));
    return traces.back().compute_start;
  }

  void finish_all(const Start& start, std::vector<Trace>& traces) {
    for (size_t i = 0; i < slots_.size(); ++i, move_on()) finish(start, traces);
    check(cudaStreamSynchronize(stream(kCompute)), "an execution");
  }

 private:
  enum Place { kInput, kCompute, kOutput };
  enum Moment { kInputStart, kInputEnd, kComputeStart, kComputeEnd, kOutputStart, kOutputEnd, kMoments };
  struct Slot {
    std::array<Event, kMoments> events;
    Clock::time_point enqueue_start, enqueue_end;
    bool active = false;
  };

  cudaStream_t stream(Place place) const { return streams_[place].get(); }
  cudaEvent_t event(Moment moment) const { return slots_[next_].events[moment].get(); }
  void record(Moment moment, Place place) { check(cudaEventRecord(event(moment), stream(place)), "an event"); }
  void move_on() { next_ = slots_.size() - 1 - next_; }

  // What an execution failed with is what its stream returns, once it has nothing to do.
  cudaError_t result_of_compute() {
    const cudaError_t status = cudaStreamQuery(stream(kCompute));
    return status == cudaErrorNotReady ? cudaSuccess : status;
  }

  void launch() {
    if (graph_.get() != nullptr)
      check(cudaGraphLaunch(graph_.get(), stream(kCompute)), "the launch of the graph");
    else
      require(context_.enqueueV3(stream(kCompute)), "the execution could not be enqueued");
    if (context_.getProfiler() == nullptr) return;
    if (graph_.get() != nullptr) check(cudaStreamSynchronize(stream(kCompute)), "the end of the graph");
    context_.reportToProfiler();
  }

  void capture() {
    info("Capturing CUDA graph for the current execution context");
    require(context_.enqueueV3(stream(kCompute)), "the execution could not be enqueued");
    check(cudaStreamSynchronize(stream(kCompute)), "the execution before the capture");
    check(cudaStreamBeginCapture(stream(kCompute), cudaStreamCaptureModeThreadLocal), "the capture");
    const bool enqueued = context_.enqueueV3(stream(kCompute));
    cudaGraph_t graph = nullptr;
    const bool captured = cudaStreamEndCapture(stream(kCompute), &graph) == cudaSuccess && enqueued && graph != nullptr;
    cudaGraphExec_t made = nullptr;
    const bool ready = captured && cudaGraphInstantiate(&made, graph, 0) == cudaSuccess;
    if (graph != nullptr) cudaGraphDestroy(graph);
    graph_ = GraphExec(made);
    if (ready) return info("Successfully captured CUDA graph for the current execution context");
    cudaGetLastError();
    warn("The execution cannot be captured; --useCudaGraph is ignored and it is launched without a graph.");
  }

  Trace trace(const Start& start) const {
    const Slot& slot = slots_[next_];
    const auto at = [&](Moment moment) { return elapsed(start.event, slot.events[moment]); };
    Trace t;
    t.stream = index_;
    t.enqueue_start = milliseconds(start.host, slot.enqueue_start);
    t.enqueue_end = milliseconds(start.host, slot.enqueue_end);
    t.compute_start = at(kComputeStart);
    t.compute_end = at(kComputeEnd);
    t.h2d_start = options_.transfers ? at(kInputStart) : t.compute_start;
    t.h2d_end = options_.transfers ? at(kInputEnd) : t.compute_start;
    t.d2h_start = options_.transfers ? at(kOutputStart) : t.compute_end;
    t.d2h_end = options_.transfers ? at(kOutputEnd) : t.compute_end;
    return t;
  }

  const Options& options_;
  int index_;
  nvinfer1::IExecutionContext& context_;
  const Tensors& tensors_;
  std::array<Stream, 3> streams_{make_stream(), make_stream(), make_stream()};
  std::vector<Slot> slots_;
  size_t next_ = 0;
  GraphExec graph_;
};

void loop(const Options& options, std::vector<std::unique_ptr<Lane>>& lanes, const Start& start,
          std::vector<Trace>& traces) {
  const double end = options.duration * 1e3 + options.warm_up;
  const bool forever = options.duration < 0;
  if (forever)
    warn("--duration=-1 is specified, inference will run in an endless loop until aborted with CTRL-C (SIGINT)");
  double now = 0;
  int skipped = 0;
  for (int i = 0; forever || i < options.iterations + skipped || now < end; ++i) {
    for (auto& lane : lanes) lane->enqueue();
    for (auto& lane : lanes) now = std::max(now, lane->finish(start, traces));
    if (forever) traces.clear();
    if (now < options.warm_up) {
      skipped += now > 0 ? 1 : 0;
      continue;
    }
    if (options.idle > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.idle));
  }
  for (auto& lane : lanes) lane->finish_all(start, traces);
}

}  // namespace

Inference::Inference(const Options& options, nvinfer1::ICudaEngine& engine) : options_(options), engine_(engine) {
  if (engine.hasImplicitBatchDimension())
    fail("the engine has an implicit batch axis, which programs of major 7 and below run; build it from the model");
  const int profiles = engine.getNbOptimizationProfiles();
  if (options.use_profile >= std::max(profiles, 1))
    fail("Selected profile index {} exceeds the number of profiles that the engine holds: {}", options.use_profile,
         profiles);
  if (profiles > 1 && !options.profile_chosen)
    warn(
        "{} profiles detected but not set. Running with profile 0. Please use --dumpOptimizationProfile to see all "
        "available "
        "profiles.",
        profiles);
  for (int i = 0; i < options.streams; ++i) make_context();
}

void Inference::make_context() {
  using Strategy = nvinfer1::ExecutionContextAllocationStrategy;
  const Strategy strategy = options_.allocation == "runtime"   ? Strategy::kUSER_MANAGED
                            : options_.allocation == "profile" ? Strategy::kON_PROFILE_CHANGE
                                                               : Strategy::kSTATIC;
  std::unique_ptr<nvinfer1::IExecutionContext> context(engine_.createExecutionContext(strategy));
  require(context != nullptr, "Unable to create execution context for inference stream {}.", contexts_.size());
  if (options_.use_profile > 0) {
    require(context->setOptimizationProfileAsync(options_.use_profile, nullptr), "profile {} cannot be used",
            options_.use_profile);
  }
  if (strategy == Strategy::kUSER_MANAGED) {
    const int64_t bytes = engine_.getDeviceMemorySizeForProfileV2(options_.use_profile);
    scratch_.push_back(device_memory(static_cast<size_t>(bytes)));
    context->setDeviceMemoryV2(scratch_.back().get(), bytes);
    info("Runtime device memory size: {:g} MiB", static_cast<double>(bytes) / (1 << 20));
  }
  shape_values_.emplace_back();
  set_shapes(options_, engine_, *context, shape_values_.back());
  tensors_.emplace_back(options_, engine_, *context);
  contexts_.push_back(std::move(context));
}

std::vector<Trace> Inference::run(nvinfer1::IProfiler* profiler) {
  contexts_.front()->setProfiler(profiler);
  contexts_.front()->setEnqueueEmitsProfile(profiler == nullptr);
  const Start start(options_);
  std::vector<Trace> all;
  std::mutex mutex;
  std::string why;
  int device = 0;
  check(cudaGetDevice(&device), "the device");
  const auto work = [&](int first, int count) {
    try {
      check(cudaSetDevice(device), "the device of a thread");
      std::vector<std::unique_ptr<Lane>> lanes;
      for (int i = first; i < first + count; ++i)
        lanes.push_back(
            std::make_unique<Lane>(options_, i, *contexts_[static_cast<size_t>(i)], *std::next(tensors_.begin(), i)));
      for (auto& lane : lanes) lane->wait_for(start.event);
      std::vector<Trace> traces;
      loop(options_, lanes, start, traces);
      const std::lock_guard lock(mutex);
      all.insert(all.end(), traces.begin(), traces.end());
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex);
      why = error.what();
    }
  };
  std::vector<std::thread> threads;
  const int count = options_.threads ? options_.streams : 1, each = options_.threads ? 1 : options_.streams;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i * each, each);
  for (std::thread& thread : threads) thread.join();
  if (!why.empty()) fail("Error occurred during inference: {}", why);
  std::sort(all.begin(), all.end(), [](const Trace& a, const Trace& b) { return a.h2d_start < b.h2d_start; });
  return all;
}

}  // namespace planish::trtexec
