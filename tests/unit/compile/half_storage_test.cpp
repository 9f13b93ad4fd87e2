// Values that lie in memory as bf16 between layers, where bf16 is permitted.

#include <gtest/gtest.h>

#include "compile/build.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using testing::integer_tensor;

// Two layers and what joins them: a sum, a concat written in place, a window of it, a mean. One value is read by
// everything.
Graph joined_layers() {
  Graph graph;
  const auto conv = [&](ValueId x, int64_t from, int64_t to, int64_t kernel, int64_t group, uint32_t seed) {
    const ValueId w = graph.add_constant(integer_tensor({to, from / group, kernel, kernel}, seed));
    const Attrs attrs = {{"pads", std::vector<int64_t>(4, kernel / 2)}, {"group", group}};
    return add_op(graph, "conv", {x, w}, attrs);
  };
  const auto ints = [&](std::vector<int64_t> values) { return graph.add_constant(Tensor::ints(values)); };
  const ValueId x = graph.add_input("x", {DataType::f32, {1, 3, 56, 56}});
  const ValueId a = add_op(graph, "relu", {conv(x, 3, 96, 3, 1, 1)});
  const ValueId b = add_op(graph, "relu", {conv(a, 96, 96, 3, 96, 2)});
  const ValueId c = add_op(graph, "add", {conv(b, 96, 96, 3, 1, 3), a});
  const ValueId joined = add_op(graph, "concat", {c, a}, {{"axis", int64_t{1}}});
  const ValueId part = add_op(graph, "slice", {joined, ints({8}), ints({40}), ints({1})});
  graph.add_output(add_op(graph, "global_average_pool", {part}));
  graph.add_output(conv(joined, 192, 16, 1, 1, 4));
  graph.add_output(c);
  return graph;
}

BuildOptions permitted(bool bf16, Tuning tuning) {
  BuildOptions options;
  options.tuning = tuning;
  options.precisions.bf16 = bf16;
  return options;
}

int halves_of(const Plan& plan) {
  int halves = 0;
  for (const Step& step : plan.profiles[0].steps)
    for (const ViewDesc& view : step.outputs) halves += view.dtype == DataType::bf16 ? 1 : 0;
  return halves;
}

TEST(HalfStorage, LayersShareBf16) {
  auto device = create_cpu_device(2);
  const std::map<std::string, Tensor> inputs = {{"x", testing::random_tensor({1, 3, 56, 56}, 9)}};
  const Plan exact = build(joined_layers(), *device, permitted(false, Tuning::off)),
             half = build(joined_layers(), *device, permitted(true, Tuning::off));
  EXPECT_EQ(halves_of(exact), 0);
  EXPECT_GE(halves_of(half), 2);
  for (const Binding& binding : half.bindings) EXPECT_EQ(binding.type.dtype, DataType::f32) << binding.name;
  const auto expected = testing::run(exact, inputs), found = testing::run(half, inputs);
  for (const auto& [name, tensor] : expected) EXPECT_LE(testing::relative_l2(found.at(name), tensor), 2e-2) << name;
}

// What is compared layer by layer is kept as it is stated.
TEST(HalfStorage, KeptValuesAreStated) {
  auto device = create_cpu_device(2);
  BuildOptions options = permitted(true, Tuning::off);
  options.keep_intermediates = true;
  EXPECT_EQ(halves_of(build(joined_layers(), *device, options)), 0);
}

// With times, the whole in fp32 stands beside; the same times give the same plan.
TEST(HalfStorage, ThePlanIsTheFasterOne) {
  auto device = create_cpu_device(2);
  const std::string cache = ::testing::TempDir() + "half_storage_times";
  std::remove(cache.c_str());
  BuildOptions options = permitted(true, Tuning::fast);
  options.timing_cache = cache;
  const Plan first = build(joined_layers(), *device, options), again = build(joined_layers(), *device, options);
  EXPECT_EQ(halves_of(first), halves_of(again));
  EXPECT_EQ(first.profiles[0].steps.size(), again.profiles[0].steps.size());
  const std::map<std::string, Tensor> inputs = {{"x", testing::random_tensor({1, 3, 56, 56}, 9)}};
  const auto expected = testing::run(build(joined_layers(), *device, permitted(false, Tuning::off)), inputs);
  for (const auto& [name, found] : testing::run(first, inputs))
    EXPECT_LE(testing::relative_l2(found, expected.at(name)), 2e-2) << name;
  std::remove(cache.c_str());
}

}  // namespace
}  // namespace planish
