#pragma once
// The calibrator of --int8: a cache from a file, or random batches.

#include <map>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "trtexec/cuda.h"

namespace planish::trtexec {

class Calibrator final : public nvinfer1::IInt8EntropyCalibrator2 {
 public:
  // `cache`: a file to read; empty: none. Of each input its type and bytes.
  Calibrator(const std::string& cache, const std::map<std::string, std::pair<nvinfer1::DataType, size_t>>& inputs,
             int batch);
  int32_t getBatchSize() const override { return batch_; }
  bool getBatch(void* bindings[], char const* names[], int32_t count) override;
  void const* readCalibrationCache(size_t& length) override;
  void writeCalibrationCache(void const*, size_t) override {}  // of random batches, or as it was read

 private:
  std::string cache_;
  std::map<std::string, DeviceMemory> inputs_;
  int batch_, left_;
};

}  // namespace planish::trtexec
