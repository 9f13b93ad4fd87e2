#pragma once
// Attributes of compress, unique and non_max_suppression.

#include <cstdint>

namespace planish {

constexpr int64_t kNoAxis = INT64_MIN;  // the operand counts as one row

struct CompressAttrs {
  int64_t axis = kNoAxis;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

struct UniqueAttrs {
  int64_t axis = kNoAxis, sorted = 1;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("sorted", sorted);
  }
};

struct NonMaxSuppressionAttrs {
  int64_t center_point_box = 0;
  template <class V>
  void fields(V& v) {
    v("center_point_box", center_point_box);
  }
};

}  // namespace planish
