// Fast kernels against the reference kernels, at every level the host has.

#include <gtest/gtest.h>

#include <set>

#include "base/cpu_features.h"
#include "compile/emitter.h"
#include "compile/pipeline.h"
#include "kernels/activation.h"
#include "support/forced.h"
#include "support/kernel_cases.h"
#include "support/networks.h"
#include "tactics/tactic.h"

namespace planish {
namespace {

using testing::random_tensor;

std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (Isa isa : kIsas)
    if (cpu_info().has(isa)) names.emplace_back(isa_name(isa));
  return names;
}

// Integer-filled, so that sums are exact in any order.
Tensor integers(std::vector<int64_t> extents, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(make_view(nullptr, DataType::f32, extents).element_count()));
  for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 9) - 4);
  return Tensor::of<float>(std::move(extents), values);
}

constexpr Precisions kAll{.tf32 = true, .bf16 = true};

// What rounding the operands costs; nothing for integers of few bits.
double rounding_of(const std::string& candidate) {
  return candidate.find(".bf16.") != std::string::npos ? 1e-2 : candidate.find(".tf32") != std::string::npos ? 2e-5 : 0;
}

// Names of every candidate of the optimised graph at a level.
std::set<std::string> candidates_of(const Graph& graph, Isa isa) {
  std::set<std::string> names;
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate : cpu_tactics().propose({graph, graph.node(id), isa, 2, kAll}).candidates)
      names.insert(candidate.name);
  return names;
}

// A network of one node, what the candidate takes and gives as bf16 lying so: results are those of fp32 within what
// rounding its operands changes.
void compare_halves(const Graph& graph, EmitOptions emit, const std::string& candidate,
                    const std::map<std::string, Tensor>& inputs, const std::map<std::string, Tensor>& expected,
                    double tolerance, const std::string& what) {
  if (graph.nodes().size() != 1) return;
  emit.half_bindings = true;
  const Plan plan = testing::forced_plan(graph, emit, candidate);
  std::map<std::string, Tensor> halves = inputs;
  bool any = false;
  for (const Binding& binding : plan.bindings) {
    const bool half = binding.type.dtype == DataType::bf16;
    if (half && binding.is_input) halves[binding.name] = testing::as_bf16(inputs.at(binding.name));
    any = any || half;
  }
  if (!any) return;
  for (const auto& [name, found] : testing::run(plan, halves)) {
    const bool half = found.dtype() == DataType::bf16;
    const Tensor stated = half ? testing::as_bf16(expected.at(name)) : expected.at(name);
    EXPECT_LE(testing::relative_l2(found, stated), tolerance) << what << " in bf16";
  }
}

// Every candidate at every level of the host against the reference kernels. F(4x4, 3x3) is not exact on integers:
// winograd_test has its bound.
template <class MakeGraph>
void compare(MakeGraph make, const std::map<std::string, Tensor>& inputs, double tolerance, const std::string& what) {
  auto device = create_cpu_device(2);
  BuildOptions plain;
  plain.optimize = false;
  const auto expected = testing::run(build(make(), *device, plain), inputs);
  for (const std::string& level : levels()) {
    Graph graph = make();
    infer_all(graph);
    run_pipeline(graph, pipeline(true), "");
    EmitOptions emit;
    emit.target.isa = parse_isa(level);
    emit.target.threads = 2;
    emit.precisions = kAll;
    for (const std::string& candidate : candidates_of(graph, emit.target.isa)) {
      if (tolerance == 0 && candidate.starts_with("winograd.f4")) continue;
      const auto found = testing::run(testing::forced_plan(graph, emit, candidate), inputs);
      for (const auto& [name, tensor] : expected)
        EXPECT_LE(testing::relative_l2(found.at(name), tensor),
                  tolerance == 0 ? 0 : std::max(tolerance, rounding_of(candidate)))
            << level << " " << candidate << " " << what;
      const double rounded = tolerance == 0 ? 0 : std::max(1e-2, rounding_of(candidate));
      compare_halves(graph, emit, candidate, inputs, expected, rounded, level + " " + candidate + " " + what);
    }
  }
}

