#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

KernelCase resize_case(const Tensor& x, const std::string& mode, const std::string& coordinates,
                       std::vector<int64_t> sizes, bool last) {
  const Attrs attrs = {{"mode", mode}, {"coordinate_transformation_mode", coordinates}};
  return {"resize", attrs, {x, Tensor(), Tensor(), ints_of(std::move(sizes))}, 1, last};
}

TEST(ResizeKernels, EveryModeAndCoordinateSystem) {
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* coordinates :
         {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"})
      for (bool last : {false, true})
        for (const auto& [h, w] :
             std::vector<std::pair<int64_t, int64_t>>{{10, 14}, {3, 9}, {1, 1}, {5, 20}, {13, 7}}) {
          const std::string what = fmt::format("{} {} {}x{}", mode, coordinates, h, w);
          const double tolerance = std::string(mode) == "nearest" ? 0 : 1e-6;
          for (int64_t channels : {1, 3, 21})
            expect_matches(
                resize_case(random_tensor({2, channels, 5, 7}, 5), mode, coordinates, {2, channels, h, w}, last),
                tolerance, what);
        }
}

TEST(ResizeKernels, OneTwoAndThreeSpatialAxes) {
  for (const char* mode : {"nearest", "linear"})
    for (bool last : {false, true}) {
      expect_matches(resize_case(random_tensor({2, 6, 9}, 1), mode, "half_pixel", {2, 6, 17}, last), 1e-6, "1-D");
      expect_matches(resize_case(random_tensor({1, 4, 3, 4, 5}, 2), mode, "half_pixel", {1, 4, 6, 5, 9}, last), 1e-6,
                     "3-D");
      expect_matches(resize_case(random_tensor({2, 3, 4}, 3), mode, "half_pixel", {2, 5, 4}, false), 1e-6,
                     "the channel axis");
    }
}

TEST(ResizeKernels, NearestOfAnyElementType) {
  for (const char* rounding : {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}) {
    const Attrs attrs = {{"nearest_mode", std::string(rounding)},
                         {"coordinate_transformation_mode", std::string("asymmetric")}};
    const Tensor scales = tensor_of<float>({4}, {1, 1, 2.5f, 1.7f});
    for (bool last : {false, true}) {
      expect_matches({"resize", attrs, {random_integers<uint8_t>({1, 3, 6, 5}, 4, 0, 255), Tensor(), scales}, 1, last},
                     0, rounding);
      expect_matches({"resize", attrs, {random_integers<int64_t>({1, 3, 6, 5}, 4, -9, 9), Tensor(), scales}, 1, last},
                     0, rounding);
      expect_matches({"resize", attrs, {random_tensor({1, 3, 6, 5}, 4), Tensor(), scales}, 1, last}, 0, rounding);
    }
  }
}

}  // namespace
}  // namespace planish
