// Forms of programs that end sums: which are known, and that convolutions end with them.

#include <gtest/gtest.h>

#include "kernels/activation.h"
#include "support/product_cases.h"

namespace planish {
namespace {

using namespace testing;

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
  for (double w : integer_tensor({t.m, t.c / t.group, t.k, t.k}, 21).to_doubles())
    weights.push_back(static_cast<float>(w * scale / 4));
  const ValueId w = graph.add_constant(Tensor::of<float>({t.m, t.c / t.group, t.k, t.k}, weights)),
                b = graph.add_constant(integer_tensor({t.m}, 12));
  graph.add_output(add_form(graph, add_op(graph, "conv", {x, w, b}, attrs), form, conv_result(t)));
  return graph;
}

TEST(CpuActivations, ActivationsEndConvolutions) {
  const ConvCase cases[] = {{1, 23, 7, 9, 37, 1, 1, 0, 1, 1},  {1, 700, 3, 5, 20, 1, 1, 0, 1, 1},
                            {2, 90, 6, 5, 18, 3, 2, 1, 1, 1},  {1, 19, 9, 11, 35, 3, 1, 1, 1, 1},
                            {1, 21, 9, 8, 21, 3, 2, 1, 1, 21}, {1, 3, 20, 18, 16, 6, 2, 2, 1, 1},
                            {1, 3, 11, 9, 40, 3, 1, 0, 1, 1},  {2, 12, 5, 6, 20, 3, 1, 1, 1, 2}};
  for (int f = 0; f < static_cast<int>(Form::count); ++f)
    for (const ConvCase& t : cases) {
      std::map<std::string, Tensor> inputs = {{"x", integer_tensor({t.n, t.c, t.h, t.w}, 31)}};
      const auto form = static_cast<Form>(f);
      if (form == Form::silu_plus || form == Form::hard_sigmoid_plus || form == Form::tanh_gelu_plus)
        inputs["other"] = integer_tensor(conv_result(t), 32);
      compare_candidates([&] { return activated_graph(t, form); }, inputs, 2e-6,
                         fmt::format("form {} c{} m{} k{} g{}", f, t.c, t.m, t.k, t.group));
    }
}

// Of sums that are exact what is stored as bf16 is the nearest one, or where 2^-12 decides its neighbour.
TEST(CpuActivations, ResultsInBf16AreAsExactAsTheyAre) {
  const ConvCase t{1, 16, 17, 19, 37, 1, 1, 0, 1, 1};
  const std::map<std::string, Tensor> inputs = {{"x", integer_tensor({t.n, t.c, t.h, t.w}, 31)},
                                                {"other", integer_tensor(conv_result(t), 32)}};
  for (Form form : {Form::sigmoid, Form::silu, Form::gelu, Form::tanh_gelu_plus}) {
    Graph graph = activated_graph(t, form);
    auto given = inputs;
    if (form != Form::tanh_gelu_plus) given.erase("other");
    BuildOptions plain;
    plain.optimize = false;
    const auto expected = run(build(graph.clone(), *create_cpu_device(1), plain), given);
    infer_all(graph);
    run_pipeline(graph, pipeline(true), "");
    EmitOptions emit;
    emit.target.threads = 2;
    emit.precisions = kAllPrecisions;
    for (const std::string& level : host_levels()) {
      emit.target.isa = parse_isa(level);
      for (const std::string& candidate : candidates_of(graph, emit.target.isa))
        if (candidate.find(".bf16.") != std::string::npos)
          compare_halves(graph, emit, candidate, given, expected, 1.2e-3,
                         fmt::format("{} {} form {}", level, candidate, static_cast<int>(form)));
    }
  }
}

TEST(CpuActivations, FormsOfPrograms) {
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

}  // namespace
}  // namespace planish
