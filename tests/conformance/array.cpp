#include "conformance/array.h"

#include <protozero/pbf_reader.hpp>

#include "base/error.h"
#include "base/file.h"
#include "conformance/onnx_fields.h"
#include "importers/onnx/import.h"

namespace planish::conformance {
namespace {

std::span<const std::byte> optional_tensor(std::span<const std::byte> optional) {
  protozero::pbf_reader reader(reinterpret_cast<const char*>(optional.data()), optional.size());
  if (!reader.next(field::kOptionalTensor)) fail(Code::unsupported, "optionals without a tensor are not carried");
  const auto view = reader.get_view();
  return {reinterpret_cast<const std::byte*>(view.data()), view.size()};
}

Tensor tensor_of(const Array& array) {
  return Tensor::make(static_cast<DataType>(array.dtype), array.extents,
                      [&](std::byte* out) { std::copy(array.bytes.begin(), array.bytes.end(), out); });
}

}  // namespace

std::string type_text(const Array& array) {
  return TensorType{static_cast<DataType>(array.dtype), Shape::of(array.extents)}.str();
}

Array read_array(const std::string& path, bool inside_optional) {
  const FileMap file = FileMap::open(path);
  const Tensor tensor = onnx::read_tensor(inside_optional ? optional_tensor(file.bytes()) : file.bytes());
  if (tensor.dtype() == DataType::string) fail(Code::unsupported, "strings are not carried");
  const auto bytes = tensor.bytes();
  return {static_cast<planish_dtype>(tensor.dtype()), tensor.extents(), {bytes.begin(), bytes.end()}};
}

std::vector<double> float_values(const Array& array) { return tensor_of(array).to_doubles(); }

bool holds_floats(const Array& array) { return is_float(static_cast<DataType>(array.dtype)); }

}  // namespace planish::conformance
