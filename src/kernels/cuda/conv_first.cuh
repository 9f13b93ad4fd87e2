#pragma once
// Convolution of an image of up to four channels (sm_80 and later): the first layer. A block puts the pixels under its
// tile down in shared memory, four channels a pixel, and multiplies from there by mma.sync: a line of taps is one run
// of depth, of TapsW pixels up to a multiple of four. The source has any strides (planar or interleaved) and any of the
// types uint8_t, int8_t, half_t, float; its values are normalised on the way, x * factor[c] + addend[c], before zeros
// of padding.
//
// Weights: [filters, permuted as in convolution.cuh][TapsH][kTapsPadded][4] of half_t, zeros where there is no tap or
// channel. Tiles are 2 * Warps lines of 16 pixels by Columns filters.
// Grid: (min(tiles, a few a multiprocessor), ceil(filters / Columns)), blocks walk over tiles; 32 * Warps threads.

#include "convolution.cuh"
#include "mma.cuh"

// instance: PLANISH_FIRST=FirstConv<float,half_t,7,7,2,8,64,8>
// instance: PLANISH_FIRST=FirstConv<half_t,half_t,3,3,2,2,16,2>
// instance: PLANISH_FIRST=FirstConv<uint8_t,half_t,6,6,2,4,32,4>
// instance: PLANISH_FIRST=FirstConv<int8_t,int8_t,7,7,2,4,64,8>
// instance: PLANISH_FIRST=FirstConv<half_t,float,3,3,1,8,64,8>

struct FirstShape {
  int images, height, width, channels, filters, out_h, out_w, pad_h, pad_w;
  int tiles_down, tiles_across;
  int result_pitch, residual_pitch;                         // elements
  int64_t image_step, line_step, pixel_step, channel_step;  // of the source, elements
  float factor[4], addend[4];
};

template <class S, class Out, int TapsH, int TapsW, int Stride, int Warps, int Columns, int Group>
struct FirstConv {
  using Source = S;
  using Result = Out;
  static constexpr int kTapsH = TapsH, kTapsW = TapsW, kStride = Stride, kWarps = Warps, kColumns = Columns;
  static constexpr int kGroup = Group, kThreads = 32 * Warps;
  static constexpr int kTapsPadded = (TapsW + 3) / 4 * 4, kSteps = TapsH * kTapsPadded / 4;  // of 16 values of depth
  static constexpr int kLines = 2 * Warps;
  static constexpr int kReachH = (kLines - 1) * Stride + TapsH, kReachW = 15 * Stride + kTapsPadded;
  static constexpr int kRowBytes = kSteps * 32, kRowPitch = kRowBytes + 16;
  static constexpr int kPatch = kReachH * kReachW * 8, kShared = Columns * kRowPitch + kPatch;
  static constexpr int kFragments = Columns / 8, kRunGroups = kFragments < Group ? kFragments : Group;
  static constexpr int kRun = 2 * kRunGroups;
  static_assert(Columns % 16 == 0 && kFragments % kRunGroups == 0 && Group % kRunGroups == 0, "runs of channels");
  static_assert(kRowPitch % 128 != 0 && kRowPitch / 16 % 2 == 1, "rows of weights fall into different banks");
};

PLANISH_DEVICE float source_value(uint8_t x) { return static_cast<float>(x); }
PLANISH_DEVICE float source_value(int8_t x) { return static_cast<float>(x); }
PLANISH_DEVICE float source_value(half_t x) { return to_float(x); }
PLANISH_DEVICE float source_value(float x) { return x; }

template <class C>
PLANISH_DEVICE void first_patch(half_t* patch, const typename C::Source* image, const FirstShape& p, int h0, int w0) {
  constexpr int pixels = C::kReachH * C::kReachW, together = 4;  // pixels of a thread whose reads are under way at once
  for (int first = threadIdx.x; first < pixels; first += together * C::kThreads) {
    typename C::Source read[together][4];
    bool there[together];
#pragma unroll
    for (int u = 0; u < together; u++) {
      const int i = first + u * C::kThreads, y = i / C::kReachW, x = i - y * C::kReachW, h = h0 + y, w = w0 + x;
      there[u] = i < pixels && static_cast<unsigned>(h) < static_cast<unsigned>(p.height) &&
                 static_cast<unsigned>(w) < static_cast<unsigned>(p.width);
      const typename C::Source* pixel = image + h * p.line_step + w * p.pixel_step;
#pragma unroll
      for (int c = 0; c < 4; c++)
        if (there[u] && c < p.channels) read[u][c] = pixel[c * p.channel_step];
    }
#pragma unroll
    for (int u = 0; u < together; u++) {
      const int i = first + u * C::kThreads;
      float values[4] = {0, 0, 0, 0};
#pragma unroll
      for (int c = 0; c < 4; c++)
        if (there[u] && c < p.channels) values[c] = fmaf(source_value(read[u][c]), p.factor[c], p.addend[c]);
      if (i < pixels)
        reinterpret_cast<uint2*>(patch)[i] =
            make_uint2(pack_half2(values[0], values[1]), pack_half2(values[2], values[3]));
    }
  }
}