struct ConvCase {
  int64_t n, c, h, w, m, k, stride, pad, dilation, group;
};

enum class After { nothing, bias, residual, residual_relu, scaled_residual, count };

// What follows a product of shape `like`: [1] a constant row, [2, 3] an operand of its shape, [4] a longer program.
ValueId add_after(Graph& graph, ValueId y, After after, const std::vector<int64_t>& row,
                  const std::vector<int64_t>& like) {
  if (after == After::nothing) return y;
  if (after == After::bias)
    return add_op(graph, "relu", {add_op(graph, "add", {y, graph.add_constant(integers(row, 13))})});
  const ValueId other = graph.add_input("other", {DataType::f32, Shape::of(like)});
  if (after == After::scaled_residual) return add_op(graph, "mul", {add_op(graph, "sub", {y, other}), other});
  const ValueId sum = add_op(graph, "add", {other, y});
  return after == After::residual ? sum : add_op(graph, "relu", {sum});
}

std::map<std::string, Tensor> inputs_of(After after, Tensor x, const std::vector<int64_t>& like) {
  std::map<std::string, Tensor> inputs = {{"x", std::move(x)}};
  if (after >= After::residual) inputs["other"] = integers(like, 77);
  return inputs;
}

std::vector<int64_t> conv_result(const ConvCase& t) {
  const auto extent = [&](int64_t in) { return (in + 2 * t.pad - t.dilation * (t.k - 1) - 1) / t.stride + 1; };
  return {t.n, t.m, extent(t.h), extent(t.w)};
}

Graph conv_graph(const ConvCase& t, After after) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.n, t.c, t.h, t.w}});
  const Attrs attrs = {{"strides", std::vector<int64_t>{t.stride, t.stride}},
                       {"pads", std::vector<int64_t>{t.pad, t.pad, t.pad, t.pad}},
                       {"dilations", std::vector<int64_t>{t.dilation, t.dilation}},
                       {"group", t.group}};
  const ValueId w = graph.add_constant(integers({t.m, t.c / t.group, t.k, t.k}, 11)),
                b = graph.add_constant(integers({t.m}, 12));
  graph.add_output(add_after(graph, add_op(graph, "conv", {x, w, b}, attrs), after, {t.m, 1, 1}, conv_result(t)));
  return graph;
}

