#pragma once
// Attributes of roi_align and max_roi_pool.

#include <cstdint>
#include <string>
#include <vector>

namespace planish {

constexpr int64_t kMostRoiSamples = 10000;  // along one axis of a bin

struct RoiAlignAttrs {
  std::string coordinate_transformation_mode = "half_pixel", mode = "avg";
  int64_t output_height = 1, output_width = 1, sampling_ratio = 0;
  double spatial_scale = 1;
  template <class V>
  void fields(V& v) {
    v("coordinate_transformation_mode", coordinate_transformation_mode);
    v("mode", mode);
    v("output_height", output_height);
    v("output_width", output_width);
    v("sampling_ratio", sampling_ratio);
    v("spatial_scale", spatial_scale);
  }
};

struct MaxRoiPoolAttrs {
  std::vector<int64_t> pooled_shape;
  double spatial_scale = 1;
  template <class V>
  void fields(V& v) {
    v("pooled_shape", pooled_shape);
    v("spatial_scale", spatial_scale);
  }
};

}  // namespace planish
