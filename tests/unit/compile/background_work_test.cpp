// Pieces that threads do beside the caller: each once, until they are told to stop.

#include "compile/background_work.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

namespace planish {
namespace {

constexpr std::chrono::milliseconds kLong{10000}, kShort{1};

TEST(BackgroundWork, DoesEachPieceOnce) {
  std::array<std::atomic<int>, 100> done{};
  BackgroundWork work(3, done.size(), [&](size_t at, const std::atomic<bool>&) { ++done[at]; });
  EXPECT_TRUE(work.has_ended(kLong));
  for (const auto& count : done) EXPECT_EQ(count, 1);
}

TEST(BackgroundWork, GoesOnAfterAPieceThatThrows) {
  std::atomic<int> done{0};
  BackgroundWork work(1, 10, [&](size_t at, const std::atomic<bool>&) {
    if (at == 4) throw std::runtime_error("a piece");
    ++done;
  });
  EXPECT_TRUE(work.has_ended(kLong));
  EXPECT_EQ(done, 9);
}

TEST(BackgroundWork, BeginsNothingAfterItIsStopped) {
  std::atomic<int> begun{0};
  std::atomic<bool> was_told{false};
  {
    BackgroundWork work(1, 1000, [&](size_t, const std::atomic<bool>& stop) {
      ++begun;
      while (!stop) std::this_thread::yield();
      was_told = true;
    });
    while (begun == 0) std::this_thread::yield();
    EXPECT_FALSE(work.has_ended(kShort));
    work.stop();
    EXPECT_TRUE(work.has_ended(kLong));
  }
  EXPECT_EQ(begun, 1);
  EXPECT_TRUE(was_told);
}

TEST(BackgroundWork, WithNothingToDoHasEnded) {
  BackgroundWork work(4, 0, [](size_t, const std::atomic<bool>&) { FAIL() << "there is no piece"; });
  EXPECT_TRUE(work.has_ended(kShort));
}

}  // namespace
}  // namespace planish
