#include "compile/background_work.h"

#include <algorithm>
#include <system_error>

#include "base/log.h"

namespace planish {

BackgroundWork::BackgroundWork(size_t threads, size_t count, Piece piece) : count_(count), piece_(std::move(piece)) {
  const size_t wanted = std::min(threads, count);
  try {
    for (threads_.reserve(wanted); threads_.size() < wanted;) add_thread();
  } catch (const std::system_error& error) {
    log(Severity::verbose, "{} of {} threads work beside: {}", threads_.size(), threads, error.what());
  } catch (...) {
    stop_and_join();
    throw;
  }
}

bool BackgroundWork::has_ended(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, wait, [this] { return running_ == 0; });
}

void BackgroundWork::add_thread() {
  const std::lock_guard lock(mutex_);
  threads_.emplace_back([this] { work(); });
  ++running_;
}

void BackgroundWork::work() noexcept {
  for (size_t at; !stop_ && (at = next_++) < count_;) try {
      piece_(at, stop_);
    } catch (...) {  // it goes wrong again where it is wanted, and is said there
    }
  const std::lock_guard lock(mutex_);
  --running_;
  ended_.notify_all();
}

void BackgroundWork::stop_and_join() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace planish
