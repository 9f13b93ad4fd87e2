#pragma once
// Depthwise convolution of NHWC images (sm_80 and later): a filter a channel. A thread has Vector neighbouring channels
// of a patch of Lines x Pixels results; what it reads of a line serves all taps and all lines that reach it. Sums are
// fp32.
//
// Weights: [taps_h][taps_w][channels] of T. channels are a multiple of Vector, pitches too.
// Grid: ceil(images * ceil(out_h / Lines) * ceil(out_w / Pixels) * channels / Vector / 128); 128 threads.

#include "convolution.cuh"

// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,3,3,1,1,2,4,8>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,5,5,2,1,1,4,8>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<bfloat_t,bfloat_t,3,3,2,1,1,4,8>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<float,float,3,3,1,2,1,2,4>

struct DepthwiseShape {
  int images, height, width, channels, out_h, out_w, pad_h, pad_w;
  int pixel_pitch, result_pitch, residual_pitch;  // elements
};

template <class T, class Out, int TapsH, int TapsW, int Stride, int Dilation, int Lines, int Pixels, int Vector>
struct DepthwiseConv {
  using Element = T;
  using Result = Out;
  static constexpr int kTapsH = TapsH, kTapsW = TapsW, kStride = Stride, kDilation = Dilation;
  static constexpr int kLines = Lines, kPixels = Pixels, kVector = Vector, kThreads = 128;
  static constexpr int kReachH = (Lines - 1) * Stride + (TapsH - 1) * Dilation + 1;  // lines read
  static constexpr int kReachW = (Pixels - 1) * Stride + (TapsW - 1) * Dilation + 1;
  static constexpr int kWords = Vector * static_cast<int>(sizeof(T)) / 4;
};

// Adds what line `y` of the patch's reach gives.
template <class C>
PLANISH_DEVICE void depthwise_line(float (*sums)[C::kPixels][C::kVector], const typename C::Element* line, bool inside,
                                   const typename C::Element* weights, const DepthwiseShape& p, int y, int w0) {
  using T = typename C::Element;
  uint32_t pixels[C::kReachW][C::kWords];
#pragma unroll
  for (int x = 0; x < C::kReachW; x++) {
#pragma unroll
    for (int i = 0; i < C::kWords; i++) pixels[x][i] = 0;
    if (inside && static_cast<unsigned>(w0 + x) < static_cast<unsigned>(p.width))
      load_words<C::kWords>(pixels[x], line + static_cast<int64_t>(w0 + x) * p.pixel_pitch);
  }
#pragma unroll
  for (int r = 0; r < C::kTapsH; r++) {
    const int from = y - r * C::kDilation;  // the line of results that this tap of line y belongs to, times stride
    if (from < 0 || from % C::kStride != 0 || from / C::kStride >= C::kLines) continue;
#pragma unroll
    for (int s = 0; s < C::kTapsW; s++) {
      float tap[C::kVector];
      uint32_t words[C::kWords];
      const T* at = weights + (r * C::kTapsW + s) * p.channels;
      if constexpr (C::kWords >= 4) {
#pragma unroll
        for (int i = 0; i < C::kWords / 4; i++) {
          const uint4 v = __ldg(reinterpret_cast<const uint4*>(at) + i);
          words[4 * i] = v.x, words[4 * i + 1] = v.y, words[4 * i + 2] = v.z, words[4 * i + 3] = v.w;
        }
      } else {
#pragma unroll
        for (int i = 0; i < C::kWords; i++) words[i] = __ldg(reinterpret_cast<const uint32_t*>(at) + i);
      }
      Words<T>::template unpack<C::kVector>(tap, words);
#pragma unroll
      for (int x = 0; x < C::kPixels; x++) {
        float pixel[C::kVector];
        Words<T>::template unpack<C::kVector>(pixel, pixels[x * C::kStride + s * C::kDilation]);
#pragma unroll
        for (int c = 0; c < C::kVector; c++)
          sums[from / C::kStride][x][c] = fmaf(pixel[c], tap[c], sums[from / C::kStride][x][c]);
      }
    }
  }
}

template <class C, class Program>
PLANISH_DEVICE void depthwise(const typename C::Element* x, const typename C::Element* weights,
                              typename C::Result* result, const float* bias, const float* scale,
                              const typename C::Result* residual, const DepthwiseShape& p) {
  using Out = typename C::Result;
  grid_release();
  const int vectors = p.channels / C::kVector, across = (p.out_w + C::kPixels - 1) / C::kPixels;
  const int down = (p.out_h + C::kLines - 1) / C::kLines;
  const int64_t index = int64_t{blockIdx.x} * C::kThreads + threadIdx.x;
  const int channel = static_cast<int>(index % vectors) * C::kVector;
  const int64_t patch = index / vectors;
  const int q = static_cast<int>(patch % across) * C::kPixels, image = static_cast<int>(patch / across / down);
  const int o = static_cast<int>(patch / across % down) * C::kLines;
  if (image >= p.images) return;
  float biases[C::kVector], scales[C::kVector];
  load_channels<C::kVector>(biases, bias, channel, p.channels);
  if constexpr (Program::scale) load_channels<C::kVector>(scales, scale, channel, p.channels);
  grid_wait();
  float sums[C::kLines][C::kPixels][C::kVector] = {};
  const int h0 = o * C::kStride - p.pad_h, w0 = q * C::kStride - p.pad_w;
  const typename C::Element* from = x + int64_t{image} * p.height * p.width * p.pixel_pitch + channel;
#pragma unroll
  for (int y = 0; y < C::kReachH; y++) {
    const bool inside = static_cast<unsigned>(h0 + y) < static_cast<unsigned>(p.height);
    depthwise_line<C>(sums, from + (inside ? int64_t{h0 + y} * p.width * p.pixel_pitch : 0), inside, weights + channel,
                      p, y, w0);
  }
#pragma unroll
  for (int l = 0; l < C::kLines; l++)
#pragma unroll
    for (int i = 0; i < C::kPixels; i++) {
      if (o + l >= p.out_h || q + i >= p.out_w) continue;
      const int64_t row = (int64_t{image} * p.out_h + o + l) * p.out_w + q + i;
      float values[C::kVector], addends[C::kVector];
      if constexpr (Program::residual) load_run<Out, C::kVector>(addends, residual + row * p.residual_pitch + channel);
      apply_program<Program, C::kVector>(values, sums[l][i], scales, biases, addends);
      store_run<Out, C::kVector>(result + row * p.result_pitch + channel, values);
    }
}

#define PLANISH_CONV_DEPTHWISE(name, Config, Program)                                                           \
  extern "C" __global__ void __launch_bounds__(Config::kThreads)                                                \
      name(const Config::Element* x, const Config::Element* weights, Config::Result* result, const float* bias, \
           const float* scale, const Config::Result* residual, const __grid_constant__ DepthwiseShape shape) {  \
    depthwise<Config, Program>(x, weights, result, bias, scale, residual, shape);                               \
  }

#ifdef PLANISH_DEPTHWISE
using DepthwiseInstance = PLANISH_DEPTHWISE;
PLANISH_CONV_DEPTHWISE(depthwise_kernel, DepthwiseInstance, SampleProgram)
#endif
