#pragma once
// Attributes of normalisations.

#include <cstdint>

namespace planish {

struct BatchNormAttrs {
  double epsilon = 1e-5, momentum = 0.9;
  int64_t training_mode = 0;
  template <class V>
  void fields(V& v) {
    v("epsilon", epsilon);
    v("momentum", momentum);
    v("training_mode", training_mode);
  }
};

struct LayerNormAttrs {
  int64_t axis = -1, stash_type = 1;
  double epsilon = 1e-5;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("stash_type", stash_type);
    v("epsilon", epsilon);
  }
};

struct AxisAttrs {
  int64_t axis = -1;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

}  // namespace planish
