#pragma once
// What the tests of the CUDA runtime share.

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "cuda_runtime.h"
#include "gtest/gtest.h"

#define OK(call) ASSERT_EQ(cudaSuccess, (call))
#define REFUSED(error, call) EXPECT_EQ(error, (call))

namespace cudart_test {

// A host function of a stream that waits until it is let go.
class Gate {
 public:
  static void wait(void* self) {
    while (!static_cast<Gate*>(self)->open_) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  void open() { open_ = true; }

 private:
  std::atomic<bool> open_{false};
};

// Calls a function on the stream's thread.
inline cudaError_t launch(cudaStream_t stream, const std::function<void()>& function) {
  return cudaLaunchHostFunc(
      stream, [](void* f) { (*static_cast<const std::function<void()>*>(f))(); },
      const_cast<std::function<void()>*>(&function));
}

struct Stream {
  explicit Stream(unsigned flags = cudaStreamDefault) {
    EXPECT_EQ(cudaSuccess, cudaStreamCreateWithFlags(&handle, flags));
  }
  ~Stream() { EXPECT_EQ(cudaSuccess, cudaStreamDestroy(handle)); }
  operator cudaStream_t() const { return handle; }
  cudaStream_t handle = nullptr;
};

struct Event {
  explicit Event(unsigned flags = cudaEventDefault) {
    EXPECT_EQ(cudaSuccess, cudaEventCreateWithFlags(&handle, flags));
  }
  ~Event() { EXPECT_EQ(cudaSuccess, cudaEventDestroy(handle)); }
  operator cudaEvent_t() const { return handle; }
  cudaEvent_t handle = nullptr;
};

// `count` numbers on the device.
struct DeviceInts {
  explicit DeviceInts(size_t count) { EXPECT_EQ(cudaSuccess, cudaMalloc(&data, count * sizeof(int))); }
  ~DeviceInts() { EXPECT_EQ(cudaSuccess, cudaFree(data)); }
  int* data = nullptr;
};

struct PinnedInts {
  explicit PinnedInts(size_t count) { EXPECT_EQ(cudaSuccess, cudaMallocHost(&data, count * sizeof(int))); }
  ~PinnedInts() { EXPECT_EQ(cudaSuccess, cudaFreeHost(data)); }
  int& operator[](size_t i) { return data[i]; }
  int* data = nullptr;
};

}  // namespace cudart_test
