#pragma once
// Products of bf16 whose sums stay in registers: they begin as the bias and are stored as what they become. Little
// depth leaves no time for a way through memory.

#include "kernels/cpu/common/mma_floats.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// What becomes of a block's rows, `width` columns of each (those of MmaEnd::Kind::floats).
struct DirectEnd {
  const MmaEnd& end;
  const float* bias;  // of all columns of a panel
  const MmaSpan& span;
};

#if defined(PLANISH_ISA_avx512)

// Rows of f32 or bf16 in memory.
class DirectRows {
 public:
  DirectRows(const MmaOperand& operand, const RowWalk& rows, const MmaSpan& span)
      : half_(operand.type == DataType::bf16), bytes_(operand.bytes) {
    if (operand.even) {
      std::byte* const first = operand.data + (span.row * operand.pitch + span.column) * bytes_;
      for (int r = 0; r < span.rows; ++r) at_[r] = first + r * operand.pitch * bytes_;
      return;
    }
    RowWalk walk = rows;
    walk.seek(span.row);
    for (int r = 0; r < span.rows; ++r, walk.next()) at_[r] = operand.row(walk) + span.column * bytes_;
  }
  Vec load(int r, int column, __mmask16 some) const {
    const std::byte* const from = at_[r] + column * bytes_;
    if (!half_) return {_mm512_maskz_loadu_ps(some, from)};
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(some, from)), 16))};
  }
  void store(int r, int column, __mmask16 some, Vec x) const {
    std::byte* const to = at_[r] + column * bytes_;
    half_ ? _mm256_mask_storeu_epi16(to, some, bf16_by_instruction(x)) : _mm512_mask_storeu_ps(to, some, x.v);
  }

 private:
  bool half_;
  int64_t bytes_;
  std::byte* at_[kDotRows] = {};
};

// Once for all sizes of blocks.
[[gnu::noinline]] inline void activate_vectors(const Activation& activation, Vec* values, int count) {
  activate(activation, values, count);
}

// In memory of their own, so that the sums stay in registers before.
template <int R, int V>
[[gnu::always_inline]] inline void activate_words(const Activation& activation, Words (&sums)[R][V]) {
  Vec values[R * V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) values[r * V + v] = {_mm512_castsi512_ps(sums[r][v])};
  activate_vectors(activation, values, R * V);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sums[r][v] = _mm512_castps_si512(values[r * V + v].v);
}

template <int R, int V>
[[gnu::always_inline]] inline void leave_words(const DirectEnd& direct, Words (&sums)[R][V]) {
  const MmaEnd& end = direct.end;
  if (end.activation != nullptr) activate_words<R, V>(*end.activation, sums);
  const Vec low = Vec::splat(end.params->low), high = Vec::splat(end.params->high);
  const auto columns = static_cast<uint32_t>((uint64_t{1} << direct.span.width) - 1);
  const DirectRows out(end.out, end.rows, direct.span);
  if (end.params->extras > 0) {
    const DirectRows added(end.extra[0], end.rows, direct.span);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vec sum{_mm512_castsi512_ps(sums[r][v])};
        const Vec all = sum + added.load(r, v * Vec::kWidth, static_cast<__mmask16>(columns >> (v * Vec::kWidth)));
        sums[r][v] = _mm512_castps_si512(all.v);
      }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      out.store(r, v * Vec::kWidth, static_cast<__mmask16>(columns >> (v * Vec::kWidth)),
                Vec::min(high, Vec::max(low, {_mm512_castsi512_ps(sums[r][v])})));
}

// V vectors of a panel's columns.
template <int R, int V>
void direct_rows(const BlockArgs& block, const DirectEnd& direct) {
  Words sums[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      sums[r][v] = load_words(reinterpret_cast<const int32_t*>(direct.bias) + v * Vec::kWidth);
  const int32_t* b = block.b;
  for (int64_t run = 0; run < block.runs; ++run) {
    const int32_t* a = block.a + block.offsets[run];
#pragma GCC unroll 2
    for (int64_t step = 0; step < block.steps; ++step, ++a, b += kDotColumns) {
      Words w[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) w[v] = load_words(b + v * Vec::kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Words x = splat_word(a[r * block.pitch]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) DotBf16::add(sums[r][v], x, w[v]);
      }
    }
  }
  leave_words<R, V>(direct, sums);
}

// What the next block will read and write, under this one: a few bytes of each row are no stream to the hardware.
inline void ask_ahead(const MmaOperand& operand, const MmaSpan& span) {
  if (!operand.even) return;
  const std::byte* at = operand.data + ((span.row + span.rows) * operand.pitch + span.column) * operand.bytes;
  for (int r = 0; r < span.rows; ++r, at += operand.pitch * operand.bytes) __builtin_prefetch(at);
}

inline void multiply_direct(const BlockArgs& block, const DirectEnd& direct) {
  using Fn = void (*)(const BlockArgs&, const DirectEnd&);
  static constexpr auto kFunctions = []<int... R>(std::integer_sequence<int, R...>) {
    return std::array<std::array<Fn, kDotRows>, 2>{{{direct_rows<R + 1, 1>...}, {direct_rows<R + 1, 2>...}}};
  }
  (std::make_integer_sequence<int, kDotRows>());
  if (direct.end.params->extras > 0) ask_ahead(direct.end.extra[0], direct.span);
  ask_ahead(direct.end.out, direct.span);
  kFunctions[direct.span.width > Vec::kWidth ? 1 : 0][static_cast<size_t>(block.rows - 1)](block, direct);
}

inline bool ends_directly(const MmaEnd& end) {
  return end.kind == MmaEnd::Kind::floats && end.params->mma == Mma::dot_bf16;
}

#else

inline void multiply_direct(const BlockArgs&, const DirectEnd&) {}
inline bool ends_directly(const MmaEnd&) { return false; }

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
