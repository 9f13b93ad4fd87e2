#include "importers/common/wire.h"

namespace planish::importers {

void refuse_wire_type() { throw protozero::unknown_pbf_wire_type_exception(); }

std::string text_of(Reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

void read_int64s(Reader& reader, std::vector<int64_t>& out) {
  if (reader.wire_type() == protozero::pbf_wire_type::varint) {
    out.push_back(reader.get_int64());
    return;
  }
  for (int64_t value : reader.get_packed_int64()) out.push_back(value);
}

void read_floats(Reader& reader, std::vector<double>& out) {
  if (reader.wire_type() == protozero::pbf_wire_type::fixed32) {
    out.push_back(reader.get_float());
    return;
  }
  for (float value : reader.get_packed_float()) out.push_back(value);
}

void read_doubles(Reader& reader, std::vector<double>& out) {
  if (reader.wire_type() == protozero::pbf_wire_type::fixed64) {
    out.push_back(reader.get_double());
    return;
  }
  for (double value : reader.get_packed_double()) out.push_back(value);
}

void refuse_lfs_pointer(std::span<const std::byte> bytes) {
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 40));
  if (begin.starts_with("version https://git-lfs"))
    fail(Code::invalid_model, "a Git LFS pointer stands in the model's place: git lfs pull fetches the model");
}

}  // namespace planish::importers
