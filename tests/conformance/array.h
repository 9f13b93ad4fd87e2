#pragma once
// A dense tensor on its way between a file, the engine and the comparison.

#include <cstddef>
#include <string>
#include <vector>

#include "planish/planish.h"

namespace planish::conformance {

struct Array {
  planish_dtype dtype = PLANISH_NONE;
  std::vector<int64_t> extents;
  std::vector<std::byte> bytes;  // row-major
};

std::string type_text(const Array& array);  // "f32[2,3]"

// A TensorProto, or the tensor that an OptionalProto holds. Throws std::exception for what the engine does not carry.
Array read_array(const std::string& path, bool inside_optional);

// Elements as doubles, of a float type.
std::vector<double> float_values(const Array& array);
bool holds_floats(const Array& array);

}  // namespace planish::conformance
