// What the system grants: processors, threads, instructions, and the state of the floating-point unit.

#include <gtest/gtest.h>
#include <sched.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/affinity.h"
#include "base/control_group.h"
#include "base/cpu_features.h"
#include "base/error.h"
#include "base/float_environment.h"
#include "base/thread_pool.h"
#include "support/refused_calls.h"

namespace planish {
namespace {

std::string refusal_of(void (*body)()) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// --- threads

TEST(System, AThreadThatIsRefusedIsAnErrorThatCountsThem) {
  const int answer = testing::in_refusing_child(SYS_clone3, SYS_clone, EAGAIN, [] {
    const std::string why = refusal_of([] { ThreadPool pool(8); });
    return why.find("the system refused thread 2 of 8") != std::string::npos ? 0 : 1;
  });
  if (answer == testing::kSystemDoesNotRefuse) GTEST_SKIP() << "the system takes no filter of calls";
  EXPECT_EQ(answer, 0);
}

double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Processor time of the pool while its caller sleeps for 0.2 seconds.
double seconds_beside_sleep() {
  const double before = process_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  return process_seconds() - before;
}

TEST(ThreadPool, NothingSpinsAfterARun) {
  ThreadPool pool(4);
  pool.begin_run();
  for (int i = 0; i < 100; ++i) pool.parallel_for(64, 1, [](int64_t, int64_t) {});
  pool.end_run();
  EXPECT_LT(seconds_beside_sleep(), 0.02);
}

TEST(ThreadPool, SpinningWithinARunIsBounded) {
  ThreadPool pool(4);
  pool.begin_run();
  pool.parallel_for(64, 1, [](int64_t, int64_t) {});
  EXPECT_LT(seconds_beside_sleep(), 0.02);
  pool.end_run();
}

// --- processors

std::set<int> processors_of_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::set<int> processors;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) processors.insert(i);
  return processors;
}

TEST(Affinity, ThreadsStartedMeanwhileStayAndTheCallerGoesBack) {
  const std::set<int> before = processors_of_thread();
  const int last = *before.rbegin();
  {
    const Confined confined(std::span(&last, 1));
    EXPECT_EQ(usable_processors(), 1);
    std::thread([&] { EXPECT_EQ(processors_of_thread(), std::set<int>{last}); }).join();
  }
  EXPECT_EQ(processors_of_thread(), before);
  EXPECT_EQ(usable_processors(), static_cast<int>(before.size()));
}

TEST(Affinity, RefusesProcessorsThatAreNotThere) {
  const std::set<int> before = processors_of_thread();
  for (int absent : {-1, 1 << 20, 1023})
    if (before.count(absent) == 0) {
      const int both[] = {*before.begin(), absent};
      EXPECT_THROW(const Confined confined(both), Error) << absent;
      EXPECT_EQ(processors_of_thread(), before);
    }
}

class ControlGroups : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path place = root_ / path;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place) << text;
  }
  int cores() const { return cores_of_control_groups(root_.string(), (root_ / "membership").string()); }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("planish_control_groups_" + std::to_string(getpid()));
};

TEST_F(ControlGroups, TheTightestQuotaOnTheWayUpCounts) {
  put("membership", "0::/outer/inner\n");
  EXPECT_GT(cores(), 100000);
  put("outer/inner/cpu.max", "max 100000\n");
  EXPECT_GT(cores(), 100000);
  put("outer/cpu.max", "350000 100000\n");
  EXPECT_EQ(cores(), 4);
  put("outer/inner/cpu.max", "150000 100000\n");
  EXPECT_EQ(cores(), 2);
  put("outer/inner/cpu.max", "5000 100000\n");
  EXPECT_EQ(cores(), 1);
}

TEST_F(ControlGroups, OfTheFirstVersion) {
  put("membership", "12:memory:/box\n4:cpu,cpuacct:/box\n");
  put("cpu/box/cpu.cfs_quota_us", "-1");
  put("cpu/box/cpu.cfs_period_us", "100000");
  EXPECT_GT(cores(), 100000);
  put("cpu/box/cpu.cfs_quota_us", "200000");
  EXPECT_EQ(cores(), 2);
}

TEST_F(ControlGroups, WhatMakesNoSenseLimitsNothing) {
  put("membership", "0::/\n::\nno colons\n0::relative\n");
  put("cpu.max", "many 100000\n");
  EXPECT_GT(cores(), 0);
}

// --- instructions

// In a process of its own: what the processor has is asked once.
TEST(SystemDeathTest, TilesThatTheSystemDoesNotPermitAreNotThere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (!testing::refuse_calls(SYS_arch_prctl, SYS_arch_prctl, EPERM)) std::exit(0);
        setenv("PLANISH_CPU_ISA", "amx", 1);
        const std::string why = refusal_of([] { active_isa(); });
        const bool named = why.find("amx_tile, amx_int8, amx_bf16; its best level is") != std::string::npos ||
                           why.find("this processor lacks avx") != std::string::npos;
        std::exit(!cpu_info().has(Isa::amx) && named ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

// --- arithmetic

#if defined(__x86_64__)
constexpr unsigned kFlushAndRoundUp = 0x1f80 | 0x8040 | 0x4000;  // denormals are zero, rounding up

class OddFloats : public ::testing::Test {
 protected:
  void SetUp() override { _mm_setcsr(kFlushAndRoundUp); }
  void TearDown() override { _mm_setcsr(before_); }
  unsigned before_ = _mm_getcsr();
};

float halved(float x) {
  volatile float kept = x;  // not known when this is compiled
  return kept / 2;
}

TEST_F(OddFloats, EveryThreadOfAPoolComputesAsUsual) {
  ThreadPool pool(4);  // threads inherit what their maker has set
  std::mutex mutex;
  std::set<unsigned> found;
  for (int i = 0; i < 50; ++i)
    pool.parallel_for(64, 1, [&](int64_t, int64_t) {
      const std::lock_guard lock(mutex);
      found.insert(_mm_getcsr() & 0xffc0u);
      EXPECT_GT(halved(1e-38f), 0.f);  // a denormal
      std::this_thread::yield();
    });
  EXPECT_EQ(found, std::set<unsigned>{0x1f80});
  EXPECT_EQ(_mm_getcsr() & 0xffc0u, kFlushAndRoundUp);
  EXPECT_EQ(halved(1e-38f), 0.f);
}
#endif

}  // namespace
}  // namespace planish
