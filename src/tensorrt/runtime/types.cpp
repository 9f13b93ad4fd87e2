#include "tensorrt/runtime/types.h"

#include <limits>

#include "tensorrt/runtime/enums.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

// In the interface's order.
constexpr DataType kTypes[] = {DataType::f32,     DataType::f16, DataType::i8,       DataType::i32,
                               DataType::boolean, DataType::u8,  DataType::f8e4m3fn, DataType::bf16,
                               DataType::i64,     DataType::i4,  DataType::f4e2m1,   DataType::f8e8m0};
constexpr int kTypeCount = static_cast<int>(std::size(kTypes));

}  // namespace

void require_value(int64_t value, int32_t count, std::string_view name) {
  if (value < 0 || value >= count)
    refuse(std::string(name) + " " + std::to_string(value) + "; 0 to " + std::to_string(count - 1) + " are known");
}

Extents extents_of(const nvinfer1::Dims& dims) {
  if (dims.nbDims < 0 || dims.nbDims > nvinfer1::Dims::MAX_DIMS)
    refuse("dimensions of rank " + std::to_string(dims.nbDims) + "; 0 to 8 are accepted");
  return Extents(dims.d, dims.d + dims.nbDims);
}

nvinfer1::Dims dims_of(const Extents& extents) {
  if (extents.size() > static_cast<size_t>(nvinfer1::Dims::MAX_DIMS))
    refuse("a tensor of rank " + std::to_string(extents.size()) + "; the interface has room for 8");
  nvinfer1::Dims dims;
  nvinfer1::door::fill(dims, static_cast<int32_t>(extents.size()), 0, 0, 0, 0);
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] > std::numeric_limits<nvinfer1::door::Extent>::max())
      refuse("an extent of " + std::to_string(extents[i]) + " does not fit the interface's integers");
    dims.d[i] = static_cast<nvinfer1::door::Extent>(extents[i]);
  }
  return dims;
}

nvinfer1::Dims no_dims() {
  nvinfer1::Dims dims;
  nvinfer1::door::fill(dims, -1, 0, 0, 0, 0);
  return dims;
}

std::string text_of(const Extents& extents) {
  std::string text;
  for (int64_t extent : extents) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

DataType type_of(nvinfer1::DataType type) {
  const int index = static_cast<int>(type);
  if (index < 0 || index >= kTypeCount) refuse("element type " + std::to_string(index) + "; 0 to 11 are known");
  return kTypes[index];
}

nvinfer1::DataType type_of(DataType type) {
  for (int i = 0; i < kTypeCount; ++i)
    if (kTypes[i] == type) return static_cast<nvinfer1::DataType>(i);
  throw Error(Code::unsupported, std::string("the interface has no element type ") + name(type));
}

DataType shown_type(DataType type) {
  if (type == DataType::f64) return DataType::f32;
  return PLANISH_TENSORRT_LAYOUT < 10 && type == DataType::i64 ? DataType::i32 : type;
}

int64_t bits_of(nvinfer1::DataType type) { return static_cast<int64_t>(element_bytes(type_of(type))) * 8; }

}  // namespace planish::tensorrt
