#pragma once
// What a plugin of the second generation is told before it is written to a plan.

#include <vector>

#include "tensorrt/runtime/plugin_record.h"

namespace planish::tensorrt {

Generation generation_of(const nvinfer1::IPluginV2& plugin);

// Operands as a plugin is shown them; extents that are not known are -1.
struct ShownOperands {
  std::vector<nvinfer1::Dims> dims;
  std::vector<nvinfer1::DataType> types;
};
// Error(unsupported): it does not take these types in linear format.
void configure(nvinfer1::IPluginV2& plugin, const ShownOperands& in, int32_t max_batch);

}  // namespace planish::tensorrt
