#pragma once
// Blocks of memory that callers are given, and plans as engines hold them.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "NvInferRuntime.h"

namespace planish::tensorrt {

// The bytes of a plan, aligned for use in place, shared by who needs them.
struct Blob {
  std::shared_ptr<const void> data;
  size_t size = 0;
};

inline Blob copy_of(const void* bytes, size_t size) {
  if (size > PTRDIFF_MAX / 2) throw std::bad_alloc();
  void* memory = std::aligned_alloc(64, (size + 63) / 64 * 64 + 64);
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, bytes, size);
  return {std::shared_ptr<const void>(memory, [](const void* p) { std::free(const_cast<void*>(p)); }), size};
}

class HostMemory final : public nvinfer1::IHostMemory {
 public:
  explicit HostMemory(Blob blob) : blob_(std::move(blob)) {}
  explicit HostMemory(const std::string& text) : blob_(copy_of(text.data(), text.size())) {}
  void* data() const override { return const_cast<void*>(blob_.data.get()); }
  size_t size() const override { return blob_.size; }
  nvinfer1::DataType type() const override { return nvinfer1::DataType::kINT8; }
  void destroy() override { delete this; }

 private:
  Blob blob_;
};

}  // namespace planish::tensorrt
