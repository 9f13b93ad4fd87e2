// Every candidate of a convolution, with what may follow it, exactly.

#include <gtest/gtest.h>

#include "support/product_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(CpuConvolutions, ConvolutionsAreExactOnIntegers) {
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
    const auto inputs =
        inputs_of(after, integer_tensor({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare_candidates([&] { return conv_graph(t, after); }, inputs, 0, what + " after " + std::to_string(i % 5));
  }
}

TEST(CpuConvolutions, DepthwiseConvolutionsAreExactOnIntegers) {
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
    const auto inputs =
        inputs_of(after, integer_tensor({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare_candidates([&] { return conv_graph(t, after); }, inputs, 0, what);
  }
}

// Images of few channels, and as many groups as channels: kernels of their own. Wide enough for several tiles and
// blocks of pixels, deep enough for several chunks of channels.
TEST(CpuConvolutions, FirstLayersAndDepthwiseAreExactOnIntegers) {
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
    const auto inputs =
        inputs_of(after, integer_tensor({t.n, t.c, t.h, t.w}, static_cast<uint32_t>(i)), conv_result(t));
    compare_candidates([&] { return conv_graph(t, after); }, inputs, 0,
                       fmt::format("n{} c{} {}x{} m{} k{} s{} p{} d{} g{} after {}", t.n, t.c, t.h, t.w, t.m, t.k,
                                   t.stride, t.pad, t.dilation, t.group, i / 2 % 5));
  }
}

// The image is its own residual: one operand in two roles.
TEST(CpuConvolutions, AConvolutionPlusItsOwnInput) {
  const auto make = [] {
    Graph graph;
    const ValueId x = graph.add_input("x", {DataType::f32, {1, 8, 9, 7}});
    const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
    const ValueId y = add_op(graph, "conv", {x, graph.add_constant(integer_tensor({8, 8, 3, 3}, 61))}, same);
    graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, x})}));
    return graph;
  };
  compare_candidates(make, {{"x", integer_tensor({1, 8, 9, 7}, 62)}}, 0, "own input");
}

// The residual is one value a channel, read out of a larger tensor.
TEST(CpuConvolutions, AConvolutionPlusAWindowOfChannels) {
  const auto make = [] {
    Graph graph;
    const ValueId x = graph.add_input("x", {DataType::f32, {1, 12, 9, 7}});
    const ValueId z = graph.add_input("z", {DataType::f32, {1, 12, 4, 5}});
    const auto ints = [&](std::vector<int64_t> v) {
      const auto n = static_cast<int64_t>(v.size());
      return graph.add_constant(Tensor::of<int64_t>({n}, v));
    };
    const ValueId corner = add_op(graph, "slice", {z, ints({1, 2}), ints({2, 3}), ints({2, 3})});
    const ValueId y = add_op(graph, "conv", {x, graph.add_constant(integer_tensor({12, 12, 1, 1}, 63))});
    graph.add_output(add_op(graph, "relu", {add_op(graph, "add", {y, corner})}));
    return graph;
  };
  compare_candidates(make, {{"x", integer_tensor({1, 12, 9, 7}, 64)}, {"z", integer_tensor({1, 12, 4, 5}, 65)}}, 0,
                     "window");
}

}  // namespace
}  // namespace planish
