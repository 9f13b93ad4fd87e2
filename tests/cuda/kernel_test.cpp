// CUDA kernels against the reference kernels. Without a GPU plans are built for sm_90a, verified and read back, so that
// every source is compiled; without NVRTC one line says that nothing is.

#include "cuda/support.h"
#include "tactics/cuda/common/rows.h"

namespace planish {
namespace {

using namespace cuda_testing;

// --- convolution

struct ConvCase {
  int64_t n, c, h, w, m, k, stride, pad, dilation, group;
};

Attrs conv_attrs(const ConvCase& c) {
  return {{"pads", std::vector<int64_t>{c.pad, c.pad, c.pad, c.pad}},
          {"strides", std::vector<int64_t>{c.stride, c.stride}},
          {"dilations", std::vector<int64_t>{c.dilation, c.dilation}},
          {"group", c.group}};
}

constexpr ConvCase kConvs[] = {
    {1, 3, 17, 19, 8, 3, 2, 1, 1, 1},  {2, 16, 9, 9, 33, 1, 1, 0, 1, 1},   {1, 64, 14, 14, 70, 3, 1, 1, 1, 1},
    {3, 5, 7, 11, 6, 5, 1, 2, 1, 1},   {1, 12, 13, 13, 24, 3, 1, 2, 2, 3}, {2, 24, 15, 15, 24, 3, 2, 1, 1, 24},
    {1, 3, 32, 32, 16, 7, 2, 3, 1, 1}, {1, 8, 1, 1, 8, 1, 1, 0, 1, 1},     {1, 130, 8, 8, 129, 1, 1, 0, 1, 1},
};

// Shapes that tensor cores take, first layers and depthwise ones among them.
constexpr ConvCase kTensorConvs[] = {
    {2, 64, 14, 14, 64, 1, 1, 0, 1, 1},  {1, 64, 28, 28, 128, 3, 1, 1, 1, 1},  {2, 128, 15, 15, 96, 3, 2, 1, 1, 1},
    {3, 24, 19, 19, 40, 3, 1, 1, 1, 1},  {2, 3, 33, 35, 64, 7, 2, 3, 1, 1},    {2, 32, 17, 17, 32, 3, 1, 1, 1, 32},
    {1, 64, 20, 20, 48, 3, 1, 2, 2, 1},  {4, 256, 14, 14, 256, 3, 1, 1, 1, 1}, {1, 512, 7, 7, 2048, 1, 1, 0, 1, 1},
    {1, 64, 28, 28, 128, 1, 2, 0, 1, 1}, {2, 48, 16, 16, 48, 5, 2, 2, 1, 48},  {2, 40, 14, 15, 40, 5, 1, 2, 1, 40},
    {1, 72, 28, 28, 72, 3, 2, 1, 1, 72}, {3, 24, 7, 9, 24, 3, 1, 1, 1, 24},    {1, 16, 14, 20, 16, 3, 1, 2, 2, 16},
    {1, 16, 12, 10, 16, 5, 1, 2, 1, 16}, {130, 20, 1, 1, 6, 1, 1, 0, 1, 1},    {2, 64, 20, 20, 255, 1, 1, 0, 1, 1},
    {1, 32, 9, 11, 85, 3, 1, 1, 1, 1},   {2, 24, 60, 61, 144, 1, 1, 0, 1, 1},  {3, 16, 50, 50, 96, 1, 1, 0, 1, 1},
    {2, 64, 60, 61, 320, 3, 1, 1, 1, 1}, {9, 96, 56, 56, 24, 1, 1, 0, 1, 1},   {3, 32, 112, 100, 16, 1, 1, 0, 1, 1},
    {9, 240, 28, 28, 40, 1, 1, 0, 1, 1},
};

template <class Make>
auto conv_graph(const ConvCase& c, DataType type, bool epilogue, Make tensor) {
  return [=] {
    Graph g;
    g.name = "conv";
    const ValueId x = g.add_input("x", {type, {c.n, c.c, c.h, c.w}});
    const ValueId w = g.add_constant(as_type(tensor({c.m, c.c / c.group, c.k, c.k}, 2u), type));
    ValueId y = epilogue ? add_op(g, "conv", {x, w, g.add_constant(as_type(tensor({c.m}, 3u), DataType::f32))},
                                  conv_attrs(c), "conv")
                         : add_op(g, "conv", {x, w}, conv_attrs(c), "conv");
    if (epilogue)
      y = add_op(g, "relu", {add_op(g, "add", {y, g.add_input("r", g.value(y).type)}, {}, "add")}, {}, "relu");
    g.add_output(y);
    return g;
  };
}

template <class Make>
void check_convs(DataType type, Make tensor, Check check, std::span<const ConvCase> cases = kConvs) {
  for (const ConvCase& c : cases)
    for (bool epilogue : {false, true}) {
      if (epilogue && type != DataType::f32) continue;  // its bias is f32, its graph of one type
      const auto make = conv_graph(c, type, epilogue, tensor);
      Inputs inputs = {{"x", as_type(tensor({c.n, c.c, c.h, c.w}, 1u), type)}};
      if (epilogue) inputs["r"] = tensor(make().value(make().outputs()[0]).type.shape.extents(), 4u);
      compare(make, inputs, fmt::format("conv {}>{} k{} s{} g{}", c.c, c.m, c.k, c.stride, c.group), check);
    }
}

const auto kRandom = [](std::vector<int64_t> extents, uint32_t seed) {
  return random_tensor(std::move(extents), seed);
};
const auto kIntegers = [](std::vector<int64_t> extents, uint32_t seed) { return integers(std::move(extents), seed); };

TEST(CudaKernels, Convolutions) { check_convs(DataType::f32, kRandom, {1e-5}); }
TEST(CudaKernels, ConvolutionsOfIntegersAreExact) { check_convs(DataType::f32, kIntegers, {0}); }
TEST(CudaKernels, ConvolutionsOfHalves) { check_convs(DataType::f16, kRandom, {1e-3, false}); }

TEST(CudaKernels, ConvolutionsOnTensorCores) {
  check_convs(DataType::f16, kRandom, {1e-3, false}, kTensorConvs);
  check_convs(
      DataType::f16,
      [](std::vector<int64_t> extents, uint32_t seed) { return integers(std::move(extents), seed, -1, 1); }, {0, false},
      kTensorConvs);
}

// --- what passes of halves fuse

std::vector<std::string> kernels_of(const Graph& graph) {
  EmitOptions emit;
  emit.target.isa = active_isa();
  emit.target.threads = 2;
  emit.target.arch = arch();
  const Plan plan = emit_plan(graph, emit);
  std::vector<std::string> names;
  for (const Step& step : plan.profiles[0].steps) names.push_back(step.kernel);
  return names;
}

Graph fused_halves(Graph graph) {
  infer_all(graph);
  run_pipeline(graph, pipeline(true, true), "");
  narrow_half(graph);
  run_pipeline(graph, half_passes(), "");
  return graph;
}

ValueId one_pixel_conv(Graph& g, ValueId x, int64_t from, int64_t to, uint32_t seed) {
  return add_op(g, "conv",
                {x, g.add_constant(integers({to, from, 1, 1}, seed, -1, 1)), g.add_constant(integers({to}, seed))}, {},
                fmt::format("conv{}", seed));
}

// Tiles of pixels with their borders, blocks of channels that are not full, one and two addends.
TEST(CudaKernels, WindowsOfPixelsLoadedOnce) {
  struct Case {
    int64_t n, c, h, w, m, k;
    int addends;
  };
  for (const Case& c :
       {Case{1, 64, 16, 16, 32, 3, 0}, Case{2, 96, 37, 30, 32, 3, 1}, Case{1, 160, 33, 50, 32, 3, 2},
        Case{2, 192, 18, 17, 64, 3, 1}, Case{1, 72, 40, 19, 48, 3, 0}, Case{3, 64, 21, 22, 16, 5, 1},
        Case{1, 128, 100, 90, 32, 3, 0}, Case{2, 64, 56, 56, 64, 3, 1}, Case{1, 64, 9, 70, 128, 1, 0}}) {
    const int64_t pad = c.k / 2, height = c.k == 1 ? 3 : c.k;
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, {c.n, c.c, c.h, c.w}});
      ValueId y =
          add_op(g, "conv",
                 {x, g.add_constant(integers({c.m, c.c, height, c.k}, 2, -1, 1)), g.add_constant(integers({c.m}, 3))},
                 {{"pads", std::vector<int64_t>{height / 2, pad, height / 2, pad}}}, "conv");
      for (int i = 0; i < c.addends; ++i)
        y = add_op(g, "add", {y, g.add_input(fmt::format("r{}", i), g.value(y).type)}, {}, fmt::format("add{}", i));
      g.add_output(add_op(g, "relu", {y}, {}, "relu"));
      return g;
    };
    Inputs inputs = {{"x", integers({c.n, c.c, c.h, c.w}, 1, -1, 1)}};
    for (int i = 0; i < c.addends; ++i) inputs[fmt::format("r{}", i)] = integers({c.n, c.m, c.h, c.w}, 4 + i);
    Check check{0};
    check.halves = true;
    compare(make, inputs, fmt::format("{} > {} k{} {}x{}", c.c, c.m, c.k, c.h, c.w), check);
    if (!can_compile() || arch() != "sm_90a") continue;
    const auto names = candidates_of(fused_halves(make()));
    EXPECT_TRUE(
        std::any_of(names.begin(), names.end(), [](const std::string& n) { return n.starts_with("cuda.taps"); }))
        << c.c << " > " << c.m;
  }
}

