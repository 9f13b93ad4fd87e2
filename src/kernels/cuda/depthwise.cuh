#pragma once
// Depthwise convolution of NHWC images (sm_80 and later): a filter a channel. A thread has Vector neighbouring channels
// of a patch of Lines x Pixels results; what it reads of a line serves all taps and all lines that reach it, and where
// they are few its weights stay in registers. Sums are fp32. A block has 32 channels of neighbouring patches, so that
// what they share is read from L1.
//
// Weights: [taps_h][taps_w][channels] of T. channels are a multiple of Vector, pitches too.
// Grid: ceil(images * ceil(out_h / Lines) * ceil(out_w / Pixels) / kPatches) * ceil(channels / 32); 128 threads.

#include "convolution.cuh"

// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,3,3,1,1,7,2,4>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,3,3,2,1,4,2,4>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,5,5,1,1,4,4,2>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,5,5,2,1,4,2,2>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<half_t,half_t,5,5,2,1,1,4,4>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<bfloat_t,bfloat_t,3,3,2,1,1,4,8>
// instance: PLANISH_DEPTHWISE=DepthwiseConv<float,float,3,3,1,2,1,2,4>
// instance: PLANISH_DEPTHWISE_SUMS=DepthwiseConv<half_t,half_t,3,3,1,1,7,2,4>
// instance: PLANISH_DEPTHWISE_SUMS=DepthwiseConv<half_t,half_t,5,5,1,1,4,4,2>
// instance: PLANISH_DEPTHWISE_SUMS=DepthwiseConv<half_t,half_t,5,5,2,1,1,4,4>

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
  static constexpr int kAcross = 32 / Vector, kPatches = kThreads / kAcross;  // of a block
  static constexpr bool kHeld = TapsH * TapsW * Vector <= 80;                 // weights in registers
  static constexpr int kResident = kHeld && Lines > 1 ? 3 : 1;                // blocks a processor at least
};

// Vector elements through L1; zeros where `there` is 0.
template <class C>
PLANISH_DEVICE void depthwise_read(uint32_t* words, const char* at, uint32_t there) {
#pragma unroll
  for (int i = 0; i < C::kWords; i++) words[i] = 0;
  if constexpr (C::kWords >= 4) {
#pragma unroll
    for (int i = 0; i < C::kWords; i += 4)
      asm volatile(
          "{.reg .pred p;\n"
          "setp.ne.u32 p, %5, 0;\n"
          "@p ld.global.v4.u32 {%0, %1, %2, %3}, [%4];}"
          : "+r"(words[i]), "+r"(words[i + 1]), "+r"(words[i + 2]), "+r"(words[i + 3])
          : "l"(at + 4 * i), "r"(there)
          : "memory");
  } else if constexpr (C::kWords == 2) {
    asm volatile(
        "{.reg .pred p;\n"
        "setp.ne.u32 p, %3, 0;\n"
        "@p ld.global.v2.u32 {%0, %1}, [%2];}"
        : "+r"(words[0]), "+r"(words[1])
        : "l"(at), "r"(there)
        : "memory");
  } else {
    asm volatile(
        "{.reg .pred p;\n"
        "setp.ne.u32 p, %2, 0;\n"
        "@p ld.global.u32 %0, [%1];}"
        : "+r"(words[0])
        : "l"(at), "r"(there)
        : "memory");
  }
}
template <class C>
PLANISH_DEVICE void depthwise_tap(float* tap, const typename C::Element* weights) {
  uint32_t words[C::kWords];
  depthwise_read<C>(words, reinterpret_cast<const char*>(weights), 1);
  Words<typename C::Element>::template unpack<C::kVector>(tap, words);
}

