#pragma once
// Positions of an elementwise nest ("elementwise" arguments), and primitives of pointwise programs.

#include "view.cuh"

template <int OPERANDS>
struct Elementwise {
  uint32_t count;
  int32_t rank, lanes;  // 4: every position is four neighbours
  uint32_t zero;
  uint32_t dims[kMaxRank];
  struct Operand {
    void* data;
    int64_t strides[kMaxRank];  // of positions; the last is 0 where one element serves all four
  } operands[OPERANDS];
};

// Of several positions at once, so that an extent's reciprocal is taken once: the quotient it gives is one too small at
// most, and the outermost axis has what is left.
template <int POSITIONS, int OPERANDS>
__device__ inline void offsets_of(const Elementwise<OPERANDS>& nest, uint32_t (&flat)[POSITIONS],
                                  int64_t (&offsets)[POSITIONS][OPERANDS]) {
#pragma unroll
  for (int u = 0; u < POSITIONS; ++u)
#pragma unroll
    for (int k = 0; k < OPERANDS; ++k) offsets[u][k] = 0;
  for (int axis = nest.rank - 1; axis >= 0; --axis) {
    const uint32_t extent = nest.dims[axis], reciprocal = axis == 0 ? 0 : 0xffffffffu / extent;
#pragma unroll
    for (int u = 0; u < POSITIONS; ++u) {
      uint32_t rest = __umulhi(flat[u], reciprocal), at = flat[u] - rest * extent;
      if (axis != 0 && at >= extent) ++rest, at -= extent;
      flat[u] = rest;
#pragma unroll
      for (int k = 0; k < OPERANDS; ++k) offsets[u][k] += at * nest.operands[k].strides[axis];
    }
  }
}

// One element, or four neighbours.
template <class T, class R, class Operand>
__device__ inline void load_group(const Operand& operand, int, int64_t at, R (&out)[1]) {
  out[0] = load<T, R>(operand.data, at);
}
template <class T, class R, class Operand>
__device__ inline void load_group(const Operand& operand, int rank, int64_t at, R (&out)[4]) {
  if (operand.strides[rank - 1] == 0) {
    const R one = load<T, R>(operand.data, at);
#pragma unroll
    for (int i = 0; i < 4; ++i) out[i] = one;
    return;
  }
  const Run<T, 4> four = *reinterpret_cast<const Run<T, 4>*>(static_cast<const T*>(operand.data) + at);
#pragma unroll
  for (int i = 0; i < 4; ++i) out[i] = widened<R, T>(four.elements[i]);
}
template <class T, class R, class Operand>
__device__ inline void store_group(const Operand& operand, int64_t at, const R (&values)[1]) {
  store<T, R>(operand.data, at, values[0]);
}
template <class T, class R, class Operand>
__device__ inline void store_group(const Operand& operand, int64_t at, const R (&values)[4]) {
  Run<T, 4> four;
#pragma unroll
  for (int i = 0; i < 4; ++i) four.elements[i] = Narrowed<T, R>::make(values[i]);
  *reinterpret_cast<Run<T, 4>*>(static_cast<T*>(operand.data) + at) = four;
}

#include "primitives.cuh"
