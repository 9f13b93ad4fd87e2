#pragma once
// Reductions over the axes of a bit mask. Macros: RANK, AXES (bit i: axis i goes), KEEP (it stays with extent 1), TYPE_X,
// TYPE_Y, HOW (Plus, Times, Larger, Smaller), BEGIN(v) of an element, END(v, count) of the result, IDENTITY, SERIAL (1: a
// thread a result, 0: a block).
// instance: RANK=4 AXES=12 KEEP=1 TYPE_X=float TYPE_Y=float HOW=Plus BEGIN(v)=(v) END(v,count)=((v)/(count)) IDENTITY=0 SERIAL=0
// instance: RANK=4 AXES=12 KEEP=1 TYPE_X=half_t TYPE_Y=half_t HOW=Plus BEGIN(v)=(v) END(v,count)=((v)/(count)) IDENTITY=0 SERIAL=1
// instance: RANK=3 AXES=4 KEEP=0 TYPE_X=float TYPE_Y=float HOW=Larger BEGIN(v)=(v) END(v,count)=(v) IDENTITY=__int_as_float(0xff800000) SERIAL=0

#include "rows.cuh"

__device__ constexpr int bits_of(int mask) { return mask == 0 ? 0 : (mask & 1) + bits_of(mask >> 1); }
constexpr int kRankY = KEEP ? RANK : RANK - bits_of(AXES);
constexpr int kIndices = kRankY == 0 ? 1 : kRankY;

__device__ inline int64_t inner_offset(const View& x, uint32_t flat) {
  int64_t offset = 0;
#pragma unroll
  for (int i = RANK - 1; i >= 0; --i) {
    if ((AXES >> i & 1) == 0) continue;
    const uint32_t extent = static_cast<uint32_t>(x.dims[i]), rest = flat / extent;
    offset += static_cast<int64_t>(flat - rest * extent) * x.strides[i];
    flat = rest;
  }
  return offset;
}

extern "C" __global__ void __launch_bounds__(kThreads)
    reduce(const __grid_constant__ View x, const __grid_constant__ View y, int64_t results EXTRA_PARAMETERS) {
  wait_for_previous();
  uint32_t flat = SERIAL ? blockIdx.x * kThreads + threadIdx.x : blockIdx.x;
  if (flat >= results) return;
  int at[kIndices] = {};
  int count = 1, axis_y = kRankY - 1;
  int64_t from = 0;
#pragma unroll
  for (int i = RANK - 1; i >= 0; --i) {
    if ((AXES >> i & 1) != 0) {
      count *= static_cast<int>(x.dims[i]);
      if (KEEP) --axis_y;
      continue;
    }
    const uint32_t extent = static_cast<uint32_t>(x.dims[i]), index = flat % extent;
    flat /= extent;
    at[axis_y--] = index;
    from += index * x.strides[i];
  }
  float value = IDENTITY;
  for (int i = SERIAL ? 0 : threadIdx.x; i < count; i += SERIAL ? 1 : kThreads) {
    const float element = load<TYPE_X, float>(x.data, from + inner_offset(x, i));
    value = HOW::of(value, BEGIN(element));
  }
  if (!SERIAL) value = over_block<HOW>(value);
  if (!SERIAL && threadIdx.x != 0) return;
  value = END(value, static_cast<float>(count));
  store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(value, at EXTRA_ARGUMENTS));
}
