#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "base/error.h"
#include "tensor/attrs.h"
#include "tensor/tensor.h"

namespace planish {
namespace {

Dim random_dim(std::mt19937& random, int depth) {
  const auto pick = random() % (depth <= 0 ? 2 : 8);
  if (pick == 0) return Dim(static_cast<int64_t>(random() % 7) + 1);
  if (pick == 1) return Dim::symbol(std::string(1, static_cast<char>('A' + random() % 3)));
  const Dim a = random_dim(random, depth - 1), b = random_dim(random, depth - 1);
  switch (pick) {
    case 2:
      return a + b;
    case 3:
      return a * b;
    case 4:
      return floor_div(a, max(b, 1));
    case 5:
      return ceil_div(a, max(b, 1));
    case 6:
      return mod(a, max(b, 1));
    default:
      return random() % 2 ? min(a, b) : max(a, b);
  }
}

TEST(Dim, TextRoundTripKeepsIdentityAndValue) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    const Dim dim = random_dim(random, 4);
    ASSERT_EQ(Dim::parse(dim.str()), dim) << dim.str();
  }
}

TEST(Dim, CanonicalFormsEvaluateAsWritten) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    const int64_t a = 1 + random() % 50, b = 1 + random() % 50, k = 1 + random() % 9;
    const Dim x = Dim::symbol("A"), y = Dim::symbol("B");
    const SymbolValues values = {{"A", a}, {"B", b}};
    EXPECT_EQ(floor_div(x * Dim(6) + y, 3).evaluate(values), (6 * a + b) / 3);
    EXPECT_EQ(ceil_div(x * y + 1, k).evaluate(values), (a * b + 1 + k - 1) / k);
    EXPECT_EQ(mod(x * Dim(k) + y, k).evaluate(values), b % k);
  }
}

TEST(Dim, ExactFactorsCancel) {
  const Dim n = Dim::symbol("N");
  EXPECT_EQ(floor_div(n * Dim(6), 3), n * Dim(2));
  EXPECT_EQ(floor_div(n * Dim(12), n), Dim(12));
  EXPECT_EQ(mod(n * Dim(4), 2), Dim(0));
  EXPECT_EQ(n + n - n, n);
}

TEST(Dim, DivisionByZeroIsAnError) { EXPECT_THROW(floor_div(Dim(3), Dim(0)), Error); }

TEST(DataType, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = to_float(Half{static_cast<uint16_t>(bits)});
    if (std::isnan(value)) continue;
    ASSERT_EQ(to_half(value).bits, bits);
  }
  EXPECT_EQ(to_half(65520.f).bits, 0x7c00);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0);  // tie to even
}

TEST(Tensor, CopiesAnyStriding) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor tensor = Tensor::of<float>({2, 3}, values);
  TensorView view = tensor.view();
  std::swap(view.dims[0], view.dims[1]);
  std::swap(view.strides[0], view.strides[1]);
  EXPECT_EQ(Tensor::copy_of(view).to_doubles(), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(Attrs, TextRoundTripKeepsKinds) {
  Attrs attrs;
  attrs.set("a", int64_t{3});
  attrs.set("b", 1.0);
  attrs.set("c", std::string("x \"y\""));
  attrs.set("d", std::vector<int64_t>{});
  attrs.set("e", std::vector<double>{1.0, 0.1});
  attrs.set("f", std::vector<Dim>{Dim::symbol("N"), max(Dim::symbol("N"), 2)});
  attrs.set("g", DataType::f16);
  attrs.set("h", Tensor::scalar<float>(2.5f));
  EXPECT_EQ(Attrs::parse(attrs.str()), attrs) << attrs.str();
}

TEST(Attrs, UnknownNamesAreRefusedByName) {
  try {
    attrs_to<NoAttrs>({{"colour", int64_t{1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("colour"), std::string::npos);
  }
}

TEST(TensorType, TextRoundTrip) {
  for (const char* text : {"f32[N,3,floor_div(H + 1, 2)]", "i64[]", "f32[1,8,7,7]@channels_last"})
    EXPECT_EQ(TensorType::parse(text).str(), text);
}

}  // namespace
}  // namespace planish
