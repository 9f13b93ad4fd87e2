#include "tensorrt/build/config.h"

#include <algorithm>

#include "tensorrt/runtime/memory.h"

namespace planish::tensorrt {
namespace {

size_t index_of(nvinfer1::OptProfileSelector select) { return static_cast<size_t>(known(select)); }

}  // namespace

// --- profiles

bool ProfileImpl::setDimensions(char const* input, nvinfer1::OptProfileSelector select, nvinfer1::Dims const& dims) {
  return reporter_.guard("IOptimizationProfile::setDimensions", false, [&] {
    if (input == nullptr) refuse("the input's name is null");
    const Extents extents = extents_of(dims);
    for (int64_t extent : extents)
      if (extent < 0) refuse("input '" + std::string(input) + "' is given the extent " + std::to_string(extent));
    Shapes& shapes = shapes_[input];
    for (size_t i = 0; i < 3; ++i)
      if (shapes.given[i] && shapes.extents[i].size() != extents.size())
        refuse("input '" + std::string(input) + "' is given rank " + std::to_string(extents.size()) + " and, before, " +
               std::to_string(shapes.extents[i].size()));
    shapes.extents[index_of(select)] = extents;
    shapes.given[index_of(select)] = true;
    return true;
  });
}

nvinfer1::Dims ProfileImpl::getDimensions(char const* input, nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("IOptimizationProfile::getDimensions", no_dims(), [&] {
    const auto at = input == nullptr ? shapes_.end() : shapes_.find(input);
    if (at == shapes_.end() || !at->second.given[index_of(select)]) return no_dims();
    return dims_of(at->second.extents[index_of(select)]);
  });
}

bool ProfileImpl::setShapeValuesV2(char const* input, nvinfer1::OptProfileSelector select, int64_t const* values,
                                   int32_t count) {
  return reporter_.guard("IOptimizationProfile::setShapeValues", false, [&] {
    if (input == nullptr || (values == nullptr && count > 0) || count < 0 || count > 64)
      refuse("the name or the values are null, or there are more than 64");
    Values& kept = values_[input];
    kept.wide[index_of(select)].assign(values, values + count);
    kept.narrow[index_of(select)].assign(values, values + count);
    return true;
  });
}

bool ProfileImpl::setShapeValues(char const* input, nvinfer1::OptProfileSelector select, int32_t const* values,
                                 int32_t count) {
  return reporter_.guard("IOptimizationProfile::setShapeValues", false, [&] {
    if (values == nullptr || count < 0) refuse("the values are null");
    const std::vector<int64_t> wide(values, values + count);
    return setShapeValuesV2(input, select, wide.data(), count);
  });
}

int32_t ProfileImpl::getNbShapeValues(char const* input) const {
  const auto at = input == nullptr ? values_.end() : values_.find(input);
  return at == values_.end() ? -1 : static_cast<int32_t>(at->second.wide[0].size());
}

int32_t const* ProfileImpl::getShapeValues(char const* input, nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("IOptimizationProfile::getShapeValues", static_cast<int32_t const*>(nullptr), [&] {
    const auto at = input == nullptr ? values_.end() : values_.find(input);
    const size_t which = index_of(select);
    return at == values_.end() ? nullptr : at->second.narrow[which].data();
  });
}

int64_t const* ProfileImpl::getShapeValuesV2(char const* input, nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("IOptimizationProfile::getShapeValuesV2", static_cast<int64_t const*>(nullptr), [&] {
    const auto at = input == nullptr ? values_.end() : values_.find(input);
    const size_t which = index_of(select);
    return at == values_.end() ? nullptr : at->second.wide[which].data();
  });
}

bool ProfileImpl::setExtraMemoryTarget(float target) {
  if (!(target >= 0 && target <= 1)) return false;
  memory_target_ = target;
  return true;
}

bool ProfileImpl::isValid() const {
  for (const auto& [input, shapes] : shapes_) {
    if (!shapes.given[0] || !shapes.given[1] || !shapes.given[2]) return false;
    for (size_t i = 0; i < shapes.extents[0].size(); ++i)
      if (shapes.extents[0][i] > shapes.extents[1][i] || shapes.extents[1][i] > shapes.extents[2][i]) return false;
  }
  for (const auto& [input, values] : values_)
    if (values.wide[0].size() != values.wide[1].size() || values.wide[1].size() != values.wide[2].size()) return false;
  return true;
}

InputRanges ProfileImpl::ranges() const {
  InputRanges ranges;
  for (const auto& [input, shapes] : shapes_) {
    if (!shapes.given[0] || !shapes.given[1] || !shapes.given[2])
      refuse("the profile gives input '" + input + "' not all of kMIN, kOPT and kMAX");
    ranges.push_back({input, shapes.extents[0], shapes.extents[1], shapes.extents[2]});
  }
  return ranges;
}

std::string ProfileImpl::shape_values_note(int profile) const {
  std::string note;
  for (const auto& [input, values] : values_) {
    if (input.find_first_of(" \n") != std::string::npos) continue;
    note += std::to_string(profile) + " " + input + " " + std::to_string(values.wide[0].size());
    for (const auto& list : values.wide)
      for (int64_t value : list) note += " " + std::to_string(value);
    note += "\n";
  }
  return note;
}

// --- configurations

void ConfigImpl::setEngineCapability(nvinfer1::EngineCapability capability) {
  if (!take(s.capability, capability)) return;
  if (capability != nvinfer1::EngineCapability::kSTANDARD)
    reporter_.warn("setEngineCapability: engines of this library are of the standard capability");
}

void ConfigImpl::setMemoryPoolLimit(nvinfer1::MemoryPoolType pool, size_t bytes) {
  reporter_.guard("setMemoryPoolLimit", [&] { s.pools.at(static_cast<size_t>(known(pool))) = bytes; });
}

size_t ConfigImpl::getMemoryPoolLimit(nvinfer1::MemoryPoolType pool) const {
  return reporter_.guard("getMemoryPoolLimit", size_t{0}, [&] { return s.pools.at(static_cast<size_t>(known(pool))); });
}

static std::shared_ptr<const ProfileImpl> shared(nvinfer1::IOptimizationProfile const* profile) {
  if (profile == nullptr) return nullptr;
  return static_cast<const ProfileImpl*>(profile)->shared_from_this();
}

bool ConfigImpl::setCalibrationProfile(nvinfer1::IOptimizationProfile const* profile) {
  s.calibration_profile = shared(profile);
  return profile != nullptr;
}

int32_t ConfigImpl::addOptimizationProfile(nvinfer1::IOptimizationProfile const* profile) {
  return reporter_.guard("addOptimizationProfile", int32_t{-1}, [&] {
    if (profile == nullptr) refuse("the profile is null");
    if (!profile->isValid()) refuse("the profile is not valid: kMIN <= kOPT <= kMAX is accepted, all three given");
    s.profiles.push_back(shared(profile));
    return static_cast<int32_t>(s.profiles.size()) - 1;
  });
}

void ConfigImpl::want_device(nvinfer1::DeviceType type) {
  if (!take(type, type)) return;
  if (type == nvinfer1::DeviceType::kDLA)
    reporter_.say_once(Severity::kWARNING, "there are 0 DLA cores here; layers run on the default device");
}

void ConfigImpl::setDLACore(int32_t core) {
  if (core >= 0) reporter_.say_once(Severity::kWARNING, "there are 0 DLA cores here; layers run on the default device");
}

nvinfer1::ITimingCache* ConfigImpl::createTimingCache(void const* blob, size_t size) const {
  return reporter_.guard("createTimingCache", static_cast<nvinfer1::ITimingCache*>(nullptr),
                         [&]() -> nvinfer1::ITimingCache* { return new TimingCacheImpl(blob, size, reporter_); });
}

bool ConfigImpl::setTimingCache(nvinfer1::ITimingCache const& cache, bool) {
  s.cache = const_cast<TimingCacheImpl*>(static_cast<const TimingCacheImpl*>(&cache));
  return true;
}

void ConfigImpl::setPluginsToSerialize(char const* const* paths, int32_t count) {
  s.plugins.clear();
  for (int32_t i = 0; paths != nullptr && i < count; ++i) s.plugins.push_back(paths[i] == nullptr ? "" : paths[i]);
}

char const* ConfigImpl::getPluginToSerialize(int32_t index) const {
  return index < 0 || index >= getNbPluginsToSerialize() ? nullptr : s.plugins[static_cast<size_t>(index)].c_str();
}

}  // namespace planish::tensorrt
