#pragma once
// What every reader of protobuf files needs of the wire format.

// A field whose wire type is not the one that its reader asks for is a mistake of the file, in every build.
namespace planish::importers {
[[noreturn]] void refuse_wire_type();
}
#define protozero_assert(condition) ((condition) ? static_cast<void>(0) : planish::importers::refuse_wire_type())
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace planish::importers {

using Reader = protozero::pbf_reader;

inline Reader reader_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string text_of(Reader& reader);

// Repeated numbers, packed or one by one.
void read_int64s(Reader& reader, std::vector<int64_t>& out);
void read_floats(Reader& reader, std::vector<double>& out);
void read_doubles(Reader& reader, std::vector<double>& out);

// Error(invalid_model) where the user would look for a model's bytes and finds the note that Git LFS leaves.
void refuse_lfs_pointer(std::span<const std::byte> bytes);

// `body`, whose exceptions of the wire format become Error(invalid_model) "not `wanted`: …".
template <class Body>
auto guarded(const char* wanted, Body body) {
  try {
    return body();
  } catch (const protozero::exception& error) {
    fail(Code::invalid_model, "not {}: no well-formed protobuf message ({})", wanted, error.what());
  }
}

}  // namespace planish::importers
