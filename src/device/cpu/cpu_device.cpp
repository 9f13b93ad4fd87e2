// The CPU: memory with huge pages where they help, streams that own a thread, the thread pool.

#include <sys/mman.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

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

class ThreadStream final : public Stream {
 public:
  ThreadStream() : thread_([this] { loop(); }) {}
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
      queue_.push_back(std::move(work));
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
      const std::function<Status()> work = std::move(queue_.front());
      queue_.pop_front();
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
  std::deque<std::function<Status()>> queue_;
  Status failure_;
  bool stop_ = false, running_ = false;
  std::thread thread_;  // last: starts when everything else is there
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
  explicit CpuDevice(int threads) : pool_(threads) {}
  std::string name() const override { return cpu_info().brand; }
  std::string fingerprint() const override { return fmt::format("cpu {}; {} threads", cpu_info().fingerprint(), pool_.size()); }

  std::shared_ptr<std::byte> allocate(int64_t bytes) override {
    const int64_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    void* memory = nullptr;
    if (bytes >= 0 && bytes < (int64_t{1} << 46))
      memory = std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(align_up(std::max<int64_t>(bytes, 1), alignment)));
    if (memory == nullptr) fail(Code::out_of_memory, "no memory for {} bytes", bytes);
    if (bytes >= kHugePage) madvise(memory, static_cast<size_t>(bytes), MADV_HUGEPAGE);  // advice: refusal does no harm
    return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
  }

  std::unique_ptr<Stream> create_stream() override { return std::make_unique<ThreadStream>(); }
  Stream& null_stream() override { return null_stream_; }
  std::unique_ptr<Event> create_event() override { return std::make_unique<CpuEvent>(); }
  ThreadPool& pool() override { return pool_; }

 private:
  ThreadPool pool_;
  NullStream null_stream_;
};

}  // namespace

std::shared_ptr<Device> create_cpu_device(int threads) { return std::make_shared<CpuDevice>(threads); }

}  // namespace planish
