#pragma once
// The recurrent half of LSTM, GRU and RNN, shared by the kernels of every level and by the tactic.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace planish {

// Units are done in blocks; a block's columns are its units' gates, one gate after the other: i, o, f, c of LSTM,
// z, r, h of GRU, the only one of RNN.
constexpr int64_t kBlockUnits = 16;
constexpr int64_t unit_blocks(int64_t hidden) { return (hidden + kBlockUnits - 1) / kBlockUnits; }

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

// "lstm.recurrent", "gru.recurrent", "rnn.recurrent": what the input contributes [T, N, D * blocks * columns of a
// block], recurrent weights [D, blocks, H, columns], operand 2, sequence_lens, initial_h, initial_c (absent: whole
// sequences, zeros) -> Y [T, D, N, H], Y_h [D, N, H], Y_c [D, N, H], as many as there are; initial_c and Y_c are
// LSTM's. Operand 2, absent or of [D, …, blocks * kBlockUnits]: of LSTM the peepholes i, o, f [D, 3, …]; of GRU with
// reset_first 0 the recurrent bias of gate h [D, …]. With reset_first 1 a block's weights are those of z and r, [H,
// 32], and behind them those of h, [H, 16]. Columns of units beyond H are zero. Those of LSTM, and of GRU with
// reset_first 0, may be of bf16 as pairs of rows,
// [H / 2, column, 2], the last one filled up with zeros.
struct RecurrentStepAttrs {
  int64_t hidden = 0;
  int64_t reversed = 0;        // 1: the first direction walks backwards; the second always does
  int64_t state_in_bytes = 0;  // of LSTM: as the operator's
  int64_t reset_first = 0;     // of GRU: 1 multiplies r . h, 0 takes r times the product with h
  int64_t relu = 0;            // of RNN: 1 for relu, 0 for tanh
  template <class V>
  void fields(V& v) {
    v("hidden", hidden);
    v("reversed", reversed);
    v("state_in_bytes", state_in_bytes);
    v("reset_first", reset_first);
    v("relu", relu);
  }
};

}  // namespace planish
