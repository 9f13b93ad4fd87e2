// Products of quantised numbers on a GPU against their reference run. Scales are powers of two and data whole numbers
// of steps, so that every sum and every rounding is exact.

#include "cuda/support.h"

namespace planish {
namespace {

using namespace cuda_testing;

struct NumberCase {
  int64_t n, c, h, w, m, k, stride, pad, dilation, group;
};

Tensor bytes(DataType type, std::vector<int64_t> extents, uint32_t seed, int least, int most) {
  return as_type(integers(std::move(extents), seed, least, most), type);
}

ValueId scale(Graph& g, float value) { return g.add_constant(Tensor::scalar<float>(value)); }

ValueId zero_of(Graph& g, DataType type, int64_t zero) {
  return g.add_constant(as_type(Tensor::scalar<float>(static_cast<float>(zero)), type));
}

// Weights of i8 with a scale a filter.
ValueId filters(Graph& g, std::vector<int64_t> extents, int64_t axis) {
  const int64_t columns = extents[static_cast<size_t>(axis)];
  std::vector<float> scales;
  for (int64_t i = 0; i < columns; ++i) scales.push_back(i % 3 == 0 ? 0.25f : 0.5f);
  return add_op(g, "dequantize_linear",
                {g.add_constant(bytes(DataType::i8, std::move(extents), 2, -3, 3)),
                 g.add_constant(Tensor::of<float>({columns}, scales))},
                {{"axis", axis}}, "weights");
}

enum class Tail { floats, bytes, clamped, residual, activation, inner, table };

bool has_residual(Tail tail) { return tail == Tail::residual || tail == Tail::inner; }

// x -> q(tail(conv(dq(x), dq(w), b)))
Graph number_graph(const NumberCase& c, DataType type, int64_t zero, Tail tail) {
  Graph g;
  g.name = "numbers";
  const ValueId x =
      add_op(g, "dequantize_linear",
             {g.add_input("x", {type, {c.n, c.c, c.h, c.w}}), scale(g, 0.5f), zero_of(g, type, zero)}, {}, "x");
  ValueId y = add_op(g, "conv", {x, filters(g, {c.m, c.c / c.group, c.k, c.k}, 0), g.add_constant(integers({c.m}, 3))},
                     {{"pads", std::vector<int64_t>(4, c.pad)},
                      {"strides", std::vector<int64_t>{c.stride, c.stride}},
                      {"dilations", std::vector<int64_t>{c.dilation, c.dilation}},
                      {"group", c.group}},
                     "conv");
  const auto through_bytes = [&](ValueId value, float step, int64_t point) {
    const std::vector<ValueId> by = {scale(g, step), zero_of(g, type, point)};
    const ValueId number = add_op(g, "quantize_linear", {value, by[0], by[1]});
    return add_op(g, "dequantize_linear", {number, by[0], by[1]});
  };
  if (tail == Tail::inner) y = through_bytes(y, 8, 6);
  if (has_residual(tail)) {
    const ValueId r =
        add_op(g, "dequantize_linear",
               {g.add_input("r", {type, g.value(y).type.shape}), scale(g, 2), zero_of(g, type, 3)}, {}, "r");
    y = add_op(g, "add", {y, r}, {}, "add");
  }
  if (tail == Tail::clamped || has_residual(tail)) y = add_op(g, "relu", {y}, {}, "relu");
  if (tail == Tail::table) y = through_bytes(y, 8, 6);
  if (tail == Tail::activation || tail == Tail::table)
    y = add_op(g, "abs", {add_op(g, "neg", {y}, {}, "neg")}, {}, "abs");
  if (tail != Tail::floats) y = add_op(g, "quantize_linear", {y, scale(g, 4), zero_of(g, type, 5)}, {}, "q");
  g.add_output(y);
  return g;
}

std::vector<int64_t> out_extents(const NumberCase& c) {
  const auto out = [&](int64_t in) { return (in + 2 * c.pad - (c.k - 1) * c.dilation - 1) / c.stride + 1; };
  return {c.n, c.m, out(c.h), out(c.w)};
}

void check_numbers(const NumberCase& c, DataType type, int64_t zero, Tail tail) {
  const auto make = [&] {
    Graph g = number_graph(c, type, zero, tail);
    infer_all(g);
    return g;
  };
  const int low = type == DataType::u8 ? 0 : -9, high = type == DataType::u8 ? 18 : 9;
  Inputs inputs = {{"x", bytes(type, {c.n, c.c, c.h, c.w}, 1, low, high)}};
  if (has_residual(tail)) inputs["r"] = bytes(type, out_extents(c), 4, low, high);
  compare(make, inputs,
          fmt::format("{} {}>{} k{} s{} g{} zero {} tail {}", data_type_name(type), c.c, c.m, c.k, c.stride, c.group,
                      zero, static_cast<int>(tail)),
          {0});
}

constexpr NumberCase kNumberConvs[] = {
    {2, 64, 14, 14, 64, 1, 1, 0, 1, 1},    {1, 64, 28, 28, 128, 3, 1, 1, 1, 1}, {2, 128, 15, 15, 96, 3, 2, 1, 1, 1},
    {1, 512, 7, 7, 2048, 1, 1, 0, 1, 1},   {2, 3, 33, 35, 64, 7, 2, 3, 1, 1},   {1, 32, 20, 20, 48, 3, 1, 2, 2, 1},
    {1, 64, 28, 28, 128, 1, 2, 0, 1, 1},   {1, 24, 9, 11, 255, 1, 1, 0, 1, 1},  {2, 16, 9, 9, 5, 3, 1, 1, 1, 1},
    {40, 256, 14, 14, 128, 3, 1, 1, 1, 1}, {2, 4, 20, 24, 32, 3, 2, 1, 1, 1},   {1, 1, 40, 19, 16, 5, 1, 2, 1, 1},
};
constexpr NumberCase kThreadConvs[] = {
    {2, 32, 17, 17, 32, 3, 1, 1, 1, 32}, {1, 10, 9, 8, 10, 5, 2, 2, 1, 10}, {1, 32, 12, 10, 48, 3, 1, 1, 1, 4}};

TEST(CudaNumbers, Convolutions) {
  for (const NumberCase& c : kNumberConvs) {
    check_numbers(c, DataType::u8, 0, Tail::bytes);
    check_numbers(c, DataType::i8, -2, Tail::clamped);
  }
}

TEST(CudaNumbers, Tails) {
  for (const NumberCase& c : {kNumberConvs[1], kNumberConvs[3], kNumberConvs[4]})
    for (Tail tail :
         {Tail::floats, Tail::bytes, Tail::clamped, Tail::residual, Tail::activation, Tail::inner, Tail::table}) {
      check_numbers(c, DataType::u8, 7, tail);
      check_numbers(c, DataType::i8, 0, tail);
    }
}

// What the passes make of numbers within an epilogue, and of a function of the result's, is one launch.
TEST(CudaNumbers, NumbersWithinAndTablesAreOneLaunch) {
  for (Tail tail : {Tail::inner, Tail::table}) {
    Graph g = number_graph(kNumberConvs[3], DataType::u8, 7, tail);
    infer_all(g);
    run_pipeline(g, pipeline(true), "");
    ASSERT_EQ(g.nodes().size(), 1u);
    EXPECT_GT(candidates_of(g).count("cuda.number_conv"), 0u);
    EXPECT_GT(candidates_of(g).size(), 1u);
  }
}

// All bytes, a residual and a result whose scales are no powers of two: quotients as the processor has them.
TEST(CudaNumbers, ResidualsOfAllBytes) {
  for (DataType type : {DataType::u8, DataType::i8}) {
    const std::vector<int64_t> extents = {2, 64, 28, 28}, wide = {2, 256, 28, 28};
    const int least = type == DataType::u8 ? 0 : -128, most = least + 255;
    const auto make = [&] {
      Graph g;
      const auto read = [&](const char* name, const std::vector<int64_t>& of, float by, int64_t zero) {
        return add_op(g, "dequantize_linear",
                      {g.add_input(name, {type, Shape::of(of)}), scale(g, by), zero_of(g, type, zero)}, {}, name);
      };
      ValueId y = add_op(g, "conv", {read("x", extents, 0.5f, 3), filters(g, {256, 64, 1, 1}, 0)}, {}, "conv");
      const std::vector<ValueId> by = {scale(g, 8), zero_of(g, type, 7)};
      y = add_op(g, "dequantize_linear", {add_op(g, "quantize_linear", {y, by[0], by[1]}), by[0], by[1]});
      y = add_op(g, "relu", {add_op(g, "add", {y, read("r", wide, 2.7f, 1)}, {}, "add")}, {}, "relu");
      g.add_output(add_op(g, "quantize_linear", {y, scale(g, 11.3f), zero_of(g, type, least)}, {}, "q"));
      infer_all(g);
      return g;
    };
    compare(make, {{"x", bytes(type, extents, 1, least, most)}, {"r", bytes(type, wide, 2, least, most)}},
            fmt::format("residual of all {}", data_type_name(type)), {0});
  }
}

// Of whole tensors by one constant scale.
TEST(CudaNumbers, StepsOfTensors) {
  for (DataType type : {DataType::u8, DataType::i8})
    for (bool back : {false, true}) {
      const std::vector<int64_t> extents = {3, 5, 7, 16};
      compare(
          [&] {
            Graph g;
            const ValueId x = g.add_input("x", {back ? type : DataType::f32, Shape::of(extents)});
            g.add_output(add_op(g, back ? "dequantize_linear" : "quantize_linear",
                                {x, scale(g, 0.037f), zero_of(g, type, 9)}, {}, "steps"));
            infer_all(g);
            return g;
          },
          {{"x", back ? bytes(type, extents, 1, type == DataType::u8 ? 0 : -128, 127) : random_tensor(extents, 1)}},
          "steps", {0});
    }
}

TEST(CudaNumbers, DepthwiseAndGroups) {
  for (const NumberCase& c : kThreadConvs)
    for (int64_t zero : {0, 3}) {
      check_numbers(c, DataType::u8, zero, Tail::clamped);
      check_numbers(c, DataType::i8, zero, Tail::floats);
    }
}

TEST(CudaNumbers, Matrices) {
  for (const auto& [rows, depth, columns] :
       {std::array<int64_t, 3>{128, 768, 768}, {1, 2048, 1000}, {197, 256, 1024}, {3, 64, 24}}) {
    const auto make = [rows = rows, depth = depth, columns = columns] {
      Graph g;
      const ValueId x = add_op(
          g, "dequantize_linear",
          {g.add_input("x", {DataType::u8, {rows, depth}}), scale(g, 0.5f), zero_of(g, DataType::u8, 3)}, {}, "x");
      const ValueId y = add_op(g, "matmul", {x, filters(g, {depth, columns}, 1)}, {}, "matmul");
      g.add_output(add_op(g, "quantize_linear",
                          {add_op(g, "add", {y, g.add_constant(integers({columns}, 3))}, {}, "add"), scale(g, 4),
                           zero_of(g, DataType::u8, 100)},
                          {}, "q"));
      infer_all(g);
      return g;
    };
    compare(make, {{"x", bytes(DataType::u8, {rows, depth}, 1, 0, 9)}},
            fmt::format("{} x {} x {}", rows, depth, columns), {0});
  }
}

// dq, arithmetic and q in one kernel; maxima of bytes.
TEST(CudaNumbers, PointwiseAndPools) {
  const std::vector<int64_t> extents = {2, 24, 9, 10};
  const auto pointwise = [&] {
    Graph g;
    const auto read = [&](const char* name, float by, int64_t zero) {
      return add_op(
          g, "dequantize_linear",
          {g.add_input(name, {DataType::u8, Shape::of(extents)}), scale(g, by), zero_of(g, DataType::u8, zero)}, {},
          name);
    };
    const ValueId sum = add_op(g, "add", {read("a", 0.5f, 20), read("b", 2, 130)}, {}, "add");
    g.add_output(add_op(g, "quantize_linear",
                        {add_op(g, "relu", {sum}, {}, "relu"), scale(g, 1), zero_of(g, DataType::u8, 1)}, {}, "q"));
    infer_all(g);
    return g;
  };
  compare(pointwise, {{"a", bytes(DataType::u8, extents, 1, 0, 255)}, {"b", bytes(DataType::u8, extents, 2, 0, 255)}},
          "add of bytes", {0});
  for (DataType type : {DataType::u8, DataType::i8})
    compare(
        [&] {
          return unary("max_pool", extents,
                       {{"kernel_shape", std::vector<int64_t>{3, 3}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}}, {},
                       type);
        },
        {{"x", bytes(type, extents, 1, type == DataType::u8 ? 0 : -128, 127)}}, "maxima of bytes", {0});
}

}  // namespace
}  // namespace planish
