#pragma once
// The device that engines run on: the GPU where there is a driver, as with TensorRT, else the processor.
//
// PLANISH_DEVICE names another: "cpu", "cuda", "cuda:1". Without it, the GPU is the one that the CUDA runtime has
// current; where the runtime of this process is the processor's, so is the device.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "NvInferRuntime.h"
#include "planish/device.hpp"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

// Memory of the caller's, for everything that lies on the device.
class GpuAllocator final : public Allocator {
 public:
  explicit GpuAllocator(nvinfer1::IGpuAllocator* allocator) : allocator_(allocator) {}
  void* allocate(size_t bytes, size_t alignment) noexcept override;
  void release(void* memory, size_t bytes) noexcept override;
  bool given() const { return allocator_ != nullptr; }

 private:
  nvinfer1::IGpuAllocator* allocator_;
};

class EngineDevice {
 public:
  EngineDevice(const std::string& kind, nvinfer1::IGpuAllocator* allocator, int threads);

  const Device& device() const { return device_; }
  planish_device* handle() const { return device_.handle(); }
  const std::string& kind() const { return kind_; }
  bool on_gpu() const { return kind_ != "cpu"; }
  // The caller's stream as one of the device, which is a GPU. Error(invalid_argument): it is of another one.
  std::shared_ptr<Stream> stream(cudaStream_t native);

 private:
  const std::string kind_;
  GpuAllocator allocator_;
  const Device device_;
  std::mutex mutex_;
  std::vector<std::pair<cudaStream_t, std::shared_ptr<Stream>>> streams_;  // the most recent ones
};

// "cpu" or "cuda:0": where engines of this process run now.
std::string preferred_device();

// Falls back to the processor, with a line in the log, where the GPU cannot be opened.
std::shared_ptr<EngineDevice> make_device(const Reporter& reporter, nvinfer1::IGpuAllocator* allocator,
                                          int threads = 0);

}  // namespace planish::tensorrt
