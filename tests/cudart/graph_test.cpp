// Capture and replay, and the ways in which a capture fails.

#include "support.h"

using namespace cudart_test;

namespace {

struct Graph {
  ~Graph() {
    EXPECT_TRUE(exec == nullptr || cudaGraphExecDestroy(exec) == cudaSuccess);
    EXPECT_TRUE(graph == nullptr || cudaGraphDestroy(graph) == cudaSuccess);
  }
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
};

void count_up(void* counter) { ++*static_cast<std::atomic<int>*>(counter); }

// The end of a capture that is expected to fail.
cudaError_t end(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  const cudaError_t error = cudaStreamEndCapture(stream, &graph);
  EXPECT_EQ(nullptr, graph);
  cudaGetLastError();
  return error;
}

}  // namespace

TEST(CudaGraphs, RunWhatWasCaptured) {
  Stream stream, launcher;
  Graph graph;
  DeviceInts device(1);
  PinnedInts host(2);
  std::atomic<int> count{0};
  host[0] = 1, host[1] = 0;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  OK(cudaMemcpyAsync(device.data, host.data, 4, cudaMemcpyHostToDevice, stream));
  OK(cudaMemcpyAsync(host.data + 1, device.data, 4, cudaMemcpyDeviceToHost, stream));
  OK(cudaLaunchHostFunc(stream, count_up, &count));
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  OK(cudaStreamIsCapturing(stream, &status));
  EXPECT_EQ(cudaStreamCaptureStatusActive, status);
  OK(cudaStreamEndCapture(stream, &graph.graph));
  OK(cudaStreamIsCapturing(stream, &status));
  EXPECT_EQ(cudaStreamCaptureStatusNone, status);
  EXPECT_EQ(0, host[1]);
  OK(cudaGraphInstantiate(&graph.exec, graph.graph, nullptr, nullptr, 0));
  for (int i = 1; i <= 10; ++i) {
    host[0] = i;
    OK(cudaGraphLaunch(graph.exec, launcher));
    OK(cudaStreamSynchronize(launcher));
    EXPECT_EQ(i, host[1]);
  }
  EXPECT_EQ(10, count);
}

