// Work that the TensorRT libraries enqueue: its order, what a plugin may do inside of it, its failures.

#include "support.h"

#include "cudart/planish_cudart.h"

using namespace cudart_test;

namespace {

const planish_cudart& door() { return *planish_cudart_find(); }

struct Work {
  std::function<cudaError_t()> run;
  int runs = 0;
  std::atomic<int> releases{0};

  static cudaError_t call(void* self) {
    ++static_cast<Work*>(self)->runs;
    return static_cast<Work*>(self)->run();
  }
  static void release(void* self) { ++static_cast<Work*>(self)->releases; }
};

cudaError_t enqueue(cudaStream_t stream, Work& work) {
  return door().enqueue(stream, Work::call, Work::release, &work);
}

void wait_for(const std::atomic<int>& count, int value) {
  while (count != value) std::this_thread::yield();
}

}  // namespace

TEST(CudaWork, TheInterfaceIsFound) {
  ASSERT_NE(nullptr, planish_cudart_find());
  EXPECT_EQ(sizeof(planish_cudart), door().struct_size);
  EXPECT_EQ(0, door().on_cuda());
}

TEST(CudaWork, StandsBetweenCopies) {
  Stream stream;
  Gate gate;
  DeviceInts device(1);
  PinnedInts host(2);
  host[0] = 20;
  Work work{[&] { return ++*device.data, cudaSuccess; }};
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaMemcpyAsync(device.data, host.data, 4, cudaMemcpyHostToDevice, stream));
  OK(enqueue(stream, work));
  OK(cudaMemcpyAsync(host.data + 1, device.data, 4, cudaMemcpyDeviceToHost, stream));
  EXPECT_EQ(0, work.runs);
  gate.open();
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(21, host[1]);
  wait_for(work.releases, 1);
  EXPECT_EQ(1, work.runs);
}

// A plugin copies, sets, records and synchronises on the stream that it was given, or on the default one.
TEST(CudaWork, CallsInsideTakeEffectAtOnce) {
  for (const bool standard : {false, true}) {
    Stream stream, other(cudaStreamNonBlocking);
    const cudaStream_t given = standard ? nullptr : stream.handle;
    Event before, after;
    DeviceInts device(3);
    int seen = 0;
    Work work{[&]() -> cudaError_t {
      EXPECT_EQ(cudaSuccess, cudaMemsetAsync(device.data, 1, 4, given));
      EXPECT_EQ(0x01010101, device.data[0]);
      EXPECT_EQ(cudaSuccess, cudaEventRecord(before, given));
      EXPECT_EQ(cudaSuccess, cudaEventQuery(before));
      EXPECT_EQ(cudaSuccess, cudaStreamWaitEvent(other, before, 0));
      EXPECT_EQ(cudaSuccess, cudaMemcpyAsync(device.data + 1, device.data, 4, cudaMemcpyDeviceToDevice, other));
      EXPECT_EQ(cudaSuccess, cudaEventRecord(after, other));
      EXPECT_EQ(cudaSuccess, cudaStreamWaitEvent(given, after, 0));
      EXPECT_EQ(0x01010101, device.data[1]);
      EXPECT_EQ(cudaSuccess, cudaStreamSynchronize(given));
      EXPECT_EQ(cudaSuccess, cudaDeviceSynchronize());
      EXPECT_EQ(cudaSuccess, cudaMemcpy(&seen, device.data + 1, 4, cudaMemcpyDeviceToHost));
      void* memory = nullptr;
      EXPECT_EQ(cudaSuccess, cudaMalloc(&memory, 8));
      EXPECT_EQ(cudaSuccess, cudaFree(memory));
      return cudaSuccess;
    }};
    OK(enqueue(given, work));
    OK(cudaStreamSynchronize(given));
    EXPECT_EQ(0x01010101, seen);
    wait_for(work.releases, 1);
  }
}

