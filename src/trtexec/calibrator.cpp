#include "trtexec/calibrator.h"

#include "trtexec/files.h"
#include "trtexec/logger.h"
#include "trtexec/values.h"

namespace planish::trtexec {
namespace {
constexpr int kBatches = 8;
}

Calibrator::Calibrator(const std::string& cache,
                       const std::map<std::string, std::pair<nvinfer1::DataType, size_t>>& inputs, int batch)
    : batch_(batch), left_(kBatches) {
  if (!cache.empty()) {
    cache_ = read_file(cache);
    require(!cache_.empty(), "{}: the calibration cache is empty", cache);
  }
  if (!cache_.empty()) return;
  for (const auto& [name, input] : inputs) {
    const auto& [type, bytes] = input;
    const std::string values = random_values(type, bytes, inputs_.size());
    DeviceMemory memory = device_memory(bytes);
    check(cudaMemcpy(memory.get(), values.data(), bytes, cudaMemcpyHostToDevice), "calibration values");
    inputs_.emplace(name, std::move(memory));
  }
}

bool Calibrator::getBatch(void* bindings[], char const* names[], int32_t count) {
  if (left_-- <= 0) return false;
  for (int32_t i = 0; i < count; ++i) {
    const auto at = inputs_.find(names[i]);
    if (at == inputs_.end()) return false;
    bindings[i] = at->second.get();
  }
  return true;
}

void const* Calibrator::readCalibrationCache(size_t& length) {
  length = cache_.size();
  return cache_.empty() ? nullptr : cache_.data();
}

}  // namespace planish::trtexec
