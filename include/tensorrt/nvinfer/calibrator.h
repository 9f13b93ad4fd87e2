// Calibration: the caller gives batches, or the table that an earlier run wrote. Implemented by callers.
#ifndef PLANISH_TENSORRT_CALIBRATOR_H
#define PLANISH_TENSORRT_CALIBRATOR_H

#include "nvinfer/base.h"

namespace nvinfer1 {

enum class CalibrationAlgoType : int32_t {
  kLEGACY_CALIBRATION = 0,
  kENTROPY_CALIBRATION = 1,
  kENTROPY_CALIBRATION_2 = 2,
  kMINMAX_CALIBRATION = 3,
};
template <>
constexpr int32_t EnumMax<CalibrationAlgoType>() {
  return 4;
}

class IInt8Calibrator : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IInt8Calibrator", 1, 0}; }
  virtual int32_t getBatchSize() const = 0;
  // Addresses on the device of the inputs in `names`; false: there are no more.
  virtual bool getBatch(void* bindings[], char const* names[], int32_t nbBindings) = 0;
  virtual void const* readCalibrationCache(size_t& length) = 0;
  virtual void writeCalibrationCache(void const* ptr, size_t length) = 0;
  virtual CalibrationAlgoType getAlgorithm() = 0;
};

class IInt8EntropyCalibrator : public IInt8Calibrator {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IInt8EntropyCalibrator", 1, 0}; }
  CalibrationAlgoType getAlgorithm() override { return CalibrationAlgoType::kENTROPY_CALIBRATION; }
};

class IInt8EntropyCalibrator2 : public IInt8Calibrator {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IInt8EntropyCalibrator2", 1, 0}; }
  CalibrationAlgoType getAlgorithm() override { return CalibrationAlgoType::kENTROPY_CALIBRATION_2; }
};

class IInt8MinMaxCalibrator : public IInt8Calibrator {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IInt8MinMaxCalibrator", 1, 0}; }
  CalibrationAlgoType getAlgorithm() override { return CalibrationAlgoType::kMINMAX_CALIBRATION; }
};

class IInt8LegacyCalibrator : public IInt8Calibrator {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IInt8Calibrator", 1, 0}; }
  CalibrationAlgoType getAlgorithm() override { return CalibrationAlgoType::kLEGACY_CALIBRATION; }
  virtual double getQuantile() const = 0;
  virtual double getRegressionCutoff() const = 0;
  virtual void const* readHistogramCache(size_t& length) = 0;
  virtual void writeHistogramCache(void const* ptr, size_t length) = 0;
};

}  // namespace nvinfer1

#endif
