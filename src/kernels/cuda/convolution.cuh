#pragma once
// What the product kernels of sm_90a share. A convolution is the product
//   D[m][n] = program(sum_k A[m][k] B[n][k] * scale[n] + bias[n], R[m][n]),   m = (image, p, q), k = (tap r, s,
//   channel)
// of an NHWC image read through its tensor map and of packed weights B. A matrix is an image of 1x1 taps.
//
// A is cut into blocks of depth of BlockBytes bytes, each within a tap; B has every tap's channels padded with zeros to
// whole blocks. Rows of B are permuted inside blocks of 8 * Group output channels: position (g, q, e), that is row
// 8g + 2q + e, holds channel q * 2 * Group + 2g + e. So a thread's sums are neighbouring channels.

#include "mma.cuh"
#include "wgmma.cuh"

struct ConvShape {
  int rows, columns;           // of D
  int column_tiles;            // of the kernel's tile, over columns
  int blocks, blocks_per_tap;  // of depth; blocks = taps * blocks_per_tap
  int taps_w;                  // filter's width
  int out_w, out_pixels;       // width and pixels of an image of D
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int result_pitch, residual_pitch;  // elements from row to row
};

// What a kernel's Program is. apply: the fused pointwise program; r is the residual, 0 without.
//   struct Program {
//     static constexpr bool residual, scale;
//     static __device__ float apply(float v, float r);
//   };
struct SampleProgram {
  static constexpr bool residual = true, scale = true;
  static PLANISH_DEVICE float apply(float v, float r) { return fmaxf(v + r, 0.0f); }
};

// Walks the blocks of depth of the rows of A from m0 on.
template <int BlockBytes, class T, bool Image>
struct RowLoader {
  static constexpr int kChannels = BlockBytes / static_cast<int>(sizeof(T));
  int block, channel_block, tap_s, tap_r;
  int row, image, w, h;

  PLANISH_DEVICE RowLoader(const ConvShape& p, int m0, int first_block) : block(first_block), row(m0) {
    if constexpr (Image) {
      channel_block = first_block % p.blocks_per_tap;
      const int tap = first_block / p.blocks_per_tap;
      tap_r = tap / p.taps_w, tap_s = tap - tap_r * p.taps_w;
      image = m0 / p.out_pixels;
      const int pixel = m0 - image * p.out_pixels, line = pixel / p.out_w;
      h = line * p.stride_h - p.pad_h, w = (pixel - line * p.out_w) * p.stride_w - p.pad_w;
    }
  }
  PLANISH_DEVICE void load(const ConvShape& p, const TensorMap& map, uint32_t to, uint32_t barrier, uint64_t keep) {
    if constexpr (Image) {
      copy_pixels(to, map, barrier, channel_block * kChannels, w, h, image, static_cast<uint16_t>(tap_s * p.dilation_w),
                  static_cast<uint16_t>(tap_r * p.dilation_h), keep);
      if (++channel_block == p.blocks_per_tap) {
        channel_block = 0;
        if (++tap_s == p.taps_w) tap_s = 0, tap_r++;
      }
    } else {
      copy_tile(to, map, barrier, block * kChannels, row, keep);
    }
    block++;
  }
};

// Factors of A's elements, one for each image and channel: [image][channels]. An image is out_pixels rows.
struct RowFactors {
  const void* data;
  int channels;
};

PLANISH_DEVICE uint32_t pair_product(half_t, uint32_t a, uint32_t b) {
  uint32_t out;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(out) : "r"(a), "r"(b));
  return out;
}
PLANISH_DEVICE uint32_t pair_product(bfloat_t, uint32_t a, uint32_t b) {
  uint32_t out;
  asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(out) : "r"(a), "r"(b));
  return out;
}

// The left operand of a warpgroup's products through registers, multiplied by its factors on the way: tiles of 64 rows.
// The factors of a block of depth are asked for one block ahead.
template <class T, int BlockBytes, int Tiles, int Columns>
struct FactoredRows {
  static constexpr int kSteps = BlockBytes / 32;
  const T* rows[Tiles][2];
  uint32_t factors[Tiles][kSteps][4];
  int channel, channels;

