#pragma once
// Two tensors of bytes joined by one operator, the result bytes too, in vectors:
//   q = saturate(round_half_even(clamp(f((a - za) sa, (b - zb) sb)) / s)) + z        f: add, sub, mul
// as it is read from the program that says so; values are those of the program, bit by bit.

#include <limits>
#include <optional>

#include "kernels/cpu/common/bytes.h"
#include "kernels/pointwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {

struct BytePair {
  struct Side {
    size_t input = 0;
    float zero = 0, scale = 1;
  };
  PwOp op = PwOp::add;
  std::array<Side, 2> sides;
  float low = -INFINITY, high = INFINITY, scale = 1;
  int32_t zero = 0;
};

// Reads a program of this form from its end.
class BytePairReader {
 public:
  explicit BytePairReader(const PointwiseProgram& program) : program_(program) {}

  std::optional<BytePair> read() const {
    if (program_.results.size() != 1 || program_.inputs != 2) return std::nullopt;
    BytePair pair;
    uint16_t r = program_.results[0];
    float zero = 0;
    take(PwOp::add, r, zero);
    const PwInstr* rounding = instruction(r, PwOp::round);
    if (rounding == nullptr || std::abs(zero) > 255) return std::nullopt;
    r = rounding->a;
    if (!take(PwOp::div, r, pair.scale) || !is_tame(pair.scale)) return std::nullopt;
    take(PwOp::min, r, pair.high);
    take(PwOp::max, r, pair.low);
    for (PwOp op : {PwOp::add, PwOp::sub, PwOp::mul})
      if (const PwInstr* joint = instruction(r, op)) {
        pair.op = op;
        pair.zero = static_cast<int32_t>(zero);
        if (read_side(joint->a, pair.sides[0]) && read_side(joint->b, pair.sides[1])) return pair;
      }
    return std::nullopt;
  }

 private:
  // Of what is finite nothing can become infinite.
  static bool is_tame(float scale) { return std::abs(scale) > 1e-15f && std::abs(scale) < 1e15f; }

  const PwInstr* instruction(uint16_t r, PwOp op) const {
    if (r < program_.inputs) return nullptr;
    const PwInstr& i = program_.code[r - static_cast<size_t>(program_.inputs)];
    return i.op == op ? &i : nullptr;
  }
  // r = op(x, constant): r becomes x.
  bool take(PwOp op, uint16_t& r, float& constant) const {
    const PwInstr* i = instruction(r, op);
    const PwInstr* value = i == nullptr ? nullptr : instruction(i->b, PwOp::constant);
    if (value == nullptr) return false;
    constant = static_cast<float>(value->immediate);
    r = i->a;
    return true;
  }
  bool read_side(uint16_t r, BytePair::Side& side) const {
    if (!take(PwOp::mul, r, side.scale) || !is_tame(side.scale)) return false;
    take(PwOp::sub, r, side.zero);
    side.input = r;
    return r < program_.inputs && std::abs(side.zero) <= 255;
  }

  const PointwiseProgram& program_;
};

// Bytes side by side, or (step 0) one for all.
struct ByteSide {
  const std::byte* data = nullptr;
  bool is_signed = false;
  int64_t step = 1;

  Vec load(int64_t i) const {
    return is_signed ? load_bytes(reinterpret_cast<const int8_t*>(data) + i)
                     : load_bytes(reinterpret_cast<const uint8_t*>(data) + i);
  }
};

template <class T>
class BytePairRow {
 public:
  explicit BytePairRow(const BytePair& pair) : pair_(pair) {}

  void run(std::array<ByteSide, 2> sides, T* out, int64_t n) const {
    std::byte repeated[2][kAtOnce];
    for (size_t k = 0; k < 2; ++k)
      if (sides[k].step == 0) {
        std::memset(repeated[k], static_cast<int>(*sides[k].data), kAtOnce);
        sides[k].data = repeated[k];
      }
    for (; n >= kAtOnce; n -= kAtOnce, out += kAtOnce) {
      run_whole(sides, out);
      for (ByteSide& side : sides) side.data += side.step * kAtOnce;
    }
    if (n >= kDotColumns) {
      run_half(sides, out);
      n -= kDotColumns, out += kDotColumns;
      for (ByteSide& side : sides) side.data += side.step * kDotColumns;
    }
    if (n == 0) return;
    std::byte rest[2][kDotColumns] = {};
    T some[kDotColumns];
    for (size_t k = 0; k < 2; ++k) {
      std::memcpy(rest[k], sides[k].data, static_cast<size_t>(n));
      sides[k].data = rest[k];
    }
    run_half(sides, some);
    std::memcpy(out, some, static_cast<size_t>(n));
  }

 private:
  static constexpr int64_t kAtOnce = 2 * kDotColumns;

  void run_whole(const std::array<ByteSide, 2>& sides, T* out) const {
    Words a[kByteVectors], b[kByteVectors];
    for (int v = 0; v < kByteVectors; ++v) {
      a[v] = numbers(sides, v * Vec::kWidth);
      b[v] = numbers(sides, kDotColumns + v * Vec::kWidth);
    }
    store_bytes(a, b, out, out + kDotColumns);
  }
  void run_half(const std::array<ByteSide, 2>& sides, T* out) const {
    Words a[kByteVectors];
    for (int v = 0; v < kByteVectors; ++v) a[v] = numbers(sides, v * Vec::kWidth);
    store_bytes(a, out);
  }
  Words numbers(const std::array<ByteSide, 2>& sides, int64_t at) const {
    const Vec x = (sides[0].load(at) - zeros_[0]) * scales_[0], y = (sides[1].load(at) - zeros_[1]) * scales_[1];
    const Vec joint = pair_.op == PwOp::add ? x + y : pair_.op == PwOp::sub ? x - y : x * y;
    const Vec steps = quotient_of(Vec::min(high_, Vec::max(low_, joint)), scale_);
    return sum_of(rounded(Vec::min(most_, Vec::max(least_, steps))), splat_word(pair_.zero));
  }

  BytePair pair_;
  Vec zeros_[2] = {Vec::splat(pair_.sides[0].zero), Vec::splat(pair_.sides[1].zero)};
  Vec scales_[2] = {Vec::splat(pair_.sides[0].scale), Vec::splat(pair_.sides[1].scale)};
  Vec low_ = Vec::splat(pair_.low), high_ = Vec::splat(pair_.high), scale_ = Vec::splat(pair_.scale);
  Vec least_ = Vec::splat(static_cast<float>(std::numeric_limits<T>::min() - pair_.zero));
  Vec most_ = Vec::splat(static_cast<float>(std::numeric_limits<T>::max() - pair_.zero));
};

}  // namespace planish::kernels::cpu::PLANISH_ISA
