// Expand, depthwise and project as one step, where extents are ranges.

#include <gtest/gtest.h>

#include "compile/build.h"
#include "ops/builder.h"
#include "support/networks.h"

namespace planish {
namespace {

ValueId windowed(Graph& graph, ValueId x, std::vector<int64_t> weights, int64_t group, int64_t stride, uint32_t seed) {
  const int64_t pad = weights[2] / 2;
  const ValueId w = graph.add_constant(testing::random_tensor(std::move(weights), seed));
  return add_op(
      graph, "conv", {x, w},
      {{"pads", std::vector<int64_t>(4, pad)}, {"strides", std::vector<int64_t>(2, stride)}, {"group", group}});
}

Graph small_mobile_network() {
  Graph graph;
  graph.symbols["batch"] = {SymbolKind::shape, {1, 2, 4}};
  graph.symbols["height"] = {SymbolKind::shape, {8, 48, 64}};
  const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("batch"), 8, Dim::symbol("height"), 24}});
  const ValueId wide = add_op(graph, "relu", {windowed(graph, x, {32, 8, 1, 1}, 1, 1, 1)});
  const ValueId deep = add_op(graph, "relu", {windowed(graph, wide, {32, 1, 3, 3}, 32, 2, 2)});
  graph.add_output(windowed(graph, deep, {16, 32, 1, 1}, 1, 1, 3));
  return graph;
}

TEST(Blocks, OfDynamicExtentsAreTimedAtThoseToTuneFor) {
  auto device = create_cpu_device(2);
  BuildOptions plain, fast;
  plain.optimize = false;
  fast.tuning = Tuning::fast;
  const Plan expected = build(small_mobile_network(), *device, plain),
             found = build(small_mobile_network(), *device, fast);
  for (int64_t batch : {1, 4})
    for (int64_t height : {8, 33, 64}) {
      const std::map<std::string, Tensor> inputs = {{"x", testing::random_tensor({batch, 8, height, 24}, 9)}};
      const auto outputs = testing::run(found, inputs), wanted = testing::run(expected, inputs);
      for (const auto& [name, tensor] : wanted)
        EXPECT_LE(testing::relative_l2(outputs.at(name), tensor), 1e-5) << batch << " x " << height;
    }
}

}  // namespace
}  // namespace planish
