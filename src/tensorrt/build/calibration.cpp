#include "tensorrt/build/calibration.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::CalibrationAlgoType;

const char* algorithm_name(CalibrationAlgoType type) {
  switch (type) {
    case CalibrationAlgoType::kENTROPY_CALIBRATION:
      return "EntropyCalibration";
    case CalibrationAlgoType::kENTROPY_CALIBRATION_2:
      return "EntropyCalibration2";
    case CalibrationAlgoType::kMINMAX_CALIBRATION:
      return "MinMaxCalibration";
    default:
      return "LegacyCalibration";
  }
}

std::string header_of(CalibrationAlgoType type) { return std::string("TRT-8601-") + algorithm_name(type) + "\n"; }

// "EntropyCalibration2" of "TRT-8601-EntropyCalibration2".
std::string algorithm_of(const std::string& table) {
  const std::string header = table.substr(0, table.find_first_of("\r\n"));
  return header.substr(header.rfind('-') + 1);
}

std::string without_header(const std::string& table) {
  const size_t end = table.find('\n');
  return end == std::string::npos ? "" : table.substr(end + 1);
}

std::string method_of(nvinfer1::IInt8Calibrator& calibrator, CalibrationOptions& options) {
  switch (calibrator.getAlgorithm()) {
    case CalibrationAlgoType::kMINMAX_CALIBRATION:
      return "minmax";
    case CalibrationAlgoType::kLEGACY_CALIBRATION:
      options.percent = 100 * static_cast<nvinfer1::IInt8LegacyCalibrator&>(calibrator).getQuantile();
      return "percentile";
    default:
      return "entropy";
  }
}

// Batches of a calibrator as samples: it gives addresses of the device's memory.
class Batches {
 public:
  Batches(nvinfer1::IInt8Calibrator& calibrator, const NetworkImpl& network, const Network& whole, EngineDevice& device)
      : calibrator_(calibrator), whole_(whole), device_(device), implicit_(network.implicit()) {
    for (const auto& input : network.inputs()) names_.push_back(input->name);
  }

  bool next(Samples& sample) {
    std::vector<void*> addresses(names_.size(), nullptr);
    std::vector<const char*> names;
    for (const std::string& name : names_) names.push_back(name.c_str());
    if (!calibrator_.getBatch(addresses.data(), names.data(), static_cast<int32_t>(names.size()))) return false;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (addresses[i] == nullptr) refuse("getBatch gives no address of input '" + names_[i] + "'");
      SampleInput& input = sample[names_[i]];
      if (implicit_ && !input.extents.empty()) input.extents[0] = calibrator_.getBatchSize();
      input.data = device_.on_gpu() ? fetched(i, addresses[i], input.extents) : addresses[i];
    }
    return true;
  }

 private:
  // Batches lie in memory of the GPU, samples are read by the processor.
  const void* fetched(size_t i, const void* address, const Extents& extents) {
    std::vector<char>& copy = copies_[names_[i]];
    copy.resize(static_cast<size_t>(element_count(extents)) * element_bytes(whole_.dtype(*whole_.find(names_[i]))));
    const std::shared_ptr<Stream> stream = device_.stream(nullptr);
    stream->copy(copy.data(), address, copy.size());
    stream->synchronize();
    return copy.data();
  }

  nvinfer1::IInt8Calibrator& calibrator_;
  const Network& whole_;
  EngineDevice& device_;
  bool implicit_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<char>> copies_;
};

// Where extents are dynamic, the calibration profile's typical ones are run, or those of the first profile.
InputRanges typical_ranges(const ConfigImpl& config) {
  const ProfileImpl* profile = config.calibration_profile();
  if (profile == nullptr && !config.profiles().empty()) profile = config.profiles()[0].get();
  InputRanges ranges = profile == nullptr ? InputRanges{} : profile->ranges();
  for (InputRange& range : ranges) range.min = range.max = range.opt;
  return ranges;
}

std::string table_of(nvinfer1::IInt8Calibrator& calibrator, NetworkImpl& network, const ConfigImpl& config,
                     const Network& whole, EngineDevice& device) {
  const std::string algorithm = algorithm_name(calibrator.getAlgorithm());
  size_t length = 0;
  if (const void* cache = calibrator.readCalibrationCache(length); cache != nullptr && length > 0) {
    std::string table(static_cast<const char*>(cache), length);
    if (algorithm_of(table) == algorithm) return table;
    network.reporter().warn("the calibration cache is of " + algorithm_of(table) + ", the calibrator of " + algorithm +
                            ": the network is calibrated again");
  }
  CalibrationOptions options;
  options.method = method_of(calibrator, options);
  options.threads = device.device().threads();
  if (!network.implicit()) options.profile = typical_ranges(config);
  Batches batches(calibrator, network, whole, device);
  const std::string body = without_header(calibrate(
      whole, [&](Samples& sample) { return batches.next(sample); }, options));
  const std::string table = header_of(calibrator.getAlgorithm()) + body;
  calibrator.writeCalibrationCache(table.data(), table.size());
  return table;
}

// Scales that ITensor::setDynamicRange states, by the tensor's name in `whole`.
std::map<std::string, std::string> stated_scales(const NetworkImpl& network, const Network& whole) {
  std::map<std::string, std::string> scales;
  const auto take = [&](const TensorImpl& tensor) {
    if (!tensor.range_set || !tensor.value.present()) return;
    const float scale = tensor.getDynamicRange() / 127;
    char digits[16];
    std::snprintf(digits, sizeof digits, "%08x", std::bit_cast<uint32_t>(scale));
    if (std::isnormal(scale)) scales[whole.name(tensor.value)] = digits;
  };
  for (const auto& input : network.inputs()) take(*input);
  for (const auto& layer : network.layers())
    for (const auto& result : layer->results) take(*result);
  return scales;
}

}  // namespace

void name_values(const NetworkImpl& network, Network& whole) {
  for (const auto& layer : network.layers())
    for (const auto& result : layer->results)
      if (result->value.present() && !result->name.empty() && !whole.find(result->name))
        whole.set_name(result->value, result->name);
}

Ranges ranges_of(NetworkImpl& network, const ConfigImpl& config, const Network& whole, EngineDevice& device) {
  Ranges ranges;
  const auto stated = stated_scales(network, whole);
  if (nvinfer1::IInt8Calibrator* calibrator = config.getInt8Calibrator())
    ranges.table = table_of(*calibrator, network, config, whole, device);
  else if (!stated.empty())
    ranges = {header_of(CalibrationAlgoType::kENTROPY_CALIBRATION_2), true};
  if (stated.empty()) return ranges;
  std::istringstream lines(ranges.table);
  std::string merged;
  for (std::string line; std::getline(lines, line);)
    if (stated.count(line.substr(0, line.rfind(": "))) == 0) merged += line + "\n";
  for (const auto& [name, digits] : stated) merged += name + ": " + digits + "\n";
  ranges.table = merged;
  return ranges;
}

}  // namespace planish::tensorrt
