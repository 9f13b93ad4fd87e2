#pragma once
// Streams in CUDA's order, over the device's queues.
//
// A stream owns one queue, which is one thread. Its work is numbered; `Progress` counts what has run, so anybody can
// wait for "what was enqueued so far" without touching the stream. The default stream L and the blocking streams S wait
// for each other: work put on S waits for the last of L, work put on L for the last of every S. A wait always refers to
// work numbered earlier, so there is no cycle.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cuda_runtime_api.h"
#include "device/device.h"

namespace planish::cudart {

using Work = std::function<cudaError_t()>;

// Numbers go round at 2^32; two that are compared lie close together. Waiting sleeps and never yields: on a processor
// that both share, a thread that has yielded is preempted by the stream it feeds, and enqueueing takes as long as the
// work.
struct Progress {
  std::atomic<uint32_t> done{0};
  std::atomic<cudaError_t> failure{cudaSuccess};  // the first since it was taken

  bool reached(uint32_t number) const {
    return static_cast<int32_t>(done.load(std::memory_order_acquire) - number) >= 0;
  }
  void wait(uint32_t number) const;
  void advance(cudaError_t result);

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
};

struct Mark {
  std::shared_ptr<Progress> progress;
  uint32_t number = 0;

  bool reached() const { return progress->reached(number); }
  void wait() const { progress->wait(number); }
};

class Capture;

class Stream final : public planish::Stream {
 public:
  Stream(unsigned flags, int priority);

  // Adds work behind what is there, and behind what CUDA's order says besides.
  Mark push(Work work) { return {progress_, put({{}, std::move(work), nullptr, nullptr})}; }
  // The same for run(user) of the TensorRT libraries, during which calls on this stream take effect at once.
  void push(cudaError_t (*run)(void*), void* user) { put({{}, {}, run, user}); }
  Mark last() const { return {progress_, pushed_.load(std::memory_order_acquire)}; }
  cudaError_t take_failure() { return progress_->failure.exchange(cudaSuccess); }

  // What events use.
  Status submit(std::function<Status()> work) override;
  Status synchronize() override;

  bool blocking() const { return (flags_ & cudaStreamNonBlocking) == 0; }
  unsigned flags() const { return flags_; }
  int priority() const { return priority_; }
  unsigned long long id() const { return id_; }

  bool is_captured() const { return capturing_.load(std::memory_order_acquire); }
  std::shared_ptr<Capture> capture() const;
  void set_capture(std::shared_ptr<Capture> capture);

 private:
  struct Entry {
    std::vector<Mark> before;  // what CUDA's order says besides
    Work work;
    cudaError_t (*run)(void*);  // in place of it, unless null
    void* user;
  };
  uint32_t put(Entry given);  // its number
  Status run_entry(Entry* owned);

  const unsigned flags_;
  const int priority_;
  const unsigned long long id_;
  const std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  std::mutex order_;  // number and place in the queue are taken together
  std::unique_ptr<Entry> spare_;
  std::atomic<uint32_t> pushed_{0};
  mutable std::mutex capture_mutex_;
  std::atomic<bool> capturing_{false};
  std::shared_ptr<Capture> capture_;
  std::unique_ptr<planish::Stream> queue_;
};

// The calling thread, while it runs work of a stream.
struct Inside {
  const Stream* stream = nullptr;  // work of the TensorRT libraries: calls on this stream take effect at once
  bool running = false;
  bool callback = false;  // a user's host function, which must not call CUDA
};
Inside& inside();
// Whether the calling thread stands in work for which calls on `handle` take effect at once.
bool is_inside(cudaStream_t handle);

// Sets `inside()` for a scope.
class Enter {
 public:
  explicit Enter(Inside now) : before_(std::exchange(inside(), now)) {}
  ~Enter() { inside() = before_; }
  Enter(const Enter&) = delete;
  Enter& operator=(const Enter&) = delete;

 private:
  Inside before_;
};

// All streams of the process.
class Streams {
 public:
  std::shared_ptr<Stream> create(unsigned flags, int priority);
  // Null where the handle is none of ours. 0 and cudaStreamLegacy are the default stream.
  std::shared_ptr<Stream> find(cudaStream_t handle);
  // Returns at once; what is enqueued still runs.
  bool destroy(cudaStream_t handle);
  void destroy_all();

  // What has to be waited for before the device, or the default stream, is idle.
  std::vector<Mark> unfinished(bool blocking_only = false);
  // The default stream's last work, while that is under way.
  std::vector<Mark> unfinished_default();
  cudaError_t take_failures();
  // Keeps `owner` until every stream has come to what was enqueued so far.
  void keep(const std::shared_ptr<void>& owner);
  Stream* default_stream() const { return default_.load(std::memory_order_acquire); }

 private:
  void retire(std::shared_ptr<Stream> stream);

  std::mutex mutex_;
  std::unordered_map<const void*, std::shared_ptr<Stream>> streams_;
  std::vector<Mark> retired_;  // of destroyed streams
  std::shared_ptr<Stream> default_owner_;
  std::atomic<Stream*> default_{nullptr};
};
Streams& streams();

// The processor, with no pool of its own: queues and memory.
Device& device();

inline cudaStream_t handle_of(const Stream& stream) {
  if (streams().default_stream() == &stream) return cudaStreamLegacy;
  return reinterpret_cast<cudaStream_t>(const_cast<Stream*>(&stream));
}
inline bool is_default(cudaStream_t handle) { return handle == nullptr || handle == cudaStreamLegacy; }

// Puts an operation on a stream: at once inside of work on it, as a node where it is captured, else in its queue.
// `wait`: returns when it is done, unless it became a node.
cudaError_t enqueue(cudaStream_t handle, cudaGraphNodeType kind, Work work, bool wait = false);
// Runs in the caller when the default stream would: behind all of it and of the blocking streams.
cudaError_t run_synchronously(const Work& work);
// Waits for everything; inside of work, for nothing.
cudaError_t synchronize_device();

}  // namespace planish::cudart
