// Numbers whose scale is found on the way, and products of them: every level against the network as written.

#include <gtest/gtest.h>

#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

Graph quantize_graph(const Tensor& x, bool rows, bool symmetric) {
  Graph graph;
  const ValueId in = graph.add_input("x", x.type());
  const ValueId numbers = add_op(graph, "dynamic_quantize_linear", {in},
                                 {{"rows", int64_t{rows}}, {"symmetric", int64_t{symmetric}}}, "subject");
  for (ValueId id : graph.node(graph.value(numbers).producer).outputs) graph.add_output(id);
  return graph;
}

TEST(DynamicQuantize, RowsAndTensors) {
  for (bool rows : {false, true})
    for (bool symmetric : {false, true})
      for (int64_t width : {1, 7, 64, 300, 20000}) {
        const Tensor x = random_tensor({2, 3, width}, static_cast<uint32_t>(width), 3);
        expect_graph_matches([&] { return quantize_graph(x, rows, symmetric); }, {{"x", x}}, 0,
                             fmt::format("rows {} symmetric {} width {}", rows, symmetric, width));
      }
}

TEST(DynamicQuantize, ZerosAndOneSide) {
  for (bool symmetric : {false, true})
    for (const auto& values : {std::vector<float>{0, 0, 0, 0}, {1, 2, 3, 4}, {-1, -2, -3, -4}, {0, 0, 0, 1e-30f}}) {
      const Tensor x = tensor_of<float>({4}, values);
      expect_graph_matches([&] { return quantize_graph(x, false, symmetric); }, {{"x", x}}, 0, "four");
    }
}

struct DynamicCase {
  std::vector<int64_t> x;
  int64_t columns;
  bool rows, symmetric;
  bool gelu = false;
};

// matmul(dq(dynamic(x)), dq(w)) + bias
Graph product_graph(const DynamicCase& c, const Tensor& x) {
  Graph graph;
  const int64_t depth = c.x.back();
  const ValueId in = graph.add_input("x", x.type());
  const ValueId first =
      add_op(graph, "dynamic_quantize_linear", {in}, {{"rows", int64_t{c.rows}}, {"symmetric", int64_t{c.symmetric}}});
  const std::vector<ValueId> numbers = graph.node(graph.value(first).producer).outputs;
  Attrs attrs;
  if (c.rows) attrs = {{"axis", int64_t{-1}}, {"block_size", depth}};
  const ValueId back = add_op(graph, "dequantize_linear", numbers, attrs);
  std::vector<float> scales;
  for (int64_t n = 0; n < c.columns; ++n) scales.push_back(0.01f + 0.001f * static_cast<float>(n % 5));
  const ValueId w = add_op(graph, "dequantize_linear",
                           {graph.add_constant(random_integers<int8_t>({depth, c.columns}, 5, -127, 127)),
                            graph.add_constant(tensor_of<float>({c.columns}, scales))},
                           {{"axis", int64_t{1}}});
  ValueId y = add_op(graph, "matmul", {back, w}, {}, "subject");
  y = add_op(graph, "add", {y, graph.add_constant(random_tensor({c.columns}, 9))});
  if (c.gelu) y = add_op(graph, "gelu", {y});
  graph.add_output(y);
  return graph;
}

TEST(DynamicProducts, RowsAndTensors) {
  for (bool rows : {false, true})
    for (bool symmetric : {false, true})
      for (int64_t count : {1, 5, 40})
        for (int64_t columns : {3, 64, 70})
          for (bool gelu : {false, true}) {
            const DynamicCase c{{2, count, 37}, columns, rows, symmetric, gelu};
            const Tensor x = random_tensor(c.x, static_cast<uint32_t>(count + columns), 2);
            expect_graph_matches([&] { return product_graph(c, x); }, {{"x", x}}, 2e-6,
                                 fmt::format("rows {} symmetric {} of {} by {}", rows, symmetric, count, columns));
          }
}

// A row with what is not finite is NaN, and no other one.
TEST(DynamicProducts, RowsThatAreNotFinite) {
  const DynamicCase c{{3, 20}, 8, true, true};
  std::vector<float> values(60, 0.5f);
  values[25] = std::numeric_limits<float>::infinity();
  const Tensor x = tensor_of<float>({3, 20}, values);
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.tuning = Tuning::off;
  const auto y = run(build(product_graph(c, x), *device, options), {{"x", x}}).begin()->second.to_doubles();
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i / 8 == 1) << i;
}

// As ONNX Runtime's quantize_dynamic writes them.
Graph integer_graph(bool conv, const Tensor& x, bool used_elsewhere) {
  Graph graph;
  const ValueId in = graph.add_input("x", x.type());
  const ValueId first = add_op(graph, "dynamic_quantize_linear", {in});
  const std::vector<ValueId> q = graph.node(graph.value(first).producer).outputs;
  const std::vector<int64_t> extents = conv ? std::vector<int64_t>{6, 3, 3, 3} : std::vector<int64_t>{40, 24};
  const ValueId w = graph.add_constant(random_integers<int8_t>(extents, 3, -127, 127));
  const ValueId zero = graph.add_constant(Tensor::scalar<int8_t>(0));
  Attrs attrs;
  if (conv) attrs = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId sums = add_op(graph, conv ? "conv_integer" : "matmul_integer", {q[0], w, q[2], zero}, attrs);
  const ValueId floats = add_op(graph, "cast", {sums}, {{"to", DataType::f32}});
  const ValueId scale = add_op(graph, "mul", {q[1], graph.add_constant(Tensor::scalar<float>(0.02f))});
  graph.add_output(add_op(graph, "mul", {floats, scale}, {}, "subject"));
  if (used_elsewhere) graph.add_output(sums);
  return graph;
}

TEST(DynamicProducts, OfIntegersWithTheirScaleBehind) {
  for (bool conv : {false, true})
    for (bool elsewhere : {false, true}) {
      const Tensor x = random_tensor(conv ? std::vector<int64_t>{1, 3, 9, 9} : std::vector<int64_t>{2, 7, 40}, 4, 2);
      expect_graph_matches([&] { return integer_graph(conv, x, elsewhere); }, {{"x", x}}, 2e-6,
                           fmt::format("conv {} elsewhere {}", conv, elsewhere));
    }
}

}  // namespace
}  // namespace planish
