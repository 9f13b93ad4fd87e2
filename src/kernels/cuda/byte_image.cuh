#pragma once
// An image of bytes as products read it: channels last, a whole number of 16 of them, padded; what was not there is
// `fill`. Macros: RANK (of x: 3, 4).
// instance: RANK=4
// instance: RANK=3

#include "view.cuh"

// to: [images][height][width][channels], a thread 16 channels. height, width: padded.
extern "C" __global__ void __launch_bounds__(256)
    byte_image(const __grid_constant__ View x, uint4* to, int chunks, int height, int width, int pad_h, int pad_w,
               int fill, int64_t count) {
  wait_for_previous();
  const int lines = RANK == 4 ? static_cast<int>(x.dims[2]) : 1, pixels = static_cast<int>(x.dims[RANK - 1]),
            channels = static_cast<int>(x.dims[1]);
  const int64_t line = RANK == 4 ? x.strides[2] : 0, pixel = x.strides[RANK - 1];
  const uint8_t* const data = static_cast<const uint8_t*>(x.data);
  const bool runs = x.strides[1] == 1 && (reinterpret_cast<uint64_t>(data) | x.strides[0] | line | pixel) % 16 == 0;
  const uint32_t filled = fill * 0x01010101u;
  for_positions(count, [&](uint32_t flat) {
    const uint32_t place = flat / chunks, row = place / width;
    const int c = static_cast<int>(flat - place * chunks) * 16;
    const int w = static_cast<int>(place - row * width) - pad_w, h = static_cast<int>(row % height) - pad_h;
    uint32_t words[4] = {filled, filled, filled, filled};
    if (w >= 0 && w < pixels && h >= 0 && h < lines) {
      const uint8_t* const from = data + row / height * x.strides[0] + h * line + w * pixel + c * x.strides[1];
      if (runs && c + 16 <= channels) {
        to[flat] = *reinterpret_cast<const uint4*>(from);
        return;
      }
#pragma unroll
      for (int i = 0; i < 16; ++i)
        if (c + i < channels) {
          const int shift = i % 4 * 8;
          words[i / 4] = (words[i / 4] & ~(0xffu << shift)) | static_cast<uint32_t>(from[i * x.strides[1]]) << shift;
        }
    }
    to[flat] = make_uint4(words[0], words[1], words[2], words[3]);
  });
}
