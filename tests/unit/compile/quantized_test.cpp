// Random networks of quantised numbers, optimised against their reference run, at every level of the host: results of
// bytes are within one step, nearly all of them equal.

#include <gtest/gtest.h>

#include <algorithm>

#include "support/kernel_cases.h"

namespace planish {
namespace {

using testing::random_integers;
using testing::random_tensor;

constexpr double kStep = 0.05;  // the scale of activations

class Draft {
 public:
  explicit Draft(uint32_t seed) : random_(seed) {}

  int64_t any(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }
  bool chance(int of) { return any(1, of) == 1; }

  Tensor zero(DataType type) {
    if (type == DataType::u8) return random_integers<uint8_t>({}, seed(), 0, 255);
    return chance(2) ? random_integers<int8_t>({}, seed(), -128, 127) : random_integers<int8_t>({}, seed(), 0, 0);
  }
  DataType byte() { return chance(2) ? DataType::u8 : DataType::i8; }

  ValueId quantize(ValueId x) {
    zero_ = graph.add_constant(zero(byte()));
    scale_ = graph.add_constant(positive({}));
    return add_op(graph, "quantize_linear", {x, scale_, zero_});
  }
  // By the scale of the latest quantisation.
  ValueId back(ValueId q) { return add_op(graph, "dequantize_linear", {q, scale_, zero_}); }
  ValueId through_bytes(ValueId x) { return back(quantize(x)); }

  // Weights as bytes, their scales for all or a column, their zero points 0 or any.
  ValueId weights(const std::vector<int64_t>& extents, int64_t axis) {
    const bool all = chance(3), centred = chance(2);
    std::vector<int64_t> columns = {extents[static_cast<size_t>(axis)]};
    if (all) columns.clear();
    const bool is_signed = chance(2);
    const Tensor numbers = is_signed ? random_integers<int8_t>(extents, seed(), -128, 127)
                                     : random_integers<uint8_t>(extents, seed(), 0, 255);
    const Tensor zeros = is_signed ? random_integers<int8_t>(columns, seed(), centred ? 0 : -20, centred ? 0 : 20)
                                   : random_integers<uint8_t>(columns, seed(), 118, 138);
    std::vector<ValueId> operands = {graph.add_constant(numbers), graph.add_constant(positive(columns, 0.003)),
                                     graph.add_constant(zeros)};
    return add_op(graph, "dequantize_linear", operands, {{"axis", axis}});
  }

  ValueId activation(ValueId x) {
    switch (any(0, 4)) {
      case 0:
        return add_op(graph, "relu", {x});
      case 1:
        return add_op(graph, "clip", {x, scalar(0), scalar(6)});
      case 2:
        return add_op(graph, "hard_swish", {x});
      case 3:
        return add_op(graph, "sigmoid", {x});
      default:
        return x;
    }
  }
  ValueId scalar(float value) { return graph.add_constant(Tensor::of<float>({}, std::vector<float>{value})); }
  ValueId input(std::vector<int64_t> extents) {
    const std::string name = "x" + std::to_string(inputs.size());
    inputs[name] = random_tensor(extents, seed(), 6);
    return graph.add_input(name, {DataType::f32, Shape::of(extents)});
  }
  Tensor row(std::vector<int64_t> extents) { return random_tensor(std::move(extents), seed(), 2); }
  uint32_t seed() { return static_cast<uint32_t>(random_()); }
  Shape shape(ValueId id) const { return graph.value(id).type.shape; }

  Graph graph;
  std::map<std::string, Tensor> inputs;