TEST(CpuKernels, ConvolutionsAreExactOnIntegers) {
  std::mt19937 random(5);
  for (int i = 0; i < 120; ++i) {
    ConvCase t{};
    t.n = 1 + random() % 2;
    t.k = 1 + random() % 4;
    t.stride = 1 + random() % 3;
    t.dilation = 1 + random() % 2;
    t.pad = random() % 3;
    t.h = t.dilation * (t.k - 1) + 1 + random() % 12;
    t.w = t.dilation * (t.k - 1) + 1 + random() % 12;
    const int kind = static_cast<int>(random() % 3);
    t.group = kind == 0 ? 1 : 1 + random() % 5;
    t.c = t.group * (kind == 1 ? 1 : 1 + random() % 20);
    t.m = t.group * (kind == 1 ? 1 : 1 + random() % 40);
    const std::string what = fmt::format("n{} c{} {}x{} m{} k{} s{} p{} d{} g{}", t.n, t.c, t.h, t.w, t.m, t.k,
                                         t.stride, t.pad, t.dilation, t.group);
    const auto after = static_cast<After>(i % static_cast<int>(After::count));
    const auto inputs = inputs_of(after, integers({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare([&] { return conv_graph(t, after); }, inputs, 0, what + " after " + std::to_string(i % 5));
  }
}

TEST(CpuKernels, DepthwiseConvolutionsAreExactOnIntegers) {
  std::mt19937 random(7);
  for (int i = 0; i < 60; ++i) {
    ConvCase t{};
    t.n = 1 + random() % 2;
    t.k = i % 3 == 0 ? 5 : 3;
    t.stride = 1 + random() % 2;
    t.dilation = 1;
    t.pad = random() % 3;
    t.h = t.k + random() % 12;
    t.w = t.k + random() % 30;
    t.c = t.m = t.group = 2 + random() % 80;
    const std::string what =
        fmt::format("n{} c{} {}x{} k{} s{} p{} depthwise", t.n, t.c, t.h, t.w, t.k, t.stride, t.pad);
    const auto after = i % 2 == 0 ? After::bias : After::nothing;
    const auto inputs = inputs_of(after, integers({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare([&] { return conv_graph(t, after); }, inputs, 0, what);
  }
}

// --- activations

enum class Form { sigmoid, silu, silu_plus, leaky, hard_swish, hard_sigmoid_plus, gelu, tanh_gelu_plus, count };

ValueId add_form(Graph& graph, ValueId y, Form form, const std::vector<int64_t>& like) {
  const auto plus = [&](ValueId a) {
    return add_op(graph, "add", {graph.add_input("other", {DataType::f32, Shape::of(like)}), a});
  };
  switch (form) {
    case Form::sigmoid:
      return add_op(graph, "sigmoid", {y});
    case Form::silu:
      return add_op(graph, "mul", {y, add_op(graph, "sigmoid", {y})});
    case Form::silu_plus:
      return plus(add_op(graph, "mul", {y, add_op(graph, "sigmoid", {y})}));
    case Form::leaky:
      return add_op(graph, "leaky_relu", {y}, {{"alpha", 0.125}});
    case Form::hard_swish:
      return add_op(graph, "hard_swish", {y});
    case Form::gelu:
      return add_op(graph, "gelu", {y});
    case Form::tanh_gelu_plus:
      return plus(add_op(graph, "gelu", {y}, {{"approximate", std::string("tanh")}}));
    default:
      return plus(add_op(graph, "hard_sigmoid", {y}, {{"alpha", 0.25}, {"beta", 0.5}}));
  }
}

// Sums over the whole range of the activation, from one slice of the depth or several.
Graph activated_graph(const ConvCase& t, Form form) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.n, t.c, t.h, t.w}});
  const Attrs attrs = {{"strides", std::vector<int64_t>{t.stride, t.stride}},
                       {"pads", std::vector<int64_t>{t.pad, t.pad, t.pad, t.pad}},
                       {"group", t.group}};
  const double scale = 4 / std::sqrt(static_cast<double>(t.c / t.group * t.k * t.k));
  std::vector<float> weights;
  for (double w : integers({t.m, t.c / t.group, t.k, t.k}, 21).to_doubles())
    weights.push_back(static_cast<float>(w * scale / 4));
  const ValueId w = graph.add_constant(Tensor::of<float>({t.m, t.c / t.group, t.k, t.k}, weights)),
                b = graph.add_constant(integers({t.m}, 12));
  graph.add_output(add_form(graph, add_op(graph, "conv", {x, w, b}, attrs), form, conv_result(t)));
  return graph;
}

TEST(CpuKernels, ActivationsEndConvolutions) {
  const ConvCase cases[] = {{1, 23, 7, 9, 37, 1, 1, 0, 1, 1},  {1, 700, 3, 5, 20, 1, 1, 0, 1, 1},
                            {2, 90, 6, 5, 18, 3, 2, 1, 1, 1},  {1, 19, 9, 11, 35, 3, 1, 1, 1, 1},
                            {1, 21, 9, 8, 21, 3, 2, 1, 1, 21}, {1, 3, 20, 18, 16, 6, 2, 2, 1, 1},
                            {1, 3, 11, 9, 40, 3, 1, 0, 1, 1},  {2, 12, 5, 6, 20, 3, 1, 1, 1, 2}};
  for (int f = 0; f < static_cast<int>(Form::count); ++f)
    for (const ConvCase& t : cases) {
      std::map<std::string, Tensor> inputs = {{"x", integers({t.n, t.c, t.h, t.w}, 31)}};
      const auto form = static_cast<Form>(f);
      if (form == Form::silu_plus || form == Form::hard_sigmoid_plus || form == Form::tanh_gelu_plus)
        inputs["other"] = integers(conv_result(t), 32);
      compare([&] { return activated_graph(t, form); }, inputs, 2e-6,
              fmt::format("form {} c{} m{} k{} g{}", f, t.c, t.m, t.k, t.group));
    }
}

TEST(CpuKernels, FormsOfPrograms) {
  using Kind = Activation::Kind;
  const auto kind = [](const char* text) { return activation_of(PointwiseProgram::parse(text)).kind; };
  EXPECT_EQ(kind("1: r1 = sigmoid(r0); return r1"), Kind::sigmoid);
  EXPECT_EQ(kind("1: r1 = sigmoid(r0); r2 = mul(r1, r0); return r2"), Kind::silu);
  EXPECT_EQ(kind("2: r2 = sigmoid(r0); r3 = mul(r0, r2); r4 = add(r1, r3); return r4"), Kind::silu);
  EXPECT_EQ(kind("1: r1 = constant(2.0); r2 = mul(r0, r1); r3 = sigmoid(r2); return r3"), Kind::none);
  EXPECT_EQ(kind("2: r2 = sigmoid(r1); r3 = mul(r0, r2); return r3"), Kind::none);
  EXPECT_EQ(kind("2: r2 = add(r0, r1); r3 = sigmoid(r2); return r3"), Kind::none);
  EXPECT_EQ(kind("2: r2 = sigmoid(r0); r3 = add(r1, r2); r4 = add(r1, r3); return r4"), Kind::none);
  EXPECT_EQ(kind("1: return r0"), Kind::none);
  EXPECT_EQ(kind("1: r1 = mul(r0, r0); return r1"), Kind::none);
  EXPECT_EQ(kind("1: r1 = erf(r0); r2 = constant(1.0); r3 = add(r1, r2); return r3"), Kind::none);
  EXPECT_EQ(kind("1: r1 = tanh(r0); r2 = constant(1.0); r3 = add(r1, r2); r4 = mul(r0, r3); return r4"), Kind::none);
  const Activation gelu = activation_of(PointwiseProgram::parse(
      "2: r2 = constant(0.5); r3 = mul(r0, r2); r4 = mul(r0, r2); r5 = erf(r4); r6 = constant(1.0); r7 = add(r6, r5); "
      "r8 = mul(r7, r3); r9 = add(r8, r1); return r9"));
  EXPECT_EQ(gelu.kind, Kind::gelu);
  EXPECT_EQ(gelu.scale, 0.5);
  EXPECT_EQ(gelu.factor, 0.5);
  EXPECT_TRUE(gelu.adds);
  const Activation tanh_gelu = activation_of(PointwiseProgram::parse(
      "1: r1 = mul(r0, r0); r2 = mul(r0, r1); r3 = constant(0.25); r4 = mul(r2, r3); r5 = add(r4, r0); "
      "r6 = constant(2.0); r7 = mul(r5, r6); r8 = tanh(r7); r9 = constant(1.0); r10 = add(r8, r9); r11 = mul(r10, r0); "
      "r12 = mul(r11, r3); return r12"));
  EXPECT_EQ(tanh_gelu.kind, Kind::tanh_gelu);
  EXPECT_EQ(tanh_gelu.scale, 2);
  EXPECT_EQ(tanh_gelu.cube, 0.5);
  EXPECT_EQ(tanh_gelu.factor, 0.25);
  const Activation gate = activation_of(PointwiseProgram::parse(
      "1: r1 = constant(3.0); r2 = add(r0, r1); r3 = constant(0.0); r4 = max(r2, r3); r5 = constant(6.0); "
      "r6 = min(r5, r4); r7 = mul(r0, r6); r8 = constant(0.25); r9 = mul(r7, r8); return r9"));
  EXPECT_EQ(gate.kind, Kind::gate);
  EXPECT_EQ(gate.shift, 3);
  EXPECT_EQ(gate.high, 6);
  EXPECT_EQ(gate.factor, 0.25);
  const Activation twice = activation_of(PointwiseProgram::parse(
      "2: r2 = constant(0.0); r3 = max(r0, r2); r4 = constant(-3.0); r5 = max(r3, r4); r6 = constant(17.0); "
      "r7 = min(r5, r6); r8 = add(r1, r7); return r8"));
  EXPECT_EQ(twice.kind, Kind::ramp);
  EXPECT_EQ(twice.low, 0);  // the higher of two lower bounds
  EXPECT_EQ(twice.high, 17);
  const Activation leaky = activation_of(PointwiseProgram::parse(
      "1: r1 = constant(0.5); r2 = mul(r0, r1); r3 = constant(0.0); r4 = greater(r0, r3); r5 = select(r4, r0, r2); "
      "return r5"));
  EXPECT_EQ(leaky.kind, Kind::leaky);
  EXPECT_EQ(leaky.slope, 0.5);
}

// Images of few channels, and as many groups as channels: kernels of their own. Wide enough for several tiles and
// blocks of pixels, deep enough for several chunks of channels.
TEST(CpuKernels, FirstLayersAndDepthwiseAreExactOnIntegers) {
  std::mt19937 random(15);
  for (int i = 0; i < 60; ++i) {
    const bool depthwise = i % 2 == 0;
    ConvCase t{};
    t.n = 1 + random() % 2;
    t.k = 1 + random() % 7;
    t.stride = 1 + random() % 3;
    t.dilation = 1 + random() % 2;
    t.pad = random() % (t.dilation * (t.k - 1) + 2);
    t.h = t.dilation * (t.k - 1) + 1 + random() % 9;
    t.w = t.dilation * (t.k - 1) + 1 + random() % (depthwise ? 30 : i % 12 == 1 ? 2600 : 70);
    t.c = depthwise ? 1 + random() % (i % 10 == 0 ? 600 : 60) : 1 + random() % 8;
    t.group = depthwise ? t.c : 1;
    t.m = depthwise ? t.c : 1 + random() % 70;
    const auto after = static_cast<After>(i / 2 % static_cast<int>(After::count));
    const auto inputs = inputs_of(after, integers({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare([&] { return conv_graph(t, after); }, inputs, 0,
            fmt::format("n{} c{} {}x{} m{} k{} s{} p{} d{} g{} after {}", t.n, t.c, t.h, t.w, t.m, t.k, t.stride, t.pad,
                        t.dilation, t.group, i / 2 % 5));
  }
}

// The image is its own residual: one operand in two roles.
TEST(CpuKernels, AConvolutionPlusItsOwnInput) {
  const auto make = [] {
    Graph graph;
    const ValueId x = graph.add_input("x", {DataType::f32, {1, 8, 9, 7}});
    const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
    const ValueId y = add_op(graph, "conv", {x, graph.add_constant(integers({8, 8, 3, 3}, 61))}, same);
    graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, x})}));
    return graph;
  };
  compare(make, {{"x", integers({1, 8, 9, 7}, 62)}}, 0, "own input");
}

