#include "importers/onnx/wire/tensor_reader.h"

#include <cstring>

#include "base/checked.h"
#include "base/error.h"
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

DataType known_dtype(int64_t code) {
  if (dtype_of(code) == DataType::none)
    fail(Code::unsupported,
         "element type {} of ONNX; bool, integers of 2 to 64 bits and floats of 4 to 64 bits are accepted", code);
  return dtype_of(code);
}

namespace {

using importers::guarded;
using importers::read_doubles;
using importers::read_floats;
using importers::read_int64s;
using importers::Reader;
using importers::text_of;

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

}  // namespace

Tensor read_tensor(Reader reader, const Source& source, std::string* name) {
  const TensorFields fields = read_tensor_fields(reader);
  if (name != nullptr) *name = fields.name;
  return make_tensor(fields, source);
}

Tensor read_tensor(std::string_view bytes, const Source& source, std::string* name) {
  return guarded("a serialized TensorProto",
                 [&] { return read_tensor(Reader(bytes.data(), bytes.size()), source, name); });
}

}  // namespace planish::onnx::wire