TEST(CudaKernels, ProductsBehindFactors) {
  struct Case {
    int64_t n, c, h, w, m;
    bool residual;
  };
  for (const Case& c :
       {Case{2, 64, 14, 14, 24, true}, Case{3, 32, 7, 7, 16, false}, Case{5, 144, 28, 28, 40, true},
        Case{2, 1152, 7, 7, 192, false}, Case{9, 16, 56, 56, 96, false}, Case{40, 240, 14, 14, 80, true},
        Case{33, 96, 15, 15, 144, false}, Case{60, 672, 7, 7, 112, false}}) {
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, {c.n, c.c, c.h, c.w}});
      const ValueId s = g.add_input("s", {DataType::f32, {c.n, c.c, 1, 1}});
      ValueId y = one_pixel_conv(g, add_op(g, "mul", {s, x}, {}, "mul"), c.c, c.m, 2);
      if (c.residual) y = add_op(g, "add", {y, g.add_input("r", g.value(y).type)}, {}, "add");
      g.add_output(y);
      return g;
    };
    Inputs inputs = {{"x", integers({c.n, c.c, c.h, c.w}, 1, -1, 1)}, {"s", integers({c.n, c.c, 1, 1}, 3, -2, 2)}};
    if (c.residual) inputs["r"] = integers({c.n, c.m, c.h, c.w}, 4);
    Check check{0};
    check.halves = true;
    compare(make, inputs, fmt::format("{} x {} behind factors", c.c, c.m), check);
    if (!can_compile() || arch() != "sm_90a") continue;
    const auto kernels = kernels_of(fused_halves(make()));
    EXPECT_EQ(std::count(kernels.begin(), kernels.end(), "tensor_product"), 1);
  }
}

