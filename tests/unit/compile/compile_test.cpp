#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "compile/emitter.h"
#include "compile/memory.h"
#include "compile/timing_cache.h"
#include "compile/trial.h"
#include "support/networks.h"

namespace planish {
namespace {

TEST(Memory, LiveIntervalsNeverOverlap) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<Interval> intervals;
    for (int i = 0; i < 40; ++i) {
      const int first = static_cast<int>(random() % 30);
      intervals.push_back({static_cast<int64_t>(random() % 5000) + 1, first, first + static_cast<int>(random() % 8)});
    }
    const MemoryPlan plan = plan_memory(intervals);
    EXPECT_GE(plan.arena_bytes, plan.live_peak_bytes);
    for (size_t i = 0; i < intervals.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      for (size_t j = 0; j < i; ++j) {
        const bool together = intervals[i].first <= intervals[j].last && intervals[j].first <= intervals[i].last;
        const bool apart = plan.offsets[i] + intervals[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + intervals[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

TEST(Build, FusesToOneStepALayer) {
  const Plan plan = testing::build_small(true);
  int compute = 0;
  for (const Step& step : plan.profiles[0].steps) compute += step.kind != StepKind::copy ? 1 : 0;
  EXPECT_EQ(compute, 4);  // conv + relu, pool, conv + add + relu, fc
}

// Extents that data decides are tuned at guesses, which the channels that weights want may contradict.
TEST(Build, GuessedExtentsNeedNotGoTogether) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, Shape{1, 3, 8, 8}});
  const ValueId shape = graph.add_input("shape", {DataType::i64, Shape{4}});
  const std::vector<float> weights(16 * 3 * 9, .5f);
  const int64_t extents[] = {16, 3, 3, 3};
  const ValueId w =
      graph.add_constant(Tensor::copy_of(make_view(const_cast<float*>(weights.data()), DataType::f32, extents)), "w");
  const ValueId conv = add_op(graph, "conv", {add_op(graph, "reshape", {x, shape}), w});
  graph.add_output(add_op(graph, "relu", {conv}));
  auto device = create_cpu_device(1);
  EXPECT_NO_THROW(build(std::move(graph), *device, {}));
}

TEST(Build, TimingCacheMakesThePlanReproducible) {
  const std::string cache = std::filesystem::temp_directory_path() / ("planish_cache_" + std::to_string(getpid()));
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.timing_cache = cache;
  BuildReport first, second;
  const auto a = serialize(build(testing::small_network(), *device, options, &first));
  const auto b = serialize(build(testing::small_network(), *device, options, &second));
  EXPECT_GT(first.timed, 0);
  EXPECT_EQ(second.timed, 0);
  EXPECT_EQ(a, b);
  write_file_atomic(cache, "garbage");
  EXPECT_NO_THROW(build(testing::small_network(), *device, options));
  std::filesystem::remove(cache);
}

const TacticChoice* choice_of(const BuildReport& report, const std::string& key) {
  for (const TacticChoice& choice : report.choices)
    if (choice.key == key) return &choice;
  return nullptr;
}

TEST(Build, TimingsAsTextMayNameTheCandidate) {
  auto device = create_cpu_device(1);
  std::string timings;
  BuildOptions options;
  options.timings = &timings;
  options.timings_by_name = true;
  BuildReport first, second;
  const auto a = serialize(build(testing::small_network(), *device, options, &first));
  EXPECT_EQ(a, serialize(build(testing::small_network(), *device, options, &second)));
  EXPECT_GT(first.timed, 0);
  EXPECT_EQ(second.timed, 0);
  // A slower candidate of the first node that has one.
  std::string key, other;
  for (const TacticChoice& choice : second.choices)
    for (const auto& [name, us] : choice.timings_us)
      if (key.empty() && name != choice.chosen && !name.ends_with(")")) key = choice.key, other = name;
  ASSERT_FALSE(key.empty());
  const size_t row = timings.find(key + " " + other + " ");
  ASSERT_NE(row, std::string::npos);
  timings.insert(timings.find('\n', row), " only");
  BuildReport third;
  build(testing::small_network(), *device, options, &third);
  ASSERT_NE(choice_of(third, key), nullptr);
  EXPECT_EQ(choice_of(third, key)->chosen, other);
  timings = "something else";
  EXPECT_NO_THROW(build(testing::small_network(), *device, options));
  EXPECT_TRUE(timings.starts_with("planish timing cache "));
}

// What fast tuning took, full tuning takes again; what full took, fast takes over.
TEST(Build, FullTuningTakesTimesAgain) {
  auto device = create_cpu_device(1);
  std::string timings;
  BuildOptions options;
  options.timings = &timings;
  const auto tune = [&](Tuning how) {
    options.tuning = how;
    BuildReport report;
    build(testing::small_network(), *device, options, &report);
    return report;
  };
  const BuildReport fast = tune(Tuning::fast), full = tune(Tuning::full), again = tune(Tuning::full);
  EXPECT_GT(fast.timed, 0);
  EXPECT_EQ(full.timed, fast.timed);
  EXPECT_EQ(full.cached, fast.cached);
  EXPECT_NE(timings.find(" full\n"), std::string::npos) << timings;
  EXPECT_EQ(again.timed, 0);
  EXPECT_EQ(tune(Tuning::fast).timed, 0);
}

TEST(TimingCache, KeepsWhatWasTakenMoreCarefully) {
  const std::string head = "planish timing cache 2\nhere\n", key(32, 'a');
  const auto cache = [&](const std::string& rows) { return TimingCache::parse(head + rows, "here"); };
  TimingCache all = cache(key + " a 5.000\n" + key + " b 6.000 full\n" + key + " c 7.000 only\n");
  all.add(cache(key + " a 4.000 full\n" + key + " b 3.000\n" + key + " c 2.000 full\n" + key + " d 1.000\n"));
  EXPECT_EQ(all.str(),
            head + key + " a 4.000 full\n" + key + " b 6.000 full\n" + key + " c 7.000 only\n" + key + " d 1.000\n");
  const std::string both = head + key + " a 4.000 full only\n";
  EXPECT_EQ(TimingCache::parse(both, "here").str(), both);
}

// Cancelled or out of time, a build does not tune on.
TEST(Build, TuningEndsWhenItIsTold) {
  auto device = create_cpu_device(1);
  std::string timings;
  BuildOptions options;
  options.timings = &timings;
  options.progress = [](const BuildProgress& progress) { return progress.phase != "tuning" || progress.done == 0; };
  EXPECT_THROW(build(testing::small_network(), *device, options), Error);
  options.progress = {};
  options.tuning_seconds = 1e-9;
  BuildReport report;
  build(testing::small_network(), *device, options, &report);
  EXPECT_EQ(report.timed, 1);
}

Plan untuned(Graph graph) {
  BuildOptions options;
  options.tuning = Tuning::off;
  return build(std::move(graph), *create_cpu_device(1), options);
}

// A level's timings say nothing about another's.
TEST(Build, TimingsBelongToTheLevel) {
  const std::string cache = std::filesystem::temp_directory_path() / ("planish_levels_" + std::to_string(getpid()));
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.timing_cache = cache;
  for (Isa isa : {Isa::scalar, cpu_info().best_isa()}) {
    options.isa = isa_name(isa);
    BuildReport report;
    build(testing::small_network(), *device, options, &report);
    EXPECT_GT(report.timed, 0) << options.isa;
    EXPECT_EQ(report.cached, 0) << options.isa;
  }
  std::filesystem::remove(cache);
}

TEST(Build, CopiesAreNoPartOfATiming) {
  Step copy, kernel;
  copy.kind = StepKind::copy;
  kernel.kind = StepKind::cpu;
  const StepTiming timings[] = {{&copy, 5, 0, 0}, {&kernel, 0.25, 0, 0}, {&kernel, 0.5, 0, 0}};
  EXPECT_EQ(computing_us(timings), 750);
}

// What was timed is slower than any estimate says; so is, then, what was not.
TEST(Build, EstimatesDoNotBeatTimings) {
  Graph graph = testing::small_network();
  EmitOptions options;
  options.target.isa = cpu_info().best_isa();
  std::map<std::string, std::map<std::string, double>> estimates;
  options.measured = [&](const Graph& g, const Node& node, const Candidate& candidate) {
    const CandidateSink sink = cpu_tactics().propose({g, node, options.target.isa, options.target.threads});
    const auto best = std::min_element(sink.candidates.begin(), sink.candidates.end(),
                                       [](const auto& a, const auto& b) { return a.estimated_us < b.estimated_us; });
    for (const Candidate& offered : sink.candidates) estimates[node.name][offered.name] = offered.estimated_us;
    estimates[node.name]["best"] = best->estimated_us;
    return candidate.name == best->name ? 1000 * best->estimated_us + 1000 : -1;
  };
  BuildReport report;
  options.report = &report;
  emit_plan(graph, options);
  ASSERT_FALSE(report.choices.empty());
  for (const TacticChoice& choice : report.choices) {
    const auto& of_node = estimates.at(choice.node);
    EXPECT_EQ(of_node.at(choice.chosen), of_node.at("best")) << choice.node << ": " << choice.chosen;
  }
}

// What a step writes to the arena is read, or it was for nothing.
TEST(Build, NothingIsCopiedInVain) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {1, 16, 16, 16}});
  const ValueId weights = graph.add_constant(testing::random_tensor({16, 16, 3, 3}, 1));
  const ValueId conv = add_op(graph, "conv", {x, weights}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}, "conv");
  const auto one = [&](int64_t value) { return graph.add_constant(Tensor::ints(std::vector<int64_t>{value})); };
  graph.add_output(add_op(graph, "slice", {conv, one(-1), one(-100), one(2), one(-1)}, {}, "mirror"));
  const Plan plan = untuned(std::move(graph));
  std::set<int32_t> written, read;
  for (const Step& step : plan.profiles[0].steps) {
    for (const ViewDesc& view : step.outputs) written.insert(view.buffer);
    for (const ViewDesc& view : step.inputs) read.insert(view.buffer);
  }
  for (int32_t buffer : written)
    EXPECT_TRUE(plan.profiles[0].buffers[static_cast<size_t>(buffer)].kind != BufferKind::arena ||
                read.count(buffer) > 0)
        << print(plan);
}

