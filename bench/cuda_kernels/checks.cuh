#pragma once
// Device code of bench/cuda_kernels.cpp: data, packed weights, the plain convolution that results are held against.

#include "types.cuh"

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

// Depth, height, width. Filters and channels are of all groups.
struct CheckShape {
  int images, channels, filters, groups, transposed;
  int extents[3], out[3], taps[3], strides[3], pads[3], dilations[3];
};

// [filter][tap][channel of a group] becomes, group by group, [filters, up to whole blocks of 8 * group][taps][channels,
// up to `padded`], rows permuted.
template <class T>
__device__ void pack(T* to, const T* from, CheckShape s, int group, int padded) {
  const int taps = s.taps[0] * s.taps[1] * s.taps[2], block = 8 * group;
  const int filters = s.filters / s.groups, channels = s.channels / s.groups,
            rows = (filters + block - 1) / block * block;
  const int64_t count = int64_t{rows} * s.groups * taps * padded;
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int c = i % padded, tap = i / padded % taps, row = i / padded / taps % rows, part = i / padded / taps / rows;
    const int j = row % block, filter = row - j + (j / 2 % 4) * (2 * group) + j / 8 * 2 + j % 2;
    to[i] = filter < filters && c < channels ? from[(int64_t{part * filters + filter} * taps + tap) * channels + c]
                                             : element<T>(0);
  }
}

// [filter][tap] becomes [tap][filter].
template <class T>
__device__ void pack_taps(T* to, const T* from, int filters, int taps) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < filters * taps; i += gridDim.x * blockDim.x)
    to[i] = from[i % filters * taps + i / filters];
}

// As conv_first.cuh reads them.
template <class T>
__device__ void pack_few(T* to, const T* from, CheckShape s, int group) {
  const int padded = (s.taps[2] + 3) / 4 * 4, block = 8 * group, rows = (s.filters + block - 1) / block * block;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < rows * s.taps[1] * padded * 4; i += gridDim.x * blockDim.x) {
    const int c = i % 4, w = i / 4 % padded, h = i / 4 / padded % s.taps[1], row = i / 4 / padded / s.taps[1];
    const int j = row % block, filter = row - j + (j / 2 % 4) * (2 * group) + j / 8 * 2 + j % 2;
    to[i] = filter < s.filters && c < s.channels && w < s.taps[2]
                ? from[((filter * s.taps[1] + h) * s.taps[2] + w) * s.channels + c]
                : element<T>(0);
  }
}

__device__ inline float multiply(float sum, half_t a, half_t b) { return fmaf(to_float(a), to_float(b), sum); }
__device__ inline float multiply(float sum, bfloat_t a, bfloat_t b) { return fmaf(to_float(a), to_float(b), sum); }
__device__ inline float multiply(float sum, tf32_t a, tf32_t b) { return fmaf(a.value, b.value, sum); }
__device__ inline int multiply(int sum, int8_t a, int8_t b) { return sum + a * b; }
// Where position `out` reads at tap `t`; -1: nowhere.
__device__ inline int source(const CheckShape& s, int axis, int out, int t) {
  int at = out * s.strides[axis] - s.pads[axis] + t * s.dilations[axis];
  if (s.transposed) {
    at = out + s.pads[axis] - t * s.dilations[axis];
    if (at % s.strides[axis] != 0) return -1;
    at /= s.strides[axis];
  }
  return at >= 0 && at < s.extents[axis] ? at : -1;
}

template <class T, class Out, class Program>
__device__ void convolve(const T* x, const T* w, const float* bias, const float* scale, const Out* residual, Out* y,
                         CheckShape s) {
  const int quads = (s.filters + 3) / 4, filters = s.filters / s.groups, channels = s.channels / s.groups;
  const int64_t count = int64_t{s.images} * s.out[0] * s.out[1] * s.out[2] * quads;
  for (int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int k = i % quads * 4;
    const int64_t m = i / quads, plane = m / s.out[2];
    typename Sum<T>::type sums[4] = {};
    for (int a = 0; a < s.taps[0]; a++)
      for (int b = 0; b < s.taps[1]; b++)
        for (int c = 0; c < s.taps[2]; c++) {
          const int d = source(s, 0, plane / s.out[1] % s.out[0], a), h = source(s, 1, plane % s.out[1], b);
          const int v = source(s, 2, m % s.out[2], c);
          if (d < 0 || h < 0 || v < 0) continue;
          const int64_t image = plane / s.out[1] / s.out[0];
          const T* pixel = x + (((image * s.extents[0] + d) * s.extents[1] + h) * s.extents[2] + v) * s.channels;
          for (int j = 0; j < 4 && k + j < s.filters; j++) {
            const T* from = pixel + (k + j) / filters * channels;
            const T* tap = w + (((int64_t{k + j} * s.taps[0] + a) * s.taps[1] + b) * s.taps[2] + c) * channels;
            for (int e = 0; e < channels; e++) sums[j] = multiply(sums[j], from[e], tap[e]);
          }
        }
    for (int j = 0; j < 4 && k + j < s.filters; j++) {
      const float sum = static_cast<float>(sums[j]);
      const float v = Program::scale ? fmaf(sum, scale[k + j], bias[k + j]) : sum + bias[k + j];
      y[m * s.filters + k + j] = rounded_to<Out>(
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
  extern "C" __global__ void pack_depthwise(T* to, const T* from, int filters, int taps) {                             \
    pack_taps(to, from, filters, taps);                                                                                \
  }                                                                                                                    \
  extern "C" __global__ void pack_first(T* to, const T* from, CheckShape s, int group) {                               \
    pack_few(to, from, s, group);                                                                                      \
  }                                                                                                                    \
  extern "C" __global__ void compare_out(const Out* found, const Out* expected, int64_t n, float absolute,             \
                                         float relative, double* out) {                                                \
    compare(found, expected, n, absolute, relative, out);                                                              \
  }                                                                                                                    \
  extern "C" __global__ void plain(const T* x, const T* w, const float* bias, const float* scale, const Out* residual, \
                                   Out* y, CheckShape s) {                                                             \
    convolve<T, Out, Program>(x, w, bias, scale, residual, y, s);                                                      \
  }
