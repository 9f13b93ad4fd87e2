#include "tensor/dim.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "base/error.h"

namespace planish {
namespace {

const Dim N = Dim::symbol("N"), H = Dim::symbol("H"), W = Dim::symbol("W"), C = Dim::symbol("C");

TEST(Dim, EqualExpressionsAreOneNode) {
  EXPECT_EQ(N + H, H + N);
  EXPECT_EQ(N * (H + 1), N + H * N);
  EXPECT_EQ(N - N, Dim(0));
  EXPECT_EQ((N + H) * (N - H), N * N - H * H);
  EXPECT_EQ(2 * N + 3 * N, 5 * N);
  EXPECT_NE(N, H);
}

TEST(Dim, FactorsOfSumsCancel) {
  EXPECT_EQ(floor_div(6 * N, 3), 2 * N);
  EXPECT_EQ(floor_div(N * C * H, N * C), H);
  EXPECT_EQ(ceil_div(N * H, H), N);
  EXPECT_EQ(floor_div(4 * N + 8 * H, 4), N + 2 * H);
  EXPECT_EQ(mod(6 * N, 3), Dim(0));
  EXPECT_EQ(mod(N * H, H), Dim(0));
  EXPECT_EQ(floor_div(N * C * (H - 2) * (2 * W + 1), C * (H - 2)), N * (2 * W + 1));
  EXPECT_EQ(mod((N + 1) * (H + 3), H + 3), Dim(0));
}

// The extents of two ways through a network meet in one form.
TEST(Dim, StridedWindowsAgree) {
  const Dim conv = floor_div(H + 2 - 3, 2) + 1;  // kernel 3, pads 1, stride 2
  EXPECT_EQ(conv, floor_div(H + 1, 2));
  EXPECT_EQ(conv, ceil_div(H, 2));
  EXPECT_EQ(conv, floor_div(H - 1, 2) + 1);  // kernel 1, stride 2
  EXPECT_EQ(floor_div(floor_div(H, 2), 3), floor_div(H, 6));
  EXPECT_EQ(ceil_div(ceil_div(H, 2), 2), ceil_div(H, 4));
  EXPECT_EQ(floor_div(5 * H + 7, 2), 2 * H + 3 + floor_div(H + 1, 2));
}

TEST(Dim, MinAndMaxDropWhatIsImplied) {
  EXPECT_EQ(min(N, N), N);
  EXPECT_EQ(min(N, N + 1), N);
  EXPECT_EQ(max(N, N + 1), N + 1);
  EXPECT_EQ(min(min(N, 3), 5), min(3, N));
  EXPECT_EQ(max(max(N, H), W), max(W, max(H, N)));
  EXPECT_EQ(max(max(N, H), W).operands().size(), 3u);
  EXPECT_EQ(min(N, INT64_MAX).evaluate({{"N", 7}}), 7);
  EXPECT_EQ(max(N, INT64_MIN).evaluate({{"N", 7}}), 7);
}

TEST(Dim, PrintsReadably) {
  EXPECT_EQ((64 * H + 3).str(), "64*H + 3");
  EXPECT_EQ((N * H - 2 * W - 1).str(), "H*N - 2*W - 1");
  EXPECT_EQ(floor_div(H + 1, 2).str(), "floor_div(H + 1, 2)");
  EXPECT_EQ(Dim(INT64_MIN).str(), "-9223372036854775808");
  EXPECT_EQ(Dim::parse(Dim(INT64_MIN).str()), Dim(INT64_MIN));
}

TEST(Dim, RefusesBadText) {
  for (const char* text :
       {"", "N +", "(N", "N)", "foo(N, 1)", "floor_div(N)", "mod(1, 2, 3)", "1.5", "N H", "@", "99999999999999999999"})
    EXPECT_THROW(Dim::parse(text), Error) << text;
  EXPECT_THROW(Dim::parse(std::string(5000, '(')), Error);
  EXPECT_THROW(Dim::parse(std::string(5000, '-') + "1"), Error);
  EXPECT_THROW(Dim::symbol("1a"), Error);
  EXPECT_THROW(Dim::symbol("a b"), Error);
}

TEST(Dim, OverflowAndZeroDivisionAreErrors) {
  EXPECT_THROW(Dim(INT64_MAX) + 1, Error);
  EXPECT_THROW(Dim(INT64_MAX) * 2, Error);
  EXPECT_THROW(floor_div(1, 0), Error);
  EXPECT_THROW(mod(1, 0), Error);
  EXPECT_THROW(floor_div(Dim(INT64_MIN), -1), Error);
  EXPECT_EQ(mod(Dim(INT64_MIN), -1), Dim(0));
  EXPECT_THROW(floor_div(N, H).evaluate({{"N", 1}, {"H", 0}}), Error);
  EXPECT_THROW((N * H).evaluate({{"N", INT64_MAX}, {"H", 2}}), Error);
  try {
    (N + H).evaluate({{"N", 1}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'H'"), std::string::npos);
  }
}

TEST(Dim, ExpressionsCannotGrowWithoutEnd) {
  Dim sum = 0;
  for (int i = 0; i < 60; ++i) sum = sum + Dim::symbol("s" + std::to_string(i));
  EXPECT_THROW(for (int i = 0; i < 20; ++i) sum = sum * sum, Error);
  Dim nested = N;
  EXPECT_THROW(for (int i = 0; i < 1000; ++i) nested = floor_div(nested + H, W), Error);
}

TEST(Dim, SubstituteAndCollect) {
  std::vector<std::string> names;
  (floor_div(N, 2) * H + N).collect_symbols(names);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"H", "N"}));
  EXPECT_EQ((floor_div(N, 2) + H).substitute({{"N", 4 * W}, {"H", 1}}), 2 * W + 1);
}

// --- properties of random expressions

struct Random {
  std::mt19937_64 engine{7};
  int64_t below(int64_t n) { return static_cast<int64_t>(engine() % static_cast<uint64_t>(n)); }
};

int64_t floor_of(int64_t a, int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0); }

