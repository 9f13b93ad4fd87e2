#pragma once
// The CUDA driver, opened at run time: one table of its entry points, and the few types that they take.
//
// Values and layouts are those of the driver's binary interface since CUDA 12.0; no header of the toolkit is needed.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace planish::cuda {

using Result = int;  // 0: success
using DeviceIndex = int;
using Address = uint64_t;
struct ContextHandle;
struct StreamHandle;
struct EventHandle;
struct ModuleHandle;
struct FunctionHandle;
struct GraphHandle;
struct GraphExecHandle;
struct MemoryPoolHandle;

constexpr Result kSuccess = 0, kOutOfMemory = 2, kNoDevice = 100, kNotReady = 600;

enum class DeviceAttribute : int {
  warp_size = 10,
  clock_khz = 13,
  multiprocessors = 16,
  memory_clock_khz = 36,
  memory_bus_bits = 37,
  l2_bytes = 38,
  compute_major = 75,
  compute_minor = 76,
  max_shared_opt_in = 97,
};

enum class FunctionAttribute : int {
  max_threads = 0,
  shared_bytes = 1,
  local_bytes = 3,
  registers = 4,
  max_dynamic_shared = 8
};

enum class PointerAttribute : int { context = 1, memory_type = 2, device_ordinal = 9 };
constexpr unsigned kMemoryTypeHost = 1, kMemoryTypeDevice = 2;

constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventDisableTiming = 2;
constexpr int kCaptureThreadLocal = 1;

// CUlaunchAttribute and CUlaunchConfig.
enum class LaunchAttributeId : int { cluster_dimension = 4, programmatic_stream_serialization = 6 };
struct LaunchAttribute {
  LaunchAttributeId id;
  char pad[4];
  union {
    char bytes[64];
    struct {
      unsigned x, y, z;
    } cluster;
    int programmatic_stream_serialization;
  } value;
};
static_assert(sizeof(LaunchAttribute) == 72);
struct LaunchConfig {
  unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
  StreamHandle* stream;
  LaunchAttribute* attributes;
  unsigned attribute_count;
};

// CUtensorMap: what the tensor memory accelerator reads, encoded by the driver.
struct alignas(64) TensorMap {
  uint64_t opaque[16];
};

// CUgraphExecUpdateResultInfo.
struct GraphUpdateInfo {
  int result;
  void *error_node, *error_from_node;
};

using HostFunction = void (*)(void*);