TEST(CudaKernels, ProductsWithTwoAddends) {
  for (int64_t columns : {64, 24}) {
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, {2, 32, 20, 21}});
      ValueId y =
          add_op(g, "conv",
                 {x, g.add_constant(integers({columns, 32, 3, 3}, 2, -1, 1)), g.add_constant(integers({columns}, 5))},
                 {{"pads", std::vector<int64_t>(4, 1)}}, "conv");
      y = add_op(g, "add", {y, g.add_input("r", g.value(y).type)}, {}, "add");
      y = add_op(g, "mul", {y, g.add_constant(Tensor::of<float>({1}, std::vector<float>{0.5f}))}, {}, "half");
      g.add_output(add_op(g, "add", {y, g.add_input("s", g.value(y).type)}, {}, "add2"));
      return g;
    };
    Check check{0};
    check.halves = true;
    compare(make,
            {{"x", integers({2, 32, 20, 21}, 1, -1, 1)},
             {"r", integers({2, columns, 20, 21}, 3)},
             {"s", integers({2, columns, 20, 21}, 4)}},
            fmt::format("two addends, {} columns", columns), check);
    if (!can_compile() || arch() != "sm_90a") continue;
    const auto kernels = kernels_of(fused_halves(make()));
    EXPECT_EQ(std::count(kernels.begin(), kernels.end(), "tensor_product"), 1);
  }
}

TEST(CudaKernels, SqueezeAndExcite) {
  struct Case {
    int64_t n, c, h, w, k, stride, hidden;
  };
  for (const Case& c : {Case{2, 32, 28, 28, 3, 1, 8}, Case{3, 48, 14, 14, 5, 1, 12}, Case{2, 40, 15, 17, 5, 2, 10},
                        Case{1, 96, 56, 56, 3, 2, 4}, Case{5, 672, 7, 7, 5, 1, 28}, Case{2, 24, 9, 9, 3, 1, 6}}) {
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, {c.n, c.c, c.h, c.w}});
      const int64_t pad = c.k / 2;
      ValueId y = add_op(
          g, "conv", {x, g.add_constant(random_tensor({c.c, 1, c.k, c.k}, 2))},
          {{"pads", std::vector<int64_t>(4, pad)}, {"group", c.c}, {"strides", std::vector<int64_t>(2, c.stride)}},
          "depthwise");
      y = add_op(g, "silu", {y}, {}, "silu");
      const auto product = [&](ValueId from, int64_t channels, int64_t columns, uint32_t seed) {
        return add_op(g, "conv",
                      {from, g.add_constant(random_tensor({columns, channels, 1, 1}, seed)),
                       g.add_constant(random_tensor({columns}, seed + 1))},
                      {}, fmt::format("conv{}", seed));
      };
      ValueId s = add_op(g, "global_average_pool", {y}, {}, "mean");
      s = add_op(g, "silu", {product(s, c.c, c.hidden, 3)}, {}, "silu2");
      s = add_op(g, "sigmoid", {product(s, c.hidden, c.c, 5)}, {}, "gate");
      g.add_output(product(add_op(g, "mul", {y, s}, {}, "excite"), c.c, 24, 7));
      return g;
    };
    Check check{4e-3};
    check.halves = true;
    compare(make, {{"x", random_tensor({c.n, c.c, c.h, c.w}, 1)}},
            fmt::format("squeeze and excite of {} channels", c.c), check);
    if (!can_compile() || arch() != "sm_90a") continue;
    const auto kernels = kernels_of(fused_halves(make()));
    EXPECT_EQ(std::count(kernels.begin(), kernels.end(), "squeeze_and_excite"), 1);
    EXPECT_EQ(std::count(kernels.begin(), kernels.end(), "tensor_product"), 1);
  }
}

TEST(CudaKernels, ProductsOnTensorCores) {
  for (const auto& [rows, depth, columns] : {std::array<int64_t, 3>{128, 768, 768},
                                             {197, 768, 3072},
                                             {1, 2048, 1000},
                                             {3, 64, 24},
                                             {1000, 256, 64},
                                             {300, 128, 51},
                                             {12288, 64, 768}}) {
    const auto make = [rows = rows, depth = depth, columns = columns] {
      Graph g;
      g.add_output(add_op(g, "matmul",
                          {g.add_input("a", {DataType::f16, {rows, depth}}),
                           g.add_constant(as_type(integers({depth, columns}, 2, -1, 1), DataType::f16))},
                          {}, "matmul"));
      return g;
    };
    compare(make, {{"a", as_type(integers({rows, depth}, 1, -1, 1), DataType::f16)}},
            fmt::format("{} x {} x {}", rows, depth, columns), {0, false});
  }
}

TEST(CudaKernels, ConvolutionsOfOneAndThreeAxes) {
  for (size_t spatial : {1u, 3u}) {
    std::vector<int64_t> extents = {2, 6}, kernel = {10, 6};
    for (size_t i = 0; i < spatial; ++i) extents.push_back(7 + static_cast<int64_t>(i)), kernel.push_back(3);
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, Shape::of(extents)});
      g.add_output(add_op(g, "conv", {x, g.add_constant(integers(kernel, 2))},
                          {{"pads", std::vector<int64_t>(2 * spatial, 1)}}, "conv"));
      return g;
    };
    compare(make, {{"x", integers(extents, 1)}}, fmt::format("conv of {} axes", spatial), {0});
  }
}

