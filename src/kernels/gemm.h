#pragma once
// Parameters of the matrix kernels, shared by the kernels of every level and by the tactics.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/checked.h"
#include "base/cpu_features.h"

namespace planish {

// Columns of one packed panel in the code of this level (code_level).
constexpr int64_t panel_width(Isa code) { return code == Isa::scalar ? 4 : code == Isa::avx2 ? 16 : 64; }

constexpr int64_t kWidestPanel = 64;  // of all levels

// Rows of its microkernel.
constexpr int64_t microkernel_rows(Isa code) { return code == Isa::scalar ? 4 : 6; }

// Deepest slice of a product's depth at any level, and rows of its tallest microkernel.
constexpr int64_t kDeepestSlice = 400, kTallestTile = 6;
constexpr int64_t kMostBlocks = 64;  // of microkernel rows in a chunk
constexpr int64_t kMostSlots = 64;

// Most positions of a kernel that rows are looked up for, one by one.
constexpr int64_t kMostTaps = 1024;

// Of "conv_lines": elements of the lines under a block of pixels, of which a block has this many or more.
constexpr int64_t kMostLineFloats = 20 << 10, kMostLinePixels = 12;

// "gemm": A [.., M, K] x packed B -> [.., M, N].  "igemm": convolution, channels last.
// "conv_lines": 2-D convolution of few channels without groups.
// "winograd.f2", "winograd.f4": 3x3 convolution (kernels/winograd.h); a tap of the packed B is a position of its tiles.
// Packed B: [group][panel][tap][channel][panel_width], zero padded; where rows are gathered, and of "conv_lines",
// [channel][tap]; of "gemm" it may be stored in f16 or bf16.
struct GemmAttrs {
  int64_t columns = 0;     // N, or output channels a group
  int64_t row_blocks = 0;  // microkernel rows of a chunk that stays in cache while the weights pass; 0: as many as fit
  int64_t has_bias = 0;    // operand 2 is the bias
  int64_t residual = 0;    // one operand behind the bias is added, rows adjacent; only without a program
  int64_t clamped = 0;     // low and high apply, last
  double low = 0, high = 0;
  std::string program;  // epilogue; input 0 is the sum plus bias, then the extras
  // convolution only
  // The taps of a pixel are copied into one row first, channel by channel: few channels, any strides.
  int64_t gathered = 0;
  // Tasks at once, for which the workspace has room: of Winograd; of products that pack their rows, 0: they do not.
  int64_t slots = 0;
  int64_t group = 1;
  std::vector<int64_t> kernel, strides, dilations, pads;
  template <class V>
  void fields(V& v) {
    v("columns", columns);
    v("row_blocks", row_blocks);
    v("has_bias", has_bias);
    v("residual", residual);
    v("clamped", clamped);
    v("low", low);
    v("high", high);
    v("program", program);
    v("gathered", gathered);
    v("slots", slots);
    v("group", group);
    v("kernel", kernel);
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
  }
};

// Elements of the lines under the smallest block of "conv_lines".
inline int64_t least_lines(const GemmAttrs& conv, int64_t channels) {
  const auto reach = [&](size_t axis, int64_t pixels) {
    return (pixels - 1) * conv.strides[axis] + (conv.kernel[axis] - 1) * conv.dilations[axis] + 1;
  };
  return checked_mul(channels, checked_mul(reach(0, 1), reach(1, kMostLinePixels)));
}

// Floats of one slot of packed rows: the same at every level, so that a plan for another level than this one can be
// laid out.
inline int64_t packed_floats(const GemmAttrs& gemm, int64_t rows, int64_t depth) {
  const int64_t blocks = gemm.row_blocks > 0 ? std::min(gemm.row_blocks, kMostBlocks) : kMostBlocks;
  return (std::min(rows, blocks * kTallestTile) * std::min(depth, kDeepestSlice) + 15) / 16 * 16;
}

}  // namespace planish
