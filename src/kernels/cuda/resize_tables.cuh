#pragma once
// The tables of resize.cuh where extents are known only when it runs, a thread a position of a resized axis, of which
// there are up to three; extents are 0 behind the last. Formulas as in ONNX's Resize. Macros: TAPS (1 nearest, 2
// linear, 4 cubic), COORDINATES (0 half_pixel, 1 asymmetric, 2 align_corners, 3 pytorch_half_pixel, 4
// half_pixel_symmetric), NEAREST (0 floor, 1 ceil, 2 half up, 3 half down), SCALES (of these axes), CUBIC (the
// coefficient), EXCLUDE (elements outside count nothing).
// instance: TAPS=1 COORDINATES=1 NEAREST=0 SCALES=2,2 CUBIC=-0.75 EXCLUDE=0
// instance: TAPS=4 COORDINATES=4 NEAREST=0 SCALES=0.5 CUBIC=-0.5 EXCLUDE=1

#include "view.cuh"

__device__ inline double resized_from(int at, double in, double out, double scale) {
  const double half = (at + 0.5) / scale - 0.5, length = scale * in;
  switch (COORDINATES) {
    case 1:
      return at / scale;
    case 2:
      return out == 1 ? 0 : at * (in - 1) / (length - 1);
    case 3:
      return out == 1 ? 0 : half;
    case 4:
      return half + in / 2 * (1 - out / length);
    default:
      return half;
  }
}

__device__ inline double cubic_weight(double distance) {
  const double d = fabs(distance), a = CUBIC;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

extern "C" __global__ void __launch_bounds__(256) resize_tables(int* positions, float* weights, int in0, int out0,
                                                                int in1, int out1, int in2, int out2, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    const double scales[3] = {SCALES};
    const int ins[3] = {in0, in1, in2}, outs[3] = {out0, out1, out2};
    int at = static_cast<int>(flat), in = in0, out = out0;
    double scale = scales[0];
#pragma unroll
    for (int i = 1, before = out0; i < 3; before += outs[i], ++i)
      if (static_cast<int>(flat) >= before) at = flat - before, in = ins[i], out = outs[i], scale = scales[i];
    const int last = in - 1;
    const double from = resized_from(at, in, out, scale);
    const double below = floor(from), fraction = from - below;
    const auto inside = [&](double position) { return static_cast<int>(fmin(fmax(position, 0.0), double(last))); };
    int* const to = positions + flat * TAPS;
    float* const by = weights + flat * TAPS;
    if (TAPS == 1) {
      to[0] = inside(NEAREST == 0   ? below
                     : NEAREST == 1 ? ceil(from)
                     : NEAREST == 2 ? floor(from + 0.5)
                                    : ceil(from - 0.5));
      by[0] = 1;
    } else if (TAPS == 2) {
      to[0] = inside(below), to[TAPS - 1] = inside(below + 1);
      by[0] = static_cast<float>(1 - fraction), by[TAPS - 1] = static_cast<float>(fraction);
    } else {
      double found[TAPS], sum = 0;
#pragma unroll
      for (int i = 0; i < TAPS; ++i) {
        const double position = below + i - 1;
        found[i] = EXCLUDE && (position < 0 || position > last) ? 0 : cubic_weight(fraction + 1 - i);
        to[i] = inside(position), sum += found[i];
      }
#pragma unroll
      for (int i = 0; i < TAPS; ++i) by[i] = static_cast<float>(EXCLUDE ? found[i] / sum : found[i]);
    }
  });
}
