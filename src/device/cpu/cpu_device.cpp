// The CPU: memory with huge pages where they help, streams that own a thread, the thread pool.

#include <sys/mman.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/affinity.h"
#include "base/checked.h"
#include "base/cpu_features.h"
#include "device/device.h"

namespace planish {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;

class NullStream final : public Stream {
 public:
  Status submit(std::function<Status()> work) override {
    Status status = work();
    if (!status.ok() && failure_.ok()) failure_ = status;
    return status;
  }
  Status synchronize() override { return std::exchange(failure_, Status()); }

 private:
  Status failure_;
};

// First in, first out. Grows to the most that it ever held and does not allocate after that.
class WorkQueue {
 public:
  bool empty() const { return count_ == 0; }
  void push(std::function<Status()> work) {
    if (count_ == slots_.size()) grow();
    slots_[(head_ + count_++) & (slots_.size() - 1)] = std::move(work);
  }
  std::function<Status()> pop() {
    std::function<Status()> work = std::move(slots_[head_]);
    head_ = (head_ + 1) & (slots_.size() - 1);
    --count_;
    return work;
  }

 private:
  void grow() {
    std::vector<std::function<Status()>> larger(std::max<size_t>(16, 2 * slots_.size()));
    for (size_t i = 0; i < count_; ++i) larger[i] = std::move(slots_[(head_ + i) & (slots_.size() - 1)]);
    slots_ = std::move(larger);
    head_ = 0;
  }
  std::vector<std::function<Status()>> slots_;  // a power of two
  size_t head_ = 0, count_ = 0;
};

class ThreadStream final : public Stream {
 public:
  ThreadStream() {
    try {
      thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& error) {
      fail(Code::out_of_memory, "the system refused the thread of a stream: {}", error.what());
    }
  }
  ~ThreadStream() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  Status submit(std::function<Status()> work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push(std::move(work));
    }
    wake_.notify_one();
    return {};
  }

  Status synchronize() override {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return queue_.empty() && !running_; });
    return std::exchange(failure_, Status());
  }

 private:
  void loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::function<Status()> work = queue_.pop();
      running_ = true;
      lock.unlock();
      const Status status = work();
      lock.lock();
      running_ = false;
      if (!status.ok() && failure_.ok()) failure_ = status;
      if (queue_.empty()) idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  WorkQueue queue_;
  Status failure_;
  bool stop_ = false, running_ = false;
  std::thread thread_;
};

class CpuEvent final : public Event {
  using Clock = std::chrono::steady_clock;
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool reached = false;
    Clock::time_point time;
  };

 public:
  Status record(Stream& stream) override {
    state_ = std::make_shared<State>();
    return stream.submit([state = state_] {
      const std::lock_guard lock(state->mutex);
      state->time = Clock::now();
      state->reached = true;
      state->changed.notify_all();
      return Status();
    });
  }
  Status synchronize() override {
    if (!state_) return {Code::invalid_state, "the event was never recorded"};
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->reached; });
    return {};
  }
  bool reached() const override {
    if (!state_) return false;
    const std::lock_guard lock(state_->mutex);
    return state_->reached;
  }
  double milliseconds_since(const Event& earlier) const override {
    const auto* other = dynamic_cast<const CpuEvent*>(&earlier);
    if (other == nullptr || !reached() || !other->reached()) return 0;
    return std::chrono::duration<double, std::milli>(state_->time - other->state_->time).count();
  }

 private:
  std::shared_ptr<State> state_;
};

class CpuDevice final : public Device {
 public:
  CpuDevice(int threads, Allocator allocator)
      : pool_(threads), allocator_(std::make_shared<const Allocator>(std::move(allocator))) {}
  std::string name() const override { return cpu_info().brand; }
  std::string fingerprint() const override {
    return fmt::format("cpu {}; {} threads", cpu_info().fingerprint(), pool_.size());
  }

  std::shared_ptr<std::byte> allocate(int64_t bytes) override {
    const int64_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    void* memory = nullptr;
    if (bytes >= 0 && bytes < (int64_t{1} << 46))
      memory = obtain(static_cast<size_t>(bytes), static_cast<size_t>(alignment));
    if (memory == nullptr) fail(Code::out_of_memory, "no memory for {} bytes", bytes);
    if (!allocator_->allocate) return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
    return {static_cast<std::byte*>(memory), [allocator = allocator_, bytes](std::byte* p) {
              if (allocator->release) allocator->release(p, static_cast<size_t>(bytes));
            }};
  }

  std::unique_ptr<Stream> create_stream() override { return std::make_unique<ThreadStream>(); }
  Stream& null_stream() override { return null_stream_; }
  std::unique_ptr<Event> create_event() override { return std::make_unique<CpuEvent>(); }
  ThreadPool& pool() override { return pool_; }

 private:
  void* obtain(size_t bytes, size_t alignment) const {
    if (allocator_->allocate) return allocator_->allocate(bytes, alignment);
    const auto size = static_cast<size_t>(
        align_up(static_cast<int64_t>(std::max<size_t>(bytes, 1)), static_cast<int64_t>(alignment)));
    void* memory = std::aligned_alloc(alignment, size);
    if (memory != nullptr && alignment == kHugePage)
      madvise(memory, bytes, MADV_HUGEPAGE);  // advice: refusal does no harm
    return memory;
  }

  ThreadPool pool_;
  std::shared_ptr<const Allocator> allocator_;
  NullStream null_stream_;
};

}  // namespace

std::shared_ptr<Device> create_cpu_device(int threads, Allocator allocator, std::span<const int> processors) {
  const Confined confined(processors);
  if (threads == 0 && !processors.empty()) threads = usable_processors();
  return std::make_shared<CpuDevice>(threads, std::move(allocator));
}

}  // namespace planish
