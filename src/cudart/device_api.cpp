// The one device: the processor, described with the machine's true figures. What only a GPU has is 0.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "base/cpu_features.h"
#include "cudart/call.h"
#include "cudart/event.h"
#include "cudart/graph.h"
#include "cudart/memory.h"
#include "cudart/stream.h"

using namespace planish::cudart;

namespace {

constexpr int kAnyExtent = 0x7fffffff;

// kHz; 0: the system does not say.
int clock_rate() {
  std::ifstream most("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"), file("/proc/cpuinfo");
  int rate = 0;
  if (most >> rate) return rate;
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, 7, "cpu MHz") == 0) return static_cast<int>(1000 * std::stod(line.substr(line.find(':') + 1)));
  return 0;
}

cudaDeviceProp describe() {
  const planish::CpuInfo& cpu = planish::cpu_info();
  cudaDeviceProp p{};
  std::strncpy(p.name, cpu.brand.c_str(), sizeof p.name - 1);
  p.totalGlobalMem = total_memory();
  p.sharedMemPerBlock = p.sharedMemPerMultiprocessor = p.sharedMemPerBlockOptin = static_cast<size_t>(cpu.l1d_bytes);
  p.warpSize = p.maxThreadsPerBlock = p.maxThreadsPerMultiProcessor = p.maxBlocksPerMultiProcessor = 1;
  std::fill_n(p.maxThreadsDim, 3, 1);
  std::fill_n(p.maxGridSize, 3, kAnyExtent);
  p.memPitch = kAnyExtent;
  p.textureAlignment = p.surfaceAlignment = 512;
  p.texturePitchAlignment = 32;
  p.clockRate = clock_rate();
  p.multiProcessorCount = cpu.logical_cores;
  p.l2CacheSize = static_cast<int>(std::min<int64_t>(cpu.l3_bytes > 0 ? cpu.l3_bytes : cpu.l2_bytes, kAnyExtent));
  p.deviceOverlap = p.asyncEngineCount = p.concurrentKernels = 1;
  p.integrated = p.canMapHostMemory = p.unifiedAddressing = p.canUseHostPointerForRegisteredMem = 1;
  p.managedMemory = p.concurrentManagedAccess = p.directManagedMemAccessFromHost = p.hostNativeAtomicSupported = 1;
  p.hostRegisterSupported = p.hostRegisterReadOnlySupported = p.memoryPoolsSupported = 1;
  p.singleToDoublePrecisionPerfRatio = 2;
  return p;
}

const cudaDeviceProp& properties() {
  static const cudaDeviceProp own = describe();
  return own;
}

