#pragma once
// Attributes of topk, cum_sum, trilu and grid_sample.

#include <cstdint>
#include <string>

namespace planish {

struct TopKAttrs {
  int64_t axis = -1, largest = 1, sorted = 1;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("largest", largest);
    v("sorted", sorted);
  }
};

struct CumSumAttrs {
  int64_t exclusive = 0, reverse = 0;
  template <class V>
  void fields(V& v) {
    v("exclusive", exclusive);
    v("reverse", reverse);
  }
};

struct TriluAttrs {
  int64_t upper = 1;
  template <class V>
  void fields(V& v) {
    v("upper", upper);
  }
};

struct GridSampleAttrs {
  int64_t align_corners = 0;
  std::string mode = "linear", padding_mode = "zeros";
  template <class V>
  void fields(V& v) {
    v("align_corners", align_corners);
    v("mode", mode);
    v("padding_mode", padding_mode);
  }
};

}  // namespace planish
