// Products by matrices of numbers, against the network as written: every level, exactly where values are integers.

#include <gtest/gtest.h>

#include "ops/common/block_weights.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

struct Product {
  std::vector<int64_t> x;  // [.., M, K]
  int64_t columns, block;
  int bits;
  bool own_zeros = false;
  enum End { none, bias, residual, gelu, clamp } end = none;
  bool integers = true;

  std::string str() const {
    return fmt::format("[{}] by {} columns, blocks of {}, {} bits, zeros {}, end {}", listed(x), columns, block, bits,
                       own_zeros, static_cast<int>(end));
  }
};

// Numbers of any value; scales are powers of two where results are to be exact.
BlockWeights random_weights(const Product& p, uint32_t seed) {
  BlockWeights w;
  w.depth = p.x.back();
  w.columns = p.columns;
  w.block = p.block == 0 ? w.depth : std::min(p.block, w.depth);
  w.bits = p.bits;
  std::mt19937 random(seed);
  const auto number = [&] { return static_cast<uint8_t>(random() & ((1u << p.bits) - 1)); };
  w.numbers.resize(static_cast<size_t>(w.depth * w.columns));
  for (uint8_t& n : w.numbers) n = number();
  w.scales.resize(static_cast<size_t>(w.blocks() * w.columns));
  w.zeros.resize(w.scales.size());
  for (size_t i = 0; i < w.scales.size(); ++i) {
    w.scales[i] = p.integers ? (random() % 2 != 0 ? 0.5f : -2.f) : static_cast<float>(random() % 1000 + 1) * 1e-5f;
    w.zeros[i] = p.own_zeros ? number() : static_cast<uint8_t>(1 << (p.bits - 1));
  }
  return w;
}

Graph product_graph(const Product& p, std::map<std::string, Tensor>& inputs) {
  Graph graph;
  const auto operands = dequantize_operands(random_weights(p, 7));
  inputs["x"] = p.integers ? integer_tensor(p.x, 3) : random_tensor(p.x, 3, 4);
  const ValueId x = graph.add_input("x", inputs["x"].type());
  const ValueId w = add_op(
      graph, "dequantize_linear",
      {graph.add_constant(operands.numbers), graph.add_constant(operands.scales), graph.add_constant(operands.zeros)},
      operands.attrs);
  ValueId y = add_op(graph, "matmul", {x, w}, {}, "subject");
  std::vector<int64_t> extents = p.x;
  extents.back() = p.columns;
  const auto constant = [&](std::vector<int64_t> e, uint32_t seed) {
    return p.integers ? integer_tensor(std::move(e), seed) : random_tensor(std::move(e), seed);
  };
  if (p.end != Product::none) y = add_op(graph, "add", {y, graph.add_constant(constant({p.columns}, 11))});
  if (p.end == Product::residual) {
    inputs["z"] = constant(extents, 13);
    y = add_op(graph, "add", {y, graph.add_input("z", inputs["z"].type())});
  }
  if (p.end == Product::gelu) y = add_op(graph, "gelu", {y});
  if (p.end == Product::clamp) y = add_op(graph, "relu", {y});
  graph.add_output(y);
  return graph;
}

void expect_product(const Product& p, double tolerance) {
  std::map<std::string, Tensor> inputs;
  product_graph(p, inputs);
  expect_graph_matches(
      [&p] {
        std::map<std::string, Tensor> unused;
        return product_graph(p, unused);
      },
      inputs, tolerance, p.str());
}

TEST(NumberGemm, IntegersAreExact) {
  for (int bits : {4, 8})
    for (bool own_zeros : {false, true})
      for (int64_t rows : {1, 2, 3, 5, 8, 9, 23})
        for (int64_t block : {0, 16, 32, 128}) expect_product({{rows, 75}, 70, block, bits, own_zeros}, 0);
}

TEST(NumberGemm, TailsOfDepthAndColumns) {
  for (int bits : {4, 8})
    for (int64_t depth : {1, 3, 8, 17, 256, 261, 600})
      for (int64_t columns : {1, 15, 33, 64, 130})
        for (int64_t rows : {1, 4, 17}) expect_product({{rows, depth}, columns, 32, bits, columns % 2 == 0}, 0);
}

TEST(NumberGemm, EndsAndBatches) {
  for (int bits : {4, 8})
    for (const auto end : {Product::bias, Product::residual, Product::gelu, Product::clamp})
      for (int64_t rows : {1, 3, 20}) {
        expect_product({{2, rows, 96}, 72, 32, bits, false, end}, end == Product::gelu ? 2e-7 : 0);
        expect_product({{2, rows, 96}, 72, 32, bits, true, end, false}, 3e-6);
      }
}

TEST(NumberGemm, RandomFloats) {
  std::mt19937 random(5);
  const auto any = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
  for (int i = 0; i < 60; ++i)
    expect_product({{any(1, 12), any(1, 700)},
                    any(1, 150),
                    std::vector<int64_t>{0, 8, 16, 24, 64, 256, 512}[static_cast<size_t>(any(0, 6))],
                    any(0, 1) != 0 ? 4 : 8,
                    any(0, 1) != 0,
                    Product::none,
                    false},
                   3e-6);
}

// What is not finite, and what is too small for digits, is as in floats.
TEST(NumberGemm, RowsWithoutDigits) {
  for (const float special : {1e-37f, 1e-41f, std::numeric_limits<float>::infinity(), NAN}) {
    const Product p{{2, 40}, 33, 16, 8};
    std::map<std::string, Tensor> inputs;
    product_graph(p, inputs);
    std::vector<float> x(80, 0.f);
    x[3] = special;
    inputs["x"] = tensor_of<float>({2, 40}, x);
    auto device = create_cpu_device(2);
    std::map<std::string, Tensor> unused;
    BuildOptions plain, fast;
    plain.optimize = false;
    fast.tuning = Tuning::off;
    const auto expected = run(build(product_graph(p, unused), *device, plain), inputs).begin()->second.to_doubles();
    const auto found = run(build(product_graph(p, unused), *device, fast), inputs).begin()->second.to_doubles();
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(std::isnan(found[i]), std::isnan(expected[i])) << special << " at " << i;
      if (!std::isnan(expected[i])) {
        EXPECT_FLOAT_EQ(found[i], expected[i]) << special << " at " << i;
      }
    }
  }
}

TEST(BlockWeights, SymmetricBlocksMeetTheLargestExactly) {
  const std::vector<float> w = {0.5f, -1, 3, 0, -8, 0, 1, 0};  // [4, 2]
  const BlockWeights q = quantized_matrix(w, 4, 2, {4, 0, true});
  EXPECT_EQ(q.scales, (std::vector<float>{1.f, 0.125f}));
  EXPECT_EQ(dequantized(q).to_doubles(), (std::vector<double>{0, -1, 3, 0, -8, 0, 1, 0}));
  const BlockWeights range = quantized_matrix(w, 4, 2, {8, 0, false});
  EXPECT_NEAR(dequantized(range).to_doubles()[4], -8, 0.03);
  EXPECT_EQ(dequantized(range).to_doubles()[3], 0);
}

TEST(BlockWeights, Refusals) {
  const std::vector<float> w(64, 1.f);
  EXPECT_THROW(quantized_matrix(w, 64, 1, {3, 32, true}), Error);
  EXPECT_THROW(quantized_matrix(w, 64, 1, {4, 24, true}), Error);
  std::vector<float> bad = w;
  bad[5] = NAN;
  EXPECT_THROW(quantized_matrix(bad, 64, 1, {4, 32, true}), Error);
}

}  // namespace
}  // namespace planish
