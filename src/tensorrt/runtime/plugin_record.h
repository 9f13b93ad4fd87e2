#pragma once
// How a plugin of TensorRT stands in a plan: which one, how it was configured, and its own bytes.

#include <string>
#include <string_view>
#include <vector>

#include "NvInferRuntime.h"
#include "planish/types.hpp"

namespace planish::tensorrt {

// The name under which all of them are known to the library.
inline const char* plugin_type_name() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? "tensorrt.10" : PLANISH_TENSORRT_LAYOUT == 8 ? "tensorrt.8" : "tensorrt.7";
}

enum class Generation : int64_t { v1, v1_ext, v2, v2_ext, v2_io, v2_dynamic, v3 };

struct PluginRecord {
  Generation generation = Generation::v2;
  std::string layer;  // unique in its network
  std::string type, version, space;
  int64_t max_batch = 0;     // 0: operands show all of their axes
  int64_t shape_inputs = 0;  // of the third generation: the last operands
  std::string payload;

  bool hides_batch() const { return max_batch > 0; }
  std::string str() const;
  static PluginRecord parse(std::string_view bytes);  // Error(invalid_plan)
};

// Fields of the third generation, as bytes and back; data lie in the text.
std::string text_of(const nvinfer1::PluginFieldCollection& fields);
struct Fields {
  explicit Fields(std::string_view bytes);
  std::vector<std::string> names, data;
  std::vector<nvinfer1::PluginField> list;
  nvinfer1::PluginFieldCollection collection{0, nullptr};
};

}  // namespace planish::tensorrt
