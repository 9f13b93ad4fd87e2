// How elements of a tensor lie in memory.
#ifndef PLANISH_TENSORRT_FORMATS_H
#define PLANISH_TENSORRT_FORMATS_H

#include "nvinfer/dims.h"

namespace nvinfer1 {

enum class TensorFormat : int32_t {
  kLINEAR = 0,
  kNCHW = kLINEAR,
  kCHW2 = 1,
  kNC2HW2 = kCHW2,
  kHWC8 = 2,
  kNHWC8 = kHWC8,
  kCHW4 = 3,
  kCHW16 = 4,
  kCHW32 = 5,
  kDHWC8 = 6,
  kCDHW32 = 7,
  kHWC = 8,
  kDLA_LINEAR = 9,
  kDLA_HWC4 = 10,
  kHWC16 = 11,
  kDHWC = 12,
};
template <>
constexpr int32_t EnumMax<TensorFormat>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 9 : 13;
}
using PluginFormat = TensorFormat;
using TensorFormats = uint32_t;  // a bit a format

enum class TensorIOMode : int32_t { kNONE = 0, kINPUT = 1, kOUTPUT = 2 };
template <>
constexpr int32_t EnumMax<TensorIOMode>() {
  return 3;
}

enum class EngineCapability : int32_t {
  kSTANDARD = 0,
  kDEFAULT = kSTANDARD,
  kSAFETY = 1,
  kSAFE_GPU = kSAFETY,
  kDLA_STANDALONE = 2,
  kSAFE_DLA = kDLA_STANDALONE,
};
template <>
constexpr int32_t EnumMax<EngineCapability>() {
  return 3;
}

enum class OptProfileSelector : int32_t { kMIN = 0, kOPT = 1, kMAX = 2 };
template <>
constexpr int32_t EnumMax<OptProfileSelector>() {
  return 3;
}

// kDEFAULT and kVERBOSE are the names up to 8.0.
enum class ProfilingVerbosity : int32_t {
  kLAYER_NAMES_ONLY = 0,
  kDEFAULT = kLAYER_NAMES_ONLY,
  kNONE = 1,
  kDETAILED = 2,
  kVERBOSE = kDETAILED,
};
template <>
constexpr int32_t EnumMax<ProfilingVerbosity>() {
  return 3;
}

enum class HardwareCompatibilityLevel : int32_t { kNONE = 0, kAMPERE_PLUS = 1, kSAME_COMPUTE_CAPABILITY = 2 };
template <>
constexpr int32_t EnumMax<HardwareCompatibilityLevel>() {
  return 3;
}

enum class TacticSource : int32_t {
  kCUBLAS = 0,
  kCUBLAS_LT = 1,
  kCUDNN = 2,
  kEDGE_MASK_CONVOLUTIONS = 3,
  kJIT_CONVOLUTIONS = 4,
};
template <>
constexpr int32_t EnumMax<TacticSource>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 2 : 5;
}
using TacticSources = uint32_t;  // a bit a source

enum class TempfileControlFlag : int32_t { kALLOW_IN_MEMORY_FILES = 0, kALLOW_TEMPORARY_FILES = 1 };
template <>
constexpr int32_t EnumMax<TempfileControlFlag>() {
  return 2;
}
using TempfileControlFlags = uint32_t;

enum class ExecutionContextAllocationStrategy : int32_t { kSTATIC = 0, kON_PROFILE_CHANGE = 1, kUSER_MANAGED = 2 };
template <>
constexpr int32_t EnumMax<ExecutionContextAllocationStrategy>() {
  return 3;
}

enum class LayerInformationFormat : int32_t { kONELINE = 0, kJSON = 1 };
template <>
constexpr int32_t EnumMax<LayerInformationFormat>() {
  return 2;
}

enum class SerializationFlag : int32_t { kEXCLUDE_WEIGHTS = 0, kEXCLUDE_LEAN_RUNTIME = 1, kINCLUDE_REFIT = 2 };
template <>
constexpr int32_t EnumMax<SerializationFlag>() {
  return 3;
}
using SerializationFlags = uint32_t;

enum class EngineStat : int32_t { kTOTAL_WEIGHTS_SIZE = 0, kSTRIPPED_WEIGHTS_SIZE = 1 };
template <>
constexpr int32_t EnumMax<EngineStat>() {
  return 2;
}

}  // namespace nvinfer1

#endif
