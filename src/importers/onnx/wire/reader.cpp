#include <cstring>
#include <set>

#include "base/checked.h"
#include "base/error.h"
#include "importers/common/wire.h"
#include "importers/onnx/wire/model.h"
#include "tensor/narrow.h"

namespace planish::onnx::wire {

DataType dtype_of(int64_t number) {
  static constexpr DataType kTypes[] = {
      DataType::none,       DataType::f32,  DataType::u8,       DataType::i8,         DataType::u16,
      DataType::i16,        DataType::i32,  DataType::i64,      DataType::string,     DataType::boolean,
      DataType::f16,        DataType::f64,  DataType::u32,      DataType::u64,        DataType::none,
      DataType::none,       DataType::bf16, DataType::f8e4m3fn, DataType::f8e4m3fnuz, DataType::f8e5m2,
      DataType::f8e5m2fnuz, DataType::u4,   DataType::i4,       DataType::f4e2m1,     DataType::f8e8m0,
      DataType::u2,         DataType::i2};
  return number >= 0 && number < static_cast<int64_t>(std::size(kTypes)) ? kTypes[number] : DataType::none;
}

namespace {

using importers::guarded;
using importers::read_doubles;
using importers::read_floats;
using importers::read_int64s;
using importers::Reader;
using importers::text_of;

constexpr int kDeepest = 64;

DataType known_dtype(int64_t code) {
  if (dtype_of(code) == DataType::none)
    fail(Code::unsupported,
         "element type {} of ONNX; bool, integers of 2 to 64 bits and floats of 4 to 64 bits are accepted", code);
  return dtype_of(code);
}

struct TensorFields {
  std::vector<int64_t> dims, ints;
  std::vector<double> floats;
  int64_t dtype = 0, location = 0;
  std::optional<std::string_view> raw;
  std::map<std::string, std::string> external;
  std::string name;
};

void read_external_entry(Reader entry, TensorFields& fields) {
  std::string key, value;
  while (entry.next()) {
    if (entry.tag() == 1)
      key = text_of(entry);
    else if (entry.tag() == 2)
      value = text_of(entry);
    else
      entry.skip();
  }
  if (key != "location" && key != "offset" && key != "length" && key != "checksum")
    fail(Code::invalid_model, "external data key '{}'; location, offset, length and checksum are accepted", key);
  fields.external[key] = value;
}

TensorFields read_tensor_fields(Reader reader) {
  TensorFields fields;
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        read_int64s(reader, fields.dims);
        break;
      case 2:
        fields.dtype = reader.get_int32();
        break;
      case 4:
        read_floats(reader, fields.floats);
        break;
      case 5:  // int32_data
      case 7:  // int64_data
      case 11:
        read_int64s(reader, fields.ints);
        break;
      case 8:
        fields.name = text_of(reader);
        break;
      case 9: {
        const auto view = reader.get_view();
        fields.raw = std::string_view(view.data(), view.size());
        break;
      }
      case 10:
        read_doubles(reader, fields.floats);
        break;
      case 13:
        read_external_entry(reader.get_message(), fields);
        break;
      case 14:
        fields.location = reader.get_int32();
        break;
      default:
        reader.skip();
    }
  }
  return fields;
}

int64_t external_number(const TensorFields& fields, const char* key, int64_t fallback) {
  auto at = fields.external.find(key);
  if (at == fields.external.end()) return fallback;
  char* stop = nullptr;
  errno = 0;
  const long long value = std::strtoll(at->second.c_str(), &stop, 10);
  if (at->second.empty() || *stop != 0 || errno != 0 || value < 0)
    fail(Code::invalid_model, "external data {} '{}'", key, at->second);
  return value;
}

Tensor tensor_from_values(const TensorFields& fields, DataType dtype) {
  const bool floats = dtype == DataType::f32 || dtype == DataType::f64;
  const int64_t count = checked_product(fields.dims);
  const auto found = static_cast<int64_t>(floats ? fields.floats.size() : fields.ints.size());
  if (found != count)
    fail(Code::invalid_model, "tensor '{}' has {} elements by its dims, {} found", fields.name, count, found);
  return Tensor::make(dtype, fields.dims, [&](std::byte* out) {
    const TensorView view = make_view(out, dtype, fields.dims);
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      if (floats)
        store_double(view, i, fields.floats[at]);
      else if (dtype == DataType::f16 || dtype == DataType::bf16)
        view.as<uint16_t>()[i] = static_cast<uint16_t>(fields.ints[at]);
      else
        store_int(view, i, fields.ints[at]);
    }
  });
}