template <class C>
PLANISH_DEVICE void first_multiply(float (*sums)[C::kFragments][4], const half_t* patch, uint32_t weights, int warp,
                                   int lane) {
  // Lane's pixels: lane / 4 and 8 more, of the warp's two lines; its values of depth begin at half a pixel each q.
  const uint32_t* words = reinterpret_cast<const uint32_t*>(patch);
  const int pixel = (lane >> 2) * C::kStride, q = lane & 3;
#pragma unroll 1
  for (int r = 0; r < C::kTapsH; r++)
#pragma unroll
    for (int s = 0; s < C::kTapsPadded; s += 4) {
      uint32_t a[2][4], b[C::kFragments / 2][4];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int line = (warp * 2 + i) * C::kStride + r, at = (line * C::kReachW + pixel + s) * 2 + q;
        a[i][0] = words[at], a[i][1] = words[at + 16 * C::kStride];
        a[i][2] = words[at + 4], a[i][3] = words[at + 16 * C::kStride + 4];
      }
#pragma unroll
      for (int j = 0; j < C::kFragments / 2; j++)
        load_fragments(
            b[j], weights + (j * 16 + (lane & 15)) * C::kRowPitch + (r * C::kTapsPadded + s) * 8 + (lane >> 4) * 16);
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < C::kFragments; j++)
          WarpProduct<half_t>::add(sums[i][j], a[i], b[j / 2][j & 1], b[j / 2][2 + (j & 1)]);
    }
}

template <class C, class Program>
PLANISH_DEVICE void first_finish(float (*sums)[C::kFragments][4], typename C::Result* result, const float* bias,
                                 const float* scale, const typename C::Result* residual, const FirstShape& p, int image,
                                 int line0, int pixel0, int n0, int lane) {
  using Out = typename C::Result;
#pragma unroll
  for (int t = 0; t < C::kFragments / C::kRunGroups; t++) {
    const int channel = channel_of<C::kGroup>(n0 / 8 + t * C::kRunGroups, lane & 3);
    float biases[C::kRun], scales[C::kRun];
    load_channels<C::kRun>(biases, bias, channel, p.filters);
    if constexpr (Program::scale) load_channels<C::kRun>(scales, scale, channel, p.filters);
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int o = line0 + i, q = pixel0 + h * 8 + (lane >> 2);
        if (o >= p.out_h || q >= p.out_w || channel >= p.filters) continue;
        const int64_t row = (int64_t{image} * p.out_h + o) * p.out_w + q;
        float s[C::kRun], values[C::kRun], addends[C::kRun];
        if constexpr (Program::residual) load_run<Out, C::kRun>(addends, residual + row * p.residual_pitch + channel);
#pragma unroll
        for (int e = 0; e < C::kRun; e++) s[e] = sums[i][t * C::kRunGroups + e / 2][h * 2 + (e & 1)];
        apply_program<Program, C::kRun>(values, s, scales, biases, addends);
        store_run<Out, C::kRun>(result + row * p.result_pitch + channel, values);
      }
  }
}

template <class C, class Program>
PLANISH_DEVICE void conv_first(const typename C::Source* x, const half_t* weights, typename C::Result* result,
                               const float* bias, const float* scale, const typename C::Result* residual,
                               const FirstShape& p) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t rows = shared_address(shared);
  half_t* patch = reinterpret_cast<half_t*>(shared + C::kColumns * C::kRowPitch);
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, n0 = blockIdx.y * C::kColumns;
  const int packed = (p.filters + 8 * C::kGroup - 1) / (8 * C::kGroup) * (8 * C::kGroup);
  grid_release();
  for (int i = threadIdx.x; i < C::kColumns * (C::kRowBytes / 16); i += C::kThreads) {
    const int row = i / (C::kRowBytes / 16), chunk = i % (C::kRowBytes / 16);
    const bool valid = n0 + row < packed;
    const uint8_t* from = reinterpret_cast<const uint8_t*>(weights) + int64_t{valid ? n0 + row : 0} * C::kRowBytes;
    copy_async<16>(rows + row * C::kRowPitch + chunk * 16, from + chunk * 16, valid);
  }
  copies_commit();
  grid_wait();
  const int tiles = p.images * p.tiles_down * p.tiles_across;
  for (int t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int across = t % p.tiles_across, rest = t / p.tiles_across, image = rest / p.tiles_down;
    const int o = (rest - image * p.tiles_down) * C::kLines, q = across * 16;
    first_patch<C>(patch, x + image * p.image_step, p, o * C::kStride - p.pad_h, q * C::kStride - p.pad_w);
    copies_wait<0>();
    __syncthreads();
    float sums[2][C::kFragments][4] = {};
    first_multiply<C>(sums, patch, rows, warp, lane);
    __syncthreads();
    first_finish<C, Program>(sums, result, bias, scale, residual, p, image, o + warp * 2, q, n0, lane);
  }
}

#define PLANISH_CONV_FIRST(name, Config, Program)                                                          \
  extern "C" __global__ void __launch_bounds__(Config::kThreads, 512 / Config::kThreads)                   \
      name(const Config::Source* x, const half_t* weights, Config::Result* result, const float* bias,      \
           const float* scale, const Config::Result* residual, const __grid_constant__ FirstShape shape) { \
    conv_first<Config, Program>(x, weights, result, bias, scale, residual, shape);                         \
  }

#ifdef PLANISH_FIRST
struct FirstProgram {  // nothing is added to a first layer's result in networks
  static constexpr bool residual = false, scale = false;
  static PLANISH_DEVICE float apply(float v, float) { return fmaxf(v, 0.0f); }
};
using FirstInstance = PLANISH_FIRST;
PLANISH_CONV_FIRST(first, FirstInstance, FirstProgram)
#endif
