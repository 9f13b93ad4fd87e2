// How a network is built.
#ifndef PLANISH_TENSORRT_CONFIG_H
#define PLANISH_TENSORRT_CONFIG_H

#include "nvinfer/algorithm.h"
#include "nvinfer/calibrator.h"
#include "nvinfer/profile.h"
#include "nvinfer/tensor.h"

namespace nvinfer1 {

// Numbered as in the version compiled for; flags that it had not come last.
using BuilderFlags = uint32_t;
enum class BuilderFlag : int32_t {
  kFP16 = 0,
  kINT8 = 1,
  kDEBUG = 2,
  kGPU_FALLBACK = 3,
#if PLANISH_TENSORRT_LAYOUT >= 10
  kREFIT = 4,
  kDISABLE_TIMING_CACHE = 5,
  kTF32 = 6,
  kSPARSE_WEIGHTS = 7,
  kSAFETY_SCOPE = 8,
  kOBEY_PRECISION_CONSTRAINTS = 9,
  kPREFER_PRECISION_CONSTRAINTS = 10,
  kDIRECT_IO = 11,
  kREJECT_EMPTY_ALGORITHMS = 12,
  kVERSION_COMPATIBLE = 13,
  kEXCLUDE_LEAN_RUNTIME = 14,
  kFP8 = 15,
  kERROR_ON_TIMING_CACHE_MISS = 16,
  kBF16 = 17,
  kDISABLE_COMPILATION_CACHE = 18,
  kSTRIP_PLAN = 19,
  kREFIT_IDENTICAL = 20,
  kWEIGHT_STREAMING = 21,
  kINT4 = 22,
  kREFIT_INDIVIDUAL = 23,
  kSTRICT_NANS = 24,
  kMONITOR_MEMORY = 25,
  kFP4 = 26,
  kEDITABLE_TIMING_CACHE = 27,
  kDISTRIBUTIVE_INDEPENDENCE = 28,
  kSTRICT_TYPES = 29,
  kENABLE_TACTIC_HEURISTIC = 30,
#else
  kSTRICT_TYPES = 4,
  kREFIT = 5,
  kDISABLE_TIMING_CACHE = 6,
  kTF32 = 7,
  kSPARSE_WEIGHTS = 8,
  kSAFETY_SCOPE = 9,
  kOBEY_PRECISION_CONSTRAINTS = 10,
  kPREFER_PRECISION_CONSTRAINTS = 11,
  kDIRECT_IO = 12,
  kREJECT_EMPTY_ALGORITHMS = 13,
  kENABLE_TACTIC_HEURISTIC = 14,
  kVERSION_COMPATIBLE = 15,
  kEXCLUDE_LEAN_RUNTIME = 16,
  kFP8 = 17,
  kERROR_ON_TIMING_CACHE_MISS = 18,
  kBF16 = 19,
  kDISABLE_COMPILATION_CACHE = 20,
  kSTRIP_PLAN = 21,
  kREFIT_IDENTICAL = 22,
  kWEIGHT_STREAMING = 23,
  kINT4 = 24,
  kREFIT_INDIVIDUAL = 25,
  kSTRICT_NANS = 26,
  kMONITOR_MEMORY = 27,
  kFP4 = 28,
  kEDITABLE_TIMING_CACHE = 29,
  kDISTRIBUTIVE_INDEPENDENCE = 30,
#endif
  kWEIGHTLESS = kSTRIP_PLAN,
};
template <>
constexpr int32_t EnumMax<BuilderFlag>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 8 : PLANISH_TENSORRT_LAYOUT == 8 ? 22 : 29;
}

enum class QuantizationFlag : int32_t { kCALIBRATE_BEFORE_FUSION = 0 };
template <>
constexpr int32_t EnumMax<QuantizationFlag>() {
  return 1;
}
using QuantizationFlags = uint32_t;

enum class MemoryPoolType : int32_t {
  kWORKSPACE = 0,
  kDLA_MANAGED_SRAM = 1,
  kDLA_LOCAL_DRAM = 2,
  kDLA_GLOBAL_DRAM = 3,
  kTACTIC_DRAM = 4,
  kTACTIC_SHARED_MEMORY = 5,
};
template <>
constexpr int32_t EnumMax<MemoryPoolType>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 6 : 5;
}

