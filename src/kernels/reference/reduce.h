#pragma once
// Attributes of reductions.

#include <cstdint>

namespace planish {

struct ReduceAttrs {
  int64_t keepdims = 1, noop_with_empty_axes = 0;
  template <class V>
  void fields(V& v) {
    v("keepdims", keepdims);
    v("noop_with_empty_axes", noop_with_empty_axes);
  }
};

struct ArgAttrs {
  int64_t axis = 0, keepdims = 1, select_last_index = 0;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("keepdims", keepdims);
    v("select_last_index", select_last_index);
  }
};

}  // namespace planish
