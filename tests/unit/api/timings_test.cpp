// Timing caches: their rows, joined and edited.

#include <gtest/gtest.h>

#include <set>

#include "common.h"

namespace planish::testing {
namespace {

constexpr const char* kHead = "planish timing cache 2\nhere\n";
const std::string kFirst(32, 'a'), kSecond(32, 'b');

std::string cache_of(const std::string& rows, const std::string& head = kHead) { return head + rows; }

TEST(Timings, RowsOfABuild) {
  std::string text;
  std::set<std::string> keys;
  BuildOptions options = untuned();
  options.tuning = Tuning::fast;
  options.timings = &text;
  options.timings_by_name = true;
  options.candidates = [&](const CandidateReport& report) {
    if (report.microseconds >= 0 && !report.candidate.ends_with(" (estimate)")) keys.insert(report.key);
  };
  build(small_network(), options);
  Timings timings(text);
  EXPECT_EQ(timings.text(), text);
  std::set<std::string> listed;
  std::string key, slower;
  for (const TimingRow& row : timings.rows()) {
    EXPECT_GT(row.microseconds, 0);
    EXPECT_FALSE(row.chosen);
    if (!listed.insert(row.key).second) key = row.key, slower = row.candidate;
  }
  EXPECT_EQ(listed, keys);
  ASSERT_FALSE(key.empty());

  timings.choose(key, slower, 1e6);
  text = timings.text();
  std::string chosen;
  options.candidates = [&](const CandidateReport& report) {
    if (report.key == key && report.chosen) chosen = report.candidate;
  };
  build(small_network(), options);
  EXPECT_EQ(chosen, slower);
}

TEST(Timings, OneChoiceForAKey) {
  Timings timings(cache_of(kFirst + " x 5.000\n" + kFirst + " y 6.000 full\n" + kSecond + " x 7.000\n"));
  timings.choose(kFirst, "x", 9);
  timings.choose(kFirst, "y", 8);
  EXPECT_EQ(timings.text(), cache_of(kFirst + " x 9.000\n" + kFirst + " y 8.000 full only\n" + kSecond + " x 7.000\n"));
  const auto code = [&](const std::string& key, const std::string& candidate, double us) {
    return error_of([&] { timings.choose(key, candidate, us); }).code();
  };
  EXPECT_EQ(code(kFirst, "z", 1), Code::not_found);
  EXPECT_EQ(code("no key", "x", 1), Code::not_found);
  EXPECT_EQ(code(kFirst, "x", 0), Code::invalid_argument);
}

// Times by which builds choose among whole plans are kept, but are no rows.
TEST(Timings, WholePlansAreNoRows) {
  const std::string text = cache_of(kFirst + " x 5.000\n" + kSecond + " plan/bf16 6.000\n");
  Timings timings(text);
  ASSERT_EQ(timings.rows().size(), 1U);
  EXPECT_EQ(timings.rows()[0].key, kFirst);
  EXPECT_EQ(error_of([&] { timings.choose(kSecond, "plan/bf16", 1); }).code(), Code::not_found);
  Timings other;
  other.merge(timings);
  EXPECT_EQ(other.text(), text);
}

TEST(Timings, Joined) {
  Timings all(cache_of(kFirst + " x 5.000\n" + kFirst + " y 6.000 full\n"));
  all.merge(Timings(cache_of(kFirst + " x 4.000 full\n" + kFirst + " y 3.000\n" + kSecond + " x 1.000\n")));
  const std::string joined = kFirst + " x 4.000 full\n" + kFirst + " y 6.000 full\n" + kSecond + " x 1.000\n";
  EXPECT_EQ(all.text(), cache_of(joined));
  all.merge(Timings());
  EXPECT_EQ(all.text(), cache_of(joined));
  const Timings strange(cache_of(kSecond + " y 2.000\n", "planish timing cache 2\nthere\n"));
  EXPECT_EQ(error_of([&] { all.merge(strange); }).code(), Code::mismatch);
  all.merge(strange, true);
  EXPECT_EQ(all.text(), cache_of(joined + kSecond + " y 2.000\n"));
}

TEST(Timings, WhatIsNone) {
  EXPECT_EQ(Timings().text(), "");
  EXPECT_TRUE(Timings().rows().empty());
  const auto code = [](const std::string& text) { return error_of([&] { Timings{text}; }).code(); };
  EXPECT_EQ(code("junk"), Code::invalid_argument);
  EXPECT_EQ(code(cache_of(kFirst + " x fast\n")), Code::invalid_argument);
  EXPECT_EQ(code("planish timing cache 1\nhere\n"), Code::mismatch);
  planish_timings* none = nullptr;
  EXPECT_EQ(planish_timings_read(nullptr, 1, &none), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_timings_read("", 0, nullptr), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_timings_list(nullptr, nullptr, nullptr), PLANISH_INVALID_ARGUMENT);
  planish_timings_destroy(nullptr);
}

}  // namespace
}  // namespace planish::testing