TEST(CudaKernels, TransposedConvolutions) {
  for (const ConvCase& c : {ConvCase{1, 4, 5, 6, 7, 3, 2, 1, 1, 1}, ConvCase{2, 6, 4, 4, 6, 2, 2, 0, 1, 3}}) {
    const auto make = [&] {
      Graph g;
      const ValueId x = g.add_input("x", {DataType::f32, {c.n, c.c, c.h, c.w}});
      g.add_output(
          add_op(g, "conv_transpose",
                 {x, g.add_constant(integers({c.c, c.m / c.group, c.k, c.k}, 2)), g.add_constant(integers({c.m}, 3))},
                 conv_attrs(c), "deconv"));
      return g;
    };
    compare(make, {{"x", integers({c.n, c.c, c.h, c.w}, 1)}}, fmt::format("conv_transpose {}>{}", c.c, c.m), {0});
  }
}

// --- products

TEST(CudaKernels, Products) {
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> cases = {
      {{5, 7}, {7, 9}},          {{1, 300}, {300, 70}}, {{2, 3, 65, 33}, {33, 66}}, {{4, 17, 8}, {4, 8, 5}},
      {{2, 1, 6, 4}, {3, 4, 6}}, {{7}, {7, 4}},         {{2, 5, 7}, {7}},           {{128, 64}, {64, 130}},
  };
  for (const auto& [a, b] : cases)
    for (bool fused : {false, true}) {
      const auto make = [&, &a = a, &b = b] {
        Graph g;
        ValueId y =
            add_op(g, "matmul",
                   {g.add_input("a", {DataType::f32, Shape::of(a)}), g.add_input("b", {DataType::f32, Shape::of(b)})},
                   {}, "matmul");
        if (fused)
          y = add_op(g, "relu", {add_op(g, "add", {y, g.add_constant(integers({1}, 9))}, {}, "add")}, {}, "relu");
        g.add_output(y);
        return g;
      };
      const std::string what = Shape::of(a).str() + " x " + Shape::of(b).str();
      compare(make, {{"a", integers(a, 1)}, {"b", integers(b, 2)}}, what, {0});
      compare(make, {{"a", random_tensor(a, 1)}, {"b", random_tensor(b, 2)}}, what);
    }
}

// --- rows and windows

TEST(CudaKernels, Poolings) {
  using Ints = std::vector<int64_t>;
  const std::vector<int64_t> extents = {2, 5, 11, 13};
  for (const char* op : {"max_pool", "average_pool"})
    for (const Attrs& attrs : {Attrs{{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
                               Attrs{{"kernel_shape", Ints{2, 3}}},
                               Attrs{{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}},
                               Attrs{{"kernel_shape", Ints{3, 2}}, {"auto_pad", std::string("SAME_UPPER")}}})
      compare([&] { return unary(op, extents, attrs); }, {{"x", random_tensor(extents, 1)}}, op + attrs.str());
  for (const char* op : {"global_average_pool", "global_max_pool"})
    compare([&] { return unary(op, extents, {}); }, {{"x", random_tensor(extents, 1)}}, op);
  compare(
      [&] {
        return unary("average_pool", extents,
                     {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"count_include_pad", int64_t{1}}});
      },
      {{"x", random_tensor(extents, 1)}}, "average_pool with padding");
}

TEST(CudaKernels, PoolingsOfHalves) {
  using Ints = std::vector<int64_t>;
  const Attrs cases[] = {
      {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
      {{"kernel_shape", Ints{5, 5}}, {"pads", Ints{2, 2, 2, 2}}},
      {{"kernel_shape", Ints{3, 9}}, {"dilations", Ints{2, 1}}, {"pads", Ints{2, 4, 2, 4}}},
  };
  for (const std::vector<int64_t>& extents : {std::vector<int64_t>{2, 16, 12, 13}, {1, 20, 12, 13}})
    for (const char* op : {"max_pool", "average_pool"})
      for (const Attrs& attrs : cases)
        compare([&] { return unary(op, extents, attrs, {}, DataType::f16); },
                {{"x", as_type(random_tensor(extents, 1), DataType::f16)}}, op + attrs.str(),
                {std::string(op) == "max_pool" ? 0 : 1e-3, false});
}

TEST(CudaKernels, Reductions) {
  const std::vector<int64_t> extents = {3, 5, 7, 33};
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1",
                         "reduce_l2", "reduce_sum_square"})
    for (const std::vector<int64_t>& axes : {std::vector<int64_t>{3}, {1}, {0, 2}, {2, 3}, {0, 1, 2, 3}})
      for (int64_t keep : {0, 1})
        compare(
            [&] {
              return unary(op, extents, {{"keepdims", keep}}, {Tensor::ints(axes)});
            },
            {{"x", random_tensor(extents, 1)}}, fmt::format("{} {}", op, Tensor::ints(axes).type().str()));
}

TEST(CudaKernels, Softmax) {
  for (const std::vector<int64_t>& extents : {std::vector<int64_t>{4, 1000}, {2, 3, 5, 300}, {7}})
    for (int64_t axis = 0; axis < static_cast<int64_t>(extents.size()); ++axis)
      for (const char* op : {"softmax", "log_softmax"})
        compare(
            [&] {
              return unary(op, extents, {{"axis", axis}});
            },
            {{"x", random_tensor(extents, 1, 5)}}, fmt::format("{} {} of {}", op, axis, Shape::of(extents).str()));
}

