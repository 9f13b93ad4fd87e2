#pragma once
// Blocks of a picture, which may overlap, added up where they were: x [N, C * elements of a block, blocks]. Macros: those of a plain kernel.
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=4 REAL=float
// instance: X0=double Y0=double HAS=1 MADE=1 RANK=5 REAL=double

#include "view.cuh"

// block: its elements along each axis; blocks: how many there are.
extern "C" __global__ void __launch_bounds__(256)
    col2im(const __grid_constant__ View x, const __grid_constant__ View, const __grid_constant__ View, const __grid_constant__ View y,
           int block0, int block1, int block2, int blocks0, int blocks1, int blocks2, int stride0, int stride1, int stride2, int dilation0,
           int dilation1, int dilation2, int pad0, int pad1, int pad2, int64_t count) {
  wait_for_previous();
  const int block[3] = {block0, block1, block2}, blocks[3] = {blocks0, blocks1, blocks2}, stride[3] = {stride0, stride1, stride2},
            dilation[3] = {dilation0, dilation1, dilation2}, pad[3] = {pad0, pad1, pad2};
  const int elements = block0 * block1 * block2;
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    double sum = 0;
    for (int tap = 0; tap < elements; ++tap) {
      int left = tap, number = 0, step = 1;
      bool inside = true;
#pragma unroll
      for (int i = RANK - 3; i >= 0; --i) {
        const int from = at[i + 2] + pad[i] - left % block[i] * dilation[i], place = from / stride[i];
        left /= block[i];
        inside = inside && from >= 0 && from % stride[i] == 0 && place < blocks[i];
        number += place * step, step *= blocks[i];
      }
      if (inside)
        sum += load<X0, double>(x.data, at[0] * x.strides[0] + (at[1] * elements + tap) * x.strides[1] + number * x.strides[2]);
    }
    store<Y0, double>(y.data, offset_of(y, at), sum);
  });
}
