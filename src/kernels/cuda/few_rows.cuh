#pragma once
// D[m][n] = program(sum_k A[m][k] B[n][k] + bias[n], R[m][n]) of few rows, any depth and any number of columns: a warp a
// column, its lanes share the depth. Rows: of A that a warp multiplies at once. Weights are [columns][depth up to a multiple of
// 8], zeros behind the depth; what of them the first steps take is read before the grid in front has ended.
// Grid: (ceil(columns / kWarps), ceil(rows / Rows)). Vector: rows of A begin at multiples of 16 bytes and are whole ones.
// instance: PLANISH_FEW=FewRows<half_t,half_t,1,true>
// instance: PLANISH_FEW=FewRows<half_t,float,4,true>
// instance: PLANISH_FEW=FewRows<bfloat_t,bfloat_t,2,false>

#include "ptx.cuh"

template <class T, class Out, int Rows, bool Vector>
struct FewRows {
  using Element = T;
  using Result = Out;
  static constexpr int kRows = Rows, kWarps = 4, kThreads = 32 * kWarps, kAhead = Rows > 2 ? 2 : 4;
  static constexpr bool kVector = Vector;
};

struct FewShape {
  int rows, columns, depth, pitch, result_pitch, residual_pitch;  // elements
};

// Eight elements of a row of A.
template <class C>
PLANISH_DEVICE void few_operands(float* values, const typename C::Element* from, int k, int depth) {
  if constexpr (C::kVector) {
    load_run<typename C::Element, 8>(values, from + k);
  } else {
#pragma unroll
    for (int i = 0; i < 8; i++) values[i] = k + i < depth ? to_float(from[k + i]) : 0.0f;
  }
}

template <class C>
PLANISH_DEVICE void few_multiply(float* sums, const uint32_t* words, const typename C::Element* a, int m0, int k,
                                 const FewShape& p) {
  float weights[8], values[8];
  Words<typename C::Element>::template unpack<8>(weights, words);
#pragma unroll
  for (int m = 0; m < C::kRows; m++) {
    if (m0 + m >= p.rows) break;
    few_operands<C>(values, a + static_cast<int64_t>(m0 + m) * p.pitch, k, p.depth);
#pragma unroll
    for (int i = 0; i < 8; i++) sums[m] = fmaf(values[i], weights[i], sums[m]);
  }
}

template <class C, class Program>
PLANISH_DEVICE void few_rows(const typename C::Element* a, const typename C::Element* weights, const float* bias,
                             typename C::Result* result, const typename C::Result* residual, const FewShape& p) {
  const int lane = threadIdx.x & 31, column = blockIdx.x * C::kWarps + (threadIdx.x >> 5), m0 = blockIdx.y * C::kRows;
  grid_release();
  if (column >= p.columns) return grid_wait();
  weights += static_cast<int64_t>(column) * ((p.depth + 7) / 8 * 8);
  uint32_t ahead[C::kAhead][4];
#pragma unroll
  for (int i = 0; i < C::kAhead; i++)
    if ((i * 32 + lane) * 8 < p.depth) load_words<4>(ahead[i], weights + (i * 32 + lane) * 8);
  const float addend = bias[column];
  grid_wait();
  float sums[C::kRows] = {};
#pragma unroll
  for (int i = 0; i < C::kAhead; i++)
    if ((i * 32 + lane) * 8 < p.depth) few_multiply<C>(sums, ahead[i], a, m0, (i * 32 + lane) * 8, p);
  for (int k = (C::kAhead * 32 + lane) * 8; k < p.depth; k += 256) {
    uint32_t words[4];
    load_words<4>(words, weights + k);
    few_multiply<C>(sums, words, a, m0, k, p);
  }
#pragma unroll
  for (int m = 0; m < C::kRows; m++) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) sums[m] += __shfl_xor_sync(0xffffffffu, sums[m], step);
    if (lane != m || m0 + m >= p.rows) continue;
    const float r = Program::residual
                        ? to_float(residual[static_cast<int64_t>(m0 + m) * p.residual_pitch + column])
                        : 0.0f;
    result[static_cast<int64_t>(m0 + m) * p.result_pitch + column] =
        from_float<typename C::Result>(Program::apply(sums[m] + addend, r));
  }
}

#define PLANISH_FEW_ROWS(name, Config, Program)                                                             \
  extern "C" __global__ void __launch_bounds__(Config::kThreads)                                            \
      name(const Config::Element* a, const Config::Element* weights, const float* bias, Config::Result* y,  \
           const Config::Result* r, int rows, int columns, int depth, int pitch, int y_pitch, int r_pitch) { \
    few_rows<Config, Program>(a, weights, bias, y, r, {rows, columns, depth, pitch, y_pitch, r_pitch});     \
  }

#ifdef PLANISH_FEW
struct FewProgram {
  static constexpr bool residual = true;
  static PLANISH_DEVICE float apply(float v, float r) { return fmaxf(v + r, 0.0f); }
};
using FewInstance = PLANISH_FEW;
PLANISH_FEW_ROWS(few_rows_kernel, FewInstance, FewProgram)
#endif