TEST(CudaKernels, Normalisations) {
  const std::vector<int64_t> extents = {3, 5, 260};
  for (int64_t axis : {-1, 1})
    compare(
        [&] {
          const std::vector<int64_t> tail(extents.end() + (axis < 0 ? -1 : -2), extents.end());
          return unary("layer_normalization", extents, {{"axis", axis}},
                       {random_tensor(tail, 2), random_tensor(tail, 3)});
        },
        {{"x", random_tensor(extents, 1)}}, fmt::format("layer_normalization {}", axis));
  compare([&] { return unary("rms_normalization", extents, {}, {random_tensor({260}, 2)}); },
          {{"x", random_tensor(extents, 1)}}, "rms_normalization");
}

TEST(CudaKernels, Attention) {
  for (int64_t rows_first : {0, 1})
    for (int masks : {0, 1, 2})
      for (int64_t keys : {5, 300}) {
        const std::vector<std::vector<int64_t>> extents = {
            {2, 3, 7, 16}, {2, 3, 16, keys}, {1, 3, keys, 40}, {7, keys}, {2, 1, 1, keys}};
        Inputs inputs;
        for (size_t i = 0; i < 3 + static_cast<size_t>(masks); ++i)
          inputs["x" + std::to_string(i)] = random_tensor(extents[i], static_cast<uint32_t>(i) + 1);
        compare(
            [&] {
              Graph g;
              std::vector<ValueId> operands;
              for (const auto& [name, tensor] : inputs) operands.push_back(g.add_input(name, tensor.type()));
              g.add_output(
                  add_op(g, "attention", operands, {{"scale", 0.25}, {"rows_first", rows_first}}, "attention"));
              return g;
            },
            inputs, fmt::format("attention, {} masks, {} keys", masks, keys));
      }
}

// Half precision, as it stands; integers are exact.
void compare_halves(const char* op, const std::vector<int64_t>& extents, const Attrs& attrs, const Tensor& weights) {
  compare([&] { return unary(op, extents, attrs, {as_type(weights, DataType::f16)}, DataType::f16); },
          {{"x", as_type(integers(extents, 1, -1, 1), DataType::f16)}},
          fmt::format("{} of halves {} by {}", op, Shape::of(extents).str(), weights.type().str()), {0, false});
}

TEST(CudaKernels, AnyConvolutionOfHalves) {
  using Ints = std::vector<int64_t>;
  const Attrs up = {{"strides", Ints{2, 2}}}, wide_up = {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}};
  compare_halves("conv_transpose", {2, 64, 6, 5}, up, integers({64, 32, 2, 2}, 2, -1, 1));
  compare_halves("conv_transpose", {1, 6, 5, 4}, wide_up, integers({6, 7, 3, 3}, 2, -1, 1));
  compare_halves("conv", {1, 16, 5, 6, 7}, {{"pads", Ints(6, 1)}}, integers({24, 16, 3, 3, 3}, 2, -1, 1));
  compare_halves("conv", {2, 24, 9, 9}, {{"group", int64_t{3}}, {"pads", Ints(4, 1)}},
                 integers({24, 8, 3, 3}, 2, -1, 1));
  compare_halves("conv", {1, 20, 9, 9}, {{"dilations", Ints{2, 2}}}, integers({21, 20, 3, 3}, 2, -1, 1));
  compare_halves("conv", {2, 3, 32, 48}, {{"strides", Ints{16, 16}}}, integers({64, 3, 16, 16}, 2, -1, 1));
  compare_halves("conv", {2, 6, 1, 1}, {}, integers({20, 6, 1, 1}, 2, -1, 1));
  compare_halves("matmul", {3, 1152}, {}, integers({1152, 44}, 2, -1, 1));
}

// Convolutions write into their parts of a concat and read parts of it.
TEST(CudaKernels, WindowsOfHalves) {
  const auto make = [] {
    Graph g;
    const auto conv = [&](ValueId x, int64_t from, int64_t to, uint32_t seed) {
      return add_op(g, "conv", {x, g.add_constant(as_type(integers({to, from, 1, 1}, seed, -1, 1), DataType::f16))}, {},
                    "conv");
    };
    const ValueId x = g.add_input("x", {DataType::f16, {2, 16, 6, 5}});
    const ValueId a = conv(x, 16, 24, 2), b = conv(x, 16, 12, 3), c = conv(x, 16, 8, 4);
    const ValueId all = add_op(g, "concat", {a, b, c}, {{"axis", int64_t{1}}}, "concat");
    const ValueId part = add_op(g, "slice",
                                {all, g.add_constant(index_list({1}, {24})), g.add_constant(index_list({1}, {40})),
                                 g.add_constant(index_list({1}, {1}))},
                                {}, "slice");
    g.add_output(conv(all, 44, 16, 5));
    g.add_output(conv(part, 16, 8, 6));
    return g;
  };
  compare(make, {{"x", as_type(integers({2, 16, 6, 5}, 1, -1, 1), DataType::f16)}}, "windows", {0, false});
}

// Pixels that repeat are one row in memory: what takes rows copies them.
TEST(CudaKernels, RepeatedPixelsOfHalves) {
  const auto make = [] {
    Graph g;
    const ValueId x = g.add_input("x", {DataType::f16, {1, 64, 6, 5}});
    const ValueId mean = add_op(g, "global_average_pool", {x}, {}, "mean");
    const ValueId all = add_op(g, "expand", {mean, g.add_constant(index_list({4}, {1, 64, 8, 8}))}, {}, "expand");
    const Tensor weights = as_type(integers({32, 64, 1, 1}, 2, -1, 1), DataType::f16);
    g.add_output(add_op(g, "relu", {add_op(g, "conv", {all, g.add_constant(weights)}, {}, "conv")}, {}, "relu"));
    return g;
  };
  compare(make, {{"x", as_type(integers({1, 64, 6, 5}, 1, 2, 2), DataType::f16)}}, "repeated pixels", {0, false});
  compare(make, {{"x", as_type(random_tensor({1, 64, 6, 5}, 1), DataType::f16)}}, "repeated pixels", {2e-3});
}

