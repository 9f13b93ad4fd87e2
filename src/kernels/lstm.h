#pragma once
// The recurrent half of an LSTM, shared by the kernels of every level and by the tactic.

#include <cstdint>
#include <string>

namespace planish {

// Units are done in blocks; a block's columns are its units' gates i, o, f, c, one gate after the other.
constexpr int64_t kLstmUnits = 16, kLstmColumns = 4 * kLstmUnits;
constexpr int64_t lstm_blocks(int64_t hidden) { return (hidden + kLstmUnits - 1) / kLstmUnits; }

// "lstm.recurrent": what the input contributes [T, N, D * blocks * kLstmColumns], recurrent weights
// [D, blocks, H, kLstmColumns], peepholes [D, 3, blocks * kLstmUnits] (i, o, f) or absent, sequence_lens, initial_h,
// initial_c (absent: whole sequences, zeros) -> Y [T, D, N, H], Y_h [D, N, H], Y_c [D, N, H], as many as there are.
// Columns of units beyond H are zero.
struct LstmRecurrentAttrs {
  int64_t hidden = 0;
  int64_t reversed = 0;  // 1: the first direction walks backwards; the second always does
  template <class V>
  void fields(V& v) {
    v("hidden", hidden);
    v("reversed", reversed);
  }
};

}  // namespace planish
