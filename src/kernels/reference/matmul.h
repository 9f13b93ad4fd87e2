#pragma once
// Attributes of gemm.

#include <cstdint>

namespace planish {

struct GemmAttrs {
  double alpha = 1, beta = 1;
  int64_t transA = 0, transB = 0;
  template <class V>
  void fields(V& v) {
    v("alpha", alpha);
    v("beta", beta);
    v("transA", transA);
    v("transB", transB);
  }
};

}  // namespace planish