// No GPU is needed to see where rows lie.
TEST(CudaKernels, RowsThatRepeatHaveNoPitch) {
  const auto pitch = [](std::vector<Dim> dims, std::vector<Dim> strides) {
    return tactics::cuda::row_pitch({0, Dim(0), DataType::f16, std::move(dims), std::move(strides)}, 1, 16);
  };
  EXPECT_EQ(pitch({1, 256, 32, 32}, {262144, 1, 8192, 256}), 256);
  EXPECT_EQ(pitch({1, 256, 32, 32}, {256, 1, 0, 0}), 0);
  EXPECT_EQ(pitch({2, 256, 32, 32}, {256, 1, 0, 0}), 0);
  EXPECT_EQ(pitch({1, 256, 32, 32}, {8192, 1, 0, 256}), 0);
  EXPECT_EQ(pitch({1, 256, 32, 32}, {8192, 1, 256, 0}), 0);
  EXPECT_EQ(pitch({4, 256, 1, 1}, {0, 1, 0, 0}), 0);
  EXPECT_EQ(pitch({4, 256, 1, 1}, {256, 1, 0, 0}), 256);
  EXPECT_EQ(pitch({1, 256, 1, 1}, {0, 1, 0, 0}), 256);
}

TEST(CudaKernels, RowsOfHalves) {
  for (const auto& [op, extents] :
       {std::pair<const char*, std::vector<int64_t>>{"global_average_pool", {2, 72, 20, 20}},
        {"global_max_pool", {3, 20, 5, 7}},
        {"global_average_pool", {1, 130, 33, 9}}})
    compare([&, op = op, &extents = extents] { return unary(op, extents, {}, {}, DataType::f16); },
            {{"x", as_type(random_tensor(extents, 1), DataType::f16)}}, op, {1e-3, false});
  const std::vector<int64_t> image = {2, 16, 11, 13}, rows = {5, 7, 768}, narrow = {1, 16, 4, 700};
  compare(
      [&] {
        return unary("max_pool", image,
                     {{"kernel_shape", std::vector<int64_t>{5, 5}}, {"pads", std::vector<int64_t>(4, 2)}}, {},
                     DataType::f16);
      },
      {{"x", as_type(random_tensor(image, 1), DataType::f16)}}, "max_pool of halves", {0, false});
  compare(
      [&] {
        return unary("layer_normalization", rows, {},
                     {as_type(random_tensor({768}, 2), DataType::f16), as_type(random_tensor({768}, 3), DataType::f16)},
                     DataType::f16);
      },
      {{"x", as_type(random_tensor(rows, 1), DataType::f16)}}, "layer_normalization of halves", {1e-3, false});
  compare(
      [&] {
        return unary("softmax", narrow, {{"axis", int64_t{1}}});
      },
      {{"x", random_tensor(narrow, 1, 5)}}, "softmax of many rows");
}

// The keys lie [batch, head, key, width], as networks have them before they are transposed.
TEST(CudaKernels, AttentionOfHalves) {
  for (int64_t width : {32, 64, 128})
    for (int64_t keys : {77, 300, 384})
      for (size_t masks : {0u, 1u, 2u}) {
        const int64_t queries = keys == 77 ? 130 : 70,
                      heads = width == 64 && keys != 300 ? 101 : 3;  // many blocks, or few
        const std::vector<std::vector<int64_t>> extents = {
            {2, heads, queries, width},
            {2, heads, keys, width},
            {2, heads, keys, width},
            masks == 2 ? std::vector<int64_t>{heads, queries, keys} : std::vector<int64_t>{2, 1, 1, keys},
            {2, 1, queries, keys}};
        Inputs inputs;
        for (size_t i = 0; i < 3 + masks; ++i)
          inputs["x" + std::to_string(i)] =
              as_type(random_tensor(extents[i], static_cast<uint32_t>(i) + 1), DataType::f16);
        const auto make = [&] {
          Graph g;
          std::vector<ValueId> operands;
          for (const auto& [name, tensor] : inputs) operands.push_back(g.add_input(name, tensor.type()));
          operands[1] =
              add_op(g, "transpose", {operands[1]}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}}, "transpose");
          g.add_output(add_op(g, "attention", operands, {{"scale", 0.125}}, "attention"));
          return g;
        };
        compare(make, inputs, fmt::format("attention of halves, width {}, {} keys, {} masks", width, keys, masks),
                {2e-3, false});
      }
}

// --- elements

TEST(CudaKernels, Primitives) {
  const std::vector<int64_t> extents = {3, 4, 33};
  for (const char* op :
       {"neg",  "abs",      "exp",  "log",  "sqrt",  "reciprocal", "sin", "cos",     "tan",       "asin", "acos",
        "atan", "sinh",     "cosh", "tanh", "asinh", "atanh",      "erf", "sigmoid", "floor",     "ceil", "round",
        "sign", "softplus", "relu", "gelu", "silu",  "hard_swish", "elu", "mish",    "leaky_relu"}) {
    if (op_table().find(op) == nullptr) continue;
    Tensor x = random_tensor(extents, 1, 0.9f);
    if (std::string(op) == "log" || std::string(op) == "sqrt") x = integers(extents, 1, 1, 9);
    compare([&] { return unary(op, extents, {}); }, {{"x", x}}, op, {1e-5});
  }
}

