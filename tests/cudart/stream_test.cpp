// The order of streams: within one, between the default stream and the others, through events.

#include "support.h"

using namespace cudart_test;

TEST(CudaStreams, RunInOrder) {
  Stream stream;
  std::vector<int> seen;
  std::vector<std::function<void()>> steps;
  for (int i = 0; i < 200; ++i) steps.emplace_back([&seen, i] { seen.push_back(i); });
  for (auto& step : steps) OK(launch(stream, step));
  OK(cudaStreamSynchronize(stream));
  ASSERT_EQ(200u, seen.size());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(i, seen[static_cast<size_t>(i)]);
}

TEST(CudaStreams, PinnedCopiesDoNotWaitForTheStream) {
  Stream stream;
  Gate gate;
  DeviceInts device(1);
  PinnedInts host(2);
  host[0] = 7, host[1] = 0;
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaMemcpyAsync(device.data, host.data, 4, cudaMemcpyHostToDevice, stream));
  OK(cudaMemcpyAsync(host.data + 1, device.data, 4, cudaMemcpyDeviceToHost, stream));
  REFUSED(cudaErrorNotReady, cudaStreamQuery(stream));
  REFUSED(cudaErrorNotReady, cudaGetLastError());
  gate.open();
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(7, host[1]);
  OK(cudaStreamQuery(stream));
}

TEST(CudaStreams, PageableSourcesMayBeReusedAtOnce) {
  Stream stream;
  Gate gate;
  DeviceInts device(1);
  int source = 1, result = 0;
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaMemcpyAsync(device.data, &source, 4, cudaMemcpyHostToDevice, stream));
  source = 2;
  gate.open();
  OK(cudaMemcpyAsync(&result, device.data, 4, cudaMemcpyDeviceToHost, stream));  // done when it returns
  EXPECT_EQ(1, result);
}

TEST(CudaStreams, LargePageableCopiesAreDoneWhenTheyReturn) {
  Stream stream;
  std::vector<int> source(100000, 3), result(100000);
  DeviceInts device(source.size());
  OK(cudaMemcpyAsync(device.data, source.data(), source.size() * 4, cudaMemcpyHostToDevice, stream));
  std::fill(source.begin(), source.end(), 4);
  OK(cudaMemcpyAsync(result.data(), device.data, result.size() * 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(std::vector<int>(100000, 3), result);
}

// Every pair of the default stream and a blocking one waits for each other.
TEST(CudaStreams, DefaultStreamWaitsAndIsWaitedFor) {
  for (const cudaStream_t standard : {cudaStream_t{nullptr}, cudaStreamLegacy}) {
    Stream first, second;
    Gate gate;
    std::vector<int> seen;
    const std::function<void()> one = [&] { seen.push_back(1); }, two = [&] { seen.push_back(2); },
                                three = [&] { seen.push_back(3); };
    OK(cudaLaunchHostFunc(first, Gate::wait, &gate));
    OK(launch(first, one));
    OK(launch(standard, two));
    OK(launch(second, three));
    REFUSED(cudaErrorNotReady, cudaStreamQuery(second));
    EXPECT_TRUE(seen.empty());
    gate.open();
    OK(cudaStreamSynchronize(second));
    EXPECT_EQ((std::vector<int>{1, 2, 3}), seen);
  }
}

TEST(CudaStreams, NonBlockingStreamsDoNotWaitForTheDefaultStream) {
  Stream stream(cudaStreamNonBlocking);
  Gate gate;
  OK(cudaLaunchHostFunc(nullptr, Gate::wait, &gate));
  std::atomic<int> ran{0};
  const std::function<void()> step = [&] { ++ran; };
  OK(launch(stream, step));
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(1, ran);
  REFUSED(cudaErrorNotReady, cudaStreamQuery(nullptr));
  gate.open();
  OK(cudaStreamSynchronize(nullptr));
}

TEST(CudaStreams, SynchronousCopiesComeAfterBlockingStreams) {
  Stream stream;
  DeviceInts device(1);
  const std::function<void()> step = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    *device.data = 42;
  };
  OK(launch(stream, step));
  int result = 0;
  OK(cudaMemcpy(&result, device.data, 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(42, result);
}

TEST(CudaStreams, EachThreadHasItsOwn) {
  Gate gate;
  OK(cudaLaunchHostFunc(cudaStreamPerThread, Gate::wait, &gate));
  REFUSED(cudaErrorNotReady, cudaStreamQuery(cudaStreamPerThread));
  std::thread other([] {
    int value = 1;
    const std::function<void()> step = [&] { value = 2; };
    EXPECT_EQ(cudaSuccess, cudaStreamQuery(cudaStreamPerThread));
    EXPECT_EQ(cudaSuccess, launch(cudaStreamPerThread, step));
    EXPECT_EQ(cudaSuccess, cudaStreamSynchronize(cudaStreamPerThread));
    EXPECT_EQ(2, value);
  });
  other.join();
  gate.open();
  OK(cudaStreamSynchronize(cudaStreamPerThread));
}

TEST(CudaStreams, DestroyingOneReturnsAtOnceAndItsWorkStillRuns) {
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreate(&stream));
  Gate gate;
  std::atomic<int> ran{0};
  const std::function<void()> step = [&] { ++ran; };
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(launch(stream, step));
  OK(cudaStreamDestroy(stream));
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(stream));
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamDestroy(stream));
  EXPECT_EQ(0, ran);
  gate.open();
  OK(cudaDeviceSynchronize());
  EXPECT_EQ(1, ran);
}

