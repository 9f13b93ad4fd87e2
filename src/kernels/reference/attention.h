#pragma once
// Attributes of attention, and its contract, which every kernel of it shares.

#include <cstdint>

#include "kernels/check.h"

namespace planish {

// rows_first: the result is [.., M, H, P] in place of [.., H, M, P]: heads side by side, as the product behind them
// reads them.
struct AttentionAttrs {
  double scale = 1;
  int64_t rows_first = 0;
  template <class V>
  void fields(V& v) {
    v("scale", scale);
    v("rows_first", rows_first);
  }
};

constexpr size_t kAttentionMasks = 2;  // operands behind query, key and value

namespace kernels::reference {

// The result with its axes as [.., H, M, P], whatever order they lie in.
TensorView heads_first(TensorView result, bool rows_first);

// Q [.., M, K], K [.., K, N], V [.., N, P], masks? that spread over [.., M, N] -> [.., M, P]
void check_attention(const KernelArgs& args, bool rows_first);

}  // namespace kernels::reference
}  // namespace planish