TEST(CudaGraphs, FollowEventsToOtherStreams) {
  Stream first, second(cudaStreamNonBlocking);
  Event fork, join;
  Graph graph;
  DeviceInts device(2);
  PinnedInts host(1);
  OK(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
  OK(cudaMemsetAsync(device.data, 1, 4, first));
  OK(cudaEventRecord(fork, first));
  REFUSED(cudaErrorCapturedEvent, cudaEventQuery(fork));
  OK(cudaStreamWaitEvent(second, fork));
  OK(cudaMemcpyAsync(device.data + 1, device.data, 4, cudaMemcpyDeviceToDevice, second));
  OK(cudaEventRecord(join, second));
  OK(cudaStreamWaitEvent(first, join));
  OK(cudaMemcpyAsync(host.data, device.data + 1, 4, cudaMemcpyDeviceToHost, first));
  OK(cudaStreamEndCapture(first, &graph.graph));
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusActive;
  OK(cudaStreamIsCapturing(second, &status));
  EXPECT_EQ(cudaStreamCaptureStatusNone, status);
  size_t count = 0;
  OK(cudaGraphGetNodes(graph.graph, nullptr, &count));
  EXPECT_EQ(3u, count);
  cudaGraphNode_t nodes[3];
  OK(cudaGraphGetNodes(graph.graph, nodes, &count));
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  OK(cudaGraphNodeGetType(nodes[0], &type));
  EXPECT_EQ(cudaGraphNodeTypeMemset, type);
  OK(cudaGraphInstantiate(&graph.exec, graph.graph, 0));
  OK(cudaGraphLaunch(graph.exec, nullptr));
  OK(cudaDeviceSynchronize());
  EXPECT_EQ(0x01010101, host[0]);
  cudaGetLastError();
}

TEST(CudaGraphs, KeepTheOrderOfTheStreamThatLaunchesThem) {
  Stream stream;
  Graph graph;
  Gate gate;
  std::atomic<int> count{0};
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  OK(cudaLaunchHostFunc(stream, count_up, &count));
  OK(cudaStreamEndCapture(stream, &graph.graph));
  OK(cudaGraphInstantiateWithFlags(&graph.exec, graph.graph, cudaGraphInstantiateFlagAutoFreeOnLaunch));
  OK(cudaLaunchHostFunc(stream, Gate::wait, &gate));
  OK(cudaGraphUpload(graph.exec, stream));
  OK(cudaGraphLaunch(graph.exec, stream));
  OK(cudaGraphLaunch(graph.exec, stream));
  EXPECT_EQ(0, count);
  gate.open();
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(2, count);
}

TEST(CudaGraphs, AreUpdatedWhereTheFormIsTheSame) {
  Stream stream;
  Graph first, second, longer;
  std::atomic<int> one{0}, two{0};
  const auto capture = [&](Graph& graph, std::atomic<int>& counter, int nodes) {
    OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
    for (int i = 0; i < nodes; ++i) OK(cudaLaunchHostFunc(stream, count_up, &counter));
    OK(cudaStreamEndCapture(stream, &graph.graph));
  };
  capture(first, one, 1);
  capture(second, two, 1);
  capture(longer, two, 2);
  OK(cudaGraphInstantiate(&first.exec, first.graph, 0));
  cudaGraphExecUpdateResultInfo info{};
  OK(cudaGraphExecUpdate(first.exec, second.graph, &info));
  EXPECT_EQ(cudaGraphExecUpdateSuccess, info.result);
  OK(cudaGraphLaunch(first.exec, stream));
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(0, one);
  EXPECT_EQ(1, two);
  REFUSED(cudaErrorGraphExecUpdateFailure, cudaGraphExecUpdate(first.exec, longer.graph, &info));
  EXPECT_EQ(cudaGraphExecUpdateErrorTopologyChanged, info.result);
  cudaGetLastError();
}

TEST(CudaGraphs, AreBuiltNodeByNode) {
  Stream stream;
  Graph graph, copy;
  DeviceInts device(4);
  int result[4] = {};
  std::atomic<int> count{0};
  OK(cudaGraphCreate(&graph.graph, 0));
  cudaMemsetParams set{};
  set.dst = device.data, set.value = 9, set.elementSize = 4, set.width = 4, set.height = 1;
  cudaGraphNode_t filled = nullptr, empty = nullptr, copied = nullptr, called = nullptr;
  OK(cudaGraphAddMemsetNode(&filled, graph.graph, nullptr, 0, &set));
  OK(cudaGraphAddEmptyNode(&empty, graph.graph, &filled, 1));
  OK(cudaGraphAddMemcpyNode1D(&copied, graph.graph, &empty, 1, result, device.data, 16, cudaMemcpyDeviceToHost));
  const cudaHostNodeParams host{count_up, &count};
  OK(cudaGraphAddHostNode(&called, graph.graph, &copied, 1, &host));
  const auto nowhere = reinterpret_cast<cudaGraphNode_t>(0x10);
  REFUSED(cudaErrorInvalidValue, cudaGraphAddEmptyNode(&empty, graph.graph, &nowhere, 1));
  REFUSED(cudaErrorInvalidValue,
          cudaGraphAddMemcpyNode1D(&copied, graph.graph, nullptr, 0, result, device.data, 20, cudaMemcpyDeviceToHost));
  OK(cudaGraphClone(&copy.graph, graph.graph));
  OK(cudaGraphInstantiate(&copy.exec, copy.graph, 0));
  OK(cudaGraphLaunch(copy.exec, stream));
  OK(cudaStreamSynchronize(stream));
  EXPECT_EQ(9, result[3]);
  EXPECT_EQ(1, count);
  cudaGetLastError();
}

// What cannot be recorded breaks the capture, and its end says so.
TEST(CudaGraphs, CapturesBreak) {
  Stream stream, other;
  Event recorded, never;
  void* memory = nullptr;
  int plain = 0;
  OK(cudaEventRecord(recorded, other));
  const auto broken_by = [&](cudaStreamCaptureMode mode, cudaError_t expected,
                             const std::function<cudaError_t()>& act) {
    OK(cudaStreamBeginCapture(stream, mode));
    EXPECT_EQ(expected, act());
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    OK(cudaStreamIsCapturing(stream, &status));
    EXPECT_EQ(cudaStreamCaptureStatusInvalidated, status);
    EXPECT_EQ(cudaErrorStreamCaptureInvalidated, cudaMemsetAsync(nullptr, 0, 0, stream));
    EXPECT_EQ(cudaErrorStreamCaptureInvalidated, end(stream));
  };
  const auto local = cudaStreamCaptureModeThreadLocal;
  broken_by(local, cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamSynchronize(stream); });
  broken_by(local, cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamQuery(stream); });
  broken_by(local, cudaErrorStreamCaptureUnsupported, [&] { return cudaMalloc(&memory, 8); });
  broken_by(local, cudaErrorStreamCaptureUnsupported, [&] { return cudaDeviceSynchronize(); });
  broken_by(local, cudaErrorStreamCaptureUnsupported,
            [&] { return cudaMemcpy(&plain, &plain, 4, cudaMemcpyHostToHost); });
  broken_by(local, cudaErrorStreamCaptureIsolation, [&] { return cudaStreamWaitEvent(stream, recorded, 0); });
  broken_by(local, cudaErrorStreamCaptureImplicit, [&] { return cudaLaunchHostFunc(nullptr, count_up, nullptr); });
  broken_by(cudaStreamCaptureModeGlobal, cudaErrorStreamCaptureUnsupported, [&] {
    cudaError_t error = cudaSuccess;
    std::thread([&] { error = cudaMalloc(&memory, 8); }).join();
    return error;
  });
}