// Of 16 bits they are other functions, of fewer instructions.
TEST(CudaKernels, PrimitivesOfHalves) {
  const std::vector<int64_t> extents = {3, 4, 33};
  for (const char* op : {"exp", "tanh", "erf", "sigmoid", "softplus", "reciprocal", "silu", "gelu"})
    for (float scale : {0.1f, 1.0f, 8.0f})
      compare([&] { return unary(op, extents, {}, {}, DataType::f16); },
              {{"x", as_type(random_tensor(extents, 1, scale), DataType::f16)}}, fmt::format("{} of {}", op, scale),
              {1e-3, false});
  std::vector<float> ends = {0, -0.0f, 20, -20, 60000, -60000, 1e-7f, -1e-7f};
  for (const char* op : {"tanh", "erf", "sigmoid"})
    compare([&] { return unary(op, std::vector<int64_t>{8}, {}, {}, DataType::f16); },
            {{"x", as_type(Tensor::of<float>({8}, ends), DataType::f16)}}, fmt::format("{} at its ends", op),
            {1e-6, false});
}

// More than is resident at once: threads take several groups.
TEST(CudaKernels, LargeBroadcastsOfHalves) {
  for (const std::vector<int64_t>& a : {std::vector<int64_t>{2, 8, 300, 320}, {2, 8, 300, 313}})
    compare(
        [&] {
          Graph g;
          g.add_output(
              add_op(g, "mul",
                     {g.add_input("a", {DataType::f16, Shape::of(a)}), g.add_input("b", {DataType::f16, {2, 8, 1, 1}})},
                     {}, "mul"));
          return g;
        },
        {{"a", as_type(integers(a, 1, -6, 6), DataType::f16)},
         {"b", as_type(integers({2, 8, 1, 1}, 2, -4, 4), DataType::f16)}},
        fmt::format("mul {}", Shape::of(a).str()), {0, false});
}

TEST(CudaKernels, Broadcasts) {
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> cases = {
      {{2, 3, 4, 8}, {8}}, {{2, 3, 4, 5}, {3, 1, 1}}, {{1, 64, 7, 7}, {2, 1, 7, 1}}, {{128}, {1}}, {{2, 1, 3}, {4, 1}}};
  for (const auto& [a, b] : cases)
    for (const char* op : {"add", "mul", "sub", "div", "max", "min", "pow"})
      compare(
          [&, &a = a, &b = b] {
            Graph g;
            g.add_output(add_op(
                g, op,
                {g.add_input("a", {DataType::f32, Shape::of(a)}), g.add_input("b", {DataType::f32, Shape::of(b)})}, {},
                op));
            return g;
          },
          {{"a", integers(a, 1, 1, 6)}, {"b", integers(b, 2, 1, 4)}},
          fmt::format("{} {} {}", op, Shape::of(a).str(), Shape::of(b).str()));
}

TEST(CudaKernels, IntegersAndTruthValues) {
  const std::vector<int64_t> extents = {3, 40};
  const Tensor a = as_type(integers(extents, 1, -9, 9), DataType::i64),
               b = as_type(integers(extents, 2, 1, 9), DataType::i64);
  for (const char* op : {"add", "mul", "sub", "max", "equal", "less", "greater_or_equal"}) {
    if (op_table().find(op) == nullptr) continue;
    compare(
        [&] {
          Graph g;
          g.add_output(add_op(g, op, {g.add_input("a", a.type()), g.add_input("b", b.type())}, {}, op));
          return g;
        },
        {{"a", a}, {"b", b}}, op, {0});
  }
  for (DataType to : {DataType::f16, DataType::bf16, DataType::f32})
    compare(
        [&] {
          Graph g;
          const ValueId x = g.add_input("x", {DataType::f32, Shape::of(extents)});
          g.add_output(add_op(g, "cast", {add_op(g, "relu", {x}, {}, "relu")}, {{"to", to}}, "cast"));
          return g;
        },
        {{"x", integers(extents, 3)}}, "cast", {0, false});
}

// --- movement

TEST(CudaKernels, ConcatsSlicesTransposes) {
  const std::vector<int64_t> extents = {2, 6, 5, 8};
  compare(
      [&] {
        Graph g;
        const ValueId x = g.add_input("x", {DataType::f32, Shape::of(extents)});
        const ValueId t = add_op(g, "transpose", {add_op(g, "relu", {x}, {}, "relu")},
                                 {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}, "transpose");
        const ValueId n = add_op(g, "neg", {t}, {}, "neg");
        g.add_output(add_op(g, "concat", {t, n, t}, {{"axis", int64_t{1}}}, "concat"));
        return g;
      },
      {{"x", integers(extents, 1)}}, "transpose and concat", {0});
}

// --- networks

TEST(CudaNetworks, SmallAtEveryBatch) {
  for (int64_t n : {1, 2, 3, 4})
    compare([] { return testing::small_network(); }, {{"x", random_tensor({n, 3, 8, 8}, 7)}},
            fmt::format("batch {}", n));
}