// result name, symbol, arguments
#define PLANISH_CUDA_DRIVER(ENTRY)                                                                                  \
  ENTRY(init, "cuInit", (unsigned))                                                                                 \
  ENTRY(driver_version, "cuDriverGetVersion", (int*))                                                               \
  ENTRY(error_name, "cuGetErrorName", (Result, const char**))                                                       \
  ENTRY(error_text, "cuGetErrorString", (Result, const char**))                                                     \
  ENTRY(device_count, "cuDeviceGetCount", (int*))                                                                   \
  ENTRY(device_get, "cuDeviceGet", (DeviceIndex*, int))                                                             \
  ENTRY(device_name, "cuDeviceGetName", (char*, int, DeviceIndex))                                                  \
  ENTRY(device_attribute, "cuDeviceGetAttribute", (int*, DeviceAttribute, DeviceIndex))                             \
  ENTRY(device_memory, "cuDeviceTotalMem_v2", (size_t*, DeviceIndex))                                               \
  ENTRY(primary_retain, "cuDevicePrimaryCtxRetain", (ContextHandle**, DeviceIndex))                                 \
  ENTRY(primary_release, "cuDevicePrimaryCtxRelease_v2", (DeviceIndex))                                             \
  ENTRY(context_push, "cuCtxPushCurrent_v2", (ContextHandle*))                                                      \
  ENTRY(context_pop, "cuCtxPopCurrent_v2", (ContextHandle**))                                                       \
  ENTRY(context_synchronize, "cuCtxSynchronize", ())                                                                \
  ENTRY(memory_info, "cuMemGetInfo_v2", (size_t*, size_t*))                                                         \
  ENTRY(allocate, "cuMemAlloc_v2", (Address*, size_t))                                                              \
  ENTRY(release, "cuMemFree_v2", (Address))                                                                         \
  ENTRY(allocate_async, "cuMemAllocAsync", (Address*, size_t, StreamHandle*))                                       \
  ENTRY(release_async, "cuMemFreeAsync", (Address, StreamHandle*))                                                  \
  ENTRY(allocate_host, "cuMemAllocHost_v2", (void**, size_t))                                                       \
  ENTRY(release_host, "cuMemFreeHost", (void*))                                                                     \
  ENTRY(pointer_attributes, "cuPointerGetAttributes", (unsigned, PointerAttribute*, void**, Address))               \
  ENTRY(copy, "cuMemcpyAsync", (Address, Address, size_t, StreamHandle*))                                           \
  ENTRY(copy_to_device, "cuMemcpyHtoDAsync_v2", (Address, const void*, size_t, StreamHandle*))                      \
  ENTRY(copy_to_host, "cuMemcpyDtoHAsync_v2", (void*, Address, size_t, StreamHandle*))                              \
  ENTRY(set_bytes, "cuMemsetD8Async", (Address, unsigned char, size_t, StreamHandle*))                              \
  ENTRY(stream_create, "cuStreamCreate", (StreamHandle**, unsigned))                                                \
  ENTRY(stream_destroy, "cuStreamDestroy_v2", (StreamHandle*))                                                      \
  ENTRY(stream_synchronize, "cuStreamSynchronize", (StreamHandle*))                                                 \
  ENTRY(stream_wait, "cuStreamWaitEvent", (StreamHandle*, EventHandle*, unsigned))                                  \
  ENTRY(stream_capturing, "cuStreamIsCapturing", (StreamHandle*, int*))                                             \
  ENTRY(stream_context, "cuStreamGetCtx", (StreamHandle*, ContextHandle**))                                         \
  ENTRY(host_function, "cuLaunchHostFunc", (StreamHandle*, HostFunction, void*))                                    \
  ENTRY(begin_capture, "cuStreamBeginCapture_v2", (StreamHandle*, int))                                             \
  ENTRY(end_capture, "cuStreamEndCapture", (StreamHandle*, GraphHandle**))                                          \
  ENTRY(graph_instantiate, "cuGraphInstantiateWithFlags", (GraphExecHandle**, GraphHandle*, unsigned long long))    \
  ENTRY(graph_exec_update, "cuGraphExecUpdate_v2", (GraphExecHandle*, GraphHandle*, GraphUpdateInfo*))              \
  ENTRY(graph_launch, "cuGraphLaunch", (GraphExecHandle*, StreamHandle*))                                           \
  ENTRY(graph_upload, "cuGraphUpload", (GraphExecHandle*, StreamHandle*))                                           \
  ENTRY(graph_exec_destroy, "cuGraphExecDestroy", (GraphExecHandle*))                                               \
  ENTRY(graph_destroy, "cuGraphDestroy", (GraphHandle*))                                                            \
  ENTRY(event_create, "cuEventCreate", (EventHandle**, unsigned))                                                   \
  ENTRY(event_destroy, "cuEventDestroy_v2", (EventHandle*))                                                         \
  ENTRY(event_record, "cuEventRecord", (EventHandle*, StreamHandle*))                                               \
  ENTRY(event_query, "cuEventQuery", (EventHandle*))                                                                \
  ENTRY(event_synchronize, "cuEventSynchronize", (EventHandle*))                                                    \
  ENTRY(event_elapsed, "cuEventElapsedTime", (float*, EventHandle*, EventHandle*))                                  \
  ENTRY(module_load, "cuModuleLoadData", (ModuleHandle**, const void*))                                             \
  ENTRY(module_unload, "cuModuleUnload", (ModuleHandle*))                                                           \
  ENTRY(module_function, "cuModuleGetFunction", (FunctionHandle**, ModuleHandle*, const char*))                     \
  ENTRY(function_attribute, "cuFuncGetAttribute", (int*, FunctionAttribute, FunctionHandle*))                       \
  ENTRY(set_function_attribute, "cuFuncSetAttribute", (FunctionHandle*, FunctionAttribute, int))                    \
  ENTRY(launch, "cuLaunchKernelEx", (const LaunchConfig*, FunctionHandle*, void**, void**))                         \
  ENTRY(max_active_clusters, "cuOccupancyMaxActiveClusters", (int*, FunctionHandle*, const LaunchConfig*))          \
  ENTRY(encode_tiled, "cuTensorMapEncodeTiled",                                                                     \
        (TensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const uint32_t*, const uint32_t*, int, \
         int, int, int))                                                                                            \
  ENTRY(encode_im2col, "cuTensorMapEncodeIm2col",                                                                   \
        (TensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const int*, const int*, uint32_t,      \
         uint32_t, const uint32_t*, int, int, int, int))

struct Driver {
#define PLANISH_CUDA_ENTRY(name, symbol, arguments) Result(*name) arguments = nullptr;
  PLANISH_CUDA_DRIVER(PLANISH_CUDA_ENTRY)
#undef PLANISH_CUDA_ENTRY

  // Status(internal) "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (out of memory)"; ok for success.
  Status status(Result result, const char* call) const noexcept;
  // Throws it, unless it is ok.
  void check(Result result, const char* call) const;
};

// What opening gave: a table, or why there is none, in one line.
struct DriverOrReason {
  const Driver* driver = nullptr;
  std::string reason;
};

// Of this process, opened and initialised once: libcuda.so.1, or what PLANISH_CUDA_DRIVER names. `reason`: the library
// is missing, too old, or finds no device.
const DriverOrReason& driver();

// From any library; what it opens stays open.
DriverOrReason open_driver(const std::string& library);

}  // namespace planish::cuda
