#include "device/cuda/cuda_accelerator.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace planish {

struct DeviceFunction {
  cuda::FunctionHandle* handle = nullptr;
};

namespace cuda {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 46;
constexpr int64_t kSharedWithoutAsking = 48 << 10;
constexpr size_t kMemoryAlignment = 256;

Address address_of(const void* memory) { return reinterpret_cast<Address>(memory); }

class CudaImage final : public DeviceImage {
 public:
  CudaImage(std::shared_ptr<const Context> context, std::span<const std::byte> image) : context_(std::move(context)) {
    const Context::Current current(*context_);
    PLANISH_CUDA(*context_, module_load, &handle_, image.data());
  }
  ~CudaImage() override {
    try {
      const Context::Current current(*context_);
      context_->driver().module_unload(handle_);
    } catch (const Error&) {  // of a lost device
    }
  }

  const DeviceFunction* function(const std::string& name, int64_t shared_bytes) override {
    const std::lock_guard lock(mutex_);
    const Context::Current current(*context_);
    DeviceFunction& found = functions_[name];
    if (found.handle == nullptr &&
        context_->driver().module_function(&found.handle, handle_, name.c_str()) != kSuccess) {
      functions_.erase(name);
      fail(Code::not_found, "the image has no kernel '{}'", name);
    }
    if (shared_bytes > kSharedWithoutAsking)
      PLANISH_CUDA(*context_, set_function_attribute, found.handle, FunctionAttribute::max_dynamic_shared,
                   static_cast<int>(shared_bytes));
    return &found;
  }

 private:
  std::shared_ptr<const Context> context_;
  std::mutex mutex_;
  ModuleHandle* handle_ = nullptr;
  std::map<std::string, DeviceFunction> functions_;  // addresses stay
};

}  // namespace

CudaAccelerator::CudaAccelerator(std::shared_ptr<const Context> context, Allocator allocator)
    : context_(std::move(context)),
      allocator_(std::move(allocator)),
      arch_(context_->arch()),
      can_overlap_(context_->attribute(DeviceAttribute::compute_major) >= 9) {}

void CudaAccelerator::fail_for_memory(int64_t bytes) const {
  if (allocator_.allocate) fail(Code::out_of_memory, "the allocator that was given has no memory for {} bytes", bytes);
  size_t free = 0, total = 0;
  context_->driver().memory_info(&free, &total);
  fail(Code::out_of_memory, "the GPU has no memory for {} bytes: {} of {} are free", bytes, free, total);
}

std::shared_ptr<std::byte> CudaAccelerator::allocate(int64_t bytes) {
  const Context::Current current(*context_);
  const Driver& driver = context_->driver();
  if (bytes < 0 || bytes >= kMostBytes) fail_for_memory(bytes);
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  if (allocator_.allocate) {
    void* const given = allocator_.allocate(size, kMemoryAlignment);
    if (given == nullptr) fail_for_memory(bytes);
    return {static_cast<std::byte*>(given), [release = allocator_.release, size](std::byte* p) { release(p, size); }};
  }
  Address memory = 0;
  const Result result = driver.allocate(&memory, size);
  if (result == kOutOfMemory) fail_for_memory(bytes);
  driver.check(result, "cuMemAlloc");
  return {reinterpret_cast<std::byte*>(memory), [context = context_](std::byte* p) {
            try {
              const Context::Current owner(*context);
              context->driver().release(address_of(p));
            } catch (const Error&) {  // of a lost device
            }
          }};
}

MemoryOwner CudaAccelerator::owner_of(const void* memory) const {
  const Context::Current current(*context_);
  unsigned type = 0;  // stays so for memory that the driver does not know
  int ordinal = -1;
  PointerAttribute which[] = {PointerAttribute::memory_type, PointerAttribute::device_ordinal};
  void* out[] = {&type, &ordinal};
  const Result result = context_->driver().pointer_attributes(2, which, out, address_of(memory));
  if (result != kSuccess || type != kMemoryTypeDevice) return MemoryOwner::host;
  return ordinal == context_->device() ? MemoryOwner::own : MemoryOwner::other;
}

