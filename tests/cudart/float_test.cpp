// 16-bit and 8-bit floats of the headers: every code, and rounding against double arithmetic.

#include <cmath>
#include <cstring>
#include <random>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_fp8.h"
#include "gtest/gtest.h"

namespace {

// |value| of a code with `mantissa` bits and bias `bias`, written down from the definition.
double value_of(unsigned magnitude, int mantissa, int bias) {
  const int exponent = static_cast<int>(magnitude >> mantissa), scale = std::max(exponent, 1) - bias - mantissa;
  const unsigned fraction = magnitude & ((1u << mantissa) - 1);
  return std::ldexp(fraction + (exponent == 0 ? 0 : std::ldexp(1.0, mantissa)), scale);
}

// The code nearest to `value`, ties to the even one, among those below `end`; `end` where it is nearer.
unsigned nearest(double value, int mantissa, int bias, unsigned end) {
  unsigned low = 0, high = end;
  while (high - low > 1) {
    const unsigned middle = (low + high) / 2;
    (value_of(middle, mantissa, bias) <= value ? low : high) = middle;
  }
  const double below = value - value_of(low, mantissa, bias), above = value_of(high, mantissa, bias) - value;
  return below < above || (below == above && low % 2 == 0) ? low : high;
}

float random_float(std::mt19937& random) {
  const unsigned bits = random() & 0x7fffffffu;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

}  // namespace

TEST(CudaFloats, HalfCodes) {
  for (unsigned code = 0; code < 0x7c00; ++code) {
    const __half h = __ushort_as_half(static_cast<unsigned short>(code));
    EXPECT_EQ(value_of(code, 10, 15), static_cast<double>(__half2float(h)));
    EXPECT_EQ(code, __half_as_ushort(__float2half(h)));
    EXPECT_EQ(code | 0x8000, __half_as_ushort(__float2half(-static_cast<float>(h))));
  }
  EXPECT_TRUE(std::isinf(static_cast<float>(__ushort_as_half(0x7c00))));
  EXPECT_TRUE(std::isnan(static_cast<float>(__ushort_as_half(0x7c01))));
  EXPECT_EQ(0x7c00, __half_as_ushort(__float2half(INFINITY)));
  EXPECT_EQ(0xfc00, __half_as_ushort(__float2half(-1e30f)));
  EXPECT_TRUE(__hisnan(__float2half(NAN)));
}

TEST(CudaFloats, RoundToNearestEven) {
  std::mt19937 random(20);
  for (int i = 0; i < 200000; ++i) {
    const float value = i % 2 != 0 ? random_float(random)
                                   : std::ldexp(static_cast<float>(random() % 4096), -static_cast<int>(random() % 36));
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(nearest(value, 10, 15, 0x7c00), __half_as_ushort(__half(value))) << value;
    EXPECT_EQ(nearest(value, 7, 127, 0x7f80), __bfloat16_as_ushort(__nv_bfloat16(value))) << value;
    EXPECT_EQ(std::min(nearest(value, 3, 7, 0x7f), 0x7eu), __nv_fp8_e4m3(value).__x) << value;
    EXPECT_EQ(std::min(nearest(value, 2, 15, 0x7c), 0x7bu), __nv_fp8_e5m2(value).__x) << value;
  }
}

TEST(CudaFloats, SmallCodes) {
  for (unsigned code = 0; code < 0x7f; ++code) {
    __nv_fp8_e4m3 e4m3;
    __nv_fp8_e5m2 e5m2;
    e4m3.__x = e5m2.__x = static_cast<unsigned char>(code | 0x80);
    EXPECT_EQ(-value_of(code, 3, 7), static_cast<double>(static_cast<float>(e4m3)));
    EXPECT_TRUE(code >= 0x7c || -value_of(code, 2, 15) == static_cast<double>(static_cast<float>(e5m2)));
  }
}

TEST(CudaFloats, Arithmetic) {
  __half a(1.5f), b(2);
  EXPECT_EQ(3.5f, static_cast<float>(a + b));
  EXPECT_EQ(-3.f, static_cast<float>(-a * b));
  EXPECT_EQ(2.25f, a * 1.5f);
  a += b;
  EXPECT_EQ(3.5f, static_cast<float>(a));
  EXPECT_TRUE(a > b && __hgt(a, b) && b < 3.0);
  EXPECT_EQ(7, static_cast<int>(a * b));
  EXPECT_EQ(5.f, static_cast<float>(__hfma(__half(1.5f), b, b)));
  const __half2 two = __floats2half2_rn(1.f, 2.f);
  EXPECT_EQ(4.f, __high2float(__hmul2(two, two)));
  EXPECT_EQ(4u, sizeof(__half2));
  EXPECT_EQ(2u, sizeof(__nv_bfloat16));
}
