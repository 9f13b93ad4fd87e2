/* The CUDA runtime interface for machines without the toolkit: same names, values and layouts as CUDA 12, in our words.
 *
 * Without an NVIDIA driver there is one device, the processor: "device memory" is memory of the process, a stream is an
 * ordered queue with a thread of its own, and whatever needs compiled device code answers
 * cudaErrorNoKernelImageForDevice. With a driver, calls go to the toolkit's own library where one is found.
 * PLANISH_CUDART=cpu or =cuda in the environment decides otherwise. */
#if defined(__CUDACC__)
#include_next <cuda_runtime_api.h>
#elif !defined(__CUDA_RUNTIME_API_H__)
#define __CUDA_RUNTIME_API_H__

#include "driver_types.h"
#include "library_types.h"

#define CUDART_VERSION 12040
#define __CUDART_API_VERSION CUDART_VERSION
#define cudaGetDeviceProperties cudaGetDeviceProperties_v2 /* the layout of CUDA 12 */

#if defined(__cplusplus)
#define PLANISH_CUDA_DEFAULT(value) = value
extern "C" {
#else
#define PLANISH_CUDA_DEFAULT(value)
#endif

/* ---- errors: the last one of each thread; reading it with cudaGetLastError forgets it ----------------- */

cudaError_t CUDARTAPI cudaGetLastError(void);
cudaError_t CUDARTAPI cudaPeekAtLastError(void);
const char* CUDARTAPI cudaGetErrorName(cudaError_t error);
const char* CUDARTAPI cudaGetErrorString(cudaError_t error);

/* ---- devices ------------------------------------------------------------------------------------------ */

cudaError_t CUDARTAPI cudaGetDeviceCount(int* count);
cudaError_t CUDARTAPI cudaGetDevice(int* device);
cudaError_t CUDARTAPI cudaSetDevice(int device);
cudaError_t CUDARTAPI cudaInitDevice(int device, unsigned int deviceFlags, unsigned int flags);
cudaError_t CUDARTAPI cudaSetValidDevices(int* devices, int count);
cudaError_t CUDARTAPI cudaChooseDevice(int* device, const struct cudaDeviceProp* wanted);
cudaError_t CUDARTAPI cudaGetDeviceProperties(struct cudaDeviceProp* properties, int device);
cudaError_t CUDARTAPI cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attribute, int device);
cudaError_t CUDARTAPI cudaSetDeviceFlags(unsigned int flags);
cudaError_t CUDARTAPI cudaGetDeviceFlags(unsigned int* flags);
cudaError_t CUDARTAPI cudaDeviceSynchronize(void);
cudaError_t CUDARTAPI cudaDeviceReset(void);
cudaError_t CUDARTAPI cudaDeviceSetLimit(enum cudaLimit limit, size_t value);
cudaError_t CUDARTAPI cudaDeviceGetLimit(size_t* value, enum cudaLimit limit);
cudaError_t CUDARTAPI cudaDeviceSetCacheConfig(enum cudaFuncCache config);
cudaError_t CUDARTAPI cudaDeviceGetCacheConfig(enum cudaFuncCache* config);
cudaError_t CUDARTAPI cudaDeviceSetSharedMemConfig(enum cudaSharedMemConfig config);
cudaError_t CUDARTAPI cudaDeviceGetSharedMemConfig(enum cudaSharedMemConfig* config);
cudaError_t CUDARTAPI cudaDeviceGetStreamPriorityRange(int* least, int* greatest);
cudaError_t CUDARTAPI cudaDeviceGetPCIBusId(char* text, int length, int device);
cudaError_t CUDARTAPI cudaDeviceGetByPCIBusId(int* device, const char* text);
cudaError_t CUDARTAPI cudaDeviceCanAccessPeer(int* can, int device, int peer);
cudaError_t CUDARTAPI cudaDeviceEnablePeerAccess(int peer, unsigned int flags);
cudaError_t CUDARTAPI cudaDeviceDisablePeerAccess(int peer);
cudaError_t CUDARTAPI cudaCtxResetPersistingL2Cache(void);
cudaError_t CUDARTAPI cudaDriverGetVersion(int* version);
cudaError_t CUDARTAPI cudaRuntimeGetVersion(int* version);
cudaError_t CUDARTAPI cudaProfilerStart(void);
cudaError_t CUDARTAPI cudaProfilerStop(void);
cudaError_t CUDARTAPI cudaThreadSynchronize(void);
cudaError_t CUDARTAPI cudaThreadExit(void);

/* ---- streams ------------------------------------------------------------------------------------------ */

