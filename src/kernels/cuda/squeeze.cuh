#pragma once
// What squeeze-and-excite makes of sums over an image's pixels: with parts [image][part][channel] of such sums,
//   hidden[h] = First(sum_c W1[h][c] (sum_part parts[part][c]) / pixels + b1[h]),  factor[c] = Second(sum_h W2[h][c]
//   hidden[h] + b2[c]).
// A block an image. W1 and W2 are [hidden][channels], channels a multiple of 8. Programs as in convolution.cuh, without
// residual. Grid: images; kThreads. Dynamic shared: kShares + channels + hidden floats.

#include "convolution.cuh"

// instance [sm_90a]: PLANISH_SQUEEZE=Squeeze<half_t,half_t>
// instance [sm_90a]: PLANISH_SQUEEZE=Squeeze<bfloat_t,float>

template <class T, class Out>
struct Squeeze {
  using Element = T;
  using Result = Out;
  static constexpr int kThreads = 512, kWarps = kThreads / 32, kAhead = 8;
  static constexpr int kShares = kThreads * 8;
};

struct SqueezeShape {
  int parts, channels, hidden, pixels;
};

// Means of all channels. A thread has four of them and every `groups`-th part; the shares of the groups are added in
// their order.
template <class C>
PLANISH_DEVICE void squeeze_means(float* means, float* shares, const float* parts, const SqueezeShape& p) {
  const int across = p.channels / 4, groups = max(min(C::kThreads / across, p.parts), 1);
  const float factor = 1.0f / static_cast<float>(p.pixels);
  for (int first = 0; first < across; first += C::kThreads) {
    const int group = across < C::kThreads ? threadIdx.x / across : 0;
    const int four = across < C::kThreads ? threadIdx.x % across : first + threadIdx.x;
    float sums[4] = {};
    if (group < groups && four < across) {
#pragma unroll 8
      for (int part = group; part < p.parts; part += groups) {
        float loaded[4];
        load_run<float, 4>(loaded, parts + static_cast<int64_t>(part) * p.channels + four * 4);
#pragma unroll
        for (int e = 0; e < 4; e++) sums[e] += loaded[e];
      }
    }
    if (groups > 1) {
      if (group > 0 && group < groups)
#pragma unroll
        for (int e = 0; e < 4; e++) shares[((group - 1) * across + four) * 4 + e] = sums[e];
      __syncthreads();
    }
    if (group != 0 || four >= across) continue;
    for (int g = 1; g < groups; g++)
#pragma unroll
      for (int e = 0; e < 4; e++) sums[e] += shares[((g - 1) * across + four) * 4 + e];
#pragma unroll
    for (int e = 0; e < 4; e++) means[four * 4 + e] = sums[e] * factor;
  }
}

// Eight weights, through L1.
template <class T>
PLANISH_DEVICE void load_eight(float* values, const T* from) {
  const uint4 words = *reinterpret_cast<const uint4*>(from);
  const uint32_t list[4] = {words.x, words.y, words.z, words.w};
  Words<T>::template unpack<8>(values, list);
}

// A warp makes kRows hidden values at once: their weights are all asked for before the first is used.
template <class C, class First>
PLANISH_DEVICE void squeeze_hidden(float* hidden, const float* means, const typename C::Element* w1, const float* b1,
                                   const SqueezeShape& p) {
  constexpr int rows = 4;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  for (int first = warp * rows; first < p.hidden; first += C::kWarps * rows) {
    float sums[rows] = {};
#pragma unroll 2
    for (int c = lane * 8; c < p.channels; c += 256) {
      float weights[rows][8];
#pragma unroll
      for (int r = 0; r < rows; r++) load_eight(weights[r], w1 + min(first + r, p.hidden - 1) * p.channels + c);
#pragma unroll
      for (int r = 0; r < rows; r++)
#pragma unroll
        for (int e = 0; e < 8; e++) sums[r] = fmaf(weights[r][e], means[c + e], sums[r]);
    }
#pragma unroll
    for (int r = 0; r < rows; r++)
#pragma unroll
      for (int step = 16; step > 0; step /= 2) sums[r] += __shfl_xor_sync(0xffffffffu, sums[r], step);
#pragma unroll
    for (int r = 0; r < rows; r++)
      if (lane == r && first + r < p.hidden) hidden[first + r] = First::apply(sums[r] + b1[first + r], 0.0f);
  }
}

// A thread has eight channels and every `groups`-th hidden value; the shares of the groups are added in their order.
template <class C, class Second>
PLANISH_DEVICE void squeeze_factors(typename C::Result* result, float* shares, const float* hidden,
                                    const typename C::Element* w2, const float* b2, const SqueezeShape& p) {
  const int across = p.channels / 8, groups = max(min(C::kThreads / across, p.hidden), 1);
  for (int first = 0; first < across; first += C::kThreads) {
    const int group = across < C::kThreads ? threadIdx.x / across : 0;
    const int eight = across < C::kThreads ? threadIdx.x % across : first + threadIdx.x;
    float sums[8] = {};
    if (group < groups && eight < across) {
#pragma unroll 8
      for (int h = group; h < p.hidden; h += groups) {
        float weights[8];
        load_eight(weights, w2 + h * p.channels + eight * 8);
#pragma unroll
        for (int e = 0; e < 8; e++) sums[e] = fmaf(weights[e], hidden[h], sums[e]);
      }
    }
    if (groups > 1) {
      if (group > 0 && group < groups)
#pragma unroll
        for (int e = 0; e < 8; e++) shares[((group - 1) * across + eight) * 8 + e] = sums[e];
      __syncthreads();
    }
    if (group != 0 || eight >= across) continue;
    for (int g = 1; g < groups; g++)
#pragma unroll
      for (int e = 0; e < 8; e++) sums[e] += shares[((g - 1) * across + eight) * 8 + e];
#pragma unroll
    for (int e = 0; e < 8; e++) sums[e] = Second::apply(sums[e] + b2[eight * 8 + e], 0.0f);
    store_run<typename C::Result, 8>(result + eight * 8, sums);
  }
}

template <class C, class First, class Second>
PLANISH_DEVICE void squeeze(const float* parts, const typename C::Element* w1, const float* b1,
                            const typename C::Element* w2, const float* b2, typename C::Result* result,
                            const SqueezeShape& p) {
  extern __shared__ __align__(16) float memory[];
  float *const shares = memory, *const means = memory + C::kShares, *const hidden = means + p.channels;
  grid_release();
  grid_wait();
  squeeze_means<C>(means, shares, parts + static_cast<int64_t>(blockIdx.x) * p.parts * p.channels, p);
  __syncthreads();
  squeeze_hidden<C, First>(hidden, means, w1, b1, p);
  __syncthreads();
  squeeze_factors<C, Second>(result + static_cast<int64_t>(blockIdx.x) * p.channels, shares, hidden, w2, b2, p);
}

#ifdef PLANISH_SQUEEZE
using SqueezeInstance = PLANISH_SQUEEZE;
extern "C" __global__ void __launch_bounds__(SqueezeInstance::kThreads)
    squeeze_kernel(const float* parts, const SqueezeInstance::Element* w1, const float* b1,
                   const SqueezeInstance::Element* w2, const float* b2, SqueezeInstance::Result* result,
                   const __grid_constant__ SqueezeShape shape) {
  squeeze<SqueezeInstance, SampleProgram, SampleProgram>(parts, w1, b1, w2, b2, result, shape);
}
#endif