// The residual is one value a channel, read out of a larger tensor.
TEST(CpuKernels, AConvolutionPlusAWindowOfChannels) {
  const auto make = [] {
    Graph graph;
    const ValueId x = graph.add_input("x", {DataType::f32, {1, 12, 9, 7}});
    const ValueId z = graph.add_input("z", {DataType::f32, {1, 12, 4, 5}});
    const auto ints = [&](std::vector<int64_t> v) {
      const auto n = static_cast<int64_t>(v.size());
      return graph.add_constant(Tensor::of<int64_t>({n}, v));
    };
    const ValueId corner = add_op(graph, "slice", {z, ints({1, 2}), ints({2, 3}), ints({2, 3})});
    const ValueId y = add_op(graph, "conv", {x, graph.add_constant(integers({12, 12, 1, 1}, 63))});
    graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, corner})}));
    return graph;
  };
  compare(make, {{"x", integers({1, 12, 9, 7}, 64)}, {"z", integers({1, 12, 4, 5}, 65)}}, 0, "window");
}

TEST(CpuKernels, MatrixProductsAreExactOnIntegers) {
  std::mt19937 random(6);
  for (int i = 0; i < 80; ++i) {
    const int64_t m = 1 + random() % 90, k = 1 + random() % 40, n = 1 + random() % 50, b = 1 + random() % 3;
    const bool constant = i % 2 == 0;
    const auto after = constant ? static_cast<After>(i / 2 % static_cast<int>(After::count)) : After::nothing;
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {b, m, k}});
      const ValueId w =
          constant ? graph.add_constant(integers({k, n}, 21)) : graph.add_input("w", {DataType::f32, {b, k, n}});
      const ValueId y = add_op(graph, "matmul", {x, w});
      graph.add_output(add_after(graph, y, after, {n}, {b, m, n}));
      return graph;
    };
    auto inputs = inputs_of(after, integers({b, m, k}, static_cast<uint32_t>(i)), {b, m, n});
    if (!constant) inputs["w"] = integers({b, k, n}, 99);
    compare(make, inputs, 0, fmt::format("b{} m{} k{} n{}", b, m, k, n));
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
  graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, graph.add_constant(integers({n}, 32))})}));
  return graph;
}

