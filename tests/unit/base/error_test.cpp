#include "base/error.h"

#include <gtest/gtest.h>

#include "base/checked.h"
#include "base/log.h"

namespace planish {
namespace {

TEST(Error, GathersFramesFromTheInsideOut) {
  try {
    with_context([] { return std::string("of a.onnx"); },
                 [] {
                   with_context([] { return std::string("node 'x'"); },
                                [] { fail(Code::invalid_model, "{} inputs", 3); });
                 });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "of a.onnx: node 'x': 3 inputs");
    EXPECT_EQ(error.message(), "3 inputs");
    EXPECT_EQ(error.frames(), (std::vector<std::string>{"node 'x'", "of a.onnx"}));
    EXPECT_EQ(error.code(), Code::invalid_model);
  }
}

TEST(Error, ShowsNoControlCharactersOfWhatItQuotes) {
  Error error(Code::invalid_model, "node '\x1b[2J\x7f'\n");
  error.add_context("of \a.onnx");
  EXPECT_STREQ(error.what(), "of ?.onnx: node '?[2J?'\n");
}

TEST(Error, EveryCodeHasItsOwnName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    names.push_back(code_name(static_cast<Code>(i)));
    EXPECT_FALSE(names.back().empty());
  }
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(Status, TruncatesAndRaises) {
  const Status long_status(Code::io, std::string(10000, 'x'));
  EXPECT_EQ(std::string_view(long_status.message()).size(), 499u);
  EXPECT_THROW(long_status.raise(), Error);
  EXPECT_NO_THROW(Status().raise());
  EXPECT_TRUE(Status().ok());
}

TEST(Checked, AcceptsTheLimitAndNothingBeyond) {
  EXPECT_EQ(checked_add(INT64_MAX - 1, 1), INT64_MAX);
  EXPECT_THROW(checked_add(INT64_MAX, 1), Error);
  EXPECT_THROW(checked_mul(INT64_MIN, -1), Error);
  EXPECT_EQ(checked_product({}), 1);
  EXPECT_EQ(checked_product(std::vector<int64_t>{2, 3, 0}), 0);
  EXPECT_THROW(checked_product(std::vector<int64_t>{2, -1}), Error);
  EXPECT_THROW(checked_product(std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40}), Error);
}

TEST(Log, ReachesTheSinkAndSurvivesOneThatThrows) {
  std::vector<std::string> seen;
  set_log_sink([&](Severity, std::string_view text) { seen.emplace_back(text); });
  log(Severity::warning, "{} of {}", 1, 2);
  log(Severity::verbose, "hidden");
  EXPECT_EQ(seen, std::vector<std::string>{"1 of 2"});
  set_log_sink([](Severity, std::string_view) { throw 1; });
  EXPECT_NO_THROW(log(Severity::error, "x"));
  set_log_sink({});
}

}  // namespace
}  // namespace planish
