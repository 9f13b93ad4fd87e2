#include "tensor/data_type.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/error.h"
#include "tensor/view.h"

namespace planish {
namespace {

// The definition: sign, 5 bits of exponent, 10 of fraction.
double half_by_definition(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 31, fraction = bits & 0x3ff;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  return exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024 + fraction, exponent - 25);
}

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

TEST(Half, EveryValueConvertsByDefinitionAndBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const Half half{static_cast<uint16_t>(bits)};
    const float value = to_float(half);
    ASSERT_TRUE(same(value, half_by_definition(half.bits))) << bits;
    if (std::isnan(value))
      ASSERT_TRUE(std::isnan(to_float(to_half(value))));
    else
      ASSERT_EQ(to_half(value).bits, half.bits) << bits;
  }
}

TEST(BFloat16, EveryValueConvertsBack) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const BFloat16 value{static_cast<uint16_t>(bits)};
    const float wide = to_float(value);
    ASSERT_EQ(std::bit_cast<uint32_t>(wide), bits << 16);
    if (std::isnan(wide))
      ASSERT_TRUE(std::isnan(to_float(to_bfloat16(wide))));
    else
      ASSERT_EQ(to_bfloat16(wide).bits, value.bits);
  }
}

// Between two neighbours: nearest, ties to the even one.
TEST(Half, RoundsToNearestEven) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const double low = half_by_definition(bits), high = half_by_definition(static_cast<uint16_t>(bits + 1)),
                 middle = (low + high) / 2;
    const auto even = static_cast<uint16_t>(bits + (bits & 1));
    const auto middle_float = static_cast<float>(middle);
    ASSERT_EQ(to_half(middle_float).bits, even) << bits;
    ASSERT_EQ(to_half(std::nextafter(middle_float, -1.f)).bits, bits);
    ASSERT_EQ(to_half(std::nextafter(middle_float, 1e9f)).bits, bits + 1);
    ASSERT_EQ(to_half(-middle_float).bits, even | 0x8000);
  }
  EXPECT_EQ(to_half(65519.9f).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.f).bits, 0x7c00);
  EXPECT_EQ(to_half(1e30f).bits, 0x7c00);
}

// Through fp32 these would round twice, the second time from a tie that is none.
TEST(Half, StoresDoublesWithOneRounding) {
  uint16_t bits = 0;
  const TensorView half = make_view(&bits, DataType::f16, {}), bfloat = make_view(&bits, DataType::bf16, {});
  store_double(half, 0, 1 + 0x1p-11 + 0x1p-40);
  EXPECT_EQ(bits, to_half(1 + 0x1p-10f).bits);
  store_double(half, 0, 1 + 3 * 0x1p-11 - 0x1p-40);
  EXPECT_EQ(bits, to_half(1 + 0x1p-10f).bits);
  store_double(bfloat, 0, -(1 + 0x1p-8 + 0x1p-40));
  EXPECT_EQ(bits, to_bfloat16(-(1 + 0x1p-7f)).bits);
  store_double(half, 0, 1e300);
  EXPECT_EQ(bits, 0x7c00);
}

TEST(DataType, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(kLastDataType); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(parse_data_type(data_type_name(type)), type);
  }
  EXPECT_THROW(parse_data_type("f33"), Error);
  EXPECT_THROW(element_bytes(DataType::string), Error);
  EXPECT_THROW(element_bytes(DataType::none), Error);
}

TEST(View, StoresSaturate) {
  int8_t byte = 0;
  const TensorView view = make_view(&byte, DataType::i8, {});
  store_double(view, 0, 1e9);
  EXPECT_EQ(byte, 127);
  store_double(view, 0, -1e9);
  EXPECT_EQ(byte, -128);
  store_double(view, 0, NAN);
  EXPECT_EQ(byte, 0);
}

TEST(View, SixtyFourBitsDoNotPassThroughDouble) {
  int64_t value = INT64_MAX - 1, copy = 0;
  const TensorView from = make_view(&value, DataType::i64, {}), to = make_view(&copy, DataType::i64, {});
  store_int(to, 0, load_int(from, 0));
  EXPECT_EQ(copy, value);
}

}  // namespace
}  // namespace planish
