// Parts of a concat are written where it has them, whoever else reads them.

#include <gtest/gtest.h>

#include "compile/build.h"
#include "ops/builder.h"
#include "support/networks.h"

namespace planish {
namespace {

ValueId conv3(Graph& graph, ValueId x, int64_t filters, uint32_t seed) {
  const int64_t channels = graph.value(x).type.shape[1].value();
  const ValueId w = graph.add_constant(testing::random_tensor({filters, channels, 3, 3}, seed));
  const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  return add_op(graph, "relu", {add_op(graph, "conv", {x, w}, same)});
}

ValueId joined(Graph& graph, std::vector<ValueId> parts) {
  return add_op(graph, "concat", std::move(parts), {{"axis", int64_t{1}}});
}

// Each layer reads all before it, and the sum of the first and the last is read, too.
Graph dense_block() {
  Graph graph;
  const ValueId a = conv3(graph, graph.add_input("x", {DataType::f32, {1, 5, 9, 11}}), 16, 1);
  const ValueId b = conv3(graph, a, 8, 2), c = conv3(graph, joined(graph, {a, b}), 8, 3),
                d = conv3(graph, joined(graph, {a, b, c}), 16, 4);
  graph.add_output(conv3(graph, joined(graph, {a, b, c, d, add_op(graph, "add", {a, d})}), 4, 5));
  return graph;
}

// Halves of a split, one of which goes on; both and what came of it are joined, with an upsampled picture.
Graph split_and_skip() {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {1, 5, 8, 12}}), a = conv3(graph, x, 32, 1);
  const NodeId split = add_node(graph, "split", {a}, {{"axis", int64_t{1}}, {"num_outputs", int64_t{2}}}, "", 2);
  const ValueId low = graph.node(split).outputs[0], high = graph.node(split).outputs[1];
  const ValueId all = joined(graph, {low, high, conv3(graph, high, 16, 2)});
  const ValueId down = add_op(graph, "max_pool", {all},
                              {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  const ValueId scales = graph.add_constant(Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2}));
  const ValueId up = add_op(graph, "resize", {conv3(graph, down, 8, 3), ValueId{}, scales},
                            {{"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}});
  graph.add_output(conv3(graph, joined(graph, {up, all}), 4, 4));
  return graph;
}

class Concats : public ::testing::TestWithParam<Graph (*)()> {};

TEST_P(Concats, NothingIsCopiedIntoThem) {
  auto device = create_cpu_device(2);
  const Graph sample = GetParam()();
  const std::map<std::string, Tensor> inputs = {
      {"x", testing::random_tensor(sample.value(sample.inputs()[0]).type.shape.extents(), 9)}};
  BuildOptions plain, options;
  plain.optimize = false;
  options.tuning = Tuning::off;
  const Plan plan = build(GetParam()(), *device, options);
  for (const Step& step : plan.profiles[0].steps)
    if (step.kind == StepKind::copy) {
      EXPECT_EQ(step.name.find("concat"), std::string::npos) << step.name;
    }
  const auto found = testing::run(plan, inputs), expected = testing::run(build(GetParam()(), *device, plain), inputs);
  for (const auto& [name, tensor] : expected) EXPECT_LE(testing::relative_l2(found.at(name), tensor), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Networks, Concats, ::testing::Values(dense_block, split_and_skip));

}  // namespace
}  // namespace planish