std::shared_ptr<DeviceImage> CudaAccelerator::load(std::span<const std::byte> image) {
  return std::make_shared<CudaImage>(context_, image);
}

EncodedTensorMap CudaAccelerator::encode(const TensorMapShape& shape, void* address) {
  const Context::Current current(*context_);
  TensorMap map{};
  if (shape.im2col)
    PLANISH_CUDA(*context_, encode_im2col, &map, shape.element, shape.rank, address, shape.dims.data(),
                 shape.strides.data() + 1, shape.lower.data(), shape.upper.data(), shape.channels, shape.pixels,
                 shape.steps.data(), shape.interleave, shape.swizzle, shape.promotion, shape.fill);
  else
    PLANISH_CUDA(*context_, encode_tiled, &map, shape.element, shape.rank, address, shape.dims.data(),
                 shape.strides.data() + 1, shape.box.data(), shape.steps.data(), shape.interleave, shape.swizzle,
                 shape.promotion, shape.fill);
  EncodedTensorMap encoded;
  std::copy_n(map.opaque, encoded.opaque.size(), encoded.opaque.begin());
  return encoded;
}

void CudaAccelerator::copy(void* to, const void* from, int64_t bytes, Stream& stream) {
  if (bytes == 0) return;
  const Context::Current current(*context_);
  PLANISH_CUDA(*context_, copy, address_of(to), address_of(from), static_cast<size_t>(bytes),
               cuda_stream(stream).handle());
}

void CudaAccelerator::launch(const DeviceFunction& function, const LaunchShape& shape, void** arguments,
                             Stream& stream) {
  const Context::Current current(*context_);
  LaunchAttribute attributes[2]{};
  LaunchConfig config{shape.grid[0],      shape.grid[1],
                      shape.grid[2],      shape.block[0],
                      shape.block[1],     shape.block[2],
                      shape.shared_bytes, cuda_stream(stream).handle(),
                      attributes,         0};
  if (shape.cluster[0] * shape.cluster[1] * shape.cluster[2] > 1) {
    LaunchAttribute& attribute = attributes[config.attribute_count++];
    attribute.id = LaunchAttributeId::cluster_dimension;
    attribute.value.cluster = {shape.cluster[0], shape.cluster[1], shape.cluster[2]};
  }
  if (shape.overlap && can_overlap_) {
    LaunchAttribute& attribute = attributes[config.attribute_count++];
    attribute.id = LaunchAttributeId::programmatic_stream_serialization;
    attribute.value.programmatic_stream_serialization = 1;
  }
  PLANISH_CUDA(*context_, launch, &config, function.handle, arguments, nullptr);
}

std::unique_ptr<RecordedWork> CudaAccelerator::record(const StreamWork& work) {
  std::shared_ptr<Recorder> recorder;
  {
    const std::lock_guard lock(mutex_);
    if (recorder_ == nullptr) recorder_ = std::make_shared<Recorder>(context_);
    recorder = recorder_;
  }
  return std::make_unique<CudaGraph>(context_, std::move(recorder), work);
}

bool CudaAccelerator::is_recording(Stream& stream) const { return cuda_stream(stream).is_capturing(); }

std::unique_ptr<Stream> CudaAccelerator::adopt_stream(void* native) {
  return std::make_unique<CudaStream>(context_, native);
}

void* CudaAccelerator::native(Stream& stream) const { return cuda_stream(stream).handle(); }

bool CudaAccelerator::accepts(const Stream& stream) const {
  const auto* const found = dynamic_cast<const CudaStream*>(&stream);
  return found != nullptr && found->device() == context_->device();
}

void CudaAccelerator::wait(Stream& stream, const Event& event) { cuda_stream(stream).wait(event); }

void CudaAccelerator::finish(Stream& stream) { cuda_stream(stream).finish(); }

std::unique_ptr<Event> CudaAccelerator::create_mark() { return std::make_unique<CudaEvent>(context_, false); }

}  // namespace cuda
}  // namespace planish