// What has no kernel runs on the host, between copies; or is refused by name.
TEST(CudaNetworks, FallsBackToTheHost) {
  if (!can_compile()) return;
  const auto make = [] {
    Graph g;
    const ValueId x = g.add_input("x", {DataType::f32, {4, 9}});
    const ValueId s = add_op(
        g, "cum_sum", {add_op(g, "relu", {x}, {}, "relu"), g.add_input("axis", {DataType::i64, Shape{}})}, {}, "sums");
    g.add_output(add_op(g, "neg", {s}, {}, "neg"));
    return g;
  };
  compare(make, {{"x", integers({4, 9}, 1)}, {"axis", Tensor::scalar<int64_t>(1)}}, "a host step", {0, true, false});
  auto host = create_cpu_device(2);
  BuildOptions options;
  options.arch = arch();
  options.fallback = false;
  options.tuning = Tuning::off;
  try {
    build(make(), *host, options);
    FAIL() << "it was built";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the GPU has no kernel for it"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("sums"), std::string::npos) << error.what();
  }
}

TEST(CudaNetworks, ValuesAreStoredAsHalves) {
  if (!can_compile()) return;
  auto host = create_cpu_device(2);
  BuildOptions plain, halves;
  plain.optimize = false;
  halves.arch = arch();
  halves.tuning = Tuning::off;
  halves.precisions.fp16 = true;
  halves.fallback = false;
  const Plan plan = read_back(build(testing::small_network(), *host, halves));
  EXPECT_NE(print(plan).find("f16[N,8,8,8]"), std::string::npos) << print(plan);
  for (const Binding& binding : plan.bindings) EXPECT_EQ(binding.type.dtype, DataType::f32) << binding.name;
  const Inputs inputs = {{"x", random_tensor({3, 3, 8, 8}, 7)}};
  if (gpu() == nullptr) return;
  const auto expected = testing::run(build(testing::small_network(), *host, plain), inputs);
  expect_equal(testing::run(plan, inputs, gpu()), expected, 5e-3, "halves");
}

// Shapes change between runs of one context, and come back: recorded work is that of the shapes.
TEST(CudaNetworks, OneContextServesEveryShape) {
  if (!can_compile() || gpu() == nullptr) return;
  BuildOptions options, plain;
  options.tuning = Tuning::off;
  plain.optimize = false;
  auto host = create_cpu_device(2);
  const Plan reference = build(testing::small_network(), *host, plain);
  auto engine = Engine::create(build(testing::small_network(), *gpu(), options), gpu());
  auto context = engine->create_context();
  auto stream = gpu()->create_stream();
  for (int64_t n : {2, 4, 2, 1, 4, 2}) {
    const Tensor x = random_tensor({n, 3, 8, 8}, static_cast<uint32_t>(n) + 20);
    const Inputs expected = testing::run(reference, {{"x", x}});
    const auto& [name, tensor] = *expected.begin();
    Tensor y = Tensor::zeros(DataType::f32, tensor.extents());
    context->set_shape("x", x.extents()).raise();
    context->bind("x", const_cast<std::byte*>(x.data()), static_cast<size_t>(x.byte_count())).raise();
    context->bind(name, const_cast<std::byte*>(y.data()), static_cast<size_t>(y.byte_count())).raise();
    for (int run = 0; run < 2; ++run) {
      context->enqueue(stream.get()).raise();
      stream->synchronize().raise();
      expect_equal({{name, y}}, expected, 1e-5, fmt::format("batch {} run {}", n, run));
    }
    // The same from and to memory of the GPU.
    Accelerator& accelerator = *gpu()->accelerator();
    auto in = accelerator.allocate(x.byte_count()), out = accelerator.allocate(y.byte_count());
    accelerator.copy(in.get(), x.data(), x.byte_count(), *stream);
    context->bind("x", in.get(), static_cast<size_t>(x.byte_count())).raise();
    context->bind(name, out.get(), static_cast<size_t>(y.byte_count())).raise();
    context->enqueue(stream.get()).raise();
    Tensor back = Tensor::zeros(DataType::f32, tensor.extents());
    accelerator.copy(const_cast<std::byte*>(back.data()), out.get(), back.byte_count(), *stream);
    stream->synchronize().raise();
    expect_equal({{name, back}}, expected, 1e-5, fmt::format("batch {} on the device", n));
  }
}

TEST(CudaNetworks, PlanTextNamesSpacesAndLaunches) {
  if (!can_compile()) return;
  auto host = create_cpu_device(2);
  BuildOptions options;
  options.arch = "sm_90a";
  options.tuning = Tuning::off;
  const Plan plan = build(testing::small_network(), *host, options);
  const std::string text = print(plan);
  EXPECT_NE(text.find("for cuda:sm_90a"), std::string::npos);
  EXPECT_NE(text.find(" of the device"), std::string::npos);
  EXPECT_NE(text.find("launch direct_conv.v1"), std::string::npos) << text;
  EXPECT_NE(text.find("copy copy.v1"), std::string::npos);
  EXPECT_EQ(print(read_back(plan)), text);
  try {
    Engine::create(plan, create_cpu_device(2));
    FAIL() << "the processor took it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::mismatch);
    EXPECT_NE(std::string(error.what()).find("cuda:sm_90a"), std::string::npos) << error.what();
  }
}

TEST(CudaDriver, WhatIsMissingIsOneLine) {
  const cuda::DriverOrReason found = cuda::open_driver("libno_such_driver.so.1");
  EXPECT_EQ(found.driver, nullptr);
  EXPECT_NE(found.reason.find("no CUDA driver"), std::string::npos);
  EXPECT_EQ(found.reason.find('\n'), std::string::npos);
  if (gpu() != nullptr) return;
  EXPECT_THROW(create_device("cuda"), Error);
  EXPECT_EQ(create_device("auto", 1)->accelerator(), nullptr);
  EXPECT_THROW(create_device("tpu"), Error);
}

}  // namespace
}  // namespace planish
