#pragma once
// Attributes of random_uniform and random_normal.

#include <cstdint>
#include <string>

#include "tensor/data_type.h"

namespace planish {

// uniform: in [first, second); normal: mean first, deviation second. seed -1: other numbers in every run; else those of
// the seed, the same in every run.
struct RandomAttrs {
  DataType dtype = DataType::f32;
  double first = 0, second = 1;
  int64_t seed = -1;
  template <class V>
  void fields(V& v) {
    v("dtype", dtype);
    v("first", first);
    v("second", second);
    v("seed", seed);
  }
};

}  // namespace planish
