#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "base/cpu_features.h"
#include "base/error.h"
#include "base/float_environment.h"

namespace planish {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(100);
constexpr int kMaxThreads = 1024;

// How many forks lie between the process that began and this one. A child has no thread but the one that forked, and
// finds here that a pool's are its parent's; asking the system for the process would cost a call for each loop.
std::atomic<uint32_t> forks{0};

uint32_t count_forks() {
  static const bool counted =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }) == 0;
  (void)counted;
  return forks.load(std::memory_order_relaxed);
}

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

// A run is announced by raising `epoch`; a worker joins it by raising `inside` and leaves by lowering it. The
// caller waits until every block is done and nobody is inside, so that the next run may reuse the fields.
struct ThreadPool::State {
  // Blocks that a thread takes first: the same part of every run, so that what it wrote in one is in its cache in the
  // next. Then it helps the others.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  std::vector<std::thread> workers;
  uint32_t owner = count_forks();
  std::atomic<uint32_t> epoch{0};
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false}, busy{false}, open{false};
  std::atomic<int> spinning{0};  // depth of begin_run

  Call call = nullptr;
  void* body = nullptr;
  int64_t block = 1;
  std::vector<Share> shares;  // the caller's first
  std::atomic<int> inside{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  explicit State(size_t threads) : shares(threads) {}

  // Blocks of at least `grain`, a few a thread: they even out unequal blocks and a preempted thread.
  void share_out(int64_t n, int64_t grain) {
    const auto threads = static_cast<int64_t>(shares.size());
    block = std::max(grain, (n + threads * 4 - 1) / (threads * 4));
    const int64_t blocks = (n + block - 1) / block;
    for (int64_t t = 0; t < threads; ++t) {
      Share& share = shares[static_cast<size_t>(t)];
      share.next.store(blocks * t / threads * block, std::memory_order_relaxed);
      share.end = std::min(blocks * (t + 1) / threads * block, n);
    }
  }

  void work_blocks(size_t self) {
    for (size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(self + i) % shares.size()];
      for (int64_t begin; (begin = share.next.fetch_add(block, std::memory_order_relaxed)) < share.end;) {
        try {
          call(body, begin, std::min(begin + block, share.end));
        } catch (...) {
          if (!failed.exchange(true)) error = std::current_exception();
        }
      }
    }
  }

  void join_run(size_t self) {
    inside.fetch_add(1, std::memory_order_seq_cst);
    if (open.load(std::memory_order_seq_cst)) work_blocks(self);
    inside.fetch_sub(1, std::memory_order_release);
  }

  // Waits for an epoch other than `seen`: spins while a run is likely, then sleeps.
  uint32_t wait_for_epoch(uint32_t seen) {
    auto deadline = std::chrono::steady_clock::now() + kSpinTime;
    for (int i = 0; spinning.load(std::memory_order_relaxed) > 0; ++i) {
      const uint32_t now = epoch.load(std::memory_order_acquire);
      if (now != seen) return now;
      relax();
      if ((i & 63) == 63 && std::chrono::steady_clock::now() > deadline) break;
    }
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    epoch.wait(seen, std::memory_order_seq_cst);
    sleepers.fetch_sub(1, std::memory_order_relaxed);
    return epoch.load(std::memory_order_acquire);
  }

  void worker_loop(size_t self) {
    const DefaultFloats floats;
    for (uint32_t seen = 0;;) {
      seen = wait_for_epoch(seen);
      if (stop.load(std::memory_order_acquire)) return;
      join_run(self);
    }
  }

  // Waits until no worker is in the run. One that lost its processor is given this one.
  void wait_for_workers() {
    for (int i = 1; inside.load(std::memory_order_acquire) > 0; ++i) i % 1024 == 0 ? void(sched_yield()) : relax();
  }

  void announce() {
    epoch.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) > 0) epoch.notify_all();
  }

  void shut_down() {
    stop.store(true, std::memory_order_release);
    epoch.fetch_add(1, std::memory_order_seq_cst);
    epoch.notify_all();
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadPool::ThreadPool(int threads) {
  if (threads < 0 || threads > kMaxThreads)
    fail(Code::invalid_argument, "{} threads; 0 (one per core) to {} are accepted", threads, kMaxThreads);
  if (threads == 0) threads = cpu_info().logical_cores;
  state_ = std::make_unique<State>(static_cast<size_t>(threads));
  try {
    state_->workers.reserve(state_->shares.size() - 1);
    for (size_t i = 1; i < state_->shares.size(); ++i)
      state_->workers.emplace_back([state = state_.get(), i] { state->worker_loop(i); });
  } catch (const std::system_error& error) {
    state_->shut_down();
    fail(Code::out_of_memory, "the system refused thread {} of {}: {}", state_->workers.size() + 2, threads,
         error.what());
  }
}

ThreadPool::~ThreadPool() {
  if (count_forks() == state_->owner) {
    state_->shut_down();
    return;
  }
  // After fork the workers do not exist here: they can be neither joined nor detached, their handles are left.
  new std::vector<std::thread>(std::move(state_->workers));
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::begin_run() { state_->spinning.fetch_add(1, std::memory_order_relaxed); }
void ThreadPool::end_run() { state_->spinning.fetch_sub(1, std::memory_order_relaxed); }

void ThreadPool::run(int64_t n, int64_t grain, Call call, void* body) {
  State& s = *state_;
  if (n <= 0) return;
  const DefaultFloats floats;
  grain = std::max<int64_t>(grain, 1);
  const bool alone = s.workers.empty() || n <= grain || s.busy.exchange(true, std::memory_order_acquire);
  if (alone) {
    call(body, 0, n);
    return;
  }
  if (forks.load(std::memory_order_relaxed) != s.owner) {
    s.busy.store(false, std::memory_order_release);
    call(body, 0, n);
    return;
  }
  s.call = call;
  s.body = body;
  s.share_out(n, grain);
  s.failed.store(false, std::memory_order_relaxed);
  s.error = nullptr;
  s.open.store(true, std::memory_order_seq_cst);
  s.announce();
  s.work_blocks(0);
  s.open.store(false, std::memory_order_seq_cst);
  s.wait_for_workers();
  const std::exception_ptr error = s.failed.load() ? s.error : nullptr;
  s.busy.store(false, std::memory_order_release);
  if (error) std::rethrow_exception(error);
}

}  // namespace planish
