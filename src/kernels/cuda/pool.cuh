#pragma once
// Max and average pooling, a thread WIDTH neighbouring channels of a result. Macros: SPATIAL (1 to 3), TYPE_X, TYPE_Y, AVERAGE,
// COUNT_PAD, WIDTH (1, or 16 bytes of elements that divide the channels).
// instance: SPATIAL=2 TYPE_X=float TYPE_Y=float AVERAGE=0 COUNT_PAD=0 WIDTH=1
// instance: SPATIAL=2 TYPE_X=half_t TYPE_Y=half_t AVERAGE=1 COUNT_PAD=1 WIDTH=8

#include "view.cuh"

constexpr int kPoolRank = SPATIAL + 2;

__device__ inline bool has_runs(const View& x) {
  bool runs = x.strides[1] == 1 && reinterpret_cast<uint64_t>(x.data) % sizeof(Run<TYPE_X, WIDTH>) == 0;
#pragma unroll
  for (int i = 0; i < kPoolRank; ++i) runs = runs && (i == 1 || x.strides[i] % WIDTH == 0);
  return runs;
}

// Results in the order n, o, c: neighbours are channels. `most`: positions from there on are not even padding.
extern "C" __global__ void __launch_bounds__(256)
    pool(const __grid_constant__ View x, const __grid_constant__ View y, int kernel0, int kernel1, int kernel2, int stride0,
         int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0, int pad1, int pad2, int most0,
         int most1, int most2, int64_t count EXTRA_PARAMETERS) {
  wait_for_previous();
  const int kernel[3] = {kernel0, kernel1, kernel2}, stride[3] = {stride0, stride1, stride2},
            dilation[3] = {dilation0, dilation1, dilation2}, pad[3] = {pad0, pad1, pad2}, most[3] = {most0, most1, most2};
  const bool runs = has_runs(x);
  int taps = 1;
#pragma unroll
  for (int i = 0; i < SPATIAL; ++i) taps *= kernel[i];
  for (int64_t flat = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; flat < count;
       flat += static_cast<int64_t>(gridDim.x) * 256) {
    int at[kPoolRank];
    View shape = y;
    shape.dims[1] /= WIDTH;
    position_of<1>(static_cast<uint32_t>(flat), shape, at);
    at[1] *= WIDTH;
    const int64_t plane = at[0] * x.strides[0] + at[1] * x.strides[1];
    float values[WIDTH];
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) values[i] = AVERAGE ? 0.0f : __int_as_float(0xff800000);
    int inside = 0, counted = 0;
    for (int tap = 0; tap < taps; ++tap) {
      int left = tap;
      int64_t from = plane;
      bool there = true, counts = true;
#pragma unroll
      for (int i = SPATIAL - 1; i >= 0; --i) {
        const int source = at[i + 2] * stride[i] - pad[i] + left % kernel[i] * dilation[i];
        left /= kernel[i];
        there = there && source >= 0 && source < static_cast<int>(x.dims[i + 2]);
        counts = counts && source < most[i];
        from += source * x.strides[i + 2];
      }
      counted += counts ? 1 : 0;
      if (!there) continue;
      Run<TYPE_X, WIDTH> run;
      if (runs) {
        run = *reinterpret_cast<const Run<TYPE_X, WIDTH>*>(static_cast<const TYPE_X*>(x.data) + from);
      } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) run.elements[i] = static_cast<const TYPE_X*>(x.data)[from + i * x.strides[1]];
      }
#pragma unroll
      for (int i = 0; i < WIDTH; ++i) {
        const float element = widened<float, TYPE_X>(run.elements[i]);
        values[i] = AVERAGE ? values[i] + element : inside == 0 || element > values[i] ? element : values[i];
      }
      ++inside;
    }
    const float count_of = static_cast<float>(max(COUNT_PAD ? counted : inside, 1));
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) {
      if (AVERAGE) values[i] /= count_of;
      store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(values[i], at EXTRA_ARGUMENTS));
      ++at[1];
    }
  }
}
