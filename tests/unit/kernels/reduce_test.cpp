#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

const std::vector<std::vector<int64_t>> kAxes = {{0}, {1}, {2}, {3}, {-1, -2}, {0, 2}, {1, 3}, {0, 1, 2, 3}, {1, 2}};

TEST(ReduceKernels, AnyAxesOfAnyLayoutAreExactOnIntegers) {
  for (const char* op :
       {"reduce_sum", "reduce_max", "reduce_min", "reduce_l1", "reduce_sum_square", "reduce_mean", "reduce_l2"})
    for (const auto& axes : kAxes)
      for (bool last : {false, true})
        for (int64_t keep : {0, 1}) {
          const Tensor x = integer_tensor({3, 5, 4, 70}, 7);
          expect_matches({op, {{"keepdims", keep}}, {x, ints_of(axes)}, 1, last}, 1e-7, "axes " + listed(axes));
        }
}

TEST(ReduceKernels, ProductsAndLogarithms) {
  for (const auto& axes : kAxes) {
    expect_matches({"reduce_prod", {}, {random_tensor({2, 3, 4, 5}, 8), ints_of(axes)}}, 1e-5);
    std::vector<float> positive(2 * 3 * 4 * 5);
    for (size_t i = 0; i < positive.size(); ++i) positive[i] = 0.5f + static_cast<float>(i % 7);
    expect_matches({"reduce_log_sum", {}, {tensor_of<float>({2, 3, 4, 5}, positive), ints_of(axes)}}, 1e-6);
  }
}

TEST(ReduceKernels, LongSumsKeepTheirPrecision) {
  expect_matches({"reduce_sum", {}, {random_tensor({3, 100003}, 11), ints_of({1})}}, 2e-6, "rows");
  expect_matches({"reduce_mean", {}, {random_tensor({20011, 37}, 12), ints_of({0})}}, 2e-6, "columns");
  expect_matches({"reduce_l1", {}, {random_tensor({40, 50, 60}, 13)}}, 1e-7, "everything");
}

TEST(ReduceKernels, NotANumberWinsExtremes) {
  std::vector<float> values(40 * 3, 1.f);
  values[17] = NAN;
  for (const char* op : {"reduce_max", "reduce_min"}) {
    KernelCase c{op, {}, {tensor_of<float>({3, 40}, values), ints_of({1})}};
    auto device = create_cpu_device(1);
    std::map<std::string, Tensor> inputs;
    const auto found = run(build(case_graph(c, inputs), *device, {.tuning = Tuning::off}), inputs);
    const auto result = found.begin()->second.to_doubles();
    EXPECT_TRUE(std::isnan(result[0])) << op;
    EXPECT_EQ(result[1], 1) << op;
  }
}

TEST(ArgKernels, FirstAndLastOfEqualValues) {
  for (const char* op : {"arg_max", "arg_min"})
    for (int64_t axis : {0, 1, 2, 3})
      for (int64_t select_last : {0, 1})
        for (bool last : {false, true})
          for (int64_t width : {1, 13, 300}) {
            const Attrs attrs = {{"axis", axis}, {"select_last_index", select_last}, {"keepdims", int64_t{width % 2}}};
            expect_matches({op,
                            attrs,
                            {
                                integer_tensor({2, 21, 3, width}, 14),
                            },
                            1,
                            last},
                           0, fmt::format("axis {} last {} width {}", axis, select_last, width));
          }
}

TEST(ArgKernels, ExtremesOfBytes) {
  for (const char* op : {"arg_max", "arg_min"})
    for (int64_t axis : {1, 3})
      for (int64_t select_last : {0, 1})
        for (int64_t channels : {21, 255, 256, 257})
          for (bool last : {false, true}) {
            const Attrs attrs = {{"axis", axis}, {"select_last_index", select_last}};
            const std::vector<int64_t> extents = {2, channels, 3, 70};
            const std::string what = fmt::format("axis {} last {} of {} channels", axis, select_last, channels);
            expect_matches({op, attrs, {random_integers<uint8_t>(extents, 3, 0, 255)}, 1, last}, 0, what);
            expect_matches({op, attrs, {random_integers<int8_t>(extents, 4, -128, -120)}, 1, last}, 0, what);
          }
}

}  // namespace
}  // namespace planish
