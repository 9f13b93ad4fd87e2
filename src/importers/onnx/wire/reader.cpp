#include <set>

#include "base/error.h"
#include "importers/common/wire.h"
#include "importers/onnx/wire/model.h"
#include "importers/onnx/wire/tensor_reader.h"

namespace planish::onnx::wire {
namespace {

using importers::guarded;
using importers::read_floats;
using importers::read_int64s;
using importers::Reader;
using importers::text_of;

constexpr int kDeepest = 64;

GraphProto read_graph(Reader reader, const Source& source, int depth);

Attribute read_attribute(Reader reader, const Source& source, int depth) {
  Attribute attribute;
  int64_t type = 0, i = 0;
  double f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  std::vector<std::string> strings;
  std::optional<Tensor> tensor;
  bool other = false;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        attribute.name = text_of(reader);
        break;
      case 2:
        f = reader.get_float();
        break;
      case 3:
        i = reader.get_int64();
        break;
      case 4:
        s = text_of(reader);
        break;
      case 5:
        tensor = read_tensor(reader.get_message(), source, nullptr);
        break;
      case 6:
      case 11:
        attribute.graphs.push_back(std::make_shared<GraphProto>(read_graph(reader.get_message(), source, depth + 1)));
        break;
      case 7:
        read_floats(reader, floats);
        break;
      case 8:
        read_int64s(reader, ints);
        break;
      case 9:
        strings.push_back(text_of(reader));
        break;
      case 20:
        type = reader.get_int32();
        break;
      case 13:
        reader.skip();
        break;
      case 21:
        attribute.reference = text_of(reader);
        break;
      default:
        other = true;
        reader.skip();
    }
  }
  switch (type) {
    case 1:
      attribute.value = f;
      break;
    case 2:
      attribute.value = i;
      break;
    case 3:
      attribute.value = s;
      break;
    case 4:
      if (!tensor) fail(Code::invalid_model, "attribute '{}' lacks its tensor", attribute.name);
      attribute.value = *tensor;
      break;
    case 5:
    case 10:
      break;
    case 6:
      attribute.value = floats;
      break;
    case 7:
      attribute.value = ints;
      break;
    case 8:
      attribute.value = strings;
      break;
    default:
      attribute.supported = !other && !attribute.graphs.empty();
      break;
  }
  return attribute;
}

// Two of one name would have two meanings.
void add_attribute(Node& node, Attribute attribute) {
  for (const Attribute& other : node.attributes)
    if (other.name == attribute.name)
      fail(Code::invalid_model, "node '{}' has the attribute '{}' twice", node.name, attribute.name);
  node.attributes.push_back(std::move(attribute));
}

Node read_node(Reader reader, const Source& source, int depth) {
  Node node;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        node.inputs.push_back(text_of(reader));
        break;
      case 2:
        node.outputs.push_back(text_of(reader));
        break;
      case 3:
        node.name = text_of(reader);
        break;
      case 4:
        node.op_type = text_of(reader);
        break;
      case 5:
        add_attribute(node, read_attribute(reader.get_message(), source, depth));
        break;
      case 7:
        node.domain = text_of(reader);
        break;
      default:
        reader.skip();
    }
  }
  return node;
}

ValueInfo::Dimension read_dimension(Reader reader) {
  ValueInfo::Dimension dimension;
  while (reader.next()) {
    if (reader.tag() == 1)
      dimension.value = reader.get_int64();
    else if (reader.tag() == 2)
      dimension.param = text_of(reader);
    else
      reader.skip();
  }
  return dimension;
}

void read_tensor_type(Reader reader, ValueInfo& info) {
  while (reader.next()) {
    if (reader.tag() == 1) {
      info.dtype = known_dtype(reader.get_int32());
    } else if (reader.tag() == 2) {
      info.has_shape = true;
      for (Reader shape = reader.get_message(); shape.next();) {
        if (shape.tag() == 1)
          info.dims.push_back(read_dimension(shape.get_message()));
        else
          shape.skip();
      }
    } else {
      reader.skip();
    }
  }
}

ValueInfo read_value_info(Reader reader) {
  ValueInfo info;
  while (reader.next()) {
    if (reader.tag() == 1) {
      info.name = text_of(reader);
    } else if (reader.tag() == 2) {
      with_context([&] { return fmt::format("'{}'", info.name); },
                   [&] {
                     for (Reader type = reader.get_message(); type.next();) {
                       if (type.tag() == 1)
                         read_tensor_type(type.get_message(), info);
                       else
                         type.skip();
                     }
                   });
    } else {
      reader.skip();
    }
  }
  return info;
}

GraphProto read_graph(Reader reader, const Source& source, int depth) {
  if (depth > kDeepest) fail(Code::invalid_model, "graphs nested deeper than {}", kDeepest);
  GraphProto graph;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        graph.nodes.push_back(read_node(reader.get_message(), source, depth));
        break;
      case 2:
        graph.name = text_of(reader);
        break;
      case 5: {
        std::string name;
        Tensor tensor = read_tensor(reader.get_message(), source, &name);
        graph.initializers.emplace_back(std::move(name), std::move(tensor));
        break;
      }
      case 11:
        graph.inputs.push_back(read_value_info(reader.get_message()));
        break;
      case 12:
        graph.outputs.push_back(read_value_info(reader.get_message()));
        break;
      case 15:
        fail(Code::unsupported, "sparse initializers");
      default:
        reader.skip();
    }
  }
  return graph;
}

std::pair<std::string, int64_t> read_opset(Reader reader) {
  std::pair<std::string, int64_t> opset;
  while (reader.next()) {
    if (reader.tag() == 1)
      opset.first = text_of(reader);
    else if (reader.tag() == 2)
      opset.second = reader.get_int64();
    else
      reader.skip();
  }
  if (opset.first == "ai.onnx") opset.first.clear();
  return opset;
}

Function read_function(Reader reader, const Source& source) {
  Function function;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        function.name = text_of(reader);
        break;
      case 4:
        function.inputs.push_back(text_of(reader));
        break;
      case 5:
        function.outputs.push_back(text_of(reader));
        break;
      case 7:
        function.nodes.push_back(read_node(reader.get_message(), source, 0));
        break;
      case 9:
        function.opsets.insert(read_opset(reader.get_message()));
        break;
      case 10:
        function.domain = text_of(reader);
        break;
      case 11:
        function.defaults.push_back(read_attribute(reader.get_message(), source, 0));
        break;
      default:
        reader.skip();
    }
  }
  function.opsets.try_emplace("", 1);
  return function;
}

}  // namespace

Model read_model(std::span<const std::byte> bytes, const Source& source) {
  importers::refuse_lfs_pointer(bytes);
  return guarded("an ONNX model", [&] {
    Model model;
    bool has_graph = false;
    Reader reader(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (reader.next()) {
      switch (reader.tag()) {
        case 7:
          model.graph = read_graph(reader.get_message(), source, 0);
          has_graph = true;
          break;
        case 8:
          model.opsets.insert(read_opset(reader.get_message()));
          break;
        case 25:
          model.functions.push_back(read_function(reader.get_message(), source));
          break;
        default:
          reader.skip();
      }
    }
    if (!has_graph) fail(Code::invalid_model, "not an ONNX model: it holds no graph");
    model.opsets.try_emplace("", 1);
    return model;
  });
}

}  // namespace planish::onnx::wire
