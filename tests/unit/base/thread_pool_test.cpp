#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "base/error.h"

namespace planish {
namespace {

void expect_partition(ThreadPool& pool, int64_t n, int64_t grain) {
  std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
  std::atomic<bool> small{false};
  pool.parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    if (end - begin < grain && end != n) small = true;
    for (int64_t i = begin; i < end; ++i) seen[static_cast<size_t>(i)]++;
  });
  for (const auto& count : seen) ASSERT_EQ(count, 1);
  EXPECT_FALSE(small);
}

TEST(ThreadPool, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t n : {0, 1, 2, 7, 64, 1000})
      for (int64_t grain : {0, 1, 3, 100}) expect_partition(pool, n, grain);
  }
}

TEST(ThreadPool, ManyShortRuns) {
  ThreadPool pool(4);
  pool.begin_run();
  std::atomic<int64_t> sum{0};
  for (int run = 0; run < 20000; ++run)
    pool.parallel_for(8, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  pool.end_run();
  EXPECT_EQ(sum, 160000);
}

TEST(ThreadPool, RunsAgainAfterSleeping) {
  ThreadPool pool(3);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    expect_partition(pool, 100, 1);
  }
}

TEST(ThreadPool, RethrowsTheFirstExceptionAfterAllBlocks) {
  ThreadPool pool(4);
  std::atomic<int> ran{0};
  for (int round = 0; round < 100; ++round) {
    ran = 0;
    EXPECT_THROW(pool.parallel_for(16, 1,
                                   [&](int64_t begin, int64_t end) {
                                     ran += static_cast<int>(end - begin);
                                     fail(Code::internal, "block");
                                   }),
                 Error);
    EXPECT_EQ(ran, 16);
  }
  expect_partition(pool, 100, 1);
}

TEST(ThreadPool, NestedCallsRunInTheirCaller) {
  ThreadPool pool(4);
  std::atomic<int> total{0};
  pool.parallel_for(8, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto outer = std::this_thread::get_id();
      pool.parallel_for(10, 1, [&](int64_t b, int64_t e) {
        EXPECT_EQ(std::this_thread::get_id(), outer);
        total += static_cast<int>(e - b);
      });
    }
  });
  EXPECT_EQ(total, 80);
}

TEST(ThreadPool, IsSafeFromSeveralThreads) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> sum{0};
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) pool.parallel_for(50, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 500 * 50);
}

TEST(ThreadPool, WorksInTheChildOfAFork) {
  auto pool = std::make_unique<ThreadPool>(4);
  expect_partition(*pool, 100, 1);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    std::vector<int> seen(100, 0);
    pool->parallel_for(100, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
    });
    pool.reset();
    _exit(std::accumulate(seen.begin(), seen.end(), 0) == 100 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ThreadPool, RefusesCountsThatMakeNoSense) {
  EXPECT_THROW(ThreadPool(-1), Error);
  EXPECT_THROW(ThreadPool(1000000), Error);
  EXPECT_GE(ThreadPool(0).size(), 1);
}

}  // namespace
}  // namespace planish