DataType stored_weights(const Graph& graph) {
  BuildOptions options;
  options.tuning = Tuning::off;
  const Plan plan = build(graph.clone(), *create_cpu_device(2), options);
  return plan.profiles[0].steps.at(0).inputs.at(1).dtype;
}

TEST(CpuKernels, WeightsThatFitInto16BitsAreStoredSo) {
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
      compare(make, {{"x", random_tensor({m, k}, static_cast<uint32_t>(m))}}, 1e-6,
              fmt::format("m{} k{} n{}", m, k, n));
    }
  EXPECT_EQ(stored_weights(product_with_rounded_weights(1, 512, 512, false)), DataType::f16);
  EXPECT_EQ(stored_weights(product_with_rounded_weights(1, 512, 512, true)), DataType::bf16);
  EXPECT_EQ(stored_weights(product_with_rounded_weights(500, 512, 512, false)), DataType::f32);
}

TEST(CpuKernels, PointwiseFunctionsStayWithinTheirTolerance) {
  for (const char* name :
       {"exp", "tanh", "sigmoid", "erf", "gelu", "silu", "hard_swish", "mish", "softplus", "elu", "sqrt", "abs"}) {
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {7, 333}});
      graph.add_output(add_op(graph, name, {add_op(graph, "abs", {x})}));
      return graph;
    };
    compare(make, {{"x", random_tensor({7, 333}, 31, 6)}}, 1e-6, name);
  }
}

