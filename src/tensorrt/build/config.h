#pragma once
// IBuilderConfig, IOptimizationProfile: records that the builder reads.

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "tensorrt/build/timing_cache.h"
#include "tensorrt/runtime/enums.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {

// The builder makes them; configurations that have them keep them, too.
class ProfileImpl final : public nvinfer1::IOptimizationProfile, public std::enable_shared_from_this<ProfileImpl> {
 public:
  explicit ProfileImpl(const Reporter& reporter) : reporter_(reporter) {}
  bool setDimensions(char const* input, nvinfer1::OptProfileSelector select, nvinfer1::Dims const& dims) override;
  nvinfer1::Dims getDimensions(char const* input, nvinfer1::OptProfileSelector select) const override;
  bool setShapeValues(char const* input, nvinfer1::OptProfileSelector select, int32_t const* values,
                      int32_t count) override;
  int32_t getNbShapeValues(char const* input) const override;
  int32_t const* getShapeValues(char const* input, nvinfer1::OptProfileSelector select) const override;
  bool setShapeValuesV2(char const* input, nvinfer1::OptProfileSelector select, int64_t const* values,
                        int32_t count) override;
  int64_t const* getShapeValuesV2(char const* input, nvinfer1::OptProfileSelector select) const override;
  bool setExtraMemoryTarget(float target) override;
  float getExtraMemoryTarget() const override { return memory_target_; }
  bool isValid() const override;

  // Ranges of the inputs that have all three; Error for min > opt and the like.
  InputRanges ranges() const;
  std::string shape_values_note(int profile) const;

 private:
  struct Shapes {
    std::array<Extents, 3> extents;
    std::array<bool, 3> given{};
  };
  struct Values {
    std::array<std::vector<int64_t>, 3> wide;
    std::array<std::vector<int32_t>, 3> narrow;
  };
  Reporter reporter_;
  std::map<std::string, Shapes> shapes_;
  std::map<std::string, Values> values_;
  float memory_target_ = 1;
};

class ConfigImpl final : public nvinfer1::IBuilderConfig {
 public:
  explicit ConfigImpl(const Reporter& reporter) : reporter_(reporter) {}

