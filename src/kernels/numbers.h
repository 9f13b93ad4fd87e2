#pragma once
// Weights that are numbers of 4 or 8 bits, as "number_gemm" reads them, shared by the kernels of every level and by the
// tactics.
//
// Panels of so many columns follow one another, each one stream; of a panel, block after block of depth:
//   scales f32 [width]; words of 32 bits [words of the block][width]; zero points u8 [width], padded to 64 bytes
// A word holds what lies side by side along the depth of one column: 4 numbers of 8 bits, the first lowest, or 8 of 4
// bits, the first four in the low halves of its bytes, the others in the high ones. Behind the depth there are zeros.

#include <algorithm>

#include "base/checked.h"
#include "kernels/gemm.h"
#include "kernels/mma.h"

namespace planish {

constexpr int64_t kDeepestBlock = 256;  // sums of a block's bytes are exact in f32
constexpr int64_t kBlockStep = 8;       // of depth: all blocks but the last have a multiple of it
constexpr int64_t kFewRows = 8;         // so many are multiplied in integers, more by panels made f32
constexpr int64_t kMostDepthOfNumbers = int64_t{1} << 40;

// A [.., M, K] x packed numbers -> [.., M, N]; operands and epilogue of "gemm".
struct NumberAttrs : GemmAttrs {
  int64_t depth = 0, block = 0, bits = 0;
  int64_t zero = 0;        // of all columns; -1: each block of a column has its own
  int64_t digit_bits = 0;  // few rows: of the digits that a row is taken as, 8 or 7; 0: rows stay f32
  int64_t dots = 0;        // 1: digits are multiplied by instructions that sum four products (Mma::dot_i8)
  template <class V>
  void fields(V& v) {
    GemmAttrs::fields(v);
    v("depth", depth);
    v("block", block);
    v("bits", bits);
    v("zero", zero);
    v("digit_bits", digit_bits);
    v("dots", dots);
  }
};

constexpr int64_t number_width(Isa code) { return mma_format(Mma::dot_i8, code).columns; }

// Bytes and places of packed numbers.
struct NumberLayout {
  int64_t width = 0, columns = 0, depth = 0, block = 1, per_word = 1;
  bool has_zeros = false;

  NumberLayout() = default;
  NumberLayout(const NumberAttrs& a, Isa code)
      : width(number_width(code)),
        columns(a.columns),
        depth(a.depth),
        block(a.block),
        per_word(32 / a.bits),
        has_zeros(a.zero < 0) {}
  int64_t panels() const { return (columns + width - 1) / width; }
  int64_t blocks() const { return (depth + block - 1) / block; }
  int64_t depth_of(int64_t b) const { return std::min(block, depth - b * block); }
  int64_t words_of(int64_t values) const { return (values + per_word - 1) / per_word; }
  int64_t zero_bytes() const { return has_zeros ? (width + 63) / 64 * 64 : 0; }
  int64_t block_bytes(int64_t values) const { return width * 4 * (1 + words_of(values)) + zero_bytes(); }
  int64_t block_at(int64_t b) const { return b * block_bytes(block); }  // in a panel
  int64_t panel_bytes() const {
    return blocks() == 0
               ? 0
               : checked_add(checked_mul(blocks() - 1, block_bytes(block)), block_bytes(depth_of(blocks() - 1)));
  }
  int64_t bytes() const { return checked_mul(panels(), panel_bytes()); }
  // Where position k of a block lies in its word.
  int shift_of(int64_t k) const {
    const auto i = static_cast<int>(k % per_word);
    return per_word == 4 ? 8 * i : 8 * (i % 4) + 4 * (i / 4);
  }
};

// A row as digits: x = factor * (d0 + d1 * base + d2 * base^2), base = 2^digit_bits, -base / 2 <= d < base / 2; factor,
// a power of two, is a block's. The largest of a block has at least 2 * digit_bits + digit_bits - 2 bits.
constexpr int64_t kDigits = 3;
constexpr float largest_digits(int64_t bits) {  // of all three
  const float base = bits == 8 ? 256.f : 128.f;
  return (base / 2 - 1) * (1 + base + base * base);
}

// Workspace of a row: bytes [blocks][kDigits][block, padded to kBlockStep], sums of the digits i32 [blocks][kDigits],
// factors f32 [blocks].
struct DigitLayout {
  int64_t blocks, stride;  // stride: bytes of one digit of a block
  explicit DigitLayout(const NumberLayout& n)
      : blocks(n.blocks()), stride((std::min(n.block, n.depth) + kBlockStep - 1) / kBlockStep * kBlockStep) {}
  int64_t sums_at() const { return (blocks * kDigits * stride + 63) / 64 * 64; }
  int64_t factors_at() const { return sums_at() + blocks * kDigits * 4; }
  int64_t row_bytes() const { return (factors_at() + blocks * 4 + 63) / 64 * 64; }
};

}  // namespace planish
