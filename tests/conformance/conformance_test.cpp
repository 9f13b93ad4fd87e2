// The runner's own promises: a case that dies or hangs takes nothing with it, and lists are judged both ways.

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "conformance/classes.h"
#include "conformance/compare.h"
#include "conformance/known.h"
#include "conformance/workers.h"

namespace planish::conformance {
namespace {

Outcome passing() { return {Verdict::pass, "", DynamicVerdict::right, "", 7}; }

TEST(Workers, OneThatDiesIsNamedAndTheOthersAreKept) {
  const auto run = [](size_t index) {
    if (index == 5) ::raise(SIGKILL);  // which no sanitizer answers in the place of the system
    if (index == 9) ::_exit(3);
    return passing();
  };
  const auto outcomes = run_all(20, run, {.jobs = 2, .batch = 8, .case_seconds = 20});
  for (size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i].verdict, i == 5 || i == 9 ? Verdict::crash : Verdict::pass) << i;
  EXPECT_NE(outcomes[5].reason.find("signal 9"), std::string::npos) << outcomes[5].reason;
  EXPECT_EQ(outcomes[6].milliseconds, 7);
}

TEST(Workers, OneThatNeverEndsIsNamed) {
  const auto run = [](size_t index) {
    while (index == 2) ::pause();
    return passing();
  };
  const auto outcomes = run_all(4, run, {.jobs = 2, .batch = 4, .case_seconds = 0.5});
  for (size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i].verdict, i == 2 ? Verdict::hang : Verdict::pass) << i;
}

TEST(Outcomes, TravelAsLines) {
  const Outcome sent{Verdict::wrong, "a\tb\nc", DynamicVerdict::refused, "why not", 12};
  Outcome found;
  EXPECT_EQ(from_line(to_line(31, sent), found), 31u);
  EXPECT_EQ(found.verdict, Verdict::wrong);
  EXPECT_EQ(found.reason, "a b c");
  EXPECT_EQ(found.dynamic, DynamicVerdict::refused);
  EXPECT_EQ(found.dynamic_reason, "why not");
  EXPECT_EQ(found.milliseconds, 12);
}

template <class T>
Array array_of(planish_dtype dtype, const std::vector<T>& values) {
  Array array{dtype, {static_cast<int64_t>(values.size())}, std::vector<std::byte>(values.size() * sizeof(T))};
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

TEST(Compare, TypesExtentsAndValues) {
  const auto floats = [](std::vector<float> values) { return array_of(PLANISH_F32, values); };
  EXPECT_EQ(difference(floats({1000.5f, NAN, INFINITY}), floats({1000.f, NAN, INFINITY})), "");
  EXPECT_NE(difference(floats({1.01f}), floats({1.f})), "");
  EXPECT_NE(difference(floats({1.f}), floats({NAN})), "");
  EXPECT_NE(difference(floats({NAN}), floats({1.f})), "");
  EXPECT_NE(difference(floats({INFINITY}), floats({3e38f})), "");
  EXPECT_NE(difference(floats({1.f, 1.f}), floats({1.f})), "");
  EXPECT_NE(difference(array_of<int32_t>(PLANISH_I32, {1}), floats({1.f})), "");
  EXPECT_EQ(difference(array_of<int64_t>(PLANISH_I64, {1, 2}), array_of<int64_t>(PLANISH_I64, {1, 2})), "");
  EXPECT_NE(difference(array_of<int64_t>(PLANISH_I64, {1, 3}), array_of<int64_t>(PLANISH_I64, {1, 2})), "");
}

TEST(Known, IsJudgedBothWays) {
  const auto result = [](const char* name, Verdict verdict) {
    return Result{{"node", name, "", "core"}, {verdict, "why", DynamicVerdict::untried, "", 0}};
  };
  const KnownFailures known = {{"node/a", {Verdict::refused, "r"}}, {"node/b", {Verdict::wrong, "r"}}};
  EXPECT_EQ(print_surprises({result("a", Verdict::refused), result("c", Verdict::pass)}, known), 0);
  EXPECT_EQ(print_surprises({result("a", Verdict::pass)}, known), 1);
  EXPECT_EQ(print_surprises({result("c", Verdict::refused)}, known), 1);
  EXPECT_EQ(print_surprises({result("a", Verdict::wrong)}, known), 1);
  EXPECT_EQ(print_surprises({result("b", Verdict::refused)}, known), 0);
}

TEST(Known, KeepsRowsOfCasesThatWereNotRun) {
  const std::string path = (std::filesystem::temp_directory_path() / "conformance_known.tsv").string();
  std::filesystem::remove(path);
  const auto result = [](const char* name, Verdict verdict) {
    return Result{{"node", name, "", "core"}, {verdict, "why | so", DynamicVerdict::untried, "", 0}};
  };
  write_known(path, {result("a", Verdict::refused), result("b", Verdict::wrong)});
  write_known(path, {result("b", Verdict::pass)});
  const KnownFailures known = read_known(path);
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known.at("node/a").verdict, Verdict::refused);
  std::filesystem::remove(path);
}

TEST(Classes, ComeFromWhatTheModelHolds) {
  ModelFacts facts;
  facts.ops = {"Add"};
  facts.types = {1, 7};
  EXPECT_EQ(class_of(facts), "core");
  facts.types.insert(22);
  EXPECT_EQ(class_of(facts), "lowbit");
  facts.ops.insert("Bernoulli");
  EXPECT_EQ(class_of(facts), "random");
  facts.ops.insert("ai.onnx.ml.Binarizer");
  EXPECT_EQ(class_of(facts), "ml");
}

}  // namespace
}  // namespace planish::conformance
