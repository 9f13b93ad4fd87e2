#include "tensorrt/runtime/engine_device.h"

#include <algorithm>
#include <cstdlib>

#include "tensorrt/runtime/cuda.h"

namespace planish::tensorrt {
namespace {

constexpr size_t kMostStreams = 64;  // that are remembered

}  // namespace

void* GpuAllocator::allocate(size_t bytes, size_t alignment) noexcept {
  try {
    // For nothing it may return null, which is no failure.
    return allocator_->allocate(std::max<size_t>(bytes, 1), std::max<size_t>(alignment, 256), 0);
  } catch (...) {
    return nullptr;
  }
}

void GpuAllocator::release(void* memory, size_t) noexcept {
  try {
    allocator_->deallocate(memory);
  } catch (...) {  // nobody to tell, and nothing depends on it
  }
}

EngineDevice::EngineDevice(const std::string& kind, nvinfer1::IGpuAllocator* allocator, int threads)
    : kind_(kind), allocator_(allocator), device_(kind.c_str(), threads, allocator_.given() ? &allocator_ : nullptr) {}

std::shared_ptr<Stream> EngineDevice::stream(cudaStream_t native) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(streams_.begin(), streams_.end(), [&](const auto& one) { return one.first == native; });
  if (at != streams_.end()) return at->second;
  if (streams_.size() == kMostStreams) streams_.erase(streams_.begin());
  streams_.emplace_back(native, std::make_shared<Stream>(Stream::adopt(device_, native)));
  return streams_.back().second;
}

std::string preferred_device() {
  const char* const named = std::getenv("PLANISH_DEVICE");
  const std::string kind = named == nullptr ? "" : named;
  if (kind == "cpu" || kind.rfind("cuda", 0) == 0) return kind;
  if (!kind.empty() && kind != "auto") return "auto";  // which the library refuses then, with the variable's name
  const int gpu = current_gpu();
  return gpu < 0 ? "cpu" : "cuda:" + std::to_string(gpu);
}

std::shared_ptr<EngineDevice> make_device(const Reporter& reporter, nvinfer1::IGpuAllocator* allocator, int threads) {
  const std::string kind = preferred_device();
  if (kind != "cpu") {
    try {
      return std::make_shared<EngineDevice>(kind, allocator, threads);
    } catch (const Error& error) {
      if (error.code() != Code::unsupported) throw;
      reporter.say_once(Severity::kWARNING, std::string("engines run on the processor: ") + error.what());
    }
  }
  return std::make_shared<EngineDevice>("cpu", allocator, threads);
}

}  // namespace planish::tensorrt