// An attribute and the field of the properties that says the same.
struct AttributeRow {
  cudaDeviceAttr attribute;
  int cudaDeviceProp::*field;
};
constexpr AttributeRow kAttributes[] = {
    {cudaDevAttrMaxThreadsPerBlock, &cudaDeviceProp::maxThreadsPerBlock},
    {cudaDevAttrWarpSize, &cudaDeviceProp::warpSize},
    {cudaDevAttrMaxRegistersPerBlock, &cudaDeviceProp::regsPerBlock},
    {cudaDevAttrClockRate, &cudaDeviceProp::clockRate},
    {cudaDevAttrGpuOverlap, &cudaDeviceProp::deviceOverlap},
    {cudaDevAttrMultiProcessorCount, &cudaDeviceProp::multiProcessorCount},
    {cudaDevAttrKernelExecTimeout, &cudaDeviceProp::kernelExecTimeoutEnabled},
    {cudaDevAttrIntegrated, &cudaDeviceProp::integrated},
    {cudaDevAttrCanMapHostMemory, &cudaDeviceProp::canMapHostMemory},
    {cudaDevAttrComputeMode, &cudaDeviceProp::computeMode},
    {cudaDevAttrConcurrentKernels, &cudaDeviceProp::concurrentKernels},
    {cudaDevAttrEccEnabled, &cudaDeviceProp::ECCEnabled},
    {cudaDevAttrPciBusId, &cudaDeviceProp::pciBusID},
    {cudaDevAttrPciDeviceId, &cudaDeviceProp::pciDeviceID},
    {cudaDevAttrPciDomainId, &cudaDeviceProp::pciDomainID},
    {cudaDevAttrTccDriver, &cudaDeviceProp::tccDriver},
    {cudaDevAttrMemoryClockRate, &cudaDeviceProp::memoryClockRate},
    {cudaDevAttrGlobalMemoryBusWidth, &cudaDeviceProp::memoryBusWidth},
    {cudaDevAttrL2CacheSize, &cudaDeviceProp::l2CacheSize},
    {cudaDevAttrMaxThreadsPerMultiProcessor, &cudaDeviceProp::maxThreadsPerMultiProcessor},
    {cudaDevAttrAsyncEngineCount, &cudaDeviceProp::asyncEngineCount},
    {cudaDevAttrUnifiedAddressing, &cudaDeviceProp::unifiedAddressing},
    {cudaDevAttrComputeCapabilityMajor, &cudaDeviceProp::major},
    {cudaDevAttrComputeCapabilityMinor, &cudaDeviceProp::minor},
    {cudaDevAttrStreamPrioritiesSupported, &cudaDeviceProp::streamPrioritiesSupported},
    {cudaDevAttrGlobalL1CacheSupported, &cudaDeviceProp::globalL1CacheSupported},
    {cudaDevAttrLocalL1CacheSupported, &cudaDeviceProp::localL1CacheSupported},
    {cudaDevAttrMaxRegistersPerMultiprocessor, &cudaDeviceProp::regsPerMultiprocessor},
    {cudaDevAttrManagedMemory, &cudaDeviceProp::managedMemory},
    {cudaDevAttrIsMultiGpuBoard, &cudaDeviceProp::isMultiGpuBoard},
    {cudaDevAttrMultiGpuBoardGroupID, &cudaDeviceProp::multiGpuBoardGroupID},
    {cudaDevAttrHostNativeAtomicSupported, &cudaDeviceProp::hostNativeAtomicSupported},
    {cudaDevAttrSingleToDoublePrecisionPerfRatio, &cudaDeviceProp::singleToDoublePrecisionPerfRatio},
    {cudaDevAttrPageableMemoryAccess, &cudaDeviceProp::pageableMemoryAccess},
    {cudaDevAttrConcurrentManagedAccess, &cudaDeviceProp::concurrentManagedAccess},
    {cudaDevAttrComputePreemptionSupported, &cudaDeviceProp::computePreemptionSupported},
    {cudaDevAttrCanUseHostPointerForRegisteredMem, &cudaDeviceProp::canUseHostPointerForRegisteredMem},
    {cudaDevAttrCooperativeLaunch, &cudaDeviceProp::cooperativeLaunch},
    {cudaDevAttrCooperativeMultiDeviceLaunch, &cudaDeviceProp::cooperativeMultiDeviceLaunch},
    {cudaDevAttrHostRegisterSupported, &cudaDeviceProp::hostRegisterSupported},
    {cudaDevAttrPageableMemoryAccessUsesHostPageTables, &cudaDeviceProp::pageableMemoryAccessUsesHostPageTables},
    {cudaDevAttrDirectManagedMemAccessFromHost, &cudaDeviceProp::directManagedMemAccessFromHost},
    {cudaDevAttrMaxBlocksPerMultiprocessor, &cudaDeviceProp::maxBlocksPerMultiProcessor},
    {cudaDevAttrMaxPersistingL2CacheSize, &cudaDeviceProp::persistingL2CacheMaxSize},
    {cudaDevAttrMaxAccessPolicyWindowSize, &cudaDeviceProp::accessPolicyMaxWindowSize},
    {cudaDevAttrSparseCudaArraySupported, &cudaDeviceProp::sparseCudaArraySupported},
    {cudaDevAttrHostRegisterReadOnlySupported, &cudaDeviceProp::hostRegisterReadOnlySupported},
    {cudaDevAttrTimelineSemaphoreInteropSupported, &cudaDeviceProp::timelineSemaphoreInteropSupported},
    {cudaDevAttrMemoryPoolsSupported, &cudaDeviceProp::memoryPoolsSupported},
    {cudaDevAttrGPUDirectRDMASupported, &cudaDeviceProp::gpuDirectRDMASupported},
    {cudaDevAttrClusterLaunch, &cudaDeviceProp::clusterLaunch},
    {cudaDevAttrIpcEventSupport, &cudaDeviceProp::ipcEventSupported},
};
struct ExtentRow {
  cudaDeviceAttr attribute;
  size_t cudaDeviceProp::*field;
};
constexpr ExtentRow kExtents[] = {
    {cudaDevAttrMaxSharedMemoryPerBlock, &cudaDeviceProp::sharedMemPerBlock},
    {cudaDevAttrTotalConstantMemory, &cudaDeviceProp::totalConstMem},
    {cudaDevAttrMaxPitch, &cudaDeviceProp::memPitch},
    {cudaDevAttrTextureAlignment, &cudaDeviceProp::textureAlignment},
    {cudaDevAttrSurfaceAlignment, &cudaDeviceProp::surfaceAlignment},
    {cudaDevAttrTexturePitchAlignment, &cudaDeviceProp::texturePitchAlignment},
    {cudaDevAttrMaxSharedMemoryPerMultiprocessor, &cudaDeviceProp::sharedMemPerMultiprocessor},
    {cudaDevAttrMaxSharedMemoryPerBlockOptin, &cudaDeviceProp::sharedMemPerBlockOptin},
    {cudaDevAttrReservedSharedMemoryPerBlock, &cudaDeviceProp::reservedSharedMemPerBlock},
};

