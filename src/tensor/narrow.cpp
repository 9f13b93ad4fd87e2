#include "tensor/narrow.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"

namespace planish {
namespace {

// A sign, `exponent` bits, `fraction` bits. Codes above `largest` are infinity and NaN; an "unsigned zero" format has
// its one NaN at the code of -0.
struct SmallFloat {
  int exponent, fraction, bias;
  uint8_t largest, infinity, nan;  // infinity 0: there is none
  bool unsigned_zero;

  int bits() const { return 1 + exponent + fraction; }
  uint8_t sign() const { return static_cast<uint8_t>(1 << (bits() - 1)); }
};

constexpr SmallFloat kE4M3FN = {4, 3, 7, 0x7e, 0, 0x7f, false};
constexpr SmallFloat kE4M3FNUZ = {4, 3, 8, 0x7f, 0, 0x80, true};
constexpr SmallFloat kE5M2 = {5, 2, 15, 0x7b, 0x7c, 0x7e, false};
constexpr SmallFloat kE5M2FNUZ = {5, 2, 16, 0x7f, 0, 0x80, true};
constexpr SmallFloat kE2M1 = {2, 1, 1, 0x7, 0, 0x8, false};  // without NaN: it becomes -0

const SmallFloat& format_of(DataType type) {
  switch (type) {
    case DataType::f8e4m3fn:
      return kE4M3FN;
    case DataType::f8e4m3fnuz:
      return kE4M3FNUZ;
    case DataType::f8e5m2:
      return kE5M2;
    case DataType::f8e5m2fnuz:
      return kE5M2FNUZ;
    case DataType::f4e2m1:
      return kE2M1;
    default:
      fail(Code::internal, "{} is no small float", data_type_name(type));
  }
}

double decode_float(const SmallFloat& f, uint8_t code) {
  const auto magnitude = static_cast<uint8_t>(code & (f.sign() - 1));
  const bool negative = (code & f.sign()) != 0;
  if (f.unsigned_zero ? code == f.nan : magnitude > f.largest && magnitude != f.infinity) return NAN;
  if (f.infinity != 0 && magnitude == f.infinity) return negative ? -INFINITY : INFINITY;
  const int exponent = magnitude >> f.fraction, fraction = magnitude & ((1 << f.fraction) - 1);
  const int whole = exponent == 0 ? fraction : fraction + (1 << f.fraction);
  const double value = std::ldexp(whole, std::max(exponent, 1) - f.bias - f.fraction);
  return negative ? -value : value;
}

uint8_t magnitude_code(const SmallFloat& f, double magnitude, bool saturate) {
  const auto too_large = saturate ? f.largest : f.infinity != 0 ? f.infinity : f.nan;
  if (magnitude == 0) return 0;
  if (magnitude > 2 * decode_float(f, f.largest)) return too_large;
  const int exponent = std::max(std::ilogb(magnitude), 1 - f.bias);
  const auto whole = static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.fraction - exponent)));
  const int code = ((exponent + f.bias - 1) << f.fraction) + whole;
  return code > f.largest ? too_large : static_cast<uint8_t>(code);
}

uint8_t encode_float(const SmallFloat& f, double value, bool saturate) {
  if (std::isnan(value)) return f.nan;
  const uint8_t code = magnitude_code(f, std::abs(value), saturate);
  const bool bare = f.unsigned_zero && (code == 0 || code == f.nan);
  return std::signbit(value) && !bare ? static_cast<uint8_t>(code | f.sign()) : code;
}

// 2^(code - 127), 255 is NaN; there is no sign.
constexpr uint8_t kScaleNan = 255;
uint8_t encode_scale(double value, bool saturate, ScaleRounding rounding) {
  if (std::isnan(value)) return kScaleNan;
  const double magnitude = std::abs(value);
  if (std::isinf(magnitude)) return saturate ? kScaleNan - 1 : kScaleNan;
  if (magnitude == 0) return saturate ? 0 : kScaleNan;
  const int exponent = std::ilogb(magnitude);
  const double fraction = std::ldexp(magnitude, -exponent);  // [1, 2)
  const bool above =
      rounding == ScaleRounding::up ? fraction > 1 : rounding == ScaleRounding::nearest && fraction >= 1.5;
  const int code = exponent + (above ? 1 : 0) + 127;
  if (code >= 0 && code < kScaleNan) return static_cast<uint8_t>(code);
  if (!saturate) return kScaleNan;
  return code < 0 ? 0 : kScaleNan - 1;
}

}  // namespace

double decode_narrow(DataType type, uint8_t code) {
  if (is_integer(type)) return static_cast<double>(decode_narrow_int(type, code));
  if (type == DataType::f8e8m0) return code == kScaleNan ? NAN : std::ldexp(1.0, code - 127);
  return decode_float(format_of(type), code);
}

uint8_t encode_narrow(DataType type, double value, bool saturate, ScaleRounding rounding) {
  if (is_integer(type)) {
    const int bits = element_bits(type);
    const double low = is_signed_integer(type) ? -std::ldexp(1, bits - 1) : 0;
    const double high = std::ldexp(1, is_signed_integer(type) ? bits - 1 : bits) - 1;
    return encode_narrow_int(type, std::isnan(value) ? 0 : static_cast<int64_t>(std::clamp(value, low, high)));
  }
  if (type == DataType::f8e8m0) return encode_scale(value, saturate, rounding);
  return encode_float(format_of(type), value, saturate || type == DataType::f4e2m1);
}

int64_t decode_narrow_int(DataType type, uint8_t code) {
  const int bits = element_bits(type);
  const int64_t value = code & ((1 << bits) - 1);
  return is_signed_integer(type) && value >= (1 << (bits - 1)) ? value - (1 << bits) : value;
}

uint8_t encode_narrow_int(DataType type, int64_t value) {
  return static_cast<uint8_t>(decode_narrow_int(type, static_cast<uint8_t>(value)));
}

int64_t packed_bytes(DataType type, int64_t count) {
  const int bits = element_bits(type);
  return bits < 8 ? ceil_div(count, int64_t{8 / bits}) : checked_mul(count, bits / 8);
}

void unpack_narrow(DataType type, std::span<const uint8_t> packed, std::span<uint8_t> elements) {
  const auto bits = static_cast<size_t>(element_bits(type)), in_byte = 8 / bits;
  for (size_t i = 0; i < elements.size(); ++i) {
    const auto code = static_cast<uint8_t>((packed[i / in_byte] >> (i % in_byte * bits)) & ((1u << bits) - 1));
    elements[i] = is_integer(type) ? encode_narrow_int(type, code) : code;
  }
}

}  // namespace planish