// A Dim, and its value by plain arithmetic at the same point; no value where a divisor is not positive.
struct Expression {
  Dim dim;
  std::optional<int64_t> value;
};

Expression random_expression(Random& random, const SymbolValues& point, int depth) {
  const int64_t kind = random.below(depth == 0 ? 2 : 9);
  if (kind == 0) {
    const int64_t value = random.below(9) - 3;
    return {value, value};
  }
  if (kind == 1) {
    auto at = std::next(point.begin(), random.below(static_cast<int64_t>(point.size())));
    return {Dim::symbol(at->first), at->second};
  }
  const Expression a = random_expression(random, point, depth - 1), b = random_expression(random, point, depth - 1);
  const bool known = a.value && b.value, divides = known && *b.value > 0;
  const auto when = [](bool good, auto value) { return good ? std::optional<int64_t>(value()) : std::nullopt; };
  switch (kind) {
    case 2:
      return {a.dim + b.dim, when(known, [&] { return *a.value + *b.value; })};
    case 3:
      return {a.dim - b.dim, when(known, [&] { return *a.value - *b.value; })};
    case 4:
      return {a.dim * b.dim, when(known, [&] { return *a.value * *b.value; })};
    case 5:
      return {min(a.dim, b.dim), when(known, [&] { return std::min(*a.value, *b.value); })};
    case 6:
      return {max(a.dim, b.dim), when(known, [&] { return std::max(*a.value, *b.value); })};
    case 7: {
      if (b.dim.is_constant() && b.dim.value() <= 0) return a;
      return {ceil_div(a.dim, b.dim), when(divides, [&] { return -floor_of(-*a.value, *b.value); })};
    }
    default: {
      if (b.dim.is_constant() && b.dim.value() <= 0) return a;
      if (random.below(2) == 0)
        return {floor_div(a.dim, b.dim), when(divides, [&] { return floor_of(*a.value, *b.value); })};
      return {mod(a.dim, b.dim), when(divides, [&] { return *a.value - *b.value * floor_of(*a.value, *b.value); })};
    }
  }
}

TEST(DimProperty, CanonicalFormsKeepTheValueAndRoundTrip) {
  Random random;
  int compared = 0;
  for (int i = 0; i < 20000; ++i) {
    const SymbolValues point = {{"A", 1 + random.below(9)}, {"B", 1 + random.below(30)}, {"C", 1 + random.below(5)}};
    Expression sample;
    try {
      sample = random_expression(random, point, 4);
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Code::unsupported || error.code() == Code::invalid_argument) << error.what();
      continue;
    }
    ASSERT_EQ(Dim::parse(sample.dim.str()), sample.dim) << sample.dim.str();
    if (!sample.value) continue;
    ++compared;
    ASSERT_EQ(sample.dim.evaluate(point), *sample.value) << sample.dim.str();
  }
  EXPECT_GT(compared, 8000);
}

TEST(DimProperty, BoundsHold) {
  Random random;
  const SymbolTable symbols = {{"A", {SymbolKind::shape, {2, 5, 9}}},
                               {"B", {SymbolKind::shape, {1, 8, 30}}},
                               {"C", {SymbolKind::shape, {1, 1, 1}}}};
  for (int i = 0; i < 5000; ++i) {
    const SymbolValues point = {{"A", 2 + random.below(8)}, {"B", 1 + random.below(30)}, {"C", 1}};
    try {
      const Expression sample = random_expression(random, point, 3);
      if (!sample.value) continue;
      EXPECT_LE(sample.dim.lower_bound(symbols), *sample.value) << sample.dim.str();
      EXPECT_GE(sample.dim.upper_bound(symbols), *sample.value) << sample.dim.str();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    }
  }
}

}  // namespace
}  // namespace planish
