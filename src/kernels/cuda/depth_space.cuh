#pragma once
// Blocks of pixels between channels and space. Macros: TO_SPACE, COLUMNS_FIRST (channels are [C, b, b], else [b, b, C]), TYPE
// (elements by their size).
// instance: TO_SPACE=1 COLUMNS_FIRST=1 TYPE=uint16_t
// instance: TO_SPACE=0 COLUMNS_FIRST=0 TYPE=uint32_t

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    depth_space(const __grid_constant__ View x, const __grid_constant__ View y, int block, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    // A position on the deep side, and where it is on the wide one.
    const View &deep = TO_SPACE ? x : y, &wide = TO_SPACE ? y : x;
    int at[4];
    position_of<3>(flat, deep, at);
    const int channels = static_cast<int>(wide.dims[1]), blocks = block * block;
    const int inner = COLUMNS_FIRST ? at[1] % blocks : at[1] / channels,
              channel = COLUMNS_FIRST ? at[1] / blocks : at[1] % channels;
    const int there[4] = {at[0], channel, at[2] * block + inner / block, at[3] * block + inner % block};
    if (TO_SPACE)
      static_cast<TYPE*>(y.data)[offset_of(y, there)] = static_cast<const TYPE*>(x.data)[offset_of(x, at)];
    else
      static_cast<TYPE*>(y.data)[offset_of(y, at)] = static_cast<const TYPE*>(x.data)[offset_of(x, there)];
  });
}