// A block is one thread wide, a grid as large as one likes; the rest that has no field is textures, which there are
// none of.
int attribute_without_field(cudaDeviceAttr attribute) {
  if (attribute >= cudaDevAttrMaxBlockDimX && attribute <= cudaDevAttrMaxBlockDimZ) return 1;
  return attribute >= cudaDevAttrMaxGridDimX && attribute <= cudaDevAttrMaxGridDimZ ? kAnyExtent : 0;
}

int attribute_of(const cudaDeviceProp& device, cudaDeviceAttr attribute) {
  for (const AttributeRow& row : kAttributes)
    if (row.attribute == attribute) return device.*row.field;
  for (const ExtentRow& row : kExtents)
    if (row.attribute == attribute) return static_cast<int>(device.*row.field);
  return attribute_without_field(attribute);
}

// Of a GPU, asked field by field: the struct has changed between versions of CUDA, attributes have not.
cudaError_t describe_real(cudaDeviceProp* result, int device) {
  static const auto ask = real_function<decltype(cudaDeviceGetAttribute)>("cudaDeviceGetAttribute");
  const auto name = reinterpret_cast<int (*)(char*, int, int)>(driver_symbol("cuDeviceGetName"));
  const auto memory = reinterpret_cast<int (*)(size_t*, int)>(driver_symbol("cuDeviceTotalMem_v2"));
  cudaDeviceProp p{};
  int probe = 0;
  if (const cudaError_t error = ask(&probe, cudaDevAttrMultiProcessorCount, device)) return error;
  const auto value = [&](cudaDeviceAttr attribute) {
    int found = 0;
    return ask(&found, attribute, device) == cudaSuccess ? found : 0;
  };
  for (const AttributeRow& row : kAttributes) p.*row.field = value(row.attribute);
  for (const ExtentRow& row : kExtents) p.*row.field = static_cast<size_t>(value(row.attribute));
  for (int axis = 0; axis < 3; ++axis) {
    p.maxThreadsDim[axis] = value(static_cast<cudaDeviceAttr>(cudaDevAttrMaxBlockDimX + axis));
    p.maxGridSize[axis] = value(static_cast<cudaDeviceAttr>(cudaDevAttrMaxGridDimX + axis));
  }
  if (name != nullptr) name(p.name, static_cast<int>(sizeof p.name), device);
  if (memory != nullptr) memory(&p.totalGlobalMem, device);
  *result = p;
  return cudaSuccess;
}

