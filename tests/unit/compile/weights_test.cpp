// Constant matrices that become numbers: which, how exactly, and what is refused.

#include "compile/weights.h"

#include <gtest/gtest.h>

#include "compile/calibrate/quantize.h"
#include "support/networks.h"

namespace planish {
namespace {

using namespace testing;

// Two products, the second by a matrix of few rows, which stays.
Graph two_products() {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {3, 64}});
  const ValueId a = add_op(graph, "matmul", {x, graph.add_constant(random_tensor({64, 8}, 1))}, {}, "wide");
  const ValueId b =
      add_op(graph, "matmul", {add_op(graph, "relu", {a}), graph.add_constant(random_tensor({8, 5}, 2))}, {}, "narrow");
  graph.add_output(b);
  return graph;
}

int count(const Graph& graph, OpName op) {
  int found = 0;
  for (NodeId id : graph.nodes()) found += graph.node(id).op == op ? 1 : 0;
  return found;
}

double error_of(const WeightOptions& options) {
  auto device = create_cpu_device(1);
  BuildOptions build_options;
  build_options.tuning = Tuning::off;
  const std::map<std::string, Tensor> inputs = {{"x", random_tensor({3, 64}, 5)}};
  Graph graph = simplified(two_products());
  quantize_weights(graph, options);
  const auto found = run(build(std::move(graph), *device, build_options), inputs);
  const auto expected = run(build(two_products(), *device, build_options), inputs);
  return relative_l2(found.begin()->second, expected.begin()->second);
}

TEST(Weights, BitsAndBlocksDecideTheError) {
  const double coarse = error_of({.bits = 4, .block = 0}), fine = error_of({.bits = 4, .block = 16}),
               bytes = error_of({.bits = 8}), dynamic = error_of({.dynamic = true});
  EXPECT_LT(coarse, 0.15);
  EXPECT_LT(fine, 0.15);
  EXPECT_LT(bytes, 0.01);
  EXPECT_GT(dynamic, 0);
  EXPECT_LT(dynamic, 0.02);
}

TEST(Weights, TakesMatricesOfSixteenRowsAndMore) {
  Graph graph = simplified(two_products());
  WeightReport report;
  quantize_weights(graph, {.bits = 4, .block = 32}, &report);
  EXPECT_EQ(report.layers, std::vector<std::string>{"wide"});
  EXPECT_EQ(report.bytes_before, 64 * 8 * 4);
  EXPECT_EQ(report.bytes_after, 64 * 8 / 2 + 2 * 8 * 4);
  EXPECT_EQ(count(graph, "dequantize_linear"), 1);
  Graph kept = simplified(two_products());
  quantize_weights(kept, {.bits = 4, .exclude = {"wide"}});
  EXPECT_EQ(count(kept, "dequantize_linear"), 0);
}

TEST(Weights, Refusals) {
  const auto refused = [](const WeightOptions& options) {
    Graph graph = simplified(two_products());
    try {
      quantize_weights(graph, options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused({.bits = 3}).find("weights of 3 bits; 8 and 4 are accepted"), std::string::npos);
  EXPECT_NE(refused({.bits = 4, .block = 20}).find("blocks of 20"), std::string::npos);
  EXPECT_NE(refused({.bits = 4, .dynamic = true}).find("dynamic rows go with"), std::string::npos);
  EXPECT_NE(refused({.bits = 8, .exclude = {"nobody"}}).find("'nobody' is excluded"), std::string::npos);
}

}  // namespace
}  // namespace planish
