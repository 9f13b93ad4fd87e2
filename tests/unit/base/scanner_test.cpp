#include "base/scanner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace planish {
namespace {

TEST(Scanner, ReadsTokensBetweenBlanksAndComments) {
  Scanner scanner("conv(%a, 3, -2.5e-3) // the first\n{\"x\\\"y\\n\"}");
  EXPECT_EQ(scanner.word(), "conv");
  scanner.expect("(");
  EXPECT_TRUE(scanner.accept("%"));
  EXPECT_EQ(scanner.word(), "a");
  scanner.expect(",");
  EXPECT_EQ(scanner.integer(), 3);
  scanner.expect(",");
  EXPECT_EQ(scanner.number().value, -2.5e-3);
  scanner.expect(")");
  scanner.expect("{");
  EXPECT_EQ(scanner.quoted(), "x\"y\n");
  scanner.expect("}");
  EXPECT_TRUE(scanner.at_end());
}

TEST(Scanner, ErrorsGiveLineAndColumn) {
  Scanner scanner("a\n  b c");
  scanner.word();
  scanner.word();
  try {
    scanner.expect(",");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "line 2, column 5: expected ',', found 'c'");
  }
}

TEST(Scanner, RefusesWhatIsNotClosed) {
  EXPECT_THROW(Scanner("\"abc").quoted(), Error);
  EXPECT_THROW(Scanner("\"abc\\").quoted(), Error);
  EXPECT_THROW(Scanner("").word(), Error);
  EXPECT_THROW(Scanner("").number(), Error);
  EXPECT_THROW(Scanner("-").number(), Error);
  EXPECT_THROW(Scanner("1.5").integer(), Error);
  Scanner open("(a");
  open.expect("(");
  EXPECT_THROW(open.balanced('(', ')'), Error);
}

TEST(Scanner, AcceptWordTakesWholeWords) {
  Scanner scanner("returned");
  EXPECT_FALSE(scanner.accept_word("return"));
  EXPECT_TRUE(scanner.accept_word("returned"));
}

TEST(Scanner, QuotedRoundTrip) {
  for (std::string text : {"", "plain", "a\"b\\c", "line\nline\ttab", "\\n", "caf\xc3\xa9"})
    EXPECT_EQ(Scanner(quote(text)).quoted(), text);
}

TEST(Scanner, DoublesRoundTripAndNeverLookLikeIntegers) {
  std::mt19937_64 random(1);
  std::vector<double> values = {
      0.0, -0.0, 1.0, -1.0, 1e20, 1e300, 5e-324, 0.1, 1.0 / 3, std::numeric_limits<double>::max(), INFINITY, -INFINITY};
  for (int i = 0; i < 2000; ++i) {
    double value;
    const uint64_t bits = random();
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isnan(value)) values.push_back(value);
  }
  for (double value : values) {
    const auto number = Scanner(print_double(value)).number();
    EXPECT_FALSE(number.is_integer) << print_double(value);
    EXPECT_EQ(std::signbit(number.value), std::signbit(value));
    EXPECT_EQ(number.value, value);
  }
  EXPECT_TRUE(std::isnan(Scanner(print_double(NAN)).number().value));
}

}  // namespace
}  // namespace planish