cudaError_t check_device(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

// Settings that are kept and given back; none changes what the processor does.
std::atomic<unsigned>& device_flags() {
  static std::atomic<unsigned> flags{cudaDeviceScheduleAuto | cudaDeviceMapHost};
  return flags;
}
std::atomic<size_t>* limits() {
  static std::atomic<size_t> values[cudaLimitPersistingL2CacheSize + 1] = {1024, 1 << 20, 8 << 20, 2, 2048, 64, 0};
  return values;
}
std::atomic<cudaFuncCache> cache_config{cudaFuncCachePreferNone};
std::atomic<cudaSharedMemConfig> bank_config{cudaSharedMemBankSizeFourByte};

cudaError_t set_flags(unsigned flags) {
  return call([&] {
    if ((flags & ~static_cast<unsigned>(cudaDeviceMask)) != 0) return cudaErrorInvalidValue;
    device_flags() = flags;
    return cudaSuccess;
  });
}

cudaError_t reset() {
  if (const cudaError_t error = synchronize_device()) return error;
  execs().clear();
  graphs().clear();
  events().clear();
  streams().destroy_all();
  memory().clear();
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  PLANISH_FORWARD(cudaGetDeviceCount, count);
  return give(count, 1);
}
cudaError_t cudaGetDevice(int* device) {
  PLANISH_FORWARD(cudaGetDevice, device);
  return give(device, 0);
}
cudaError_t cudaSetDevice(int device) {
  PLANISH_FORWARD(cudaSetDevice, device);
  return refuse(check_device(device));
}
cudaError_t cudaInitDevice(int device, unsigned int device_flags, unsigned int flags) {
  PLANISH_FORWARD(cudaInitDevice, device, device_flags, flags);
  return device != 0 ? refuse(cudaErrorInvalidDevice) : flags == 0 ? cudaSuccess : set_flags(device_flags);
}
cudaError_t cudaSetValidDevices(int* devices, int count) {
  PLANISH_FORWARD(cudaSetValidDevices, devices, count);
  return call([&] {
    if (count < 0 || (count > 0 && devices == nullptr)) return cudaErrorInvalidValue;
    return std::all_of(devices, devices + count, [](int one) { return one == 0; }) ? cudaSuccess
                                                                                   : cudaErrorInvalidDevice;
  });
}
cudaError_t cudaChooseDevice(int* device, const struct cudaDeviceProp* wanted) {
  PLANISH_FORWARD(cudaChooseDevice, device, wanted);
  return wanted == nullptr ? refuse(cudaErrorInvalidValue) : give(device, 0);
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp* result, int device) {
  return call([&] {
    if (result == nullptr) return cudaErrorInvalidValue;
    if (on_cuda()) return describe_real(result, device);
    if (device == 0) *result = properties();
    return check_device(device);
  });
}
cudaError_t cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attribute, int device) {
  PLANISH_FORWARD(cudaDeviceGetAttribute, value, attribute, device);
  if (device != 0) return refuse(cudaErrorInvalidDevice);
  if (attribute < cudaDevAttrMaxThreadsPerBlock || attribute > cudaDevAttrHostNumaId)
    return refuse(cudaErrorInvalidValue);
  return give(value, attribute_of(properties(), attribute));
}
cudaError_t cudaSetDeviceFlags(unsigned int flags) {
  PLANISH_FORWARD(cudaSetDeviceFlags, flags);
  return set_flags(flags);
}
cudaError_t cudaGetDeviceFlags(unsigned int* flags) {
  PLANISH_FORWARD(cudaGetDeviceFlags, flags);
  return give(flags, device_flags().load());
}
cudaError_t cudaDeviceSynchronize() {
  PLANISH_FORWARD(cudaDeviceSynchronize);
  return call(synchronize_device);
}
cudaError_t cudaThreadSynchronize() { return cudaDeviceSynchronize(); }
cudaError_t cudaDeviceReset() {
  PLANISH_FORWARD(cudaDeviceReset);
  return call(reset);
}
cudaError_t cudaThreadExit() { return cudaDeviceReset(); }
cudaError_t cudaDeviceSetLimit(enum cudaLimit limit, size_t value) {
  PLANISH_FORWARD(cudaDeviceSetLimit, limit, value);
  if (limit < cudaLimitStackSize || limit > cudaLimitPersistingL2CacheSize) return refuse(cudaErrorUnsupportedLimit);
  limits()[limit] = value;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetLimit(size_t* value, enum cudaLimit limit) {
  PLANISH_FORWARD(cudaDeviceGetLimit, value, limit);
  if (limit < cudaLimitStackSize || limit > cudaLimitPersistingL2CacheSize) return refuse(cudaErrorUnsupportedLimit);
  return give(value, limits()[limit].load());
}
cudaError_t cudaDeviceSetCacheConfig(enum cudaFuncCache config) {
  PLANISH_FORWARD(cudaDeviceSetCacheConfig, config);
  cache_config = config;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetCacheConfig(enum cudaFuncCache* config) {
  PLANISH_FORWARD(cudaDeviceGetCacheConfig, config);
  return give(config, cache_config.load());
}
cudaError_t cudaDeviceSetSharedMemConfig(enum cudaSharedMemConfig config) {
  PLANISH_FORWARD(cudaDeviceSetSharedMemConfig, config);
  bank_config = config;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetSharedMemConfig(enum cudaSharedMemConfig* config) {
  PLANISH_FORWARD(cudaDeviceGetSharedMemConfig, config);
  return give(config, bank_config.load());
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  PLANISH_FORWARD(cudaDeviceGetStreamPriorityRange, least, greatest);
  if (least != nullptr) *least = 0;
  if (greatest != nullptr) *greatest = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  PLANISH_FORWARD(cudaDeviceGetPCIBusId, text, length, device);
  return refuse(device != 0 ? cudaErrorInvalidDevice : cudaErrorNotSupported);  // it is on no bus
}
cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* text) {
  PLANISH_FORWARD(cudaDeviceGetByPCIBusId, device, text);
  return refuse(device == nullptr || text == nullptr ? cudaErrorInvalidValue : cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  PLANISH_FORWARD(cudaDeviceCanAccessPeer, can, device, peer);
  return device != 0 || peer != 0 ? refuse(cudaErrorInvalidDevice) : give(can, 0);
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int flags) {
  PLANISH_FORWARD(cudaDeviceEnablePeerAccess, peer, flags);
  return refuse(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  PLANISH_FORWARD(cudaDeviceDisablePeerAccess, peer);
  return refuse(peer == 0 ? cudaErrorPeerAccessNotEnabled : cudaErrorInvalidDevice);
}
cudaError_t cudaCtxResetPersistingL2Cache() {
  PLANISH_FORWARD(cudaCtxResetPersistingL2Cache);
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  PLANISH_FORWARD(cudaDriverGetVersion, version);
  return give(version, CUDART_VERSION);
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  PLANISH_FORWARD(cudaRuntimeGetVersion, version);
  return give(version, CUDART_VERSION);
}
cudaError_t cudaProfilerStart() {
  PLANISH_FORWARD(cudaProfilerStart);
  return cudaSuccess;
}
cudaError_t cudaProfilerStop() {
  PLANISH_FORWARD(cudaProfilerStop);
  return cudaSuccess;
}

}  // extern "C"