 private:
  Tensor positive(std::vector<int64_t> extents, double around = kStep) {
    const Tensor unit = random_tensor(std::move(extents), seed(), 0.5f);
    std::vector<float> values;
    for (double value : unit.to_doubles()) values.push_back(static_cast<float>((1 + value) * around));
    return Tensor::of<float>({unit.extents().begin(), unit.extents().end()}, values);
  }
  std::mt19937 random_;
  ValueId scale_, zero_;
};

ValueId add_conv(Draft& d, ValueId x, bool depthwise) {
  const int64_t channels = d.shape(x)[1].value(), kernel = d.any(0, 2) * 2 + 1;
  const int64_t group = depthwise ? channels : 1, filters = depthwise ? channels : d.any(1, 40);
  const int64_t pad = d.any(0, kernel / 2), stride = d.any(1, 2);
  std::vector<ValueId> operands = {x, d.weights({filters, channels / group, kernel, kernel}, 0)};
  if (d.chance(2)) operands.push_back(d.graph.add_constant(d.row({filters})));
  return add_op(d.graph, "conv", operands,
                {{"group", group},
                 {"kernel_shape", std::vector<int64_t>{kernel, kernel}},
                 {"pads", std::vector<int64_t>{pad, pad, pad, pad}},
                 {"strides", std::vector<int64_t>{stride, stride}}});
}

ValueId add_gemm(Draft& d, ValueId x) {
  const int64_t values = d.shape(x)[1].value(), columns = d.any(1, 60);
  const bool transposed = d.chance(2);
  std::vector<ValueId> operands = {x};
  operands.push_back(transposed ? d.weights({columns, values}, 0) : d.weights({values, columns}, 1));
  operands.push_back(d.graph.add_constant(d.row({columns})));
  return add_op(d.graph, "gemm", operands, {{"transB", int64_t{transposed}}});
}

ValueId maybe_residual(Draft& d, ValueId product) {
  if (!d.chance(2)) return product;
  ValueId other = d.input(d.shape(product).extents());
  if (d.chance(2)) other = d.through_bytes(other);
  if (d.chance(3)) product = d.through_bytes(product);
  return add_op(d.graph, "add", {product, other});
}

enum class Kind { conv, depthwise, matrix };

Draft random_network(Kind kind, uint32_t seed) {
  Draft d(seed);
  const bool image = kind != Kind::matrix;
  ValueId x = d.through_bytes(image ? d.input({d.any(1, 2), d.any(1, 40), d.any(5, 14), d.any(5, 14)})
                                    : d.input({d.any(1, 30), d.any(1, 90)}));
  const int64_t layers = d.any(1, 2);
  for (int64_t i = 0; i < layers; ++i) {
    x = image ? add_conv(d, x, kind == Kind::depthwise && i == 0) : add_gemm(d, x);
    x = d.activation(maybe_residual(d, x));
    if (i + 1 < layers) {
      if (d.shape(x).rank() == 4 && (d.shape(x)[2].value() < 5 || d.shape(x)[3].value() < 5)) break;
      x = d.through_bytes(x);
    }
  }
  if (d.chance(4)) x = add_op(d.graph, "sigmoid", {x});
  d.graph.add_output(d.chance(8) ? x : d.quantize(x));
  return d;
}

Plan plan_of(const Graph& graph, bool optimize, const std::string& isa) {
  auto device = create_cpu_device(2);
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = Tuning::off;
  options.isa = isa;
  return build(graph.clone(), *device, options);
}

// Counts the elements and those that differ; ties of a layer may become steps of the next, of numbers in f32.
void compare(const Tensor& found, const Tensor& expected, int64_t& elements, int64_t& different,
             const std::string& what) {
  const auto a = found.to_doubles(), b = expected.to_doubles();
  ASSERT_EQ(a.size(), b.size());
  const bool bytes = found.dtype() != DataType::f32;
  for (size_t i = 0; i < a.size(); ++i) {
    const double distance = std::abs(a[i] - b[i]);
    ++elements;
    different += bytes ? distance != 0 : distance > 1e-3 * (1 + std::abs(b[i]));
    if (bytes) {
      ASSERT_LE(distance, 1) << what << " at " << i;
    }
  }
}

void check(Kind kind, int networks) {
  for (const std::string& isa : testing::host_levels()) {
    int64_t elements = 0, different = 0;
    for (int i = 0; i < networks; ++i) {
      const Draft d = random_network(kind, static_cast<uint32_t>(i));
      const Tensor expected = testing::run(plan_of(d.graph, false, isa), d.inputs).begin()->second;
      const Tensor found = testing::run(plan_of(d.graph, true, isa), d.inputs).begin()->second;
      compare(found, expected, elements, different, isa + " network " + std::to_string(i));
    }
    EXPECT_LE(static_cast<double>(different), 1e-3 * static_cast<double>(elements)) << isa;
  }
}

TEST(Quantized, Convolutions) { check(Kind::conv, 140); }
TEST(Quantized, DepthwiseConvolutions) { check(Kind::depthwise, 120); }
TEST(Quantized, Matrices) { check(Kind::matrix, 120); }

// One step for each product and for each sum, none in f32 between them.
TEST(Quantized, BytesBetweenTheSteps) {
  Draft d(3);
  ValueId x = d.through_bytes(d.input({1, 16, 8, 8}));
  const ValueId skip = x;
  const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  for (int i = 0; i < 2; ++i)
    x = d.through_bytes(add_op(d.graph, "relu", {add_op(d.graph, "conv", {x, d.weights({16, 16, 3, 3}, 0)}, same)}));
  d.graph.add_output(d.quantize(add_op(d.graph, "add", {x, skip})));
  const Plan plan = plan_of(d.graph, true, "");
  std::vector<std::string> kernels;
  for (const Step& step : plan.profiles[0].steps)
    if (step.kind != StepKind::copy) kernels.push_back(step.kernel);
  EXPECT_EQ(kernels, (std::vector<std::string>{"quantize_linear", "mma_conv", "mma_conv", "pointwise"}));
}

}  // namespace
}  // namespace planish
