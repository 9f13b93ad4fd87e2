// Every candidate of a matrix product, and weights that lie in 16 bits.

#include <gtest/gtest.h>

#include "support/product_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(CpuProducts, MatrixProductsAreExactOnIntegers) {
  std::mt19937 random(6);
  for (int i = 0; i < 80; ++i) {
    const int64_t m = 1 + random() % 90, k = 1 + random() % 40, n = 1 + random() % 50, b = 1 + random() % 3;
    const bool constant = i % 2 == 0;
    const auto after = constant ? static_cast<After>(i / 2 % static_cast<int>(After::count)) : After::nothing;
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {b, m, k}});
      const ValueId w =
          constant ? graph.add_constant(integer_tensor({k, n}, 21)) : graph.add_input("w", {DataType::f32, {b, k, n}});
      const ValueId y = add_op(graph, "matmul", {x, w});
      graph.add_output(add_after(graph, y, after, {n}, {b, m, n}));
      return graph;
    };
    auto inputs = inputs_of(after, integer_tensor({b, m, k}, static_cast<uint32_t>(i)), {b, m, n});
    if (!constant) inputs["w"] = integer_tensor({b, k, n}, 99);
    compare_candidates(make, inputs, 0, fmt::format("b{} m{} k{} n{}", b, m, k, n));
  }
}

// Values of f16, or with `wide` of bf16 alone.
Tensor values_of_16_bits(std::vector<int64_t> extents, uint32_t seed, bool wide) {
  const Tensor values = random_tensor(std::move(extents), seed);
  std::vector<float> rounded;
  for (float x : values.as<float>())
    rounded.push_back(wide ? to_float(to_bfloat16(x * 0x1p20f)) : to_float(to_half(x)));
  return Tensor::of<float>(values.extents(), rounded);
}

Graph product_with_rounded_weights(int64_t m, int64_t k, int64_t n, bool wide) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {m, k}});
  const ValueId y = add_op(graph, "matmul", {x, graph.add_constant(values_of_16_bits({k, n}, 31, wide))});
  graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, graph.add_constant(integer_tensor({n}, 32))})}));
  return graph;
}

DataType stored_weights(const Graph& graph) {
  BuildOptions options;
  options.tuning = Tuning::off;
  const Plan plan = build(graph.clone(), *create_cpu_device(2), options);
  return plan.profiles[0].steps.at(0).inputs.at(1).dtype;
}

TEST(CpuProducts, WeightsThatFitInto16BitsAreStoredSo) {
  std::mt19937 random(8);
  for (int64_t m = 1; m < 27; ++m)
    for (bool wide : {false, true}) {
      const int64_t k = 1 + random() % 70, n = 1 + random() % 70;
      const auto make = [&] { return product_with_rounded_weights(m, k, n, wide); };
      const Graph graph = make();
      const auto names = candidates_of(graph, cpu_info().best_isa());
      EXPECT_EQ(std::count_if(names.begin(), names.end(),
                              [&](const auto& name) {
                                return name.starts_with(wide ? "gemm.bf16_weights." : "gemm.f16_weights.");
                              }),
                1);
      compare_candidates(make, {{"x", random_tensor({m, k}, static_cast<uint32_t>(m))}}, 1e-6,
                         fmt::format("m{} k{} n{}", m, k, n));
    }
  EXPECT_EQ(stored_weights(product_with_rounded_weights(1, 512, 512, false)), DataType::f16);
  EXPECT_EQ(stored_weights(product_with_rounded_weights(1, 512, 512, true)), DataType::bf16);
  EXPECT_EQ(stored_weights(product_with_rounded_weights(500, 512, 512, false)), DataType::f32);
}

}  // namespace
}  // namespace planish
