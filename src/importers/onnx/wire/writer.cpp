#include "importers/onnx/wire/writer.h"

#include "importers/onnx/wire/model.h"
#include "tensor/narrow.h"

namespace planish::onnx::wire {
namespace {

using Writer = protozero::pbf_writer;

constexpr int64_t kIntAttribute = 2;

// The first element in the lowest bits.
std::string packed_elements(const Tensor& tensor) {
  const auto* codes = reinterpret_cast<const uint8_t*>(tensor.data());
  const int bits = element_bits(tensor.dtype());
  std::string out(static_cast<size_t>(packed_bytes(tensor.dtype(), tensor.element_count())), '\0');
  for (int64_t i = 0; i < tensor.element_count(); ++i) {
    const int64_t at = i * bits;
    const int code = codes[i] & ((1 << bits) - 1);
    out[static_cast<size_t>(at / 8)] = static_cast<char>(out[static_cast<size_t>(at / 8)] | code << (at % 8));
  }
  return out;
}

}  // namespace

int64_t number_of(DataType type) {
  for (int64_t number = 1; number < 64; ++number)
    if (dtype_of(number) == type) return number;
  return 0;
}

std::string node_message(const NewNode& node) {
  std::string out;
  Writer writer(out);
  for (const std::string& input : node.inputs) writer.add_string(1, input);
  for (const std::string& output : node.outputs) writer.add_string(2, output);
  writer.add_string(3, node.name);
  writer.add_string(4, node.op_type);
  for (const auto& [name, value] : node.attributes) {
    Writer attribute(writer, 5);
    attribute.add_string(1, name);
    attribute.add_int64(3, value);
    attribute.add_int64(20, kIntAttribute);
  }
  if (!node.domain.empty()) writer.add_string(7, node.domain);
  return out;
}

std::string tensor_message(const std::string& name, const Tensor& tensor) {
  std::string out;
  Writer writer(out);
  for (int64_t extent : tensor.extents()) writer.add_int64(1, extent);
  writer.add_int64(2, number_of(tensor.dtype()));
  writer.add_string(8, name);
  if (is_narrow(tensor.dtype()) && element_bits(tensor.dtype()) < 8)
    writer.add_bytes(9, packed_elements(tensor));
  else
    writer.add_bytes(9, reinterpret_cast<const char*>(tensor.data()), static_cast<size_t>(tensor.byte_count()));
  return out;
}

std::string opset_message(const std::string& domain, int64_t version) {
  std::string out;
  Writer writer(out);
  writer.add_string(1, domain);
  writer.add_int64(2, version);
  return out;
}

}  // namespace planish::onnx::wire