TEST(CpuKernels, PoolsNormsAndBroadcasts) {
  const auto pool = [](const char* op, int64_t count) {
    return [=] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {2, 19, 9, 11}});
      Attrs attrs = {{"kernel_shape", std::vector<int64_t>{3, 2}},
                     {"strides", std::vector<int64_t>{2, 2}},
                     {"pads", std::vector<int64_t>{1, 0, 1, 1}}};
      if (count > 0) attrs.set("count_include_pad", int64_t{1});
      graph.add_output(add_op(graph, op, {x}, attrs));
      return graph;
    };
  };
  const Tensor x = random_tensor({2, 19, 9, 11}, 41);
  compare(pool("max_pool", 0), {{"x", x}}, 0, "max_pool");
  compare(pool("average_pool", 0), {{"x", x}}, 1e-6, "average_pool");
  for (const char* name : {"softmax", "layer_normalization"}) {
    const auto make = [&] {
      Graph graph;
      const ValueId v = graph.add_input("x", {DataType::f32, {5, 700}});
      std::vector<ValueId> operands = {v};
      if (std::string(name) == "layer_normalization")
        operands = {v, graph.add_constant(random_tensor({700}, 1)), graph.add_constant(random_tensor({700}, 2))};
      graph.add_output(add_op(graph, name, operands));
      return graph;
    };
    compare(make, {{"x", random_tensor({5, 700}, 42, 3)}}, 1e-5, name);
  }
  const auto broadcast = [] {
    Graph graph;
    const ValueId a = graph.add_input("a", {DataType::f32, {3, 1, 5}}),
                  b = graph.add_input("b", {DataType::f32, {4, 1}});
    graph.add_output(add_op(graph, "mul", {add_op(graph, "add", {a, b}), b}));
    return graph;
  };
  compare(broadcast, {{"a", random_tensor({3, 1, 5}, 51)}, {"b", random_tensor({4, 1}, 52)}}, 1e-6, "broadcast");
}

}  // namespace
}  // namespace planish
