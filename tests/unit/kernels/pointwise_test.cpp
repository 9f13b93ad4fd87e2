#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

Tensor every_float(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  while (values.size() < count) values.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
  for (float special : {0.f, -0.f, 1.f, -1.f, std::numeric_limits<float>::infinity(),
                        -std::numeric_limits<float>::infinity(), NAN, 1e-40f, 2147483648.f, -2147483904.f, 9.3e18f})
    values.push_back(special);
  return tensor_of<float>({static_cast<int64_t>(values.size())}, values);
}

// NaN where NaN is expected, else the same value up to `ulps` units of 2^-23.
void expect_close(const std::string& op, const Tensor& x, double ulps) {
  auto device = create_cpu_device(1);
  std::map<std::string, Tensor> inputs;
  const KernelCase c{op, {}, {x}};
  const auto expected =
      run(build(case_graph(c, inputs), *device, {.optimize = false}), inputs).begin()->second.to_doubles();
  for (const std::string& level : host_levels()) {
    const auto found = run(build(case_graph(c, inputs), *device, {.tuning = Tuning::off, .isa = level}), inputs)
                           .begin()
                           ->second.to_doubles();
    const auto in = x.to_doubles();
    for (size_t i = 0; i < in.size(); ++i) {
      if (std::isnan(expected[i]) || std::isinf(expected[i]))
        EXPECT_EQ(std::isnan(expected[i]), std::isnan(found[i])) << level << " " << op << " of " << in[i];
      else
        EXPECT_LE(std::abs(found[i] - expected[i]), ulps * 0x1p-23 * std::abs(expected[i]) + 1e-44)
            << level << " " << op << " of " << in[i];
      if (std::isinf(expected[i])) {
        EXPECT_EQ(found[i], expected[i]) << level << " " << op << " of " << in[i];
      }
    }
  }
}

TEST(PointwiseKernels, LogarithmsOfEveryMagnitude) { expect_close("log", every_float(20000, 3), 3); }

TEST(PointwiseKernels, SoftplusKeepsItsTail) {
  std::vector<float> values;
  for (float x = -80; x < 80; x += 0.01f) values.push_back(x);
  expect_close("softplus", tensor_of<float>({static_cast<int64_t>(values.size())}, values), 6);
}

TEST(PointwiseKernels, PowersOfFewMultiplications) {
  for (float exponent : {2.f, 3.f, -1.f, 0.5f, 2.5f, 0.f}) {
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {3, 700}});
      const ValueId positive = add_op(graph, "abs", {x});
      graph.add_output(add_op(graph, "pow", {positive, graph.add_constant(Tensor::scalar<float>(exponent))}));
      return graph;
    };
    expect_graph_matches(make, {{"x", random_tensor({3, 700}, 4, 5)}}, 1e-6, fmt::format("pow {}", exponent));
  }
}

TEST(PointwiseKernels, ConditionsAndMasks) {
  for (bool last : {false, true}) {
    const Tensor mask =
        tensor_of<bool>({2, 1, 4, 1}, std::vector<bool>{true, false, true, true, false, false, true, false});
    expect_matches({"where", {}, {mask, random_tensor({2, 3, 4, 5}, 1), random_tensor({5}, 2)}, 3, last}, 0, "f32");
    expect_matches({"where",
                    {},
                    {mask, random_integers<int64_t>({2, 3, 4, 5}, 1, -9, 9), random_integers<int64_t>({5}, 2, -9, 9)},
                    3,
                    last},
                   0, "i64");
    expect_matches({"greater", {}, {integer_tensor({2, 3, 4, 5}, 1), integer_tensor({3, 1, 1}, 2)}, 2, last}, 0, "f32");
    expect_matches({"equal",
                    {},
                    {random_integers<int32_t>({2, 3, 4, 5}, 1, -2, 2), random_integers<int32_t>({4, 1}, 2, -2, 2)},
                    2,
                    last},
                   0, "i32");
    expect_matches({"not", {}, {mask}, 1, last}, 0);
    expect_matches({"and", {}, {mask, tensor_of<bool>({4, 1}, std::vector<bool>{true, true, false, false})}, 2, last},
                   0);
  }
}

TEST(PointwiseKernels, IntegersWrapAndRound) {
  for (const char* op : {"add", "sub", "mul", "div", "mod", "min", "max", "pow"}) {
    const bool small = std::string(op) == "pow";
    const Tensor b = random_integers<int64_t>({300}, 2, 1, small ? 5 : INT64_MAX);
    expect_matches(
        {op, {}, {random_integers<int64_t>({7, 300}, 1, small ? -9 : INT64_MIN, small ? 9 : INT64_MAX), b}, 2}, 0,
        "i64");
    expect_matches(
        {op, {}, {random_integers<int32_t>({7, 300}, 1, -100000, 100000), random_integers<int32_t>({300}, 2, 1, 7)}, 2},
        0, "i32");
  }
  for (const char* op : {"neg", "abs", "sign"})
    expect_matches({op, {}, {random_integers<int64_t>({7, 300}, 1, -1000, 1000)}}, 0, "i64");
}

