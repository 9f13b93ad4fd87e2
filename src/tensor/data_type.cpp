#include "tensor/data_type.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace planish {
namespace {

enum class Kind : uint8_t { other, floating, signed_integer, unsigned_integer };
using enum Kind;

struct Row {
  std::string_view name;
  int bits;
  Kind kind;
};
constexpr std::array<Row, static_cast<size_t>(kLastDataType) + 1> kRows = {{{"none", 0, other},
                                                                            {"f32", 32, floating},
                                                                            {"f64", 64, floating},
                                                                            {"f16", 16, floating},
                                                                            {"bf16", 16, floating},
                                                                            {"i8", 8, signed_integer},
                                                                            {"u8", 8, unsigned_integer},
                                                                            {"i16", 16, signed_integer},
                                                                            {"u16", 16, unsigned_integer},
                                                                            {"i32", 32, signed_integer},
                                                                            {"u32", 32, unsigned_integer},
                                                                            {"i64", 64, signed_integer},
                                                                            {"u64", 64, unsigned_integer},
                                                                            {"bool", 8, other},
                                                                            {"string", 0, other},
                                                                            {"f8e4m3fn", 8, floating},
                                                                            {"f8e4m3fnuz", 8, floating},
                                                                            {"f8e5m2", 8, floating},
                                                                            {"f8e5m2fnuz", 8, floating},
                                                                            {"f8e8m0", 8, floating},
                                                                            {"f4e2m1", 4, floating},
                                                                            {"i4", 4, signed_integer},
                                                                            {"u4", 4, unsigned_integer},
                                                                            {"i2", 2, signed_integer},
                                                                            {"u2", 2, unsigned_integer}}};

const Row& row_of(DataType type) { return kRows[static_cast<size_t>(type)]; }

}  // namespace

std::string_view data_type_name(DataType type) { return row_of(type).name; }

DataType parse_data_type(std::string_view name) {
  for (size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].name == name) return static_cast<DataType>(i);
  fail(Code::invalid_argument, "'{}' is no element type", name);
}

int element_bits(DataType type) {
  const int bits = row_of(type).bits;
  if (bits == 0) fail(Code::unsupported, "elements of type {} have no size", data_type_name(type));
  return bits;
}

int64_t element_bytes(DataType type) { return (element_bits(type) + 7) / 8; }

bool is_float(DataType type) { return row_of(type).kind == floating; }
bool is_signed_integer(DataType type) { return row_of(type).kind == signed_integer; }
bool is_integer(DataType type) { return is_signed_integer(type) || row_of(type).kind == unsigned_integer; }
bool is_narrow(DataType type) { return type > DataType::string; }

float to_float(BFloat16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

BFloat16 to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return {static_cast<uint16_t>((bits >> 16) | 0x40)};  // NaN stays NaN
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

float to_float(Half value) {
  const uint32_t sign = (value.bits & 0x8000u) << 16, exponent = (value.bits >> 10) & 31, fraction = value.bits & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

Half to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return {static_cast<uint16_t>(sign | 0x7e00)};
  if (magnitude >= 0x477ff000) return {static_cast<uint16_t>(sign | 0x7c00)};  // rounds to infinity
  if (magnitude < 0x38800000) {  // subnormal: the addition rounds at the right bit
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000))};
  }
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return {static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13))};
}

}  // namespace planish