enum class PreviewFeature : int32_t {
#if PLANISH_TENSORRT_LAYOUT >= 10
  kPROFILE_SHARING_0806 = 0,
  kALIASED_PLUGIN_IO_10_03 = 1,
  kRUNTIME_ACTIVATION_RESIZE_10_10 = 2,
  kMULTIDEVICE_RUNTIME_10_16 = 3,
  kFASTER_DYNAMIC_SHAPES_0805 = 4,
  kDISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805 = 5,
#else
  kFASTER_DYNAMIC_SHAPES_0805 = 0,
  kDISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805 = 1,
  kPROFILE_SHARING_0806 = 2,
  kALIASED_PLUGIN_IO_10_03 = 3,
  kRUNTIME_ACTIVATION_RESIZE_10_10 = 4,
  kMULTIDEVICE_RUNTIME_10_16 = 5,
#endif
};
template <>
constexpr int32_t EnumMax<PreviewFeature>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 4 : 3;
}

enum class RuntimePlatform : int32_t { kSAME_AS_BUILD = 0, kWINDOWS_AMD64 = 1 };
template <>
constexpr int32_t EnumMax<RuntimePlatform>() {
  return 2;
}

enum class TilingOptimizationLevel : int32_t { kNONE = 0, kFAST = 1, kMODERATE = 2, kFULL = 3 };
template <>
constexpr int32_t EnumMax<TilingOptimizationLevel>() {
  return 4;
}

struct TimingCacheKey {
  uint8_t data[16];
};
struct TimingCacheValue {
  uint64_t tacticHash;
  float timingMSec;
  static constexpr uint64_t kINVALID_TACTIC_HASH = UINT64_MAX;
};

// Times that were measured, to be used again.
class ITimingCache : public INoCopy {
 public:
  virtual IHostMemory* serialize() const = 0;
  virtual bool combine(ITimingCache const& inputCache, bool ignoreMismatch) = 0;
  virtual bool reset() = 0;
  virtual int64_t queryKeys(TimingCacheKey* keyBuffer, int64_t capacity) const = 0;
  virtual TimingCacheValue query(TimingCacheKey const& key) const = 0;
  virtual bool update(TimingCacheKey const& key, TimingCacheValue const& value) = 0;
  virtual void destroy() = 0;
};

// Implemented by callers: told how far a build is, may end it.
class IProgressMonitor : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IProgressMonitor", 1, 0}; }
  virtual void phaseStart(char const* phaseName, char const* parentPhase, int32_t nbSteps) = 0;
  virtual bool stepComplete(char const* phaseName, int32_t step) = 0;
  virtual void phaseFinish(char const* phaseName) = 0;
};

class IBuilderConfig : public INoCopy {
 public:
  virtual void setFlags(BuilderFlags builderFlags) = 0;
  virtual BuilderFlags getFlags() const = 0;
  virtual void clearFlag(BuilderFlag builderFlag) = 0;
  virtual void setFlag(BuilderFlag builderFlag) = 0;
  virtual bool getFlag(BuilderFlag builderFlag) const = 0;
  virtual void reset() = 0;

  virtual void setMinTimingIterations(int32_t minTiming) = 0;
  virtual int32_t getMinTimingIterations() const = 0;
  virtual void setAvgTimingIterations(int32_t avgTiming) = 0;
  virtual int32_t getAvgTimingIterations() const = 0;
  virtual void setEngineCapability(EngineCapability capability) = 0;
  virtual EngineCapability getEngineCapability() const = 0;
  virtual void setMaxWorkspaceSize(size_t workspaceSize) = 0;
  virtual size_t getMaxWorkspaceSize() const = 0;
  virtual void setMemoryPoolLimit(MemoryPoolType pool, size_t poolSize) = 0;
  virtual size_t getMemoryPoolLimit(MemoryPoolType pool) const = 0;
  virtual void setProfileStream(cudaStream_t const stream) = 0;
  virtual cudaStream_t getProfileStream() const = 0;

