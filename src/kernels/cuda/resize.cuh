#pragma once
// Resizing by tables: along each axis of AXES every result has TAPS positions of the operand with their weights. The
// tables of the axes lie behind each other, [extent of the result][TAPS] each. A thread a result.
// Macros: RANK, AXES (bit i: axis i), TAPS, TYPE, WEIGHTED (0: the element itself, one tap), CROPPED (1: results with
// positions of -1 are `outside`).
// instance: RANK=4 AXES=12 TAPS=1 TYPE=uint8_t WEIGHTED=0 CROPPED=0
// instance: RANK=4 AXES=12 TAPS=2 TYPE=half_t WEIGHTED=1 CROPPED=1
// instance: RANK=5 AXES=28 TAPS=4 TYPE=float WEIGHTED=1 CROPPED=0

#include "view.cuh"

__device__ constexpr int bits_of(int mask) { return mask == 0 ? 0 : (mask & 1) + bits_of(mask >> 1); }
__device__ constexpr int power(int base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

// Results with axis 1 the fastest where there is a channel axis to be so.
extern "C" __global__ void __launch_bounds__(256)
    resize(const __grid_constant__ View x, const __grid_constant__ View y, const int* positions, const float* weights,
           int64_t count, float outside) {
  wait_for_previous();
  constexpr int kFastest = RANK >= 3 && (AXES & 2) == 0 ? 1 : RANK - 1;
  for (int64_t flat = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; flat < count;
       flat += static_cast<int64_t>(gridDim.x) * 256) {
    int at[RANK];
    position_of<kFastest>(static_cast<uint32_t>(flat), y, at);
    int64_t base = 0;
    const int* table[RANK];
    int before = 0;
#pragma unroll
    for (int i = 0; i < RANK; ++i) {
      if ((AXES >> i & 1) == 0) {
        base += at[i] * x.strides[i];
        continue;
      }
      table[i] = positions + before + at[i] * TAPS;
      before += static_cast<int>(y.dims[i]) * TAPS;
    }
    float sum = 0;
    bool cropped = false;
#pragma unroll
    for (int i = 0; CROPPED && i < RANK; ++i) cropped = cropped || ((AXES >> i & 1) != 0 && *table[i] < 0);
    if (cropped) {
      store<TYPE, float>(y.data, offset_of(y, at), outside);
      continue;
    }
    for (int tap = 0; tap < power(TAPS, bits_of(AXES)); ++tap) {
      int left = tap;
      int64_t from = base;
      float weight = 1;
#pragma unroll
      for (int i = RANK - 1; i >= 0; --i) {
        if ((AXES >> i & 1) == 0) continue;
        const int* entry = table[i] + left % TAPS;
        left /= TAPS;
        from += *entry * x.strides[i];
        if (WEIGHTED) weight *= weights[entry - positions];
      }
#if WEIGHTED
      sum = fmaf(weight, load<TYPE, float>(x.data, from), sum);
#else
      static_cast<TYPE*>(y.data)[offset_of(y, at)] = static_cast<const TYPE*>(x.data)[from];
#endif
    }
#if WEIGHTED
    store<TYPE, float>(y.data, offset_of(y, at), sum);
#endif
  }
}
