#pragma once
// Operators on pictures, regions and signals that have no kernel but the reference's, each in a few forms.

#include "support/kernel_cases.h"

namespace planish::testing {

inline std::vector<KernelCase> window_cases() {
  using Ints = std::vector<int64_t>;
  const Tensor x = random_tensor({2, 4, 5, 6}, 1);
  const Attrs window = {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 1}}};
  Attrs cubes = window;
  cubes.set("p", int64_t{3});
  return {
      {"lp_pool", window, {x}},
      {"lp_pool", cubes, {x}},
      {"col2im", {{"strides", Ints{2, 1}}}, {random_tensor({2, 12, 8}, 2), ints_of({4, 5}), ints_of({2, 2})}},
      {"max_unpool",
       {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
       {random_tensor({1, 2, 2, 2}, 1), tensor_of<int64_t>({1, 2, 2, 2}, {0, 3, 9, 14, 16, 22, 25, 31})},
       2},
      {"deform_conv",
       {{"pads", Ints{1, 1, 0, 0}}, {"offset_group", int64_t{2}}},
       {x, random_tensor({3, 4, 2, 2}, 2), random_tensor({2, 16, 5, 6}, 3), random_tensor({3}, 4),
        random_tensor({2, 8, 5, 6}, 5)},
       3},
      {"deform_conv",
       {{"group", int64_t{2}}, {"strides", Ints{2}}, {"dilations", Ints{2}}},
       {random_tensor({1, 4, 9}, 1), random_tensor({2, 2, 3}, 2), random_tensor({1, 3, 3}, 3)},
       3},
  };
}

inline std::vector<KernelCase> region_cases() {
  using Ints = std::vector<int64_t>;
  const Tensor x = random_tensor({2, 3, 5, 6}, 1), which = tensor_of<int64_t>({2}, {1, 0});
  const Tensor rois = tensor_of<float>({2, 4}, {0, 0, 4, 3, 1.5, -1, 5.5, 7}),
               numbered = tensor_of<float>({2, 5}, {1, 0, 0, 4, 3, 0, 1, 1, 9, 4});
  const Attrs bins = {{"output_height", int64_t{2}}, {"output_width", int64_t{3}}};
  Attrs most = bins;
  most.set("mode", std::string("max"));
  most.set("sampling_ratio", int64_t{2});
  return {
      {"roi_align", bins, {x, rois, which}},
      {"roi_align", most, {x, rois, which}},
      {"max_roi_pool", {{"pooled_shape", Ints{2, 3}}, {"spatial_scale", 0.7}}, {x, numbered}},
  };
}

inline std::vector<KernelCase> detector_cases() {
  const Tensor x = random_tensor({2, 3, 5, 6}, 1), which = tensor_of<int64_t>({2}, {1, 0});
  const Tensor boxes = tensor_of<float>({2, 4}, {0, 0.1f, 0.7f, 1, 0.2f, -0.1f, 1.1f, 0.5f});
  const Tensor regions = tensor_of<float>({2, 1, 4}, {0, 0, 4, 3, 60, 9, 2, 50});
  const Attrs kept = {{"keep", int64_t{5}}, {"candidates", int64_t{4}}, {"score_threshold", -0.5}};
  const Attrs pyramid = {{"pooled", int64_t{2}}, {"image_height", int64_t{64}}, {"image_width", int64_t{48}}};
  Attrs corners = pyramid;
  corners.set("transform", int64_t{-1});
  corners.set("sampling_ratio", int64_t{1});
  const std::vector<Tensor> maps = {regions, x, random_tensor({2, 3, 3, 3}, 2), random_tensor({2, 3, 2, 1}, 3),
                                    random_tensor({2, 3, 1, 1}, 4)};
  return {
      {"padded_nms", kept, {random_tensor({2, 6, 1, 4}, 1), random_tensor({2, 6, 3}, 2)}, 2},
      {"padded_nms", kept, {random_tensor({2, 6, 3, 4}, 3), random_tensor({2, 6, 3}, 4)}, 2},
      {"crop_and_resize", {{"height", int64_t{3}}, {"width", int64_t{1}}}, {x, boxes, which}},
      {"pyramid_roi_align", pyramid, maps, 5},
      {"pyramid_roi_align", corners, maps, 5},
      {"deformable_attention",
       {},
       {random_tensor({2, 7, 2, 3}, 1), tensor_of<int64_t>({2, 2}, {2, 3, 1, 1}), ints_of({0, 6}),
        random_tensor({2, 4, 2, 2, 3, 2}, 2), random_tensor({2, 4, 2, 2, 3}, 3)}},
  };
}

inline std::vector<KernelCase> signal_cases() {
  const auto scalar = [](int64_t value) { return Tensor::scalar(value); };
  const Tensor real = random_tensor({2, 12, 3, 1}, 1), parts = random_tensor({2, 7, 3, 2}, 2);
  const Attrs half = {{"onesided", int64_t{1}}}, inverse = {{"inverse", int64_t{1}}};
  return {
      {"dft", {}, {real}},
      {"dft", half, {real, scalar(9), scalar(1)}},
      {"dft", inverse, {parts, {}, scalar(1)}},
      {"dft", {{"inverse", int64_t{1}}, {"onesided", int64_t{1}}}, {parts, {}, scalar(1)}},
      {"det", {}, {random_tensor({2, 3, 4, 4}, 1)}},
      {"affine_grid", {{"align_corners", int64_t{1}}}, {random_tensor({2, 2, 3}, 1), ints_of({2, 1, 3, 4})}},
      {"affine_grid", {}, {random_tensor({1, 3, 4}, 1), ints_of({1, 1, 2, 3, 4})}},
  };
}

inline std::vector<KernelCase> crop_cases() {
  const Tensor x = random_tensor({2, 3, 5, 6}, 1), roi = tensor_of<float>({8}, {0, 0, 0.2f, -0.1f, 1, 1, 0.9f, 1.2f});
  std::vector<KernelCase> cases;
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    Attrs crop = {{"mode", std::string(mode)},
                  {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                  {"extrapolation_value", 3.0}};
    cases.push_back({"resize", crop, {x, roi, {}, ints_of({2, 3, 4, 7})}});
    cases.push_back(
        {"resize", {{"mode", std::string(mode)}, {"antialias", int64_t{1}}}, {x, {}, {}, ints_of({2, 3, 3, 9})}});
  }
  return cases;
}

inline std::vector<KernelCase> picture_cases() {
  std::vector<KernelCase> all;
  for (const auto& cases : {window_cases(), region_cases(), detector_cases(), signal_cases(), crop_cases()})
    all.insert(all.end(), cases.begin(), cases.end());
  return all;
}

}  // namespace planish::testing
