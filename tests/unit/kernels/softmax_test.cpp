#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(SoftmaxKernels, AnyAxisOfAnyLayout) {
  for (const char* op : {"softmax", "log_softmax"})
    for (bool last : {false, true})
      for (int64_t axis : {0, 1, 2, 3})
        for (int64_t width : {1, 16, 197})
          expect_matches({op, {{"axis", axis}}, {random_tensor({3, 17, 5, width}, 3, 9)}, 1, last}, 1e-6,
                         fmt::format("axis {} width {}", axis, width));
}

TEST(SoftmaxKernels, LongAndExtremeRows) {
  expect_matches({"softmax", {}, {random_tensor({2, 50257}, 4, 20)}}, 1e-6);
  const float inf = std::numeric_limits<float>::infinity();
  expect_matches({"softmax", {}, {tensor_of<float>({2, 4}, {-inf, 0, 1, -inf, 1e30f, -1e30f, 3, 1e30f})}}, 1e-6);
}

}  // namespace
}  // namespace planish
