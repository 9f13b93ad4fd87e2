#pragma once
// A pool whose caller takes part. Workers spin for a bounded time, then sleep on a futex; nothing spins
// after a run has ended.

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace planish {

class ThreadPool {
 public:
  // `threads` counts the caller: 1 means no worker. 0 means one per usable core. Throws
  // Error(invalid_argument) beyond 1024, and Error(out_of_memory) when the system refuses a thread.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls body(begin, end) over a partition of [0, n) into blocks of at least `grain` (the last may be
  // smaller) and returns when all are done. Which thread takes a block is unspecified, so a body must not
  // depend on it. Does not allocate. The first exception is rethrown in the caller after all blocks ended.
  // A nested call, and a call while another thread uses the pool, runs in the caller alone.
  template <class Body>
  void parallel_for(int64_t n, int64_t grain, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    run(
        n, grain, [](void* self, int64_t begin, int64_t end) { (*static_cast<Plain*>(self))(begin, end); },
        const_cast<void*>(static_cast<const void*>(std::addressof(body))));
  }

  // Workers spin between begin_run and end_run only (an executor brackets each execution with them).
  void begin_run();
  void end_run();

 private:
  using Call = void (*)(void* body, int64_t begin, int64_t end);
  void run(int64_t n, int64_t grain, Call call, void* body);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace planish
