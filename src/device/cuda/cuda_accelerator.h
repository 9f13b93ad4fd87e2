#pragma once
// Memory, images and launches of one GPU.

#include "device/accelerator.h"
#include "device/cuda/context.h"

namespace planish::cuda {

class CudaAccelerator final : public Accelerator {
 public:
  explicit CudaAccelerator(std::shared_ptr<const Context> context);

  const std::string& arch() const override { return arch_; }
  std::shared_ptr<std::byte> allocate(int64_t bytes) override;
  bool owns(const void* memory) const override;
  std::shared_ptr<DeviceImage> load(std::span<const std::byte> image) override;
  EncodedTensorMap encode(const TensorMapShape& shape, void* address) override;
  void copy(void* to, const void* from, int64_t bytes, Stream& stream) override;
  void launch(const DeviceFunction& function, const LaunchShape& shape, void** arguments, Stream& stream) override;
  std::unique_ptr<RecordedWork> record(Stream& stream, const std::function<void()>& work) override;
  bool is_recording(Stream& stream) const override;
  std::unique_ptr<Stream> adopt_stream(void* native) override;

 private:
  std::shared_ptr<const Context> context_;
  std::string arch_;
  bool can_overlap_ = false;  // kernels may begin before the one in front has ended: from 9.0 on
};

}  // namespace planish::cuda
