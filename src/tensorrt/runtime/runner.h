#pragma once
// Executions of one context: each takes a snapshot of shapes and addresses, and runs at once or in the order of a
// stream. The plan's context is used by one execution at a time.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tensorrt/runtime/engine_device.h"
#include "tensorrt/runtime/loaded_plan.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

[[noreturn]] void refuse_stream();  // Error: the handle is no stream's

// Extents of all tensors. Copies share them until one is changed.
class Shapes {
 public:
  size_t size() const { return all_ == nullptr ? 0 : all_->size(); }
  const Extents& operator[](size_t index) const { return (*all_)[index]; }
  bool same_as(const Shapes& other) const { return all_ == other.all_; }
  void add(Extents extents) {
    auto all =
        all_ == nullptr ? std::make_shared<std::vector<Extents>>() : std::make_shared<std::vector<Extents>>(*all_);
    all->push_back(std::move(extents));
    all_ = std::move(all);
  }
  void set(size_t index, Extents extents) {
    if ((*all_)[index] == extents) return;
    auto all = std::make_shared<std::vector<Extents>>(*all_);
    (*all)[index] = std::move(extents);
    all_ = std::move(all);
  }

 private:
  std::shared_ptr<const std::vector<Extents>> all_;
};

// What one execution works on, by tensor.
struct Snapshot {
  Shapes shapes;  // of inputs; empty rank-0 entries of outputs are not read
  std::vector<void*> addresses;
  std::vector<nvinfer1::IOutputAllocator*> allocators;
  cudaStream_t stream = nullptr;  // that it is ordered in
  // In place of what lies at the addresses, where there are some; null: nowhere.
  std::shared_ptr<std::vector<std::vector<char>>> values;
};

class Runner {
 public:
  Runner(std::shared_ptr<const LoadedPlan> plan, std::shared_ptr<EngineDevice> device, const Reporter& reporter);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // A context of that profile, with intermediate values in `arena` (null: the device's own).
  void open(int profile, void* arena, size_t arena_bytes);
  void close();  // nothing is executed until it is opened again
  // The same with another plan. Not while something is enqueued.
  void replace(std::shared_ptr<const LoadedPlan> plan, int profile);  // with the same memory

  // Waits for what is under way; Error names what does not fit.
  void run(const Snapshot& snapshot);
  // True: it will run in the order of the stream. False: this process has no streams.
  bool enqueue(const Snapshot& snapshot, cudaStream_t stream);
  // On a GPU: its work is on the stream when the call returns.
  bool on_gpu() const { return device_->on_gpu(); }
  void put(const Snapshot& snapshot, cudaStream_t stream);
  void synchronize(cudaStream_t stream);  // throws what the first of its executions that failed says

  // Extents of a tensor for these shapes; waits for what is under way.
  Extents shape(int io, const Snapshot& snapshot);
  int64_t bytes(int io, const Snapshot& snapshot);
  // Data decides its extents, as far as is known since shapes were first given.
  bool is_late(int io) const { return late_.empty() || late_[static_cast<size_t>(io)]; }

  // Names and milliseconds of steps; empty: off.
  using Profile = std::function<void(const char*, double)>;
  void set_profile(Profile profile);
  void wait();  // for what was enqueued on the processor, and for outputs that a GPU still copies

 private:
  struct Job;
  static bool run_job(void* job);
  void apply_shapes(const Snapshot& snapshot);
  void bind(const Snapshot& snapshot);
  // Outputs that were not bound. `stream`: of a GPU; null: the processor's memory. Their copies come after what the
  // plan's context knows of: `delivered_` says when they ended.
  void deliver(const Snapshot& snapshot, Stream* stream);
  void execute(const Snapshot& snapshot, Stream* stream);
  std::unique_ptr<Job> take_job();  // which counts as in flight
  void end_job();                   // with jobs_mutex_
  void measure(size_t io);
  void install_profile();
  void wait_for_delivery();  // with mutex_

  std::shared_ptr<const LoadedPlan> plan_;
  std::shared_ptr<EngineDevice> device_;
  const Reporter& reporter_;  // of the context, whose recorder may change
  std::mutex mutex_;          // the plan's context, and what was given to it
  detail::Handle<planish_context, planish_context_destroy> context_;
  std::vector<Extents> shapes_;   // given
  Shapes settled_;                // all of them, once `shapes_given_`
  std::vector<void*> addresses_;  // given; null: not bound
  std::vector<int64_t> bytes_;    // for the given shapes; -1: data decides
  std::vector<bool> late_;        // data decides, as was seen before the first execution
  bool shapes_given_ = false;
  std::unique_ptr<Event> delivered_;  // of a GPU
  bool delivering_ = false;           // it was recorded since it was waited for
  void* arena_ = nullptr;
  size_t arena_bytes_ = 0;
  Profile profile_;

  std::mutex jobs_mutex_;
  std::condition_variable jobs_done_;
  int in_flight_ = 0;
  std::vector<std::unique_ptr<Job>> free_jobs_, captured_jobs_;
};

}  // namespace planish::tensorrt