// Extents that do not grow with every symbol: what a slice leaves is longest where it begins first.
TEST(Build, WorkspacesServeEveryShape) {
  Graph graph;
  graph.symbols["N"] = {SymbolKind::shape, {10, 64, 64}};
  graph.symbols["M"] = {SymbolKind::shape, {1, 8, 8}};
  const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("N")}});
  const ValueId skipped = graph.add_input("skipped", {DataType::f32, {Dim::symbol("M")}});
  const auto ints = [&](std::vector<int64_t> values) { return graph.add_constant(Tensor::ints(values)); };
  const ValueId begin = add_op(graph, "shape", {skipped});
  const ValueId rest = add_op(graph, "slice", {x, begin, ints({INT32_MAX}), ints({0})}, {}, "rest");
  graph.add_output(add_op(graph, "pad", {rest, ints({1, 1})}, {}, "pad"));
  const Plan plan = untuned(std::move(graph));
  for (int64_t m : {8, 1}) {
    const Tensor x64 = testing::random_tensor({64}, 1), front = testing::random_tensor({m}, 2);
    const auto found = testing::run(plan, {{"x", x64}, {"skipped", front}}, 1);
    EXPECT_EQ(found.begin()->second.extents(), (std::vector<int64_t>{66 - m}));
  }
}

