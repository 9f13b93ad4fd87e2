#pragma once
// Structs of the C interface that begin with `struct_size`: a caller compiled with an older or newer header
// passes a shorter or longer one.

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/error.h"

namespace planish {

constexpr size_t kMostStruct = 65536;

// The caller's struct; fields that it does not have are zero. NULL gives all zero.
template <class T>
T read_sized(const T* given, const char* what) {
  T value{};
  value.struct_size = sizeof(T);
  if (given == nullptr) return value;
  size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size < sizeof size || size > kMostStruct)
    fail(Code::invalid_argument, "{}: struct_size is {}; set it to sizeof the struct ({})", what, size, sizeof(T));
  std::memcpy(static_cast<void*>(&value), given, std::min(size, sizeof(T)));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + size, [](unsigned char byte) { return byte != 0; }))
    fail(Code::invalid_argument,
         "{}: struct_size is {}, and a field is set beyond the {} bytes that this library knows; a library as new as "
         "the header is needed",
         what, size, sizeof(T));
  value.struct_size = sizeof(T);
  return value;
}

// Fills what the caller's struct has room for, the rest of it with zeros; its struct_size stays.
template <class T>
void write_sized(T* out, T value, const char* what) {
  if (out == nullptr) fail(Code::invalid_argument, "{}: the result has no place (NULL)", what);
  const size_t size = out->struct_size;
  if (size < sizeof size || size > kMostStruct)
    fail(Code::invalid_argument, "{}: struct_size is {}; set it to sizeof the struct ({})", what, size, sizeof(T));
  value.struct_size = size;
  std::memcpy(static_cast<void*>(out), &value, std::min(size, sizeof(T)));
  if (size > sizeof(T)) std::memset(reinterpret_cast<unsigned char*>(out) + sizeof(T), 0, size - sizeof(T));
}

}  // namespace planish
