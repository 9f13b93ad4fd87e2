#pragma once
// Element types: names, sizes, and conversion of single elements.

#include <cstdint>
#include <string_view>

namespace planish {

// Those from f8e4m3fn on are narrow: storage types of a byte in memory each (tensor/narrow.h).
enum class DataType : uint8_t {
  none,
  f32,
  f64,
  f16,
  bf16,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  boolean,
  string,
  f8e4m3fn,
  f8e4m3fnuz,
  f8e5m2,
  f8e5m2fnuz,
  f8e8m0,
  f4e2m1,
  i4,
  u4,
  i2,
  u2
};
constexpr DataType kLastDataType = DataType::u2;

std::string_view data_type_name(DataType type);   // "f32", "bool", …
DataType parse_data_type(std::string_view name);  // throws Error(invalid_argument)
int64_t element_bytes(DataType type);             // refuses none and string
int element_bits(DataType type);                  // of its code: 4 for f4e2m1; refuses none and string
bool is_float(DataType type);                     // of any width
bool is_integer(DataType type);                   // signed or unsigned, not bool
bool is_signed_integer(DataType type);
bool is_narrow(DataType type);  // moved, cast and quantised, but not computed with

// Storage-only 16-bit floats. Conversions round to nearest even and keep NaN and infinities.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
float to_float(Half value);
float to_float(BFloat16 value);
Half to_half(float value);
BFloat16 to_bfloat16(float value);

template <class T>
constexpr DataType data_type_of();
template <>
constexpr DataType data_type_of<float>() {
  return DataType::f32;
}
template <>
constexpr DataType data_type_of<double>() {
  return DataType::f64;
}
template <>
constexpr DataType data_type_of<Half>() {
  return DataType::f16;
}
template <>
constexpr DataType data_type_of<BFloat16>() {
  return DataType::bf16;
}
template <>
constexpr DataType data_type_of<int8_t>() {
  return DataType::i8;
}
template <>
constexpr DataType data_type_of<uint8_t>() {
  return DataType::u8;
}
template <>
constexpr DataType data_type_of<int16_t>() {
  return DataType::i16;
}
template <>
constexpr DataType data_type_of<uint16_t>() {
  return DataType::u16;
}
template <>
constexpr DataType data_type_of<int32_t>() {
  return DataType::i32;
}
template <>
constexpr DataType data_type_of<uint32_t>() {
  return DataType::u32;
}
template <>
constexpr DataType data_type_of<int64_t>() {
  return DataType::i64;
}
template <>
constexpr DataType data_type_of<uint64_t>() {
  return DataType::u64;
}
template <>
constexpr DataType data_type_of<bool>() {
  return DataType::boolean;
}

}  // namespace planish