  // row0: the tile's first row.
  PLANISH_DEVICE FactoredRows(const ConvShape& p, const RowFactors& f, int row0, int warp, int lane)
      : channel((lane & 3) * 2), channels(f.channels) {
#pragma unroll
    for (int i = 0; i < Tiles; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int row = min(row0 + i * 64 + warp * 16 + (lane >> 2) + h * 8, p.rows - 1);
        rows[i][h] = static_cast<const T*>(f.data) + static_cast<int64_t>(row / p.out_pixels) * f.channels;
      }
  }
  PLANISH_DEVICE void ask(int block) {
#pragma unroll
    for (int i = 0; i < Tiles; i++)
#pragma unroll
      for (int d = 0; d < kSteps; d++)
#pragma unroll
        for (int w = 0; w < 4; w++) {
          const int c = (block * kSteps + d) * 16 + w / 2 * 8 + channel;
          factors[i][d][w] = 0;
          if (c < channels) load_words<1>(&factors[i][d][w], rows[i][w & 1] + c);
        }
  }
  // Adds block `block` of `blocks`, which lies at `left` and `right`, and waits for the sums.
  PLANISH_DEVICE void add(float (*sums)[Columns / 2], uint32_t left, uint32_t right, int block, int blocks, int warp,
                          int lane) {
    uint32_t words[Tiles][kSteps][4];
#pragma unroll
    for (int i = 0; i < Tiles; i++)
#pragma unroll
      for (int d = 0; d < kSteps; d++) {
        load_fragments(words[i][d],
                       left + chunk_offset<BlockBytes>(i * 64 + warp * 16 + (lane & 15), 2 * d + (lane >> 4)));
#pragma unroll
        for (int w = 0; w < 4; w++) words[i][d][w] = pair_product(T(), words[i][d][w], factors[i][d][w]);
      }
    if (block + 1 < blocks) ask(block + 1);
    product_fence();
#pragma unroll
    for (int d = 0; d < kSteps; d++)
#pragma unroll
      for (int i = 0; i < Tiles; i++)
        HeldProduct<T, Columns>::add(sums[i], words[i][d], tile_descriptor<BlockBytes>(right + d * 32),
                                     (block | d) != 0);
    product_commit();
    product_wait<0>();
#pragma unroll
    for (int i = 0; i < Tiles; i++) {
      sums_ready<Columns / 2>(sums[i]);
#pragma unroll
      for (int d = 0; d < kSteps; d++)
#pragma unroll
        for (int w = 0; w < 4; w++) asm volatile("" : "+r"(words[i][d][w])::"memory");  // read until here
    }
  }
};

// The channel of lane column q at group `group` (of 8 columns, from column 0 of D on), element 0.
template <int Group>
PLANISH_DEVICE int channel_of(int group, int q) {
  return group / Group * (8 * Group) + q * (2 * Group) + group % Group * 2;
}

PLANISH_DEVICE float sum_value(float sum) { return sum; }
// A source whose sums of bytes are below 2^22 defines PLANISH_SMALL_SUMS.
PLANISH_DEVICE float sum_value(int sum) {
#ifdef PLANISH_SMALL_SUMS
  return __int_as_float(sum + 0x4b400000) - 12582912.0f;
#else
  return static_cast<float>(sum);
#endif
}

// values = program(sums * scale + bias, residual) of W channels.
template <class Program, int W, class S>
PLANISH_DEVICE void apply_program(float* values, const S* sums, const float* scale, const float* bias, const float* r) {
#pragma unroll
  for (int i = 0; i < W; i++) {
    const float sum = sum_value(sums[i]);
    const float v = Program::scale ? fmaf(sum, scale[i], bias[i]) : sum + bias[i];
    values[i] = Program::apply(v, Program::residual ? r[i] : 0.0f);
  }
}

// W floats of a vector from `channel` on, zeros behind its end.
template <int W>
PLANISH_DEVICE void load_channels(float* to, const float* from, int channel, int columns) {
#pragma unroll
  for (int i = 0; i < W; i += 2) {
    const float2 pair = channel < columns ? *reinterpret_cast<const float2*>(from + channel + i) : make_float2(0, 0);
    to[i] = pair.x, to[i + 1] = pair.y;
  }
}
