// What every header needs: export macros, names of CUDA's types, element types, errors, interface versions.
#ifndef PLANISH_TENSORRT_BASE_H
#define PLANISH_TENSORRT_BASE_H

#include <cstddef>
#include <cstdint>

#include "nvinfer/version.h"

#if defined(__has_include)
#if __has_include(<cuda_runtime_api.h>)
#include <cuda_runtime_api.h>
#define PLANISH_TENSORRT_CUDA 1
#endif
#endif
#ifndef PLANISH_TENSORRT_CUDA
typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
#endif

struct cudnnContext;
struct cublasContext;

#ifndef TENSORRTAPI
#define TENSORRTAPI __attribute__((visibility("default")))
#endif
#ifndef TRT_DEPRECATED
#define TRT_DEPRECATED
#endif
#ifndef TRT_DEPRECATED_ENUM
#define TRT_DEPRECATED_ENUM
#endif
#ifndef TRT_DEPRECATED_API
#define TRT_DEPRECATED_API TENSORRTAPI
#endif
#ifndef TRTNOEXCEPT
#if NV_TENSORRT_MAJOR >= 8
#define TRTNOEXCEPT noexcept
#else
#define TRTNOEXCEPT
#endif
#endif

namespace nvinfer1 {

using char_t = char;
using AsciiChar = char_t;

// The integer of the interface that extents, channels and counts have: 64 bits wide since major 10.
namespace door {
#if PLANISH_TENSORRT_LAYOUT >= 10
using Extent = int64_t;
#else
using Extent = int32_t;
#endif
}  // namespace door

// Number of an enumeration's values in the version compiled for (specialised beside each enumeration).
template <typename T>
constexpr int32_t EnumMax();

enum class DataType : int32_t {
  kFLOAT = 0,
  kHALF = 1,
  kINT8 = 2,
  kINT32 = 3,
  kBOOL = 4,
  kUINT8 = 5,
  kFP8 = 6,
  kBF16 = 7,
  kINT64 = 8,
  kINT4 = 9,
  kFP4 = 10,
  kE8M0 = 11,
};
template <>
constexpr int32_t EnumMax<DataType>() {
  return 12;
}

enum class DeviceType : int32_t { kGPU = 0, kDLA = 1 };
template <>
constexpr int32_t EnumMax<DeviceType>() {
  return 2;
}

enum class TensorLocation : int32_t { kDEVICE = 0, kHOST = 1 };
template <>
constexpr int32_t EnumMax<TensorLocation>() {
  return 2;
}

enum class ErrorCode : int32_t {
  kSUCCESS = 0,
  kUNSPECIFIED_ERROR = 1,
  kINTERNAL_ERROR = 2,
  kINVALID_ARGUMENT = 3,
  kINVALID_CONFIG = 4,
  kFAILED_ALLOCATION = 5,
  kFAILED_INITIALIZATION = 6,
  kFAILED_EXECUTION = 7,
  kFAILED_COMPUTATION = 8,
  kINVALID_STATE = 9,
  kUNSUPPORTED_STATE = 10,
};
template <>
constexpr int32_t EnumMax<ErrorCode>() {
  return 11;
}

enum class APILanguage : int32_t { kCPP = 0, kPYTHON = 1 };
template <>
constexpr int32_t EnumMax<APILanguage>() {
  return 2;
}

using InterfaceKind = char const*;

class InterfaceInfo {
 public:
  InterfaceKind kind;
  int32_t major;
  int32_t minor;
};

// An interface that users implement and that says which one it is.
class IVersionedInterface {
 public:
  virtual ~IVersionedInterface() = default;
  virtual APILanguage getAPILanguage() const { return APILanguage::kCPP; }
  virtual InterfaceInfo getInterfaceInfo() const = 0;

 protected:
  IVersionedInterface() = default;
  IVersionedInterface(IVersionedInterface const&) = default;
  IVersionedInterface(IVersionedInterface&&) = default;
  IVersionedInterface& operator=(IVersionedInterface const&) = default;
  IVersionedInterface& operator=(IVersionedInterface&&) = default;
};

// An object that the library makes: the caller ends it by destroy(), delete or a smart pointer.
class INoCopy {
 public:
  virtual ~INoCopy() = default;
  INoCopy(INoCopy const&) = delete;
  INoCopy(INoCopy&&) = delete;
  INoCopy& operator=(INoCopy const&) = delete;
  INoCopy& operator=(INoCopy&&) = delete;

 protected:
  INoCopy() = default;
};

}  // namespace nvinfer1

#endif