// Elements as they are in memory, from those packed as in files.
Tensor unpacked(DataType dtype, const std::vector<int64_t>& extents, std::span<const uint8_t> packed) {
  return Tensor::make(dtype, extents, [&](std::byte* out) {
    unpack_narrow(dtype, packed, {reinterpret_cast<uint8_t*>(out), static_cast<size_t>(checked_product(extents))});
  });
}

// One byte of packed elements a number.
Tensor narrow_from_values(const TensorFields& fields, DataType dtype) {
  const int64_t bytes = packed_bytes(dtype, checked_product(fields.dims));
  if (std::ssize(fields.ints) != bytes)
    fail(Code::invalid_model, "tensor '{}' has {} packed bytes by its dims, {} found", fields.name, bytes,
         fields.ints.size());
  const std::vector<uint8_t> packed(fields.ints.begin(), fields.ints.end());
  return unpacked(dtype, fields.dims, packed);
}

Tensor external_of(const TensorFields& fields, const Source& source, DataType dtype, int64_t bytes) {
  if (source.folder.empty()) fail(Code::invalid_model, "external data of a model that is not a file");
  const int64_t length = external_number(fields, "length", bytes);
  if (length != bytes) fail(Code::invalid_model, "external data of {} bytes for {} bytes of elements", length, bytes);
  const auto at = fields.external.find("location");
  const std::string location = at == fields.external.end() ? "" : at->second;
  const int64_t offset = external_number(fields, "offset", 0);
  if (!is_narrow(dtype)) return external_tensor(source.folder, location, offset, bytes, dtype, fields.dims);
  const Tensor packed = external_tensor(source.folder, location, offset, bytes, DataType::u8, {bytes});
  return unpacked(dtype, fields.dims, packed.as<uint8_t>());
}

Tensor make_tensor(const TensorFields& fields, const Source& source) {
  return with_context(
      [&] { return fmt::format("tensor '{}'", fields.name); },
      [&]() -> Tensor {
        const DataType dtype = known_dtype(fields.dtype);
        if (dtype == DataType::string) fail(Code::unsupported, "string elements");
        if (fields.dims.size() > kMaxRank) fail(Code::unsupported, "rank {}; at most {}", fields.dims.size(), kMaxRank);
        const int64_t bytes = packed_bytes(dtype, checked_product(fields.dims));
        if (fields.location == 1) return external_of(fields, source, dtype, bytes);
        if (!fields.raw)
          return is_narrow(dtype) ? narrow_from_values(fields, dtype) : tensor_from_values(fields, dtype);
        if (static_cast<int64_t>(fields.raw->size()) != bytes)
          fail(Code::invalid_model, "{} bytes by its dims, {} found", bytes, fields.raw->size());
        const auto* data = reinterpret_cast<const std::byte*>(fields.raw->data());
        if (is_narrow(dtype))
          return unpacked(dtype, fields.dims, {reinterpret_cast<const uint8_t*>(data), fields.raw->size()});
        const bool aligned = reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(element_bytes(dtype)) == 0;
        if (aligned && source.owner) return Tensor::wrap(dtype, fields.dims, data, source.owner);
        return Tensor::make(dtype, fields.dims,
                            [&](std::byte* out) { std::memcpy(out, data, static_cast<size_t>(bytes)); });
      });
}

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
        tensor = make_tensor(read_tensor_fields(reader.get_message()), source);
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
        const TensorFields fields = read_tensor_fields(reader.get_message());
        graph.initializers.emplace_back(fields.name, make_tensor(fields, source));
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

Tensor read_tensor(std::string_view bytes, const Source& source, std::string* name) {
  return guarded("a serialized TensorProto", [&] {
    const TensorFields fields = read_tensor_fields(Reader(bytes.data(), bytes.size()));
    if (name != nullptr) *name = fields.name;
    return make_tensor(fields, source);
  });
}

}  // namespace planish::onnx::wire