TEST(CudaStreams, CallbacksGetTheStreamAndMayNotCallCuda) {
  Stream stream;
  struct Seen {
    cudaStream_t stream = nullptr;
    cudaError_t status = cudaErrorUnknown, inside = cudaSuccess;
  } seen;
  OK(cudaStreamAddCallback(
      stream,
      [](cudaStream_t own, cudaError_t status, void* user) {
        *static_cast<Seen*>(user) = {own, status, cudaStreamSynchronize(own)};
      },
      &seen, 0));
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(stream.handle, seen.stream);
  EXPECT_EQ(cudaSuccess, seen.status);
  EXPECT_EQ(cudaErrorNotPermitted, seen.inside);
}

TEST(CudaStreams, SayWhatTheyAre) {
  cudaStream_t stream = nullptr;
  OK(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, -5));
  unsigned flags = 9;
  int priority = 9, least = 9, greatest = 9;
  unsigned long long id = 0, other = 0;
  OK(cudaStreamGetFlags(stream, &flags));
  OK(cudaStreamGetPriority(stream, &priority));
  OK(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  OK(cudaStreamGetId(stream, &id));
  OK(cudaStreamGetId(nullptr, &other));
  EXPECT_EQ(cudaStreamNonBlocking, static_cast<int>(flags));
  EXPECT_EQ(0, priority);
  EXPECT_EQ(0, least);
  EXPECT_EQ(0, greatest);
  EXPECT_NE(id, other);
  OK(cudaStreamDestroy(stream));
}

TEST(CudaEvents, OrderTwoStreams) {
  Stream first(cudaStreamNonBlocking), second(cudaStreamNonBlocking);
  Event event;
  Gate gate;
  DeviceInts device(1);
  PinnedInts host(1);
  const std::function<void()> step = [&] { *device.data = 5; };
  OK(cudaLaunchHostFunc(first, Gate::wait, &gate));
  OK(launch(first, step));
  OK(cudaEventRecord(event, first));
  OK(cudaStreamWaitEvent(second, event));
  OK(cudaMemcpyAsync(host.data, device.data, 4, cudaMemcpyDeviceToHost, second));
  REFUSED(cudaErrorNotReady, cudaEventQuery(event));
  REFUSED(cudaErrorNotReady, cudaStreamQuery(second));
  gate.open();
  OK(cudaStreamSynchronize(second));
  EXPECT_EQ(5, host[0]);
}

// A wait is for the event as it was recorded when the wait was enqueued.
TEST(CudaEvents, LaterRecordsDoNotMoveEarlierWaits) {
  Stream first(cudaStreamNonBlocking), second(cudaStreamNonBlocking);
  Event event;
  Gate early, late;
  OK(cudaLaunchHostFunc(first, Gate::wait, &early));
  OK(cudaEventRecord(event, first));
  OK(cudaStreamWaitEvent(second, event));
  OK(cudaLaunchHostFunc(first, Gate::wait, &late));
  OK(cudaEventRecord(event, first));
  early.open();
  OK(cudaStreamSynchronize(second));
  REFUSED(cudaErrorNotReady, cudaEventQuery(event));
  late.open();
  OK(cudaEventSynchronize(event));
}

TEST(CudaEvents, MeasureTime) {
  Stream stream;
  Event start, end, silent(cudaEventDisableTiming), never;
  const std::function<void()> step = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  float milliseconds = -1;
  OK(cudaEventRecord(start, stream));
  OK(launch(stream, step));
  OK(cudaEventRecord(end, stream));
  OK(cudaEventRecord(silent, stream));
  OK(cudaEventSynchronize(end));
  OK(cudaEventElapsedTime(&milliseconds, start, end));
  EXPECT_GE(milliseconds, 19.f);
  EXPECT_LT(milliseconds, 5000.f);
  REFUSED(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&milliseconds, start, silent));
  REFUSED(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&milliseconds, start, never));
  REFUSED(cudaErrorInvalidValue, cudaEventElapsedTime(nullptr, start, end));
}

