// Allocation: device memory, pinned and managed memory are all memory of the process, told apart by what they may be
// used for.

#include "cudart/call.h"
#include "cudart/graph.h"
#include "cudart/handles.h"
#include "cudart/memory.h"
#include "cudart/stream.h"

using namespace planish::cudart;

// Pools allocate as everybody does; what they keep is the settings that programs read back.
struct CUmemPoolHandle_st {
  std::mutex mutex;
  uint64_t release_threshold = 0;
  int reuse[3] = {1, 1, 1};
};

namespace {

constexpr size_t kPitch = 512;

Handles<CUmemPoolHandle_st, cudaMemPool_t>& pools() {
  static auto& all = *new Handles<CUmemPoolHandle_st, cudaMemPool_t>;
  return all;
}
cudaMemPool_t default_pool() {
  static const cudaMemPool_t pool = pools().add(std::make_shared<CUmemPoolHandle_st>());
  return pool;
}
std::atomic<cudaMemPool_t>& current_pool() {
  static std::atomic<cudaMemPool_t> pool{default_pool()};
  return pool;
}

cudaError_t allocate(void** result, size_t bytes, cudaMemoryType type, unsigned flags = 0) {
  return call([&] {
    if (result == nullptr) return cudaErrorInvalidValue;
    if (const cudaError_t error = refuse_during_capture()) return error;
    *result = bytes == 0 ? nullptr : memory().allocate(bytes, type, flags);
    return cudaSuccess;
  });
}

// Waits for the device, as cudaFree does; inside of work, where nothing can be waited for, whatever is enqueued so far
// keeps the memory.
cudaError_t release(void* pointer, bool host) {
  if (pointer == nullptr) return cudaSuccess;
  if (const cudaError_t error = inside().callback ? cudaErrorNotPermitted : refuse_during_capture()) return error;
  const auto block = memory().take(pointer, [&](const Block& candidate) {
    return candidate.owner != nullptr && (candidate.type == cudaMemoryTypeHost) == host;
  });
  if (!block) return cudaErrorInvalidValue;
  for (const Mark& mark : streams().unfinished()) {
    if (!inside().running) mark.wait();
  }
  if (inside().running) streams().keep(block->owner);
  return cudaSuccess;
}

cudaError_t allocate_rows(void** result, size_t* pitch, size_t width, size_t rows) {
  return call([&] {
    size_t padded = 0, bytes = 0;
    if (result == nullptr || pitch == nullptr) return cudaErrorInvalidValue;
    if (__builtin_add_overflow(width, kPitch - 1, &padded)) return cudaErrorMemoryAllocation;
    padded -= padded % kPitch;
    if (__builtin_mul_overflow(padded, rows, &bytes)) return cudaErrorMemoryAllocation;
    const cudaError_t error = allocate(result, bytes, cudaMemoryTypeDevice);
    if (error == cudaSuccess) *pitch = padded;
    return error;
  });
}

// Memory that belongs to a stream's order: whoever is told the pointer enqueues behind the call, so it can be there
// at once; it goes away when the stream has come to the release.
cudaError_t allocate_on(void** result, size_t bytes, cudaStream_t stream) {
  return call([&] {
    const auto own = streams().find(stream);
    if (own == nullptr) return cudaErrorInvalidResourceHandle;
    if (result == nullptr) return cudaErrorInvalidValue;
    if (own->capture() != nullptr) return cudaErrorNotSupported;
    *result = bytes == 0 ? nullptr : memory().allocate(bytes, cudaMemoryTypeDevice, 0);
    return cudaSuccess;
  });
}

cudaError_t release_on(void* pointer, cudaStream_t stream) {
  const auto own = streams().find(stream);
  if (own == nullptr) return cudaErrorInvalidResourceHandle;
  if (own->capture() != nullptr) return cudaErrorNotSupported;
  if (pointer == nullptr) return cudaErrorInvalidValue;
  const auto block = memory().take(pointer, [](const Block& candidate) {
    return candidate.owner != nullptr && candidate.type != cudaMemoryTypeHost;
  });
  if (!block) return cudaErrorInvalidValue;
  return enqueue(stream, cudaGraphNodeTypeMemFree, [owner = block->owner] { return cudaSuccess; });
}

cudaError_t pool_attribute(CUmemPoolHandle_st& pool, cudaMemPoolAttr attribute, void* value, bool set) {
  const std::lock_guard lock(pool.mutex);
  const auto exchange = [&](auto& own) {
    auto& users = *static_cast<std::remove_reference_t<decltype(own)>*>(value);
    (set ? own : users) = set ? users : own;
    return cudaSuccess;
  };
  uint64_t now = memory().allocated(), most = memory().most_allocated();
  switch (attribute) {
    case cudaMemPoolReuseFollowEventDependencies:
    case cudaMemPoolReuseAllowOpportunistic:
    case cudaMemPoolReuseAllowInternalDependencies:
      return exchange(pool.reuse[attribute - cudaMemPoolReuseFollowEventDependencies]);
    case cudaMemPoolAttrReleaseThreshold:
      return exchange(pool.release_threshold);
    case cudaMemPoolAttrReservedMemCurrent:
    case cudaMemPoolAttrUsedMemCurrent:
      return set ? cudaErrorInvalidValue : exchange(now);
    case cudaMemPoolAttrReservedMemHigh:
    case cudaMemPoolAttrUsedMemHigh:
      return exchange(most);  // setting it to 0 starts a new maximum on a GPU; here it stays that of the process
  }
  return cudaErrorInvalidValue;
}

cudaError_t access_pool(cudaMemPool_t handle, cudaMemPoolAttr attribute, void* value, bool set) {
  return call([&] {
    const auto pool = pools().find(handle);
    if (pool == nullptr || value == nullptr) return cudaErrorInvalidValue;
    return pool_attribute(*pool, attribute, value, set);
  });
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  PLANISH_FORWARD(cudaMalloc, memory, bytes);
  return allocate(memory, bytes, cudaMemoryTypeDevice);
}
cudaError_t cudaMallocManaged(void** memory, size_t bytes, unsigned int flags) {
  PLANISH_FORWARD(cudaMallocManaged, memory, bytes, flags);
  if (bytes == 0 || (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost)) return refuse(cudaErrorInvalidValue);
  return allocate(memory, bytes, cudaMemoryTypeManaged);
}
cudaError_t cudaMallocPitch(void** memory, size_t* pitch, size_t width, size_t height) {
  PLANISH_FORWARD(cudaMallocPitch, memory, pitch, width, height);
  return allocate_rows(memory, pitch, width, height);
}
cudaError_t cudaMalloc3D(struct cudaPitchedPtr* memory, struct cudaExtent extent) {
  PLANISH_FORWARD(cudaMalloc3D, memory, extent);
  size_t rows = 0;
  if (memory == nullptr) return refuse(cudaErrorInvalidValue);
  if (__builtin_mul_overflow(extent.height, extent.depth, &rows)) return refuse(cudaErrorMemoryAllocation);
  cudaPitchedPtr made{nullptr, 0, extent.width, extent.height};
  const cudaError_t error = allocate_rows(&made.ptr, &made.pitch, extent.width, rows);
  if (error == cudaSuccess) *memory = made;
  return error;
}
cudaError_t cudaFree(void* memory) {
  PLANISH_FORWARD(cudaFree, memory);
  return call([&] { return release(memory, false); });
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned int flags) {
  PLANISH_FORWARD(cudaHostAlloc, memory, bytes, flags);
  if (flags > 7) return refuse(cudaErrorInvalidValue);
  return allocate(memory, bytes, cudaMemoryTypeHost, flags);
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  PLANISH_FORWARD(cudaMallocHost, memory, bytes);
  return allocate(memory, bytes, cudaMemoryTypeHost);
}
cudaError_t cudaFreeHost(void* memory) {
  PLANISH_FORWARD(cudaFreeHost, memory);
  return call([&] { return release(memory, true); });
}
cudaError_t cudaHostRegister(void* pointer, size_t bytes, unsigned int flags) {
  PLANISH_FORWARD(cudaHostRegister, pointer, bytes, flags);
  if (pointer == nullptr || bytes == 0 || flags > 15) return refuse(cudaErrorInvalidValue);
  return call([&] { return memory().register_host(pointer, bytes, flags); });
}
cudaError_t cudaHostUnregister(void* pointer) {
  PLANISH_FORWARD(cudaHostUnregister, pointer);
  return call([&] {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    const auto block = memory().take(pointer, [](const Block& candidate) { return candidate.owner == nullptr; });
    return block ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
  });
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned int flags) {
  PLANISH_FORWARD(cudaHostGetDevicePointer, device, host, flags);
  return call([&] {
    const auto block = memory().find(host);
    if (device == nullptr || flags != 0 || !block || block->type != cudaMemoryTypeHost) return cudaErrorInvalidValue;
    *device = host;
    return cudaSuccess;
  });
}
cudaError_t cudaHostGetFlags(unsigned int* flags, void* host) {
  PLANISH_FORWARD(cudaHostGetFlags, flags, host);
  return call([&] {
    const auto block = memory().find(host);
    if (flags == nullptr || !block || block->type != cudaMemoryTypeHost) return cudaErrorInvalidValue;
    *flags = block->flags;
    return cudaSuccess;
  });
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  PLANISH_FORWARD(cudaMemGetInfo, free, total);
  return call([&] {
    if (free != nullptr) *free = free_memory();
    if (total != nullptr) *total = total_memory();
    return cudaSuccess;
  });
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes* attributes, const void* pointer) {
  PLANISH_FORWARD(cudaPointerGetAttributes, attributes, pointer);
  return call([&] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    const auto block = memory().find(pointer);
    void* const address = const_cast<void*>(pointer);
    if (!block)
      *attributes = {cudaMemoryTypeUnregistered, cudaInvalidDeviceId, nullptr, address};
    else
      *attributes = {block->type, 0, address, block->type == cudaMemoryTypeDevice ? nullptr : address};
    return cudaSuccess;
  });
}
cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, enum cudaMemoryAdvise advice, int device) {
  PLANISH_FORWARD(cudaMemAdvise, pointer, bytes, advice, device);
  return call([&] {
    const auto block = memory().find(pointer);
    const bool known = advice >= cudaMemAdviseSetReadMostly && advice <= cudaMemAdviseUnsetAccessedBy;
    if (!known || !block || block->type != cudaMemoryTypeManaged || bytes == 0 || bytes > block->bytes_from(pointer))
      return cudaErrorInvalidValue;
    return device == 0 || device == cudaCpuDeviceId ? cudaSuccess : cudaErrorInvalidDevice;
  });
}
cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, int device, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemPrefetchAsync, pointer, bytes, device, stream);
  return call([&] {
    const auto block = memory().find(pointer);
    if (!block || block->type != cudaMemoryTypeManaged || bytes == 0 || bytes > block->bytes_from(pointer))
      return cudaErrorInvalidValue;
    if (device != 0 && device != cudaCpuDeviceId) return cudaErrorInvalidDevice;
    return streams().find(stream) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}
cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void* pointer, size_t length, unsigned int flags) {
  PLANISH_FORWARD(cudaStreamAttachMemAsync, stream, pointer, length, flags);
  return call([&] {
    const auto block = memory().find(pointer);
    if (!block || block->type != cudaMemoryTypeManaged || flags == 0 || flags > cudaMemAttachSingle)
      return cudaErrorInvalidValue;
    return streams().find(stream) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}

cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMallocAsync, memory, bytes, stream);
  return allocate_on(memory, bytes, stream);
}
cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMallocFromPoolAsync, memory, bytes, pool, stream);
  return pools().find(pool) == nullptr ? refuse(cudaErrorInvalidValue) : allocate_on(memory, bytes, stream);
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  PLANISH_FORWARD(cudaFreeAsync, memory, stream);
  return call([&] { return release_on(memory, stream); });
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  PLANISH_FORWARD(cudaDeviceGetDefaultMemPool, pool, device);
  return device != 0 ? refuse(cudaErrorInvalidDevice) : give(pool, default_pool());
}
cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
  PLANISH_FORWARD(cudaDeviceGetMemPool, pool, device);
  return device != 0 ? refuse(cudaErrorInvalidDevice) : give(pool, current_pool().load());
}
cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool) {
  PLANISH_FORWARD(cudaDeviceSetMemPool, device, pool);
  return call([&] {
    if (device != 0) return cudaErrorInvalidDevice;
    if (default_pool() != pool && pools().find(pool) == nullptr) return cudaErrorInvalidValue;
    current_pool() = pool;
    return cudaSuccess;
  });
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const struct cudaMemPoolProps* properties) {
  PLANISH_FORWARD(cudaMemPoolCreate, pool, properties);
  return call([&] {
    if (pool == nullptr || properties == nullptr || properties->allocType != cudaMemAllocationTypePinned)
      return cudaErrorInvalidValue;
    if (properties->handleTypes != cudaMemHandleTypeNone) return cudaErrorNotSupported;
    *pool = pools().add(std::make_shared<CUmemPoolHandle_st>());
    return cudaSuccess;
  });
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  PLANISH_FORWARD(cudaMemPoolDestroy, pool);
  return call([&] {
    if (pool == default_pool() || pools().take(pool) == nullptr) return cudaErrorInvalidValue;
    cudaMemPool_t gone = pool;
    current_pool().compare_exchange_strong(gone, default_pool());
    return cudaSuccess;
  });
}
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep) {
  PLANISH_FORWARD(cudaMemPoolTrimTo, pool, keep);
  return call([&] { return pools().find(pool) == nullptr ? cudaErrorInvalidValue : cudaSuccess; });
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, enum cudaMemPoolAttr attribute, void* value) {
  PLANISH_FORWARD(cudaMemPoolSetAttribute, pool, attribute, value);
  return access_pool(pool, attribute, value, true);
}
cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, enum cudaMemPoolAttr attribute, void* value) {
  PLANISH_FORWARD(cudaMemPoolGetAttribute, pool, attribute, value);
  return access_pool(pool, attribute, value, false);
}

}  // extern "C"
