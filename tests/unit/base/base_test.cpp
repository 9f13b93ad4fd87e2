#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/checked.h"
#include "base/cpu_features.h"
#include "base/error.h"
#include "base/file.h"
#include "base/scanner.h"
#include "base/thread_pool.h"

namespace planish {
namespace {

TEST(Error, CarriesFramesOutwards) {
  try {
    with_context([] { return std::string("model.onnx"); }, [] { fail(Code::invalid_model, "rank {}", 3); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "model.onnx: rank 3");
    EXPECT_EQ(error.code(), Code::invalid_model);
  }
}

TEST(Checked, RefusesOverflowAndNegativeExtents) {
  const int64_t huge[] = {int64_t{1} << 40, int64_t{1} << 40};
  EXPECT_THROW(checked_product(huge), Error);
  const int64_t negative[] = {2, -1};
  EXPECT_THROW(checked_product(negative), Error);
  EXPECT_EQ(checked_product({}), 1);
}

TEST(File, AtomicWriteKeepsTheOldFileOnFailure) {
  const auto folder = std::filesystem::temp_directory_path() / ("planish_base_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / "f";
  write_file_atomic(path, "one");
  write_file_atomic(path, "two");
  EXPECT_EQ(read_file(path), "two");
  EXPECT_THROW(write_file_atomic((folder / "missing" / "f").string(), "x"), Error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(File, NamesThePathThatIsNotThere) {
  try {
    FileMap::open("/nowhere/model.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::not_found);
    EXPECT_NE(std::string(error.what()).find("/nowhere/model.onnx"), std::string::npos);
  }
}

TEST(CpuFeatures, RefusesUnknownLevels) { EXPECT_THROW(parse_isa("avx1024"), Error); }

TEST(ThreadPool, CoversTheRangeOnce) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> counts(10007);
    for (int round = 0; round < 50; ++round) {
      pool.begin_run();
      pool.parallel_for(10007, 3, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++counts[static_cast<size_t>(i)];
      });
      pool.end_run();
    }
    for (const auto& count : counts) ASSERT_EQ(count.load(), 50);
  }
}

TEST(ThreadPool, RethrowsAndStaysUsable) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.parallel_for(100, 1,
                                 [](int64_t begin, int64_t) {
                                   if (begin >= 50) fail(Code::internal, "x");
                                 }),
               Error);
  std::atomic<int64_t> sum{0};
  pool.parallel_for(100, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  EXPECT_EQ(sum.load(), 100);
}

TEST(ThreadPool, NestedAndConcurrentUseRunsInTheCaller) {
  ThreadPool pool(2);
  std::atomic<int64_t> sum{0};
  const auto work = [&] {
    for (int i = 0; i < 200; ++i)
      pool.parallel_for(64, 1, [&](int64_t b, int64_t e) {
        pool.parallel_for(e - b, 1, [&](int64_t c, int64_t d) { sum += d - c; });
      });
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(sum.load(), 2 * 200 * 64);
}

TEST(ThreadPool, RefusesAbsurdCounts) {
  EXPECT_THROW(ThreadPool(1000000), Error);
  EXPECT_THROW(ThreadPool(-1), Error);
}

TEST(Scanner, SaysWhereItStopped) {
  Scanner scanner("a\n  b ?");
  scanner.word();
  scanner.word();
  try {
    scanner.word();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("line 2, column 5"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace planish