  void setFlags(nvinfer1::BuilderFlags flags) override { s.flags = flags; }
  nvinfer1::BuilderFlags getFlags() const override { return s.flags; }
  void clearFlag(nvinfer1::BuilderFlag flag) override { change(s.flags, flag, false); }
  void setFlag(nvinfer1::BuilderFlag flag) override { change(s.flags, flag, true); }
  bool getFlag(nvinfer1::BuilderFlag flag) const override { return has(s.flags, flag); }
  void reset() override { s = {}; }
  void setMinTimingIterations(int32_t n) override { s.min_timing = n; }
  int32_t getMinTimingIterations() const override { return s.min_timing; }
  void setAvgTimingIterations(int32_t n) override { s.avg_timing = n; }
  int32_t getAvgTimingIterations() const override { return s.avg_timing; }
  void setEngineCapability(nvinfer1::EngineCapability capability) override;
  nvinfer1::EngineCapability getEngineCapability() const override { return s.capability; }
  void setMaxWorkspaceSize(size_t bytes) override { s.pools[0] = bytes; }
  size_t getMaxWorkspaceSize() const override { return s.pools[0]; }
  void setMemoryPoolLimit(nvinfer1::MemoryPoolType pool, size_t bytes) override;
  size_t getMemoryPoolLimit(nvinfer1::MemoryPoolType pool) const override;
  void setProfileStream(cudaStream_t const stream) override { s.stream = stream; }
  cudaStream_t getProfileStream() const override { return s.stream; }
  void setInt8Calibrator(nvinfer1::IInt8Calibrator* calibrator) override { s.calibrator = calibrator; }
  nvinfer1::IInt8Calibrator* getInt8Calibrator() const override { return s.calibrator; }
  bool setCalibrationProfile(nvinfer1::IOptimizationProfile const* profile) override;
  nvinfer1::IOptimizationProfile const* getCalibrationProfile() override { return s.calibration_profile.get(); }
  void setQuantizationFlags(nvinfer1::QuantizationFlags flags) override { s.quantization_flags = flags; }
  nvinfer1::QuantizationFlags getQuantizationFlags() const override { return s.quantization_flags; }
  void clearQuantizationFlag(nvinfer1::QuantizationFlag flag) override { change(s.quantization_flags, flag, false); }
  void setQuantizationFlag(nvinfer1::QuantizationFlag flag) override { change(s.quantization_flags, flag, true); }
  bool getQuantizationFlag(nvinfer1::QuantizationFlag flag) const override { return has(s.quantization_flags, flag); }
  int32_t addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) override;
  int32_t getNbOptimizationProfiles() const override { return static_cast<int32_t>(s.profiles.size()); }
  void setDeviceType(nvinfer1::ILayer const*, nvinfer1::DeviceType type) override { want_device(type); }
  nvinfer1::DeviceType getDeviceType(nvinfer1::ILayer const*) const override { return nvinfer1::DeviceType::kGPU; }
  bool isDeviceTypeSet(nvinfer1::ILayer const*) const override { return false; }
  void resetDeviceType(nvinfer1::ILayer const*) override {}
  bool canRunOnDLA(nvinfer1::ILayer const*) const override { return false; }
  void setDLACore(int32_t core) override;
  int32_t getDLACore() const override { return -1; }
  void setDefaultDeviceType(nvinfer1::DeviceType type) override { want_device(type); }
  nvinfer1::DeviceType getDefaultDeviceType() const override { return nvinfer1::DeviceType::kGPU; }
  void setProfilingVerbosity(nvinfer1::ProfilingVerbosity verbosity) override { take(s.verbosity, verbosity); }
  nvinfer1::ProfilingVerbosity getProfilingVerbosity() const override { return s.verbosity; }
  void setAlgorithmSelector(nvinfer1::IAlgorithmSelector* selector) override { s.selector = selector; }
  nvinfer1::IAlgorithmSelector* getAlgorithmSelector() const override { return s.selector; }
  bool setTacticSources(nvinfer1::TacticSources sources) override { return s.tactic_sources = sources, true; }
  nvinfer1::TacticSources getTacticSources() const override { return s.tactic_sources; }
  nvinfer1::ITimingCache* createTimingCache(void const* blob, size_t size) const override;
  bool setTimingCache(nvinfer1::ITimingCache const& cache, bool ignore_mismatch) override;
  nvinfer1::ITimingCache const* getTimingCache() const override { return s.cache; }
  void setPreviewFeature(nvinfer1::PreviewFeature feature, bool on) override { change(s.preview, feature, on); }
  bool getPreviewFeature(nvinfer1::PreviewFeature feature) const override { return has(s.preview, feature); }
  void setBuilderOptimizationLevel(int32_t level) override { s.level = level; }
  int32_t getBuilderOptimizationLevel() const override { return s.level; }
  void setMaxNbTactics(int32_t n) override { s.max_tactics = n; }
  int32_t getMaxNbTactics() const override { return s.max_tactics; }
  void setHardwareCompatibilityLevel(nvinfer1::HardwareCompatibilityLevel level) override { take(s.hardware, level); }
  nvinfer1::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const override { return s.hardware; }
  void setRuntimePlatform(nvinfer1::RuntimePlatform platform) override { take(s.platform, platform); }
  nvinfer1::RuntimePlatform getRuntimePlatform() const override { return s.platform; }
  void setPluginsToSerialize(char const* const* paths, int32_t count) override;
  char const* getPluginToSerialize(int32_t index) const override;
  int32_t getNbPluginsToSerialize() const override { return static_cast<int32_t>(s.plugins.size()); }
  void setMaxAuxStreams(int32_t n) override { s.aux_streams = n; }
  int32_t getMaxAuxStreams() const override { return s.aux_streams; }
  void setProgressMonitor(nvinfer1::IProgressMonitor* monitor) override { s.monitor = monitor; }
  nvinfer1::IProgressMonitor* getProgressMonitor() const override { return s.monitor; }
  bool setTilingOptimizationLevel(nvinfer1::TilingOptimizationLevel level) override { return take(s.tiling, level); }
  nvinfer1::TilingOptimizationLevel getTilingOptimizationLevel() const override { return s.tiling; }
  bool setL2LimitForTiling(int64_t bytes) override { return s.l2_limit = bytes, true; }
  int64_t getL2LimitForTiling() const override { return s.l2_limit; }
  bool setRemoteAutoTuningConfig(char const*) override { return false; }
  char const* getRemoteAutoTuningConfig() const override { return ""; }
  void destroy() override { delete this; }

  const std::vector<std::shared_ptr<const ProfileImpl>>& profiles() const { return s.profiles; }
  TimingCacheImpl* cache() const { return s.cache; }
  const ProfileImpl* calibration_profile() const { return s.calibration_profile.get(); }

 private:
  // Each says in the log what is no value of its enumeration, and changes nothing then.
  template <class Enum>
  bool take(Enum& member, Enum value) {
    return reporter_.guard("IBuilderConfig", false, [&] { return member = known(value), true; });
  }
  template <class Enum>
  void change(uint32_t& flags, Enum flag, bool on) {
    reporter_.guard("IBuilderConfig", [&] { flags = on ? flags | bit_of(flag) : flags & ~bit_of(flag); });
  }
  template <class Enum>
  bool has(uint32_t flags, Enum flag) const {
    return reporter_.guard("IBuilderConfig", false, [&] { return (flags & bit_of(flag)) != 0; });
  }
  void want_device(nvinfer1::DeviceType type);

  struct Settings {
    nvinfer1::BuilderFlags flags = bit_of(nvinfer1::BuilderFlag::kTF32);
    int32_t min_timing = 1, avg_timing = 1, level = 3, max_tactics = -1, aux_streams = -1;
    nvinfer1::EngineCapability capability = nvinfer1::EngineCapability::kSTANDARD;
    std::array<size_t, 6> pools{};
    cudaStream_t stream = nullptr;
    nvinfer1::IInt8Calibrator* calibrator = nullptr;
    std::shared_ptr<const ProfileImpl> calibration_profile;
    nvinfer1::QuantizationFlags quantization_flags = 0;
    std::vector<std::shared_ptr<const ProfileImpl>> profiles;
    nvinfer1::ProfilingVerbosity verbosity = nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
    nvinfer1::IAlgorithmSelector* selector = nullptr;
    nvinfer1::TacticSources tactic_sources = 0;
    TimingCacheImpl* cache = nullptr;
    uint32_t preview = 0;
    nvinfer1::HardwareCompatibilityLevel hardware = nvinfer1::HardwareCompatibilityLevel::kNONE;
    nvinfer1::RuntimePlatform platform = nvinfer1::RuntimePlatform::kSAME_AS_BUILD;
    std::vector<std::string> plugins;
    nvinfer1::IProgressMonitor* monitor = nullptr;
    nvinfer1::TilingOptimizationLevel tiling = nvinfer1::TilingOptimizationLevel::kNONE;
    int64_t l2_limit = -1;
  };
  Settings s;
  Reporter reporter_;
};

}  // namespace planish::tensorrt
