#pragma once
// Memory, images and launches of one GPU.

#include <mutex>

#include "device/accelerator.h"
#include "device/cuda/context.h"
#include "device/cuda/stream.h"

namespace planish::cuda {

class CudaAccelerator final : public Accelerator {
 public:
  CudaAccelerator(std::shared_ptr<const Context> context, Allocator allocator);

  const std::string& arch() const override { return arch_; }
  AcceleratorPeaks peaks() const override { return context_->peaks(); }
  std::shared_ptr<std::byte> allocate(int64_t bytes) override;
  MemoryOwner owner_of(const void* memory) const override;
  std::shared_ptr<DeviceImage> load(std::span<const std::byte> image) override;
  EncodedTensorMap encode(const TensorMapShape& shape, void* address) override;
  void copy(void* to, const void* from, int64_t bytes, Stream& stream) override;
  void launch(const DeviceFunction& function, const LaunchShape& shape, void** arguments, Stream& stream) override;
  std::unique_ptr<RecordedWork> record(const StreamWork& work) override;
  bool is_recording(Stream& stream) const override;
  std::unique_ptr<Stream> adopt_stream(void* native) override;
  void* native(Stream& stream) const override;
  bool accepts(const Stream& stream) const override;
  void wait(Stream& stream, const Event& event) override;
  void finish(Stream& stream) override;
  std::unique_ptr<Event> create_mark() override;

 private:
  [[noreturn]] void fail_for_memory(int64_t bytes) const;

  std::shared_ptr<const Context> context_;
  const Allocator allocator_;
  std::string arch_;
  bool can_overlap_ = false;  // kernels may begin before the one in front has ended: from 9.0 on
  std::mutex mutex_;
  std::shared_ptr<Recorder> recorder_;  // made with the first recording
};

}  // namespace planish::cuda