// Adds what line `y` of the patch's reach gives; it begins at pixel w0. from: its pixels. held: all taps, or nothing.
template <class C>
PLANISH_DEVICE void depthwise_line(float (*sums)[C::kPixels][C::kVector], const char* const* from, bool inside,
                                   const typename C::Element* weights, const float (*held)[C::kVector],
                                   const DepthwiseShape& p, int y, int w0) {
  uint32_t words[C::kReachW][C::kWords];
#pragma unroll
  for (int x = 0; x < C::kReachW; x++)
    depthwise_read<C>(words[x], from[x], inside && static_cast<unsigned>(w0 + x) < static_cast<unsigned>(p.width));
  float pixels[C::kHeld ? C::kReachW : 1][C::kVector];  // else they take more registers than there are
#pragma unroll
  for (int x = 0; C::kHeld && x < C::kReachW; x++)
    Words<typename C::Element>::template unpack<C::kVector>(pixels[x], words[x]);
#pragma unroll
  for (int r = 0; r < C::kTapsH; r++) {
    const int at = y - r * C::kDilation;  // the line of results that this tap of line y belongs to, times stride
    if (at < 0 || at % C::kStride != 0 || at / C::kStride >= C::kLines) continue;
#pragma unroll
    for (int s = 0; s < C::kTapsW; s++) {
      float tap[C::kVector];
      if constexpr (C::kHeld) {
#pragma unroll
        for (int c = 0; c < C::kVector; c++) tap[c] = held[r * C::kTapsW + s][c];
      } else {
        depthwise_tap<C>(tap, weights + (r * C::kTapsW + s) * p.channels);
      }
#pragma unroll
      for (int x = 0; x < C::kPixels; x++) {
        const int column = x * C::kStride + s * C::kDilation;
        float pixel[C::kVector];
        if constexpr (!C::kHeld) Words<typename C::Element>::template unpack<C::kVector>(pixel, words[column]);
#pragma unroll
        for (int c = 0; c < C::kVector; c++)
          sums[at / C::kStride][x][c] =
              fmaf(C::kHeld ? pixels[C::kHeld ? column : 0][c] : pixel[c], tap[c], sums[at / C::kStride][x][c]);
      }
    }
  }
}

// Sums of the results over groups of patches, [patch of all images / together][channel]: for means over images of
// a multiple of `together` patches, a power of two up to kPatches.
struct PatchSums {
  float* to;
  int together;
};

// The block's: patches of a group are added in their order.
template <class C>
PLANISH_DEVICE void store_patch_sums(const float* values, const PatchSums& sums, const DepthwiseShape& p, int chunks) {
  __shared__ float parts[C::kPatches][32];
  const int own = threadIdx.x / C::kAcross, across = threadIdx.x % C::kAcross * C::kVector;
#pragma unroll
  for (int c = 0; c < C::kVector; c++) parts[own][across + c] = values[c];
  __syncthreads();
  const int groups = C::kPatches / sums.together;
  const int64_t most = int64_t{p.images} * ((p.out_h + C::kLines - 1) / C::kLines) *
                       ((p.out_w + C::kPixels - 1) / C::kPixels) / sums.together;
  for (int i = threadIdx.x; i < groups * 32; i += C::kThreads) {
    const int channel = static_cast<int>(blockIdx.x % chunks * 32) + i % 32;
    const int64_t group = static_cast<int64_t>(blockIdx.x / chunks) * groups + i / 32;
    if (channel >= p.channels || group >= most) continue;
    float sum = 0;
    for (int j = 0; j < sums.together; j++) sum += parts[i / 32 * sums.together + j][i % 32];
    sums.to[group * p.channels + channel] = sum;
  }
}

