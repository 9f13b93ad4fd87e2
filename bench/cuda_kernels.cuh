#pragma once
// Device code of bench/cuda_kernels.cpp: data, packed weights, the plain convolution that results are held against.

#include "types.cuh"

__device__ inline float to_float(int8_t x) { return static_cast<float>(x); }

__device__ inline uint32_t mix(uint64_t x) {
  x ^= x >> 33, x *= 0xff51afd7ed558ccdull, x ^= x >> 33, x *= 0xc4ceb9fe1a85ec53ull;
  return static_cast<uint32_t>(x ^ x >> 33);
}
template <class T>
__device__ inline T element(float x) {
  return from_float<T>(x);
}
template <>
__device__ inline tf32_t element<tf32_t>(float x) {
  return {__uint_as_float(__float_as_uint(x) & 0xffffe000u)};
}

// Uniform in [low, high], or integers of that range.
template <class T>
__device__ void fill(T* to, int64_t count, uint64_t seed, float low, float high, int integers) {
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const float unit = static_cast<float>(mix(i * 2 + seed * 0x9E3779B97F4A7C15ull) >> 8) * (1.0f / 16777216.0f);
    to[i] = element<T>(integers ? low + floorf(unit * (high - low + 1)) : low + unit * (high - low));
  }
}

struct CheckShape {
  int images, height, width, channels, filters, taps_h, taps_w, stride, pad, out_h, out_w;
};

// KRSC becomes [filters, up to whole blocks of 8 * group][taps][channels, up to `padded`], rows permuted.
template <class T>
__device__ void pack(T* to, const T* from, CheckShape s, int group, int padded) {
  const int taps = s.taps_h * s.taps_w, block = 8 * group, rows = (s.filters + block - 1) / block * block;
  const int64_t count = int64_t{rows} * taps * padded;
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int c = i % padded, tap = i / padded % taps, row = i / padded / taps, j = row % block;
    const int filter = row - j + (j / 2 % 4) * (2 * group) + j / 8 * 2 + j % 2;
    to[i] =
        filter < s.filters && c < s.channels ? from[(int64_t{filter} * taps + tap) * s.channels + c] : element<T>(0);
  }
}

__device__ inline float multiply(float sum, half_t a, half_t b) { return fmaf(to_float(a), to_float(b), sum); }
__device__ inline float multiply(float sum, bfloat_t a, bfloat_t b) { return fmaf(to_float(a), to_float(b), sum); }
__device__ inline float multiply(float sum, tf32_t a, tf32_t b) { return fmaf(a.value, b.value, sum); }
__device__ inline int multiply(int sum, int8_t a, int8_t b) { return sum + a * b; }
template <class Out>
__device__ inline Out rounded(float x) {
  return from_float<Out>(x);
}
template <>
__device__ inline int8_t rounded<int8_t>(float x) {
  return static_cast<int8_t>(max(-128, min(127, __float2int_rn(x))));
}

template <class T, class Out, class Program>
__device__ void convolve(const T* x, const T* w, const float* bias, const float* scale, const Out* residual, Out* y,
                         CheckShape s) {
  const int64_t count = int64_t{s.images} * s.out_h * s.out_w * (s.filters / 4);
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int k = i % (s.filters / 4) * 4;
    const int64_t m = i / (s.filters / 4);
    const int q = m % s.out_w, p = m / s.out_w % s.out_h, n = m / s.out_w / s.out_h;
    typename Sum<T>::type sums[4] = {};
    for (int r = 0; r < s.taps_h; r++)
      for (int t = 0; t < s.taps_w; t++) {
        const int h = p * s.stride - s.pad + r, v = q * s.stride - s.pad + t;
        if (h < 0 || h >= s.height || v < 0 || v >= s.width) continue;
        const T* pixel = x + ((int64_t{n} * s.height + h) * s.width + v) * s.channels;
        for (int j = 0; j < 4; j++) {
          const T* filter = w + ((int64_t{k + j} * s.taps_h + r) * s.taps_w + t) * s.channels;
          for (int c = 0; c < s.channels; c++) sums[j] = multiply(sums[j], pixel[c], filter[c]);
        }
      }
    for (int j = 0; j < 4; j++) {
      const float sum = static_cast<float>(sums[j]);
      const float v = Program::scale ? fmaf(sum, scale[k + j], bias[k + j]) : sum + bias[k + j];
      y[m * s.filters + k + j] = rounded<Out>(
          Program::apply(v, Program::residual ? static_cast<float>(to_float(residual[m * s.filters + k + j])) : 0.0f));
    }
  }
}

// out: sum of squared differences, of squares, count beyond `absolute` + `relative` * |expected|; NaN counts.
template <class Out>
__device__ void compare(const Out* found, const Out* expected, int64_t count, float absolute, float relative,
                        double* out) {
  double difference = 0, square = 0, bad = 0;
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const float a = to_float(found[i]), b = to_float(expected[i]);
    difference += (a - b) * (a - b), square += b * b;
    bad += !(fabsf(a - b) <= absolute + relative * fabsf(b));
  }
  atomicAdd(out, difference), atomicAdd(out + 1, square), atomicAdd(out + 2, bad);
}

#define PLANISH_CHECKS(T, Out)                                                                                         \
  extern "C" __global__ void fill_left(T* to, int64_t n, uint64_t seed, float low, float high, int integers) {         \
    fill(to, n, seed, low, high, integers);                                                                            \
  }                                                                                                                    \
  extern "C" __global__ void fill_out(Out* to, int64_t n, uint64_t seed, float low, float high, int integers) {        \
    fill(to, n, seed, low, high, integers);                                                                            \
  }                                                                                                                    \
  extern "C" __global__ void fill_float(float* to, int64_t n, uint64_t seed, float low, float high, int integers) {    \
    fill(to, n, seed, low, high, integers);                                                                            \
  }                                                                                                                    \
  extern "C" __global__ void pack_weights(T* to, const T* from, CheckShape s, int group, int padded) {                 \
    pack(to, from, s, group, padded);                                                                                  \
  }                                                                                                                    \
  extern "C" __global__ void compare_out(const Out* found, const Out* expected, int64_t n, float absolute,             \
                                         float relative, double* out) {                                                \
    compare(found, expected, n, absolute, relative, out);                                                              \
  }                                                                                                                    \
  extern "C" __global__ void plain(const T* x, const T* w, const float* bias, const float* scale, const Out* residual, \
                                   Out* y, CheckShape s) {                                                             \
    convolve<T, Out, Program>(x, w, bias, scale, residual, y, s);                                                      \
  }
