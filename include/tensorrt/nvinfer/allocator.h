// Memory and streams of bytes that callers provide.
#ifndef PLANISH_TENSORRT_ALLOCATOR_H
#define PLANISH_TENSORRT_ALLOCATOR_H

#include "nvinfer/dims.h"

namespace nvinfer1 {

enum class AllocatorFlag : int32_t { kRESIZABLE = 0 };
template <>
constexpr int32_t EnumMax<AllocatorFlag>() {
  return 1;
}
using AllocatorFlags = uint32_t;

// Implemented by the caller: memory for everything that lies on the device. Of free and deallocate one is overridden.
class IGpuAllocator : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IGpuAllocator", 1, 0}; }
  virtual void* allocate(uint64_t size, uint64_t alignment, AllocatorFlags flags) = 0;
  virtual void* reallocate(void* /*memory*/, uint64_t /*alignment*/, uint64_t /*newSize*/) { return nullptr; }
  virtual void free(void* /*memory*/) {}
  virtual bool deallocate(void* memory) {
    this->free(memory);
    return true;
  }
  virtual void* allocateAsync(uint64_t size, uint64_t alignment, AllocatorFlags flags, cudaStream_t /*stream*/) {
    return allocate(size, alignment, flags);
  }
  virtual bool deallocateAsync(void* memory, cudaStream_t /*stream*/) { return deallocate(memory); }
};

class IGpuAsyncAllocator : public IGpuAllocator {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IGpuAsyncAllocator", 1, 0}; }
  void* allocateAsync(uint64_t size, uint64_t alignment, AllocatorFlags flags, cudaStream_t stream) override = 0;
  bool deallocateAsync(void* memory, cudaStream_t stream) override = 0;
  void* allocate(uint64_t size, uint64_t alignment, AllocatorFlags flags) override {
    return allocateAsync(size, alignment, flags, nullptr);
  }
  bool deallocate(void* memory) override { return deallocateAsync(memory, nullptr); }
};

// Implemented by the caller: memory for an output whose size is known only when it was computed.
class IOutputAllocator : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IOutputAllocator", 1, 0}; }
  virtual int32_t getInterfaceVersion() const { return 1; }
  // At least `size` bytes; `currentMemory` is what the output was given before.
  virtual void* reallocateOutput(char const* /*tensorName*/, void* /*currentMemory*/, uint64_t /*size*/,
                                 uint64_t /*alignment*/) {
    return nullptr;
  }
  virtual void* reallocateOutputAsync(char const* tensorName, void* currentMemory, uint64_t size, uint64_t alignment,
                                      cudaStream_t /*stream*/) {
    return reallocateOutput(tensorName, currentMemory, size, alignment);
  }
  virtual void notifyShape(char const* tensorName, Dims const& dims) = 0;
};

enum class SeekPosition : int32_t { kSET = 0, kCUR = 1, kEND = 2 };

// Implemented by the caller: a plan is read from it. Returns the bytes read, negative on errors.
class IStreamReader : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IStreamReader", 1, 0}; }
  virtual int64_t read(void* destination, int64_t nbBytes) = 0;
};

class IStreamReaderV2 : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IStreamReaderV2", 1, 0}; }
  virtual int64_t read(void* destination, int64_t nbBytes, cudaStream_t stream) = 0;
  virtual bool seek(int64_t offset, SeekPosition where) = 0;
};

// Implemented by the caller: a plan is written to it. Returns the bytes written.
class IStreamWriter : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IStreamWriter", 1, 0}; }
  virtual int64_t write(void const* data, int64_t nbBytes) = 0;
};

// Implemented by the caller: sees values of tensors that were marked for debugging.
class IDebugListener : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IDebugListener", 1, 0}; }
  virtual bool processDebugTensor(void const* addr, TensorLocation location, DataType type, Dims const& shape,
                                  char const* name, cudaStream_t stream) = 0;
};

}  // namespace nvinfer1

#endif
