#pragma once
// Pieces of work that threads do beside the caller.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace planish {

// Pieces 0 to count - 1 are begun in their order until the threads are told to stop; destroying it stops them and waits
// for what was begun. Fewer threads than were asked for, or none, where the system has no more. What a piece throws is
// lost.
class BackgroundWork {
 public:
  using Piece = std::function<void(size_t at, const std::atomic<bool>& stop)>;

  BackgroundWork(size_t threads, size_t count, Piece piece);
  ~BackgroundWork() { stop_and_join(); }
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  void stop() { stop_ = true; }
  bool has_ended(std::chrono::milliseconds wait);  // waits that long; true: no thread runs any more

 private:
  void add_thread();
  void work() noexcept;
  void stop_and_join();

  const size_t count_;
  const Piece piece_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  int running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace planish
