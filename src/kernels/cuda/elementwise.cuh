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

template <int OPERANDS>
__device__ inline void offsets_of(const Elementwise<OPERANDS>& nest, uint32_t flat, int64_t (&offsets)[OPERANDS]) {
#pragma unroll
  for (int k = 0; k < OPERANDS; ++k) offsets[k] = 0;
  for (int axis = nest.rank - 1; axis >= 0; --axis) {
    const uint32_t extent = nest.dims[axis], rest = axis == 0 ? 0 : flat / extent;
    const uint32_t at = flat - rest * extent;
    flat = rest;
#pragma unroll
    for (int k = 0; k < OPERANDS; ++k) offsets[k] += at * nest.operands[k].strides[axis];
  }
}

template <class T, class R, class Operand>
__device__ inline void load_four(const Operand& operand, int rank, int64_t at, R (&out)[4]) {
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
__device__ inline void store_four(const Operand& operand, int64_t at, const R (&values)[4]) {
  Run<T, 4> four;
#pragma unroll
  for (int i = 0; i < 4; ++i) four.elements[i] = Narrowed<T, R>::make(values[i]);
  *reinterpret_cast<Run<T, 4>*>(static_cast<T*>(operand.data) + at) = four;
}

#include "primitives.cuh"
