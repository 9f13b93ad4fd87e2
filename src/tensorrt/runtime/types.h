#pragma once
// Extents and element types of the interface, and ours.

#include <string>

#include "NvInferRuntime.h"
#include "planish/types.hpp"

namespace planish::tensorrt {

Extents extents_of(const nvinfer1::Dims& dims);  // Error: rank below 0 or above 8
nvinfer1::Dims dims_of(const Extents& extents);  // Error: rank above 8, or an extent that does not fit
nvinfer1::Dims no_dims();                        // nbDims -1: there is no such tensor
std::string text_of(const Extents& extents);     // "1x3x224x224"
DataType type_of(nvinfer1::DataType type);       // Error: not known
nvinfer1::DataType type_of(DataType type);       // Error: the interface has no such type
// As what the interface shows a type that it does not know: f64 as f32, and i64 as i32 to majors below 10.
DataType shown_type(DataType type);
int64_t bits_of(nvinfer1::DataType type);

inline bool is_float(DataType type) {
  return type == DataType::f32 || type == DataType::f16 || type == DataType::bf16 || type == DataType::f64;
}

inline Extents without_first(const Extents& extents) {
  return extents.empty() ? extents : Extents(extents.begin() + 1, extents.end());
}

// Releases an object of the library as its users do; nullptr is accepted.
template <class T>
struct Destroy {
  void operator()(T* object) const { delete object; }
};

}  // namespace planish::tensorrt