// total: what the thread stores, summed.
template <class C, class Program>
PLANISH_DEVICE void depthwise_patch(const typename C::Element* x, const typename C::Element* weights,
                                    typename C::Result* result, const float* bias, const float* scale,
                                    const typename C::Result* residual, const DepthwiseShape& p, int chunks,
                                    float* total) {
  using Out = typename C::Result;
  const int across = (p.out_w + C::kPixels - 1) / C::kPixels;
  const int down = (p.out_h + C::kLines - 1) / C::kLines;
  const int channel = static_cast<int>(blockIdx.x % chunks * 32 + threadIdx.x % C::kAcross * C::kVector);
  const uint32_t patch = blockIdx.x / chunks * C::kPatches + threadIdx.x / C::kAcross;
  const int q = static_cast<int>(patch % across) * C::kPixels, image = static_cast<int>(patch / across / down);
  const int o = static_cast<int>(patch / across % down) * C::kLines;
  if (image >= p.images || channel >= p.channels) return;
  weights += channel;
  float biases[C::kVector], scales[C::kVector], held[C::kHeld ? C::kTapsH * C::kTapsW : 1][C::kVector];
  load_channels<C::kVector>(biases, bias, channel, p.channels);
  if constexpr (Program::scale) load_channels<C::kVector>(scales, scale, channel, p.channels);
  if constexpr (C::kHeld) {
#pragma unroll
    for (int tap = 0; tap < C::kTapsH * C::kTapsW; tap++) depthwise_tap<C>(held[tap], weights + tap * p.channels);
  }
  grid_wait();
  float sums[C::kLines][C::kPixels][C::kVector] = {};
  const int h0 = o * C::kStride - p.pad_h, w0 = q * C::kStride - p.pad_w;
  const int64_t pixel_bytes = int64_t{p.pixel_pitch} * static_cast<int>(sizeof(typename C::Element));
  const int64_t line_bytes = p.width * pixel_bytes;
  const char* from[C::kReachW];
#pragma unroll
  for (int i = 0; i < C::kReachW; i++) {
    from[i] = reinterpret_cast<const char*>(x + channel) + (int64_t{image} * p.height + h0) * line_bytes +
              (w0 + i) * pixel_bytes;
    asm volatile("" : "+l"(from[i]));  // to be added to, not multiplied again
  }
#pragma unroll
  for (int y = 0; y < C::kReachH; y++) {
    depthwise_line<C>(sums, from, static_cast<unsigned>(h0 + y) < static_cast<unsigned>(p.height), weights, held, p, y,
                      w0);
#pragma unroll
    for (int i = 0; i < C::kReachW; i++) from[i] += line_bytes;
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
#pragma unroll
      for (int c = 0; c < C::kVector; c++) total[c] += values[c];
    }
}

template <class C, class Program, bool Sums = false>
PLANISH_DEVICE void depthwise(const typename C::Element* x, const typename C::Element* weights,
                              typename C::Result* result, const float* bias, const float* scale,
                              const typename C::Result* residual, const DepthwiseShape& p,
                              const PatchSums& patch_sums = {}) {
  grid_release();
  const int chunks = (p.channels + 31) / 32;
  float total[C::kVector] = {};
  depthwise_patch<C, Program>(x, weights, result, bias, scale, residual, p, chunks, total);
  if constexpr (Sums) store_patch_sums<C>(total, patch_sums, p, chunks);
}

#define PLANISH_CONV_DEPTHWISE(name, Config, Program)                                                           \
  extern "C" __global__ void __launch_bounds__(Config::kThreads, Config::kResident)                             \
      name(const Config::Element* x, const Config::Element* weights, Config::Result* result, const float* bias, \
           const float* scale, const Config::Result* residual, const __grid_constant__ DepthwiseShape shape) {  \
    depthwise<Config, Program>(x, weights, result, bias, scale, residual, shape);                               \
  }

#ifdef PLANISH_DEPTHWISE
using DepthwiseInstance = PLANISH_DEPTHWISE;
PLANISH_CONV_DEPTHWISE(depthwise_kernel, DepthwiseInstance, SampleProgram)
#endif
#ifdef PLANISH_DEPTHWISE_SUMS
using DepthwiseSums = PLANISH_DEPTHWISE_SUMS;
struct SumsProgram {
  static constexpr bool residual = false, scale = false;
  static PLANISH_DEVICE float apply(float v, float) { return fmaxf(v, 0.0f); }
};
extern "C" __global__ void __launch_bounds__(DepthwiseSums::kThreads, DepthwiseSums::kResident)
    depthwise_sums(const DepthwiseSums::Element* x, const DepthwiseSums::Element* weights,
                   DepthwiseSums::Result* result, const float* bias, const __grid_constant__ DepthwiseShape shape,
                   const __grid_constant__ PatchSums sums) {
  depthwise<DepthwiseSums, SumsProgram, true>(x, weights, result, bias, nullptr, nullptr, shape, sums);
}
#endif
