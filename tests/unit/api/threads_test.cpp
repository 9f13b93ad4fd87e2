#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "unit/api/allocations.h"
#include "unit/api/common.h"

namespace planish::testing {
namespace {

TEST(Threads, ContextsShareAnEngine) {
  const Engine engine(build(small_network(), untuned()), {.threads = 2});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Context context(engine);
      const auto x = random_values(3 * 192, t);
      const auto expected = run(context, 3, x);
      for (int64_t k = 0; k < 40; ++k) {
        if (k % 7 == 0) run(context, 1 + k % 4, random_values(static_cast<size_t>(1 + k % 4) * 192, 5));
        if (run(context, 3, x) != expected) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Threads, StayOnTheProcessorsOfTheirDevice) {
  const Error absent = error_of([] { Device("cpu", 2, nullptr, {1 << 19}); });
  EXPECT_EQ(absent.code(), Code::invalid_argument);
  EXPECT_NE(std::string(absent.what()).find("processor 524288"), std::string::npos) << absent.what();
  auto options = detail::sized<planish_device_options>();
  options.processor_count = 1;
  planish_device* none = nullptr;
  EXPECT_EQ(planish_device_create(&options, &none), PLANISH_INVALID_ARGUMENT);
}

// A profiler that blocks holds its context inside an execution.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    entered_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false, open_ = false;
};

TEST(Threads, ASecondThreadGetsBusy) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  auto x = random_values(192, 1);
  std::vector<float> y(10);
  context.set_shape("x", {1, 3, 8, 8});
  context.bind("x", x);
  context.bind("y", y);
  Gate gate;
  context.set_profiler([&](const StepTiming&) { gate.pass(); });
  std::thread first([&] { context.run(); });
  gate.wait_until_entered();
  EXPECT_EQ(error_of([&] { context.run(); }).code(), Code::busy);
  EXPECT_EQ(error_of([&] { context.bind("x", x); }).code(), Code::busy);
  EXPECT_EQ(error_of([&] { context.set_shape("x", {2, 3, 8, 8}); }).code(), Code::busy);
  EXPECT_EQ(error_of([&] { context.shape("y"); }).code(), Code::busy);
  EXPECT_EQ(error_of([&] { context.set_profiler({}); }).code(), Code::busy);
  gate.open();
  first.join();
  context.set_profiler({});
  context.run();
}

TEST(Stream, ExecutionsInFlightKeepTheContextAsItIs) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  const auto x = random_values(192, 1);
  const auto expected = run(context, 1, x);
  std::vector<float> y(10);
  context.bind("x", x);
  context.bind("y", y);
  Stream stream(engine);
  Gate gate;
  context.set_profiler([&](const StepTiming&) { gate.pass(); });
  context.enqueue(stream);
  context.enqueue(stream);
  EXPECT_EQ(error_of([&] { context.bind("y", y); }).code(), Code::busy);
  EXPECT_EQ(error_of([&] { context.set_shape("x", {2, 3, 8, 8}); }).code(), Code::busy);
  gate.open();
  stream.synchronize();
  EXPECT_EQ(y, expected);
  context.set_profiler({});
  context.bind("y", y);
}

TEST(Stream, SynchronizeThrowsWhatWentWrong) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  Stream stream(engine);
  context.enqueue(stream);
  const Error error = error_of([&] { stream.synchronize(); });
  EXPECT_EQ(error.code(), Code::invalid_state);
  EXPECT_NE(std::string(error.what()).find("'x' has no shape"), std::string::npos) << error.what();
  stream.synchronize();
}

TEST(Event, MeasuresWhatLiesBetween) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  run(context, 1, random_values(192, 1));
  const auto x = random_values(192, 1);
  std::vector<float> y(10);
  context.bind("x", x);
  context.bind("y", y);
  Stream stream(engine);
  Event before(stream), after(stream);
  EXPECT_FALSE(before.reached());
  EXPECT_EQ(error_of([&] { after.milliseconds_since(before); }).code(), Code::invalid_state);
  before.record(stream);
  for (int i = 0; i < 20; ++i) context.enqueue(stream);
  after.record(stream);
  after.synchronize();
  EXPECT_TRUE(before.reached());
  EXPECT_GT(after.milliseconds_since(before), 0);
  stream.synchronize();
}

TEST(Context, MisuseIsAnErrorThatNamesTheBinding) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  EXPECT_EQ(error_of([&] { context.run(); }).code(), Code::invalid_state);
  EXPECT_EQ(error_of([&] { context.shape("y"); }).code(), Code::invalid_state);
  EXPECT_EQ(error_of([&] { context.set_shape("x", {1, 3, 8}); }).code(), Code::invalid_argument);
  const Error range = error_of([&] { context.set_shape("x", {5, 3, 8, 8}); });
  EXPECT_NE(std::string(range.what()).find("[1, 4]"), std::string::npos) << range.what();
  EXPECT_EQ(error_of([&] { context.set_shape("y", {1, 10}); }).code(), Code::not_found);
  context.set_shape("x", {2, 3, 8, 8});
  EXPECT_EQ(context.shape("y"), (Extents{2, 10}));
  EXPECT_EQ(context.bytes("y"), 80);
  std::vector<float> x(2 * 192), y(19);
  context.bind("x", x);
  EXPECT_NE(std::string(error_of([&] { context.run(); }).what()).find("'y' is not bound"), std::string::npos);
  context.bind("y", y);
  const Error small = error_of([&] { context.run(); });
  EXPECT_EQ(small.code(), Code::invalid_argument);
  EXPECT_NE(std::string(small.what()).find("80"), std::string::npos) << small.what();
}

TEST(Context, EnqueueDoesNotAllocate) {
  const Engine engine(build(small_network(), untuned()), {.threads = 2});
  Context context(engine);
  Stream stream(engine);
  const auto x = random_values(2 * 192, 1);
  std::vector<float> y(20);
  context.set_shape("x", {2, 3, 8, 8});
  context.bind("x", x);
  context.bind("y", y);
  for (int i = 0; i < 20; ++i) {  // every thread has taken part
    context.run();
    context.enqueue(stream);
    stream.synchronize();
  }
  const int64_t before = allocations();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(context.try_enqueue(), PLANISH_OK);
    ASSERT_EQ(context.try_enqueue(&stream), PLANISH_OK);
    ASSERT_EQ(planish_stream_synchronize(stream.handle()), PLANISH_OK);
  }
  EXPECT_EQ(allocations() - before, 0);
  EXPECT_GT(before, 0);  // the counter counts
}

}  // namespace
}  // namespace planish::testing
