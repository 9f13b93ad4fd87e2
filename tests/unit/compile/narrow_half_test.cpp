#include "compile/narrow_half.h"

#include <gtest/gtest.h>

#include "compile/pipeline.h"
#include "support/networks.h"

namespace planish {
namespace {

// Between the casts at both ends all of it is in halves, and the types are those that operators infer.
TEST(NarrowHalf, TheSmallNetwork) {
  Graph graph = testing::small_network();
  infer_all(graph);
  run_pipeline(graph, pipeline(true), "");
  narrow_half(graph);
  verify(graph);
  EXPECT_EQ(graph.value(graph.inputs()[0]).type.dtype, DataType::f32);
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DataType::f32);
  int casts = 0;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    casts += node.op == "cast" ? 1 : 0;
    if (node.op == "cast") continue;
    for (ValueId output : node.outputs) EXPECT_EQ(graph.value(output).type.dtype, DataType::f16) << node.name;
  }
  EXPECT_EQ(casts, 2);
}

// What has no kernel for halves keeps f32 operands and results; numbers beyond the range of f16 end at it.
TEST(NarrowHalf, OtherOperatorsKeepTheirTypes) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {2, 3}});
  const ValueId far = graph.add_constant(Tensor::of<float>({1}, std::vector<float>{-1e9f}));
  const ValueId a = add_op(graph, "add", {x, far}, {}, "add");
  const ValueId s = add_op(graph, "cum_sum", {a, graph.add_constant(Tensor::scalar<int64_t>(1))}, {}, "sums");
  graph.add_output(add_op(graph, "neg", {s}, {}, "neg"));
  infer_all(graph);
  narrow_half(graph);
  verify(graph);
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op == "cum_sum") {
      EXPECT_EQ(graph.value(node.inputs[0]).type.dtype, DataType::f32);
      EXPECT_EQ(graph.value(node.outputs[0]).type.dtype, DataType::f32);
    }
    if (node.op == "add") {
      EXPECT_EQ(graph.value(node.inputs[1]).constant.to_doubles().at(0), -65504);
    }
  }
  const size_t count = graph.nodes().size();
  narrow_half(graph);
  EXPECT_EQ(graph.nodes().size(), count);
}

}  // namespace
}  // namespace planish
