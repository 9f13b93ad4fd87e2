#include "tensor/narrow.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/error.h"
#include "tensor/view.h"

namespace planish {
namespace {

constexpr DataType kFloatTypes[] = {DataType::f8e4m3fn, DataType::f8e4m3fnuz, DataType::f8e5m2, DataType::f8e5m2fnuz,
                                    DataType::f4e2m1};
constexpr DataType kIntegerTypes[] = {DataType::i4, DataType::u4, DataType::i2, DataType::u2};

TEST(Narrow, KnownCodes) {
  const auto value = [](DataType type, int code) { return decode_narrow(type, static_cast<uint8_t>(code)); };
  EXPECT_EQ(value(DataType::f8e4m3fn, 0x7e), 448);
  EXPECT_EQ(value(DataType::f8e4m3fn, 0x01), 0x1p-9);
  EXPECT_EQ(value(DataType::f8e4m3fn, 0xb8), -1);
  EXPECT_TRUE(std::isnan(value(DataType::f8e4m3fn, 0x7f)));
  EXPECT_EQ(value(DataType::f8e4m3fnuz, 0x7f), 240);
  EXPECT_TRUE(std::isnan(value(DataType::f8e4m3fnuz, 0x80)));
  EXPECT_EQ(value(DataType::f8e5m2, 0x7b), 57344);
  EXPECT_EQ(value(DataType::f8e5m2, 0xfc), -INFINITY);
  EXPECT_TRUE(std::isnan(value(DataType::f8e5m2, 0x7d)));
  EXPECT_EQ(value(DataType::f8e5m2fnuz, 0x7f), 57344);
  EXPECT_EQ(value(DataType::f8e5m2fnuz, 0x01), 0x1p-17);
  EXPECT_EQ(value(DataType::f8e8m0, 0), 0x1p-127);
  EXPECT_EQ(value(DataType::f8e8m0, 127), 1);
  EXPECT_TRUE(std::isnan(value(DataType::f8e8m0, 255)));
  const double small[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  for (int code = 0; code < 8; ++code) {
    EXPECT_EQ(value(DataType::f4e2m1, code), small[code]);
    EXPECT_EQ(value(DataType::f4e2m1, code + 8), -small[code]);
  }
  EXPECT_EQ(value(DataType::i4, 0x8), -8);
  EXPECT_EQ(value(DataType::u4, 0xf), 15);
  EXPECT_EQ(value(DataType::i2, 0x3), -1);
}

TEST(Narrow, EveryCodeConvertsBack) {
  for (DataType type : kFloatTypes)
    for (int code = 0; code < 1 << element_bits(type); ++code) {
      const double value = decode_narrow(type, static_cast<uint8_t>(code));
      const uint8_t back = encode_narrow(type, value, false);
      if (std::isnan(value))
        EXPECT_TRUE(std::isnan(decode_narrow(type, back))) << data_type_name(type) << code;
      else
        EXPECT_EQ(back, code) << data_type_name(type);
    }
  for (DataType type : kIntegerTypes)
    for (int code = 0; code < 1 << element_bits(type); ++code) {
      const int64_t value = decode_narrow_int(type, static_cast<uint8_t>(code));
      EXPECT_EQ(decode_narrow_int(type, encode_narrow_int(type, value)), value);
      EXPECT_EQ(decode_narrow_int(type, encode_narrow(type, static_cast<double>(value))), value);
    }
}

// Between two neighbours: nearest, ties to the even code.
TEST(Narrow, RoundsToNearestEven) {
  for (DataType type : kFloatTypes)
    for (uint8_t code = 0; std::isfinite(decode_narrow(type, static_cast<uint8_t>(code + 1))) &&
                           decode_narrow(type, static_cast<uint8_t>(code + 1)) > decode_narrow(type, code);
         ++code) {
      const double low = decode_narrow(type, code), high = decode_narrow(type, static_cast<uint8_t>(code + 1));
      const double middle = (low + high) / 2;
      EXPECT_EQ(encode_narrow(type, middle), code + (code & 1)) << data_type_name(type);
      EXPECT_EQ(encode_narrow(type, std::nextafter(middle, -1)), code) << data_type_name(type);
      EXPECT_EQ(encode_narrow(type, std::nextafter(middle, 1e9)), code + 1) << data_type_name(type);
    }
}

TEST(Narrow, WhatIsTooLargeSaturatesOrNot) {
  const auto cast = [](DataType type, double value, bool saturate) {
    return decode_narrow(type, encode_narrow(type, value, saturate));
  };
  for (double large : {1e6, 1e300, double{INFINITY}}) {
    EXPECT_EQ(cast(DataType::f8e4m3fn, large, true), 448);
    EXPECT_EQ(cast(DataType::f8e4m3fnuz, -large, true), -240);
    EXPECT_EQ(cast(DataType::f8e5m2, large, true), 57344);
    EXPECT_EQ(cast(DataType::f4e2m1, -large, false), -6);
    EXPECT_TRUE(std::isnan(cast(DataType::f8e4m3fn, large, false)));
    EXPECT_TRUE(std::isnan(cast(DataType::f8e5m2fnuz, -large, false)));
    EXPECT_EQ(cast(DataType::f8e5m2, -large, false), -INFINITY);
  }
  EXPECT_EQ(cast(DataType::f8e4m3fn, 464, false), 448);
  EXPECT_TRUE(std::isnan(cast(DataType::f8e4m3fn, 464.1, false)));
  EXPECT_EQ(encode_narrow(DataType::f8e4m3fnuz, -0.0), 0);
  EXPECT_EQ(encode_narrow(DataType::f8e4m3fnuz, -1e-9), 0);
  EXPECT_EQ(encode_narrow(DataType::f8e4m3fn, -0.0), 0x80);
  EXPECT_EQ(encode_narrow(DataType::u4, 99), 15);
  EXPECT_EQ(decode_narrow_int(DataType::i4, encode_narrow(DataType::i4, -99)), -8);
  EXPECT_EQ(encode_narrow(DataType::i2, NAN), 0);
}

TEST(Narrow, ScalesRoundAsAsked) {
  const auto code = [](double value, ScaleRounding rounding, bool saturate = true) {
    return encode_narrow(DataType::f8e8m0, value, saturate, rounding);
  };
  EXPECT_EQ(code(1.1, ScaleRounding::up), 128);
  EXPECT_EQ(code(1.1, ScaleRounding::down), 127);
  EXPECT_EQ(code(1.1, ScaleRounding::nearest), 127);
  EXPECT_EQ(code(1.5, ScaleRounding::nearest), 128);
  EXPECT_EQ(code(0, ScaleRounding::up), 0);
  EXPECT_EQ(code(0, ScaleRounding::nearest, false), 255);
  EXPECT_EQ(code(INFINITY, ScaleRounding::up), 254);
  EXPECT_EQ(code(1e300, ScaleRounding::up, false), 255);
  EXPECT_EQ(code(1e-300, ScaleRounding::up), 0);
}

TEST(Narrow, PackedElementsBeginInTheLowestBits) {
  const std::array<uint8_t, 2> packed = {0x2f, 0xe1};
  std::array<uint8_t, 3> nibbles{};
  unpack_narrow(DataType::u4, packed, nibbles);
  EXPECT_EQ(nibbles, (std::array<uint8_t, 3>{15, 2, 1}));
  unpack_narrow(DataType::i4, packed, nibbles);
  EXPECT_EQ(nibbles, (std::array<uint8_t, 3>{0xff, 2, 1}));
  std::array<uint8_t, 5> pairs{};
  unpack_narrow(DataType::u2, packed, pairs);
  EXPECT_EQ(pairs, (std::array<uint8_t, 5>{3, 3, 2, 0, 1}));
  EXPECT_EQ(packed_bytes(DataType::i4, 3), 2);
  EXPECT_EQ(packed_bytes(DataType::u2, 5), 2);
  EXPECT_EQ(packed_bytes(DataType::f8e5m2, 5), 5);
  EXPECT_EQ(packed_bytes(DataType::i16, 5), 10);
}

TEST(Narrow, ViewsReadTheCodeAlone) {
  uint8_t byte = 0xf7;
  const TensorView view = make_view(&byte, DataType::i4, {});
  EXPECT_EQ(load_int(view, 0), 7);
  EXPECT_EQ(load_double(view, 0), 7);
  store_int(view, 0, 9);
  EXPECT_EQ(byte, 0xf9);
  store_double(view, 0, 9);
  EXPECT_EQ(byte, 7);
}

}  // namespace
}  // namespace planish
