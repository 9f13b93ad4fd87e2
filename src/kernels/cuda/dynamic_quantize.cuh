#pragma once
// Numbers of 8 bits by the extremes of what they are made of: u8 as ONNX defines it, or SYMMETRIC i8 in -127 ... 127. A
// span (all elements, or a row along the last axis) is `parts` blocks; dynamic_extremes leaves two floats of each,
// NaN where a value is not finite. Macros: RANK, SYMMETRIC, ROWS, TYPE_Y.
// instance: RANK=1 SYMMETRIC=0 ROWS=0 TYPE_Y=uint8_t
// instance: RANK=3 SYMMETRIC=1 ROWS=1 TYPE_Y=int8_t

#include "view.cuh"

// Of two pairs {least, most}, NaN where there is one.
__device__ inline float2 wider(float2 a, float2 b) {
  float2 out;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(out.x) : "f"(a.x), "f"(b.x));
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(out.y) : "f"(a.y), "f"(b.y));
  return out;
}
__device__ inline float2 widest_of_warp(float2 pair) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2)
    pair = wider(pair,
                 make_float2(__shfl_xor_sync(0xffffffffu, pair.x, lanes), __shfl_xor_sync(0xffffffffu, pair.y, lanes)));
  return pair;
}

// body(flat) for each element of this block's part of its span.
template <class Body>
__device__ inline void for_part(int64_t width, int parts, Body body) {
  const int span = blockIdx.x / parts, part = blockIdx.x - span * parts;
  for (int64_t i = part * 256 + static_cast<int>(threadIdx.x); i < width; i += parts * 256)
    body(static_cast<uint32_t>(span * width + i));
}

extern "C" __global__ void __launch_bounds__(256)
    dynamic_extremes(const __grid_constant__ View x, float* extremes, int64_t width, int parts) {
  wait_for_previous();
  __shared__ float2 warps[8];
  float2 pair = make_float2(0, 0);
  for_part(width, parts, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, x, at);
    const float value = static_cast<const float*>(x.data)[offset_of(x, at)];
    const float known = value - value == 0 ? value : __int_as_float(0x7fc00000);
    pair = wider(pair, make_float2(known, known));
  });
  pair = widest_of_warp(pair);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = pair;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  pair = widest_of_warp(warps[threadIdx.x % 8]);
  if (threadIdx.x == 0) reinterpret_cast<float2*>(extremes)[blockIdx.x] = pair;
}

extern "C" __global__ void __launch_bounds__(256)
    dynamic_quantize(const __grid_constant__ View x, const float* extremes, const __grid_constant__ View y,
                     const __grid_constant__ View scales, const __grid_constant__ View zeros, int64_t width,
                     int parts) {
  wait_for_previous();
  const int span = blockIdx.x / parts;
  float2 pair = make_float2(0, 0);
  for (int i = threadIdx.x % 32; i < parts; i += 32)
    pair = wider(pair, reinterpret_cast<const float2*>(extremes)[span * parts + i]);
  pair = widest_of_warp(pair);
  // Divided as the processor does; nothing but zeros: scale 1.
  const float range = SYMMETRIC ? __fdiv_rn(fmaxf(-pair.x, pair.y), 127.0f) : __fdiv_rn(pair.y - pair.x, 255.0f);
  const bool finite = pair.x == pair.x;
  const float scale = !finite ? __int_as_float(0x7fc00000) : range != 0 ? range : 1.0f;
  const float zero = SYMMETRIC || !finite ? 0.0f : fminf(fmaxf(rintf(__fdiv_rn(-pair.x, scale)), 0.0f), 255.0f);
  for_part(width, parts, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, x, at);
    const float number = rintf(__fdiv_rn(static_cast<const float*>(x.data)[offset_of(x, at)], scale)) + zero;
    const float kept =
        number == number ? fminf(fmaxf(number, SYMMETRIC ? -127.0f : 0.0f), SYMMETRIC ? 127.0f : 255.0f) : 0.0f;
    static_cast<TYPE_Y*>(y.data)[offset_of(y, at)] = static_cast<TYPE_Y>(static_cast<int>(kept));
  });
  if (blockIdx.x % parts != 0 || threadIdx.x != 0) return;
  int at[RANK] = {};
  if (ROWS) position_of<RANK - 1>(static_cast<uint32_t>(span * width), x, at);
  static_cast<float*>(scales.data)[ROWS ? offset_of(scales, at) : 0] = scale;
  static_cast<TYPE_Y*>(zeros.data)[ROWS ? offset_of(zeros, at) : 0] = static_cast<TYPE_Y>(static_cast<int>(zero));
}