  virtual void setInt8Calibrator(IInt8Calibrator* calibrator) = 0;
  virtual IInt8Calibrator* getInt8Calibrator() const = 0;
  virtual bool setCalibrationProfile(IOptimizationProfile const* profile) = 0;
  virtual IOptimizationProfile const* getCalibrationProfile() = 0;
  virtual void setQuantizationFlags(QuantizationFlags flags) = 0;
  virtual QuantizationFlags getQuantizationFlags() const = 0;
  virtual void clearQuantizationFlag(QuantizationFlag flag) = 0;
  virtual void setQuantizationFlag(QuantizationFlag flag) = 0;
  virtual bool getQuantizationFlag(QuantizationFlag flag) const = 0;

  virtual int32_t addOptimizationProfile(IOptimizationProfile const* profile) = 0;
  virtual int32_t getNbOptimizationProfiles() const = 0;

  virtual void setDeviceType(ILayer const* layer, DeviceType deviceType) = 0;
  virtual DeviceType getDeviceType(ILayer const* layer) const = 0;
  virtual bool isDeviceTypeSet(ILayer const* layer) const = 0;
  virtual void resetDeviceType(ILayer const* layer) = 0;
  virtual bool canRunOnDLA(ILayer const* layer) const = 0;
  virtual void setDLACore(int32_t dlaCore) = 0;
  virtual int32_t getDLACore() const = 0;
  virtual void setDefaultDeviceType(DeviceType deviceType) = 0;
  virtual DeviceType getDefaultDeviceType() const = 0;

  virtual void setProfilingVerbosity(ProfilingVerbosity verbosity) = 0;
  virtual ProfilingVerbosity getProfilingVerbosity() const = 0;
  virtual void setAlgorithmSelector(IAlgorithmSelector* selector) = 0;
  virtual IAlgorithmSelector* getAlgorithmSelector() const = 0;
  virtual bool setTacticSources(TacticSources tacticSources) = 0;
  virtual TacticSources getTacticSources() const = 0;
  virtual ITimingCache* createTimingCache(void const* blob, size_t size) const = 0;
  virtual bool setTimingCache(ITimingCache const& cache, bool ignoreMismatch) = 0;
  virtual ITimingCache const* getTimingCache() const = 0;
  virtual void setPreviewFeature(PreviewFeature feature, bool enable) = 0;
  virtual bool getPreviewFeature(PreviewFeature feature) const = 0;
  virtual void setBuilderOptimizationLevel(int32_t level) = 0;
  virtual int32_t getBuilderOptimizationLevel() const = 0;
  virtual void setMaxNbTactics(int32_t maxNbTactics) = 0;
  virtual int32_t getMaxNbTactics() const = 0;
  virtual void setHardwareCompatibilityLevel(HardwareCompatibilityLevel hardwareCompatibilityLevel) = 0;
  virtual HardwareCompatibilityLevel getHardwareCompatibilityLevel() const = 0;
  virtual void setRuntimePlatform(RuntimePlatform runtimePlatform) = 0;
  virtual RuntimePlatform getRuntimePlatform() const = 0;
  virtual void setPluginsToSerialize(char const* const* paths, int32_t nbPaths) = 0;
  virtual char const* getPluginToSerialize(int32_t index) const = 0;
  virtual int32_t getNbPluginsToSerialize() const = 0;
  virtual void setMaxAuxStreams(int32_t nbStreams) = 0;
  virtual int32_t getMaxAuxStreams() const = 0;
  virtual void setProgressMonitor(IProgressMonitor* monitor) = 0;
  virtual IProgressMonitor* getProgressMonitor() const = 0;
  virtual bool setTilingOptimizationLevel(TilingOptimizationLevel level) = 0;
  virtual TilingOptimizationLevel getTilingOptimizationLevel() const = 0;
  virtual bool setL2LimitForTiling(int64_t size) = 0;
  virtual int64_t getL2LimitForTiling() const = 0;
  virtual bool setRemoteAutoTuningConfig(char const* config) = 0;
  virtual char const* getRemoteAutoTuningConfig() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

#endif
