#pragma once
// Attributes of operators that move elements.

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace planish {

struct TransposeAttrs {
  std::vector<int64_t> perm;  // empty: reversed
  template <class V>
  void fields(V& v) {
    v("perm", perm);
  }
};

struct MoveAxisAttrs {
  int64_t axis = 0;
  int64_t num_outputs = 0;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("num_outputs", num_outputs);
  }
};

struct PadAttrs {
  std::string mode = "constant";
  template <class V>
  void fields(V& v) {
    v("mode", mode);
  }
};

// Source position of a padded one; -1: the constant.
inline int64_t pad_source(int64_t at, int64_t extent, const std::string& mode) {
  if (at >= 0 && at < extent) return at;
  if (mode == "constant" || extent == 0) return -1;
  if (mode == "edge") return at < 0 ? 0 : extent - 1;
  if (mode == "wrap") return ((at % extent) + extent) % extent;
  if (extent == 1) return 0;
  const int64_t period = 2 * (extent - 1), folded = ((at % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

struct DepthToSpaceAttrs {
  int64_t blocksize = 0;
  std::string mode = "DCR";
  template <class V>
  void fields(V& v) {
    v("blocksize", blocksize);
    v("mode", mode);
  }
};

struct ScatterAttrs {
  int64_t axis = 0;
  std::string reduction = "none";
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("reduction", reduction);
  }
};

struct GatherNdAttrs {
  int64_t batch_dims = 0;
  template <class V>
  void fields(V& v) {
    v("batch_dims", batch_dims);
  }
};

struct FillAttrs {
  Tensor value;  // one element; absent: f32 0
  template <class V>
  void fields(V& v) {
    v("value", value);
  }
};

struct DimsAttrs {
  std::vector<Dim> values;
  int64_t scalar = 0;
  template <class V>
  void fields(V& v) {
    v("values", values);
    v("scalar", scalar);
  }
};

struct ResizeAttrs {
  int64_t antialias = 0, exclude_outside = 0;
  std::vector<int64_t> axes;
  std::string coordinate_transformation_mode = "half_pixel", keep_aspect_ratio_policy = "stretch", mode = "nearest",
              nearest_mode = "round_prefer_floor";
  double cubic_coeff_a = -0.75, extrapolation_value = 0;
  std::vector<double> scales;  // what the kernel maps coordinates with; set by importers and passes, one an axis
  template <class V>
  void fields(V& v) {
    v("antialias", antialias);
    v("exclude_outside", exclude_outside);
    v("axes", axes);
    v("coordinate_transformation_mode", coordinate_transformation_mode);
    v("keep_aspect_ratio_policy", keep_aspect_ratio_policy);
    v("mode", mode);
    v("nearest_mode", nearest_mode);
    v("cubic_coeff_a", cubic_coeff_a);
    v("extrapolation_value", extrapolation_value);
    v("scales", scales);
  }
};

}  // namespace planish
