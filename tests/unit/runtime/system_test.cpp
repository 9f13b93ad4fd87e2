// Executions where the system or the caller is unusual: no huge pages, no thread for a stream, odd rounding, processors
// of one's own, memory at any address.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "base/float_environment.h"
#include "support/networks.h"
#include "support/refused_calls.h"
#include "support/tensors.h"

namespace planish {
namespace {

using namespace testing;

TEST(System, HugePagesThatAreRefusedAreDoneWithout) {
  const int answer = in_refusing_child(SYS_madvise, SYS_madvise, EINVAL, [] {
    constexpr int64_t kBytes = int64_t{8} << 20;
    auto device = create_cpu_device(1);
    const auto memory = device->allocate(kBytes);
    std::memset(memory.get(), 1, kBytes);
    const auto found = run(build_small(true), {{"x", random_tensor({2, 3, 8, 8}, 1)}}, device);
    return memory.get()[kBytes - 1] == std::byte{1} && found.size() == 1 ? 0 : 1;
  });
  if (answer == kSystemDoesNotRefuse) GTEST_SKIP() << "the system takes no filter of calls";
  EXPECT_EQ(answer, 0);
}

TEST(System, LargeMemoryIsAlignedForHugePages) {
  auto device = create_cpu_device(1);
  const auto memory = device->allocate(int64_t{4} << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % (2 << 20), 0u);
}

TEST(System, AStreamWhoseThreadIsRefusedIsAnError) {
  const int answer = in_refusing_child(SYS_clone3, SYS_clone, EAGAIN, [] {
    auto device = create_cpu_device(1);
    try {
      device->create_stream();
    } catch (const Error& error) {
      return error.code() == Code::out_of_memory && std::strstr(error.what(), "the thread of a stream") != nullptr ? 0
                                                                                                                   : 1;
    }
    return 2;
  });
  if (answer == kSystemDoesNotRefuse) GTEST_SKIP() << "the system takes no filter of calls";
  EXPECT_EQ(answer, 0);
}

// Inputs so small that products are denormals.
std::map<std::string, Tensor> tiny_inputs() { return {{"x", random_tensor({2, 3, 8, 8}, 1, 1e-37f)}}; }

TEST(System, ResultsDoNotDependOnTheCallersRounding) {
  const Plan plan = build_small(true);
  const Tensor usual = run(plan, tiny_inputs()).begin()->second;
  EXPECT_LE(relative_l2(usual, run(build_small(false), tiny_inputs()).begin()->second), 1e-5);
#if defined(__x86_64__)
  const unsigned before = _mm_getcsr();
  for (unsigned odd : {0x8040u, 0x2000u, 0x4000u, 0x6000u}) {  // denormals as zero; down, up, towards zero
    _mm_setcsr(before | odd);
    auto device = create_cpu_device(3);
    const Tensor found = run(plan, tiny_inputs(), device).begin()->second;
    EXPECT_EQ(_mm_getcsr() & 0xffc0u, (before | odd) & 0xffc0u);
    _mm_setcsr(before);
    EXPECT_TRUE(has_equal_bits(found, usual)) << odd;
  }
#endif
}

TEST(System, EveryThreadCountGivesTheSameBits) {
  for (const Plan& plan : {build_small(true), build_small(false)}) {
    const std::map<std::string, Tensor> inputs = {{"x", random_tensor({4, 3, 8, 8}, 1)}};
    const Tensor one = run(plan, inputs, 1).begin()->second;
    for (int threads : {1, 2, 3, 4, 7, 16})
      EXPECT_TRUE(has_equal_bits(run(plan, inputs, threads).begin()->second, one));
  }
}

TEST(System, ThreadsOnAProcessorOfTheirOwn) {
  const int first[] = {0};
  std::shared_ptr<Device> device;
  try {
    device = create_cpu_device(3, {}, first);
  } catch (const Error&) {
    GTEST_SKIP() << "this process may not run on processor 0";
  }
  const std::map<std::string, Tensor> inputs = {{"x", random_tensor({4, 3, 8, 8}, 1)}};
  const Plan plan = build_small(true);
  EXPECT_TRUE(has_equal_bits(run(plan, inputs, device).begin()->second, run(plan, inputs, 1).begin()->second));
  EXPECT_EQ(create_cpu_device(0, {}, first)->pool().size(), 1);
  const int absent[] = {1 << 19};
  EXPECT_THROW(create_cpu_device(2, {}, absent), Error);
}

}  // namespace
}  // namespace planish
