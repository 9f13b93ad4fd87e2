#include "conformance/dynamic.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "conformance/onnx_fields.h"

namespace planish::conformance {
namespace {

using Reader = protozero::pbf_reader;
using Writer = protozero::pbf_writer;
using namespace field;

void copy_field(Reader& reader, Writer& writer) {
  switch (reader.wire_type()) {
    case protozero::pbf_wire_type::varint:
      return writer.add_uint64(reader.tag(), reader.get_uint64());
    case protozero::pbf_wire_type::fixed32:
      return writer.add_fixed32(reader.tag(), reader.get_fixed32());
    case protozero::pbf_wire_type::fixed64:
      return writer.add_fixed64(reader.tag(), reader.get_fixed64());
    default:
      return writer.add_bytes(reader.tag(), reader.get_view());
  }
}

// A message with the field `tag` written by `change`, all others copied.
template <class Change>
std::string rewritten(Reader message, uint32_t tag, Change&& change) {
  std::string bytes;
  Writer writer(bytes);
  while (message.next()) {
    if (message.tag() == tag)
      change(message.get_message(), writer);
    else
      copy_field(message, writer);
  }
  return bytes;
}

std::string named_shape(Reader shape, const std::string& input, const ExtentNames& names) {
  size_t axis = 0;
  return rewritten(shape, kShapeDim, [&](Reader dim, Writer& out) {
    const std::string name = names(input, axis++);
    if (name.empty()) return out.add_bytes(kShapeDim, dim.data());
    std::string named;
    Writer(named).add_string(kDimParam, name);
    out.add_message(kShapeDim, named);
  });
}

std::string named_value(Reader value, const ExtentNames& names) {
  Reader peek = value;
  const std::string input = peek.next(kValueName) ? peek.get_string() : std::string();
  return rewritten(value, kValueType, [&](Reader type, Writer& out) {
    out.add_message(kValueType, rewritten(type, kTypeTensor, [&](Reader tensor, Writer& type_out) {
                      type_out.add_message(kTypeTensor, rewritten(tensor, kTypeShape, [&](Reader shape, Writer& o) {
                                             o.add_message(kTypeShape, named_shape(shape, input, names));
                                           }));
                    }));
  });
}

std::string unshaped_value(Reader value) {
  return rewritten(value, kValueType, [](Reader type, Writer& out) {
    out.add_message(kValueType, rewritten(type, kTypeTensor, [](Reader tensor, Writer& type_out) {
                      type_out.add_message(kTypeTensor, rewritten(tensor, kTypeShape, [](Reader, Writer&) {}));
                    }));
  });
}

std::string named_graph(Reader graph, const ExtentNames& names) {
  std::string bytes;
  Writer writer(bytes);
  while (graph.next()) {
    if (graph.tag() == kGraphInput)
      writer.add_message(kGraphInput, named_value(graph.get_message(), names));
    else if (graph.tag() == kGraphOutput)
      writer.add_message(kGraphOutput, unshaped_value(graph.get_message()));
    else if (graph.tag() == kGraphValueInfo)
      graph.skip();
    else
      copy_field(graph, writer);
  }
  return bytes;
}

}  // namespace

std::string with_named_extents(std::string_view model, const ExtentNames& names) {
  return rewritten(Reader(model.data(), model.size()), kModelGraph,
                   [&](Reader graph, Writer& out) { out.add_message(kModelGraph, named_graph(graph, names)); });
}

}  // namespace planish::conformance
