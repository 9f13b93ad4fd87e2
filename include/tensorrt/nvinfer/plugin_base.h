// What plugins of all generations share: fields of their creators, descriptions of their operands.
#ifndef PLANISH_TENSORRT_PLUGIN_BASE_H
#define PLANISH_TENSORRT_PLUGIN_BASE_H

#include "nvinfer/allocator.h"
#include "nvinfer/formats.h"
#include "nvinfer/logger.h"
#include "nvinfer/weights.h"

namespace nvinfer1 {

enum class PluginFieldType : int32_t {
  kFLOAT16 = 0,
  kFLOAT32 = 1,
  kFLOAT64 = 2,
  kINT8 = 3,
  kINT16 = 4,
  kINT32 = 5,
  kCHAR = 6,
  kDIMS = 7,
  kUNKNOWN = 8,
  kBF16 = 9,
  kINT64 = 10,
  kFP8 = 11,
  kINT4 = 12,
  kFP4 = 13,
};

// A named argument: `length` elements of `type`.
class PluginField {
 public:
  PluginField(AsciiChar const* field = nullptr, void const* values = nullptr,
              PluginFieldType kind = PluginFieldType::kUNKNOWN, int32_t count = 0)
      : name(field), data(values), type(kind), length(count) {}
  AsciiChar const* name;
  void const* data;
  PluginFieldType type;
  int32_t length;
};

struct PluginFieldCollection {
  int32_t nbFields;
  PluginField const* fields;
};

struct PluginTensorDesc {
  Dims dims;
  DataType type;
  TensorFormat format;
  float scale;
};

struct DynamicPluginTensorDesc {
  PluginTensorDesc desc;
  Dims min;
  Dims max;
#if PLANISH_TENSORRT_LAYOUT >= 10
  Dims opt;
#endif
};

enum class PluginVersion : uint8_t {
  kV2 = 0,
  kV2_EXT = 1,
  kV2_IOEXT = 2,
  kV2_DYNAMICEXT = 3,
  kV2_DYNAMICEXT_PYTHON = 67,
};
enum class PluginCreatorVersion : int32_t { kV1 = 0, kV1_PYTHON = 64 };
enum class PluginCapabilityType : int32_t { kCORE = 0, kBUILD = 1, kRUNTIME = 2 };
enum class TensorRTPhase : int32_t { kBUILD = 0, kRUNTIME = 1 };

// Something that plugins share by a key of the registry.
class IPluginResource : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IPluginResource", 1, 0}; }
  virtual int32_t release() = 0;
  virtual IPluginResource* clone() = 0;
};

}  // namespace nvinfer1

#endif
