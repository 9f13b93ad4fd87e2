#pragma once
// Values of tensors in host memory: made up, and as text.

#include <string>

#include "NvInferRuntime.h"

namespace planish::trtexec {

// `bytes` of elements; equal seeds give equal values. Floats lie in [-1, 1]; integers are 0 and 1, which are indices of
// whatever they are used for.
std::string random_values(nvinfer1::DataType type, size_t bytes, uint64_t seed);
// Elements as numbers that JSON takes, too (but for NaN and Infinity).
std::string values_text(const void* data, nvinfer1::DataType type, int64_t count, const char* separator);

}  // namespace planish::trtexec
