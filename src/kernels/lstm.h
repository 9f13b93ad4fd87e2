#pragma once
// The recurrent half of an LSTM, shared by the kernels of every level and by the tactic.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace planish {

// Units are done in blocks; a block's columns are its units' gates i, o, f, c, one gate after the other.
constexpr int64_t kLstmUnits = 16, kLstmColumns = 4 * kLstmUnits;
constexpr int64_t lstm_blocks(int64_t hidden) { return (hidden + kLstmUnits - 1) / kLstmUnits; }

// A state in 255 steps over its range, which holds 0: what DynamicQuantizeLinear and DequantizeLinear make of it.
// Static: code of one level must not serve another.
static inline void round_to_bytes(const float* h, int64_t n, float* rounded) {
  float low = 0, high = 0;
  for (int64_t i = 0; i < n; ++i) {
    low = std::min(low, h[i]);
    high = std::max(high, h[i]);
  }
  const float scale = (high - low) / 255;
  if (!(scale > 0)) {
    std::copy_n(h, n, rounded);
    return;
  }
  const float zero = std::clamp(std::nearbyint(-low / scale), 0.f, 255.f);
  for (int64_t i = 0; i < n; ++i)
    rounded[i] = (std::clamp(std::nearbyint(h[i] / scale) + zero, 0.f, 255.f) - zero) * scale;
}

// "lstm.recurrent": what the input contributes [T, N, D * blocks * kLstmColumns], recurrent weights
// [D, blocks, H, kLstmColumns], peepholes [D, 3, blocks * kLstmUnits] (i, o, f) or absent, sequence_lens, initial_h,
// initial_c (absent: whole sequences, zeros) -> Y [T, D, N, H], Y_h [D, N, H], Y_c [D, N, H], as many as there are.
// Columns of units beyond H are zero.
struct LstmRecurrentAttrs {
  int64_t hidden = 0;
  int64_t reversed = 0;        // 1: the first direction walks backwards; the second always does
  int64_t state_in_bytes = 0;  // as the operator's
  template <class V>
  void fields(V& v) {
    v("hidden", hidden);
    v("reversed", reversed);
    v("state_in_bytes", state_in_bytes);
  }
};

}  // namespace planish
