#include <gtest/gtest.h>

#include "base/error.h"
#include "kernels/kernel.h"
#include "ops/builder.h"

namespace planish {
namespace {

// How many elements the kernel that reads bounds while a plan runs counts.
int64_t counted(int64_t extent, int64_t begin, int64_t end, int64_t step) {
  const Kernel& kernel = *reference_kernels().find("extents.slice");
  const std::vector<float> data(static_cast<size_t>(extent));
  const auto list = [](int64_t value) { return Tensor::of<int64_t>({1}, std::vector<int64_t>{value}); };
  const Tensor operands[] = {Tensor::of<float>({extent}, data), list(begin), list(end), list(0), list(step)};
  std::vector<TensorView> views;
  for (const Tensor& operand : operands) views.push_back(operand.view());
  int64_t bound[] = {-1};
  const auto params = kernel.decode({});
  KernelArgs args;
  args.inputs = views;
  args.params = params.get();
  args.bound_symbols = bound;
  kernel.check(args);
  kernel.run(args);
  return bound[0];
}

struct Cut {
  Dim extent, begin, end;
  int64_t step;
  DimRange n = {0, 4, 9};
};

// The extent that inference states for x[begin:end:step].
Dim inferred(const Cut& cut) {
  Graph graph;
  graph.symbols["N"] = {SymbolKind::shape, cut.n};
  graph.symbols["M"] = {SymbolKind::shape, {0, 2, 5}};
  const ValueId x = graph.add_input("x", {DataType::f32, {cut.extent}});
  const auto list = [&](Dim dim) { return add_op(graph, "dims", {}, {{"values", std::vector<Dim>{dim}}}); };
  const auto ints = [&](int64_t value) {
    return graph.add_constant(Tensor::of<int64_t>({1}, std::vector<int64_t>{value}));
  };
  return graph.value(add_op(graph, "slice", {x, list(cut.begin), list(cut.end), ints(0), ints(cut.step)}))
      .type.shape[0];
}

void expect_counted(const Cut& cut) {
  const Dim count = inferred(cut);
  for (int64_t n = cut.n.min; n <= cut.n.max; ++n)
    for (int64_t m = 0; m <= 5; ++m) {
      const SymbolValues values = {{"N", n}, {"M", m}};
      const int64_t extent = cut.extent.evaluate(values);
      EXPECT_EQ(count.evaluate(values), counted(extent, cut.begin.evaluate(values), cut.end.evaluate(values), cut.step))
          << "x[" << cut.begin.str() << ":" << cut.end.str() << ":" << cut.step << "] of " << cut.extent.str()
          << " for N = " << n << ", M = " << m << ": " << count.str();
    }
}

// Bounds of either sign, forwards and backwards, whatever the symbols are.
TEST(Slice, InferenceCountsAsTheKernelDoes) {
  const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
  const Dim bounds[] = {
      0,     3,          -2,        n,         m,          Dim(0) - n,          n - Dim(1),         n - Dim(3),
      n - m, Dim(2) - m, INT64_MAX, INT64_MIN, m - Dim(2), Dim(0) - n - Dim(1), n * Dim(2) - Dim(7)};
  for (Dim extent : {n, Dim(6), m + Dim(2)})
    for (Dim begin : bounds)
      for (Dim end : bounds)
        for (int64_t step : {1, 2, -1, -3}) expect_counted({extent, begin, end, step});
}

TEST(Slice, PlainBoundsStayPlain) {
  const Dim n = Dim::symbol("N");
  EXPECT_EQ(inferred({n, 0, n - Dim(1), 1, {1, 4, 9}}), n - Dim(1));
  EXPECT_EQ(inferred({n, 0, n - Dim(1), 1}), max(n - Dim(1), 0));
  EXPECT_EQ(inferred({n, 0, n, 1}), n);
  EXPECT_EQ(inferred({n, 1, INT64_MAX, 1, {1, 4, 9}}), n - Dim(1));
}

}  // namespace
}  // namespace planish
