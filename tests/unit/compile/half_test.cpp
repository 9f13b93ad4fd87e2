// Networks of 16-bit floats are computed in f32, between a cast of each input and one of each output.

#include <gtest/gtest.h>

#include <algorithm>

#include "support/networks.h"

namespace planish {
namespace {

Tensor converted_to(DataType type, const Tensor& tensor) {
  return Tensor::make(type, tensor.extents(), [&](std::byte* out) {
    const TensorView from = tensor.view(), to = make_view(out, type, tensor.extents());
    for (int64_t i = 0, n = tensor.element_count(); i < n; ++i) store_double(to, i, load_double(from, i));
  });
}

// Every f32 input and constant through `types`, one after the other.
Graph retyped(Graph graph, std::initializer_list<DataType> types) {
  const auto retype = [&](ValueId id) {
    Value& value = graph.mutable_value(id);
    for (DataType type : types) {
      if (value.is_constant()) value.constant = converted_to(type, value.constant);
      value.type.dtype = type;
    }
  };
  for (ValueId id : graph.inputs()) retype(id);
  for (NodeId id : graph.nodes())
    for (ValueId input : graph.node(id).inputs)
      if (graph.value(input).is_constant() && graph.value(input).type.dtype == DataType::f32) retype(input);
  infer_all(graph);
  return graph;
}

Plan untuned_plan(Graph graph, bool optimize) {
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = Tuning::off;
  return build(std::move(graph), *create_cpu_device(2), options);
}

int64_t steps_of(const Plan& plan, StepKind kind, const std::string& kernel) {
  const auto& steps = plan.profiles[0].steps;
  return std::count_if(steps.begin(), steps.end(), [&](const Step& step) {
    return step.kind == kind && (kernel.empty() || step.kernel == kernel);
  });
}

TEST(HalfNetworks, ComputeWhatTheirF32VersionComputes) {
  const std::pair<DataType, double> types[] = {{DataType::f16, 5e-4}, {DataType::bf16, 4e-3}};
  for (const auto& [half, rounding] : types)
    for (bool optimize : {true, false}) {
      const Tensor x = converted_to(half, testing::random_tensor({2, 3, 8, 8}, 9));
      const Plan plan = untuned_plan(retyped(testing::small_network(), {half}), optimize),
                 wide = untuned_plan(retyped(testing::small_network(), {half, DataType::f32}), optimize);
      const auto found = testing::run(plan, {{"x", x}});
      const auto expected = testing::run(wide, {{"x", converted_to(DataType::f32, x)}});
      ASSERT_EQ(found.size(), 1u);
      const auto& [name, result] = *found.begin();
      EXPECT_EQ(result.dtype(), half);
      EXPECT_LE(testing::relative_l2(result, expected.at(name)), rounding) << data_type_name(half);
      EXPECT_GT(testing::relative_l2(result, expected.at(name)), 0) << "the result is not rounded";
    }
}

TEST(HalfNetworks, AreCastOnceAtEachEnd) {
  for (DataType half : {DataType::f16, DataType::bf16}) {
    const Plan plan = untuned_plan(retyped(testing::small_network(), {half}), true);
    EXPECT_EQ(steps_of(plan, StepKind::cpu, "cast"), 2);
    EXPECT_EQ(steps_of(plan, StepKind::reference, ""), 0);
    EXPECT_EQ(plan.profiles[0].steps.size(), untuned_plan(testing::small_network(), true).profiles[0].steps.size() + 2);
  }
}

// x / 2 (1 + erf(x / sqrt 2)) on rows, with the constants of the type.
Graph gelu_network() {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {4, 32}});
  const auto number = [&](float value) { return graph.add_constant(Tensor::scalar(value)); };
  const ValueId y = add_op(graph, "matmul", {x, graph.add_constant(testing::random_tensor({32, 48}, 3))});
  const ValueId inner = add_op(graph, "erf", {add_op(graph, "div", {y, number(1.4142135f)})});
  const ValueId sum = add_op(graph, "add", {inner, number(1)});
  graph.add_output(add_op(graph, "mul", {add_op(graph, "mul", {y, sum}), number(.5f)}));
  return graph;
}

// Patterns know their constants when these were rounded, too.
TEST(HalfNetworks, AreFusedAsTheirF32Version) {
  EXPECT_EQ(untuned_plan(gelu_network(), true).profiles[0].steps.size(), 1u);
  const std::pair<DataType, double> types[] = {{DataType::f16, 5e-4}, {DataType::bf16, 4e-3}};
  for (const auto& [half, rounding] : types) {
    const Tensor x = converted_to(half, testing::random_tensor({4, 32}, 9));
    const Plan plan = untuned_plan(retyped(gelu_network(), {half}), true);
    EXPECT_EQ(plan.profiles[0].steps.size(), 3u) << data_type_name(half);
    const auto found = testing::run(plan, {{"x", x}});
    const auto expected = testing::run(untuned_plan(retyped(gelu_network(), {half, DataType::f32}), false),
                                       {{"x", converted_to(DataType::f32, x)}});
    EXPECT_LE(testing::relative_l2(found.begin()->second, expected.begin()->second), rounding) << data_type_name(half);
  }
}

}  // namespace
}  // namespace planish