// The largest rows and the largest columns never come together.
TEST(Build, ExtentsThatDivideAnotherServeEveryShape) {
  Graph graph;
  graph.symbols["N"] = {SymbolKind::shape, {8, 64, 64}};
  graph.symbols["M"] = {SymbolKind::shape, {1, 8, 8}};
  const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("N")}});
  const ValueId like = graph.add_input("like", {DataType::f32, {Dim::symbol("M")}});
  const auto ints = [&](std::vector<int64_t> values) { return graph.add_constant(Tensor::ints(values)); };
  const ValueId shape = add_op(graph, "concat", {add_op(graph, "shape", {like}), ints({-1})}, {{"axis", int64_t{0}}});
  const ValueId rows = add_op(graph, "reshape", {x, shape}, {}, "rows");
  graph.add_output(add_op(graph, "pad", {rows, ints({1, 1, 1, 1})}, {}, "pad"));
  const Plan plan = untuned(std::move(graph));
  for (int64_t m : {8, 1}) {
    const Tensor x64 = testing::random_tensor({64}, 1), front = testing::random_tensor({m}, 2);
    const auto found = testing::run(plan, {{"x", x64}, {"like", front}}, 1);
    EXPECT_EQ(found.begin()->second.extents(), (std::vector<int64_t>{m + 2, 64 / m + 2}));
  }
}

TEST(Build, CanBeCancelled) {
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.progress = [](const BuildProgress& progress) { return progress.phase != "tuning"; };
  EXPECT_THROW(build(testing::small_network(), *device, options), Error);
}

}  // namespace
}  // namespace planish
