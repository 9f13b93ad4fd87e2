#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(PoolKernels, OneTwoAndThreeAxesWithEveryPadding) {
  std::mt19937 random(23);
  for (int i = 0; i < 120; ++i) {
    const size_t spatial = 1 + random() % 3;
    std::vector<int64_t> extents = {1 + static_cast<int64_t>(random() % 2), 1 + static_cast<int64_t>(random() % 20)},
                         kernel, strides, dilations, pads;
    for (size_t k = 0; k < spatial; ++k) {
      kernel.push_back(1 + random() % 3);
      strides.push_back(1 + random() % 3);
      dilations.push_back(1 + random() % 2);
      extents.push_back(dilations.back() * (kernel.back() - 1) + 1 + random() % 7);
    }
    for (size_t k = 0; k < 2 * spatial; ++k) pads.push_back(random() % kernel[k % spatial]);
    Attrs attrs = {{"kernel_shape", kernel},
                   {"strides", strides},
                   {"dilations", dilations},
                   {"pads", pads},
                   {"ceil_mode", static_cast<int64_t>(random() % 2)}};
    const std::string what = fmt::format("{} kernel {} strides {} dilations {} pads {}", listed(extents),
                                         listed(kernel), listed(strides), listed(dilations), listed(pads));
    expect_matches({"max_pool", attrs, {integer_tensor(extents, 3)}, 1, i % 2 == 0}, 0, what);
    const Tensor bytes = i % 3 == 0 ? testing::random_integers<int8_t>(extents, 5, -128, 127)
                                    : testing::random_integers<uint8_t>(extents, 5, 0, 255);
    expect_matches({"max_pool", attrs, {bytes}, 1, i % 2 == 0}, 0, "bytes " + what);
    attrs.set("count_include_pad", static_cast<int64_t>(random() % 2));
    expect_matches({"average_pool", attrs, {integer_tensor(extents, 4)}, 1, i % 2 == 0}, 1e-6, what);
  }
}

TEST(PoolKernels, AutomaticPadding) {
  for (const char* automatic : {"SAME_UPPER", "SAME_LOWER", "VALID"})
    for (const char* op : {"max_pool", "average_pool"})
      expect_matches({op,
                      {{"kernel_shape", std::vector<int64_t>{3, 2}},
                       {"strides", std::vector<int64_t>{2, 2}},
                       {"auto_pad", std::string(automatic)}},
                      {random_tensor({1, 9, 7, 8}, 5)}},
                     1e-6, automatic);
}

TEST(PoolKernels, OverAllPositions) {
  for (const char* op : {"global_average_pool", "global_max_pool"})
    for (bool last : {false, true})
      for (const auto& extents : std::vector<std::vector<int64_t>>{{2, 70, 9}, {2, 5, 7, 7}, {1, 130, 3, 4, 5}})
        expect_matches({op, {}, {random_tensor(extents, 6)}, 1, last}, 1e-6, listed(extents));
}

}  // namespace
}  // namespace planish