TEST(CudaGraphs, CapturesThatBreakNothing) {
  Stream stream, other;
  void* memory = nullptr;
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  std::thread([&] { EXPECT_EQ(cudaSuccess, cudaMalloc(&memory, 8)); }).join();
  OK(cudaStreamSynchronize(other));
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  OK(cudaThreadExchangeStreamCaptureMode(&mode));
  EXPECT_EQ(cudaStreamCaptureModeGlobal, mode);
  OK(cudaFree(memory));
  OK(cudaThreadExchangeStreamCaptureMode(&mode));
  Graph graph;
  OK(cudaStreamEndCapture(stream, &graph.graph));
}

TEST(CudaGraphs, CapturesEndWhereTheyBegan) {
  Stream stream, other;
  Event event;
  cudaGraph_t graph = nullptr;
  REFUSED(cudaErrorStreamCaptureUnsupported, cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal));
  REFUSED(cudaErrorIllegalState, cudaStreamEndCapture(stream, &graph));
  OK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  REFUSED(cudaErrorIllegalState, cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  OK(cudaEventRecord(event, stream));
  OK(cudaStreamWaitEvent(other, event));
  REFUSED(cudaErrorStreamCaptureUnmatched, cudaStreamEndCapture(other, &graph));
  std::thread([&] { EXPECT_EQ(cudaErrorStreamCaptureWrongThread, cudaStreamEndCapture(stream, &graph)); }).join();
  OK(cudaLaunchHostFunc(other, count_up, nullptr));
  EXPECT_EQ(cudaErrorStreamCaptureUnjoined, end(stream));
  OK(cudaStreamSynchronize(other));
  cudaGetLastError();
}

TEST(CudaGraphs, HandlesAreChecked) {
  const auto graph = reinterpret_cast<cudaGraph_t>(0x20);
  const auto exec = reinterpret_cast<cudaGraphExec_t>(0x20);
  cudaGraphExec_t made = nullptr;
  size_t count = 0;
  REFUSED(cudaErrorInvalidValue, cudaGraphInstantiate(&made, graph, 0));
  REFUSED(cudaErrorInvalidValue, cudaGraphLaunch(exec, nullptr));
  REFUSED(cudaErrorInvalidValue, cudaGraphExecDestroy(exec));
  REFUSED(cudaErrorInvalidValue, cudaGraphDestroy(graph));
  REFUSED(cudaErrorInvalidValue, cudaGraphGetNodes(graph, nullptr, &count));
  cudaGetLastError();
}