cudaError_t CUDARTAPI cudaStreamCreate(cudaStream_t* stream);
cudaError_t CUDARTAPI cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags);
cudaError_t CUDARTAPI cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int priority);
cudaError_t CUDARTAPI cudaStreamDestroy(cudaStream_t stream);
cudaError_t CUDARTAPI cudaStreamSynchronize(cudaStream_t stream);
cudaError_t CUDARTAPI cudaStreamQuery(cudaStream_t stream);
cudaError_t CUDARTAPI cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                          unsigned int flags PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* userData,
                                            unsigned int flags);
cudaError_t CUDARTAPI cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* userData);
cudaError_t CUDARTAPI cudaStreamGetPriority(cudaStream_t stream, int* priority);
cudaError_t CUDARTAPI cudaStreamGetFlags(cudaStream_t stream, unsigned int* flags);
cudaError_t CUDARTAPI cudaStreamGetId(cudaStream_t stream, unsigned long long* id);
cudaError_t CUDARTAPI cudaStreamAttachMemAsync(cudaStream_t stream, void* memory, size_t length PLANISH_CUDA_DEFAULT(0),
                                               unsigned int flags PLANISH_CUDA_DEFAULT(cudaMemAttachSingle));

/* ---- events ------------------------------------------------------------------------------------------- */

cudaError_t CUDARTAPI cudaEventCreate(cudaEvent_t* event);
cudaError_t CUDARTAPI cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags);
cudaError_t CUDARTAPI cudaEventRecord(cudaEvent_t event, cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream PLANISH_CUDA_DEFAULT(0),
                                               unsigned int flags PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaEventQuery(cudaEvent_t event);
cudaError_t CUDARTAPI cudaEventSynchronize(cudaEvent_t event);
cudaError_t CUDARTAPI cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end);
cudaError_t CUDARTAPI cudaEventDestroy(cudaEvent_t event);

/* ---- memory ------------------------------------------------------------------------------------------- */

cudaError_t CUDARTAPI cudaMalloc(void** memory, size_t bytes);
cudaError_t CUDARTAPI cudaMallocManaged(void** memory, size_t bytes,
                                        unsigned int flags PLANISH_CUDA_DEFAULT(cudaMemAttachGlobal));
cudaError_t CUDARTAPI cudaMallocPitch(void** memory, size_t* pitch, size_t width, size_t height);
cudaError_t CUDARTAPI cudaMalloc3D(struct cudaPitchedPtr* memory, struct cudaExtent extent);
cudaError_t CUDARTAPI cudaFree(void* memory);
cudaError_t CUDARTAPI cudaMallocHost(void** memory, size_t bytes);
cudaError_t CUDARTAPI cudaHostAlloc(void** memory, size_t bytes, unsigned int flags);
cudaError_t CUDARTAPI cudaFreeHost(void* memory);
cudaError_t CUDARTAPI cudaHostRegister(void* memory, size_t bytes, unsigned int flags);
cudaError_t CUDARTAPI cudaHostUnregister(void* memory);
cudaError_t CUDARTAPI cudaHostGetDevicePointer(void** device, void* host, unsigned int flags);
cudaError_t CUDARTAPI cudaHostGetFlags(unsigned int* flags, void* host);
cudaError_t CUDARTAPI cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t CUDARTAPI cudaPointerGetAttributes(struct cudaPointerAttributes* attributes, const void* memory);
cudaError_t CUDARTAPI cudaMemAdvise(const void* memory, size_t bytes, enum cudaMemoryAdvise advice, int device);
cudaError_t CUDARTAPI cudaMemPrefetchAsync(const void* memory, size_t bytes, int device,
                                           cudaStream_t stream PLANISH_CUDA_DEFAULT(0));

cudaError_t CUDARTAPI cudaMallocAsync(void** memory, size_t bytes, cudaStream_t stream);
cudaError_t CUDARTAPI cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool, cudaStream_t stream);
cudaError_t CUDARTAPI cudaFreeAsync(void* memory, cudaStream_t stream);
cudaError_t CUDARTAPI cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device);
cudaError_t CUDARTAPI cudaDeviceGetMemPool(cudaMemPool_t* pool, int device);
cudaError_t CUDARTAPI cudaDeviceSetMemPool(int device, cudaMemPool_t pool);
cudaError_t CUDARTAPI cudaMemPoolCreate(cudaMemPool_t* pool, const struct cudaMemPoolProps* properties);
cudaError_t CUDARTAPI cudaMemPoolDestroy(cudaMemPool_t pool);
cudaError_t CUDARTAPI cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep);
cudaError_t CUDARTAPI cudaMemPoolSetAttribute(cudaMemPool_t pool, enum cudaMemPoolAttr attribute, void* value);
cudaError_t CUDARTAPI cudaMemPoolGetAttribute(cudaMemPool_t pool, enum cudaMemPoolAttr attribute, void* value);

/* ---- copies: without Async they return when done ------------------------------------------------------ */

