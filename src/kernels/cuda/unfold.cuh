#pragma once
// The patches of an image as rows of a matrix, [image, line, column][channel, tap, tap]: for windows that do not overlap.
// A thread moves eight elements. Macros: WORD (elements by their size).
// instance: WORD=uint16_t

#include "view.cuh"

// `count`: of eights. The depth of a row, channels * taps_h * taps_w, is a multiple of eight.
extern "C" __global__ void __launch_bounds__(256)
    unfold(const __grid_constant__ View x, WORD* rows, int out_h, int out_w, int taps_h, int taps_w, int stride_h,
           int stride_w, int64_t count) {
  wait_for_previous();
  const uint32_t eights = static_cast<uint32_t>(x.dims[1]) * taps_h * taps_w / 8;
  for_positions(count, [&](uint32_t flat) {
    const uint32_t row = flat / eights, k = (flat - row * eights) * 8;
    const uint32_t column = row % out_w, line = row / out_w % out_h, image = row / out_w / out_h;
    int s = k % taps_w, r = k / taps_w % taps_h;
    const uint32_t c = k / taps_w / taps_h;
    const WORD* from = static_cast<const WORD*>(x.data) + image * x.strides[0] + c * x.strides[1] +
                       static_cast<int64_t>(line * stride_h + r) * x.strides[2] +
                       static_cast<int64_t>(column * stride_w + s) * x.strides[3];
    Run<WORD, 8> eight;
#pragma unroll
    for (int i = 0; i < 8; i++) {
      eight.elements[i] = *from;
      from += x.strides[3];
      if (++s < taps_w) continue;
      s = 0, from += x.strides[2] - taps_w * x.strides[3];
      if (++r < taps_h) continue;
      r = 0, from += x.strides[1] - taps_h * x.strides[2];
    }
    reinterpret_cast<Run<WORD, 8>*>(rows)[flat] = eight;
  });
}