TEST(CudaEvents, ThatWereNeverRecordedAreReached) {
  Stream stream;
  Event event;
  OK(cudaEventQuery(event));
  OK(cudaEventSynchronize(event));
  OK(cudaStreamWaitEvent(stream, event, 0));
}

TEST(CudaEvents, OnTheDefaultStreamComeAfterBlockingStreams) {
  Stream stream;
  Event event;
  Gate gate;
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaEventRecord(event));
  REFUSED(cudaErrorNotReady, cudaEventQuery(event));
  gate.open();
  OK(cudaEventSynchronize(event));
}

TEST(CudaErrors, OfHandlesAndFlags) {
  const auto stream = reinterpret_cast<cudaStream_t>(0x1234);
  const auto event = reinterpret_cast<cudaEvent_t>(0x1234);
  cudaStream_t made = nullptr;
  cudaEvent_t made_event = nullptr;
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(stream));
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamQuery(stream));
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamDestroy(stream));
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamDestroy(nullptr));
  REFUSED(cudaErrorInvalidResourceHandle, cudaLaunchHostFunc(stream, Gate::wait, nullptr));
  REFUSED(cudaErrorInvalidResourceHandle, cudaEventRecord(event, nullptr));
  REFUSED(cudaErrorInvalidResourceHandle, cudaEventDestroy(event));
  REFUSED(cudaErrorInvalidResourceHandle, cudaEventDestroy(nullptr));
  REFUSED(cudaErrorInvalidValue, cudaStreamCreate(nullptr));
  REFUSED(cudaErrorInvalidValue, cudaStreamCreateWithFlags(&made, 8));
  REFUSED(cudaErrorInvalidValue, cudaEventCreateWithFlags(&made_event, 64));
  REFUSED(cudaErrorInvalidValue, cudaEventCreateWithFlags(&made_event, cudaEventInterprocess));
  REFUSED(cudaErrorInvalidValue, cudaLaunchHostFunc(nullptr, nullptr, nullptr));
  Event own;
  REFUSED(cudaErrorInvalidResourceHandle, cudaStreamWaitEvent(stream, own, 0));
  REFUSED(cudaErrorInvalidValue, cudaStreamWaitEvent(nullptr, own, 7));
}

TEST(CudaErrors, AreKeptPerThreadUntilRead) {
  cudaGetLastError();
  REFUSED(cudaErrorInvalidValue, cudaStreamCreate(nullptr));
  std::thread([] { EXPECT_EQ(cudaSuccess, cudaPeekAtLastError()); }).join();
  OK(cudaDeviceSynchronize());
  EXPECT_EQ(cudaErrorInvalidValue, cudaPeekAtLastError());
  EXPECT_EQ(cudaErrorInvalidValue, cudaGetLastError());
  EXPECT_EQ(cudaSuccess, cudaGetLastError());
}

TEST(CudaErrors, HaveNamesAndSentences) {
  EXPECT_STREQ("no error", cudaGetErrorString(cudaSuccess));
  EXPECT_STREQ("out of memory", cudaGetErrorString(cudaErrorMemoryAllocation));
  EXPECT_STREQ("invalid resource handle", cudaGetErrorString(cudaErrorInvalidResourceHandle));
  EXPECT_STREQ("cudaErrorInvalidValue", cudaGetErrorName(cudaErrorInvalidValue));
  EXPECT_STREQ("unrecognized error code", cudaGetErrorString(static_cast<cudaError_t>(12345)));
}

TEST(CudaStreams, ManyThreadsShareThem) {
  constexpr int kThreads = 4, kRounds = 100;
  Stream shared, other(cudaStreamNonBlocking);
  DeviceInts device(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Stream own;
      Event event;
      PinnedInts host(2);
      for (int round = 1; round <= kRounds; ++round) {
        host[0] = round;
        const cudaStream_t first = round % 3 == 0 ? cudaStream_t{nullptr} : round % 3 == 1 ? own.handle : shared.handle;
        EXPECT_EQ(cudaSuccess, cudaMemcpyAsync(device.data + t, host.data, 4, cudaMemcpyHostToDevice, first));
        EXPECT_EQ(cudaSuccess, cudaEventRecord(event, first));
        EXPECT_EQ(cudaSuccess, cudaStreamWaitEvent(other, event, 0));
        EXPECT_EQ(cudaSuccess, cudaMemcpyAsync(&host[1], device.data + t, 4, cudaMemcpyDeviceToHost, other));
        EXPECT_EQ(cudaSuccess, cudaEventRecord(event, other));
        EXPECT_EQ(cudaSuccess, cudaEventSynchronize(event));
        ASSERT_EQ(round, host[1]);
      }
    });
  for (auto& thread : threads) thread.join();
  OK(cudaDeviceSynchronize());
}