cudaError_t CUDARTAPI cudaMemcpy(void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind);
cudaError_t CUDARTAPI cudaMemcpyAsync(void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind,
                                      cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemcpyPeer(void* to, int toDevice, const void* from, int fromDevice, size_t bytes);
cudaError_t CUDARTAPI cudaMemcpyPeerAsync(void* to, int toDevice, const void* from, int fromDevice, size_t bytes,
                                          cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemcpy2D(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                                   size_t height, enum cudaMemcpyKind kind);
cudaError_t CUDARTAPI cudaMemcpy2DAsync(void* to, size_t toPitch, const void* from, size_t fromPitch, size_t width,
                                        size_t height, enum cudaMemcpyKind kind,
                                        cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemcpy3D(const struct cudaMemcpy3DParms* copy);
cudaError_t CUDARTAPI cudaMemcpy3DAsync(const struct cudaMemcpy3DParms* copy,
                                        cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemset(void* memory, int value, size_t bytes);
cudaError_t CUDARTAPI cudaMemsetAsync(void* memory, int value, size_t bytes,
                                      cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemset2D(void* memory, size_t pitch, int value, size_t width, size_t height);
cudaError_t CUDARTAPI cudaMemset2DAsync(void* memory, size_t pitch, int value, size_t width, size_t height,
                                        cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemset3D(struct cudaPitchedPtr memory, int value, struct cudaExtent extent);
cudaError_t CUDARTAPI cudaMemset3DAsync(struct cudaPitchedPtr memory, int value, struct cudaExtent extent,
                                        cudaStream_t stream PLANISH_CUDA_DEFAULT(0));

/* ---- graphs: what was captured from streams, or added node by node ------------------------------------ */

cudaError_t CUDARTAPI cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode);
cudaError_t CUDARTAPI cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t CUDARTAPI cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus* status);
cudaError_t CUDARTAPI cudaStreamGetCaptureInfo_v2(cudaStream_t stream, enum cudaStreamCaptureStatus* status,
                                                  unsigned long long* id PLANISH_CUDA_DEFAULT(0),
                                                  cudaGraph_t* graph PLANISH_CUDA_DEFAULT(0),
                                                  const cudaGraphNode_t** nodes PLANISH_CUDA_DEFAULT(0),
                                                  size_t* nodeCount PLANISH_CUDA_DEFAULT(0));
#define cudaStreamGetCaptureInfo cudaStreamGetCaptureInfo_v2
cudaError_t CUDARTAPI cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode* mode);
cudaError_t CUDARTAPI cudaGraphCreate(cudaGraph_t* graph, unsigned int flags);
cudaError_t CUDARTAPI cudaGraphClone(cudaGraph_t* copy, cudaGraph_t graph);
cudaError_t CUDARTAPI cudaGraphDestroy(cudaGraph_t graph);
cudaError_t CUDARTAPI cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                            size_t count);
cudaError_t CUDARTAPI cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                           size_t count, const struct cudaHostNodeParams* host);
cudaError_t CUDARTAPI cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                               size_t count, void* to, const void* from, size_t bytes,
                                               enum cudaMemcpyKind kind);
cudaError_t CUDARTAPI cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                             size_t count, const struct cudaMemsetParams* set);
cudaError_t CUDARTAPI cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count);
cudaError_t CUDARTAPI cudaGraphNodeGetType(cudaGraphNode_t node, enum cudaGraphNodeType* type);
cudaError_t CUDARTAPI cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                           unsigned long long flags PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph,
                                                    unsigned long long flags PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                          cudaGraphExecUpdateResultInfo* result);
cudaError_t CUDARTAPI cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t CUDARTAPI cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t CUDARTAPI cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);

/* ---- device code: refused on the processor ------------------------------------------------------------ */

cudaError_t CUDARTAPI cudaFuncGetAttributes(struct cudaFuncAttributes* attributes, const void* kernel);
cudaError_t CUDARTAPI cudaFuncSetAttribute(const void* kernel, enum cudaFuncAttribute attribute, int value);
cudaError_t CUDARTAPI cudaFuncSetCacheConfig(const void* kernel, enum cudaFuncCache config);
cudaError_t CUDARTAPI cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes,
                                       cudaStream_t stream);
cudaError_t CUDARTAPI cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                                  size_t sharedBytes, cudaStream_t stream);
cudaError_t CUDARTAPI cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int blockSize,
                                                                    size_t sharedBytes);
cudaError_t CUDARTAPI cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* kernel,
                                                                             int blockSize, size_t sharedBytes,
                                                                             unsigned int flags);
cudaError_t CUDARTAPI cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* kernel, int blocks,
                                                                int blockSize);