TEST(CudaWork, FailuresAreToldOnce) {
  Stream stream;
  Work bad{[] { return cudaErrorLaunchFailure; }}, good{[] { return cudaSuccess; }};
  OK(enqueue(stream, bad));
  OK(enqueue(stream, good));
  REFUSED(cudaErrorLaunchFailure, cudaStreamSynchronize(stream));
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(1, good.runs);
  OK(enqueue(stream, bad));
  REFUSED(cudaErrorLaunchFailure, cudaDeviceSynchronize());
  OK(cudaDeviceSynchronize());
  cudaGetLastError();
  wait_for(bad.releases, 2);
  wait_for(good.releases, 1);
}

TEST(CudaWork, IsRefusedWithoutBeingCalled) {
  Work work{[] { return cudaSuccess; }};
  REFUSED(cudaErrorInvalidResourceHandle, enqueue(reinterpret_cast<cudaStream_t>(0x40), work));
  REFUSED(cudaErrorInvalidValue, door().enqueue(nullptr, nullptr, nullptr, nullptr));
  EXPECT_EQ(0, work.runs);
  EXPECT_EQ(0, work.releases);
  cudaGetLastError();
}

TEST(CudaWork, IsCapturedAndReleasedWithTheGraph) {
  Stream stream, launcher;
  DeviceInts device(1);
  *device.data = 0;
  Work work{[&]() -> cudaError_t {
    ++*device.data;
    return cudaStreamSynchronize(stream);  // the stream that it was enqueued on, wherever it now runs
  }};
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  OK(enqueue(stream, work));
  OK(cudaStreamEndCapture(stream, &graph));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < 5; ++i) OK(cudaGraphLaunch(exec, launcher));
  OK(cudaStreamSynchronize(launcher));
  EXPECT_EQ(5, *device.data);
  EXPECT_EQ(0, work.releases);
  OK(cudaGraphDestroy(graph));
  OK(cudaGraphExecDestroy(exec));
  wait_for(work.releases, 1);
}

TEST(CudaWork, RunsInTheCallerBehindBlockingStreams) {
  Stream stream;
  DeviceInts device(2);
  const std::function<void()> step = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    *device.data = 6;
  };
  OK(launch(stream, step));
  const auto caller = std::this_thread::get_id();
  Work work{[&] {
    EXPECT_EQ(caller, std::this_thread::get_id());
    EXPECT_EQ(6, *device.data);
    EXPECT_EQ(cudaSuccess, cudaMemcpyAsync(device.data + 1, device.data, 4, cudaMemcpyDeviceToDevice, nullptr));
    EXPECT_EQ(6, device.data[1]);
    return cudaErrorLaunchFailure;
  }};
  REFUSED(cudaErrorLaunchFailure, door().execute(Work::call, &work));
  cudaGetLastError();
}

TEST(CudaWork, KnowsHowFarAPointerReaches) {
  DeviceInts device(100);
  std::vector<char> plain(10);
  EXPECT_EQ(400u, door().extent(device.data));
  EXPECT_EQ(396u, door().extent(device.data + 1));
  EXPECT_EQ(0u, door().extent(plain.data()));
  EXPECT_EQ(0u, door().extent(nullptr));
}

// Memory that work frees lives until the streams have passed what they were given before.
TEST(CudaWork, FreeingInsideKeepsWhatOtherStreamsUse) {
  Stream stream, other(cudaStreamNonBlocking);
  Gate gate;
  void* memory = nullptr;
  OK(cudaMalloc(&memory, 1 << 20));
  OK(cudaLaunchHostFunc(other, Gate::wait, &gate));
  OK(cudaMemsetAsync(memory, 1, 1 << 20, other));
  Work work{[&] { return cudaFree(memory); }};
  OK(enqueue(stream, work));
  OK(cudaStreamSynchronize(stream));
  gate.open();
  OK(cudaStreamSynchronize(other));
  REFUSED(cudaErrorInvalidValue, cudaFree(memory));
  cudaGetLastError();
  wait_for(work.releases, 1);
}
