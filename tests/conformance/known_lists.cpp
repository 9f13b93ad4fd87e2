#include "conformance/known_lists.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <set>

#include "conformance/onnx_fields.h"

namespace planish::conformance {
namespace {

using namespace field;

using ListReader = protozero::pbf_reader;
using ListWriter = protozero::pbf_writer;

// Names of the floats that a Resize reads behind its picture.
std::set<std::string> resize_lists(ListReader graph) {
  std::set<std::string> names;
  while (graph.next(kGraphNode)) {
    ListReader node = graph.get_message();
    std::vector<std::string> operands;
    std::string op;
    while (node.next()) {
      if (node.tag() == kNodeInput)
        operands.push_back(node.get_string());
      else if (node.tag() == kNodeOpType)
        op = node.get_string();
      else
        node.skip();
    }
    if (op == "Resize" || op == "Upsample")
      for (size_t i = 1; i < operands.size(); ++i) names.insert(operands[i]);
  }
  return names;
}

bool is_list(const NamedArray& input, const std::set<std::string>& floats) {
  if (input.array.extents.size() > 1) return false;
  const planish_dtype type = input.array.dtype;
  return type == PLANISH_I64 || type == PLANISH_I32 || (type == PLANISH_F32 && floats.count(input.name) != 0);
}

std::string initializer(const NamedArray& list) {
  const int code = list.array.dtype == PLANISH_I64   ? 7
                   : list.array.dtype == PLANISH_I32 ? 6
                                                     : 1;  // TensorProto.DataType
  std::string bytes;
  ListWriter tensor(bytes);
  for (int64_t extent : list.array.extents) tensor.add_int64(kTensorDims, extent);
  tensor.add_int32(kTensorDataType, code);
  tensor.add_string(kTensorName, list.name);
  tensor.add_bytes(kTensorRaw, reinterpret_cast<const char*>(list.array.bytes.data()), list.array.bytes.size());
  return bytes;
}

}  // namespace

Case with_known_lists(Case given) {
  std::string model;
  ListWriter out(model);
  ListReader in(given.model.data(), given.model.size());
  while (in.next()) {
    if (in.tag() != kModelGraph) {
      if (in.wire_type() == protozero::pbf_wire_type::varint)
        out.add_uint64(in.tag(), in.get_uint64());
      else
        out.add_bytes(in.tag(), in.get_view());
      continue;
    }
    const auto graph = in.get_view();
    const auto floats = resize_lists(ListReader(graph));
    std::string body(graph.data(), graph.size());
    ListWriter more(body);  // fields of a message may follow in any order
    std::vector<NamedArray> rest;
    for (size_t i = 0; i < given.inputs.size(); ++i) {
      if (i > 0 && is_list(given.inputs[i], floats))
        more.add_message(kGraphInitializer, initializer(given.inputs[i]));
      else
        rest.push_back(given.inputs[i]);
    }
    given.inputs = std::move(rest);
    out.add_message(kModelGraph, body);
  }
  given.model = std::move(model);
  return given;
}

}  // namespace planish::conformance
