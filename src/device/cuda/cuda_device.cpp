// One GPU as a device, with pinned memory and a thread pool of the host beside it.

#include <algorithm>

#include "device/cuda/cuda_accelerator.h"
#include "device/cuda/nvrtc.h"
#include "device/cuda/stream.h"
#include "device/device.h"

namespace planish {
namespace cuda {
namespace {

class CudaDevice final : public Device {
 public:
  CudaDevice(int index, int threads, Allocator allocator)
      : context_(std::make_shared<const Context>(index)),
        accelerator_(context_, std::move(allocator)),
        pool_(threads),
        null_(context_) {}

  std::string name() const override {
    char text[256] = "";
    PLANISH_CUDA(*context_, device_name, text, static_cast<int>(sizeof text) - 1, context_->device());
    return text;
  }
  std::string fingerprint() const override {
    int version = 0;
    PLANISH_CUDA(*context_, driver_version, &version);
    return fmt::format("cuda {} {}; driver {}; {} threads", name(), accelerator_.arch(), version, pool_.size());
  }
  std::shared_ptr<std::byte> allocate(int64_t bytes) override {
    const Context::Current current(*context_);
    void* memory = nullptr;
    const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
    if (bytes < 0 || context_->driver().allocate_host(&memory, size) != kSuccess)
      fail(Code::out_of_memory, "no pinned memory for {} bytes", bytes);
    return {static_cast<std::byte*>(memory), [context = context_](std::byte* p) {
              try {
                const Context::Current owner(*context);
                context->driver().release_host(p);
              } catch (const Error&) {  // of a lost device
              }
            }};
  }
  std::unique_ptr<Stream> create_stream() override { return std::make_unique<CudaStream>(context_); }
  Stream& null_stream() override { return null_; }
  std::unique_ptr<Event> create_event() override { return std::make_unique<CudaEvent>(context_, true); }
  ThreadPool& pool() override { return pool_; }
  Accelerator* accelerator() override { return &accelerator_; }

 private:
  std::shared_ptr<const Context> context_;
  CudaAccelerator accelerator_;
  ThreadPool pool_;
  CudaStream null_;
};

}  // namespace
}  // namespace cuda

std::shared_ptr<Device> create_cuda_device(int index, int threads, Allocator allocator) {
  return std::make_shared<cuda::CudaDevice>(index, threads, std::move(allocator));
}

}  // namespace planish