TEST(PointwiseKernels, IntegerDivisionByZeroIsAnError) {
  auto device = create_cpu_device(1);
  std::map<std::string, Tensor> inputs;
  const KernelCase c{"div", {}, {random_integers<int64_t>({4}, 1, 1, 9), ints_of({1, 0, 2, 3})}, 2};
  const Plan plan = build(case_graph(c, inputs), *device, {.tuning = Tuning::off});
  EXPECT_THROW(run(plan, inputs), Error);
}

TEST(CastKernels, EveryPairOfTypes) {
  const Tensor floats = every_float(2000, 9);
  const std::vector<Tensor> sources = {floats,
                                       random_integers<int64_t>({3, 50}, 1, INT64_MIN, INT64_MAX),
                                       random_integers<int32_t>({3, 50}, 2, INT32_MIN, INT32_MAX),
                                       random_integers<int8_t>({3, 50}, 3, -128, 127),
                                       random_integers<uint8_t>({3, 50}, 4, 0, 255),
                                       tensor_of<bool>({4}, std::vector<bool>{true, false, true, true})};
  for (const Tensor& source : sources)
    for (DataType to : {DataType::i64, DataType::i32, DataType::i8, DataType::u8, DataType::boolean, DataType::f32})
      if (to != source.dtype())
        expect_matches({"cast", {{"to", to}}, {source}}, 0,
                       fmt::format("{} to {}", data_type_name(source.dtype()), data_type_name(to)));
  for (DataType half : {DataType::f16, DataType::bf16})
    for (DataType to : {DataType::f32, DataType::i64, DataType::i32, DataType::i8, DataType::u8, DataType::boolean}) {
      const auto make = [&] {
        Graph graph;
        const ValueId x = graph.add_input("x", {DataType::f32, {2, 3, 70}});
        const ValueId turned = add_op(graph, "transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
        graph.add_output(add_op(graph, "cast", {add_op(graph, "cast", {turned}, {{"to", half}})}, {{"to", to}}));
        return graph;
      };
      expect_graph_matches(make, {{"x", random_tensor({2, 3, 70}, 5, 100)}}, 0,
                           fmt::format("{} to {}", data_type_name(half), data_type_name(to)));
    }
}

// Windows of short rows: several rows a tile.
TEST(PointwiseKernels, ShortRowsOfLargerTensors) {
  for (int64_t width : {1, 2, 3, 16, 31, 128, 129})
    for (bool last : {false, true}) {
      const auto make = [&] {
        Graph graph;
        ValueId x = graph.add_input("x", {DataType::f32, {2, 5, 37, width + 3}});
        if (last) x = add_op(graph, "transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
        const auto ints = [&](int64_t v) { return graph.add_constant(ints_of({v})); };
        const ValueId cut = add_op(graph, "slice", {x, ints(1), ints(1 + width), ints(last ? 1 : 3)});
        const ValueId column = graph.add_input("column", {DataType::f32, last ? Shape{1, 5, 37} : Shape{37, 1}});
        graph.add_output(add_op(graph, "silu", {add_op(graph, "add", {add_op(graph, "mul", {cut, cut}), column})}));
        return graph;
      };
      const Tensor column = random_tensor(last ? std::vector<int64_t>{1, 5, 37} : std::vector<int64_t>{37, 1}, 9);
      expect_graph_matches(make, {{"x", random_tensor({2, 5, 37, width + 3}, 8, 3)}, {"column", column}}, 1e-6,
                           fmt::format("width {}", width));
    }
}

// Epilogues of few columns, in a tensor of their own and in a part of a larger one.
TEST(PointwiseKernels, EpiloguesOfShortRows) {
  for (int64_t columns : {1, 3, 16, 24, 40, 257, 300})
    for (bool joined : {false, true}) {
      const auto make = [&] {
        Graph graph;
        const ValueId x = graph.add_input("x", {DataType::f32, {1, 9, 7, 11}});
        const ValueId other = graph.add_input("other", {DataType::f32, {1, columns, 7, 11}});
        const ValueId w = graph.add_constant(random_tensor({columns, 9, 1, 1}, 5));
        const ValueId gate = graph.add_constant(random_tensor({columns, 1, 1}, 6));
        ValueId y = add_op(graph, "mul", {add_op(graph, "silu", {add_op(graph, "conv", {x, w})}), gate});
        y = add_op(graph, "sigmoid", {add_op(graph, "add", {y, other})});
        graph.add_output(joined ? add_op(graph, "concat", {other, y}, {{"axis", int64_t{1}}}) : y);
        return graph;
      };
      expect_graph_matches(make,
                           {{"x", random_tensor({1, 9, 7, 11}, 3)}, {"other", random_tensor({1, columns, 7, 11}, 4)}},
                           1e-6, fmt::format("{} columns", columns));
    }
}

}  // namespace
}  // namespace planish