cudaError_t CUDARTAPI cudaGetSymbolAddress(void** address, const void* symbol);
cudaError_t CUDARTAPI cudaGetSymbolSize(size_t* bytes, const void* symbol);
cudaError_t CUDARTAPI cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes,
                                         size_t offset PLANISH_CUDA_DEFAULT(0),
                                         enum cudaMemcpyKind kind PLANISH_CUDA_DEFAULT(cudaMemcpyHostToDevice));
cudaError_t CUDARTAPI cudaMemcpyFromSymbol(void* to, const void* symbol, size_t bytes,
                                           size_t offset PLANISH_CUDA_DEFAULT(0),
                                           enum cudaMemcpyKind kind PLANISH_CUDA_DEFAULT(cudaMemcpyDeviceToHost));
cudaError_t CUDARTAPI cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t bytes, size_t offset,
                                              enum cudaMemcpyKind kind, cudaStream_t stream PLANISH_CUDA_DEFAULT(0));
cudaError_t CUDARTAPI cudaMemcpyFromSymbolAsync(void* to, const void* symbol, size_t bytes, size_t offset,
                                                enum cudaMemcpyKind kind, cudaStream_t stream PLANISH_CUDA_DEFAULT(0));

#if defined(__cplusplus)
}  // extern "C"

extern "C++" {  // also where the file is included between the braces of extern "C"

// The same with typed pointers.
template <class T>
inline cudaError_t cudaMalloc(T** memory, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(memory), bytes);
}
template <class T>
inline cudaError_t cudaMallocHost(T** memory, size_t bytes, unsigned int flags = 0) {
  return cudaHostAlloc(reinterpret_cast<void**>(memory), bytes, flags);
}
template <class T>
inline cudaError_t cudaHostAlloc(T** memory, size_t bytes, unsigned int flags) {
  return cudaHostAlloc(reinterpret_cast<void**>(memory), bytes, flags);
}
template <class T>
inline cudaError_t cudaMallocManaged(T** memory, size_t bytes, unsigned int flags = cudaMemAttachGlobal) {
  return cudaMallocManaged(reinterpret_cast<void**>(memory), bytes, flags);
}
template <class T>
inline cudaError_t cudaMallocPitch(T** memory, size_t* pitch, size_t width, size_t height) {
  return cudaMallocPitch(reinterpret_cast<void**>(memory), pitch, width, height);
}
template <class T>
inline cudaError_t cudaMallocAsync(T** memory, size_t bytes, cudaStream_t stream) {
  return cudaMallocAsync(reinterpret_cast<void**>(memory), bytes, stream);
}
template <class T>
inline cudaError_t cudaHostGetDevicePointer(T** device, void* host, unsigned int flags) {
  return cudaHostGetDevicePointer(reinterpret_cast<void**>(device), host, flags);
}
template <class T>
inline cudaError_t cudaMemcpyToSymbol(const T& symbol, const void* from, size_t bytes, size_t offset = 0,
                                      cudaMemcpyKind kind = cudaMemcpyHostToDevice) {
  return cudaMemcpyToSymbol(static_cast<const void*>(&symbol), from, bytes, offset, kind);
}
template <class T>
inline cudaError_t cudaMemcpyFromSymbol(void* to, const T& symbol, size_t bytes, size_t offset = 0,
                                        cudaMemcpyKind kind = cudaMemcpyDeviceToHost) {
  return cudaMemcpyFromSymbol(to, static_cast<const void*>(&symbol), bytes, offset, kind);
}
template <class T>
inline cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, T* kernel) {
  return cudaFuncGetAttributes(attributes, reinterpret_cast<const void*>(kernel));
}
template <class T>
inline cudaError_t cudaFuncSetAttribute(T* kernel, cudaFuncAttribute attribute, int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}
template <class T>
inline cudaError_t cudaLaunchKernel(T* kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes = 0,
                                    cudaStream_t stream = nullptr) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, sharedBytes, stream);
}
template <class T>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, T kernel, int blockSize,
                                                                 size_t sharedBytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void*>(kernel), blockSize,
                                                       sharedBytes);
}
inline cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned int flags) {
  return cudaEventCreateWithFlags(event, flags);
}

// As before CUDA 12. There is no log: the failing node is in the result of the call.
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, cudaGraphNode_t* failed, char* log,
                                        size_t bytes) {
  if (failed != nullptr) *failed = nullptr;
  if (log != nullptr && bytes > 0) *log = '\0';
  return cudaGraphInstantiate(exec, graph, 0ULL);
}
inline cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphNode_t* failed,
                                       cudaGraphExecUpdateResult* result) {
  cudaGraphExecUpdateResultInfo info = {};
  const cudaError_t error = cudaGraphExecUpdate(exec, graph, &info);
  if (failed != nullptr) *failed = info.errorNode;
  if (result != nullptr) *result = info.result;
  return error;
}

}  // extern "C++"
#endif

#endif
