#pragma once
// Blocks of a product on tiles, which work by themselves: while they add a block's products, the sums of the block
// before, which wait in memory, become what is stored, and the lines that this block's will meet are on their way.

#include "kernels/cpu/common/mma_numbers.h"
#include "kernels/cpu/common/mma_places.h"

namespace planish::kernels::cpu::PLANISH_ISA {

#if defined(PLANISH_ISA_avx512)

// Lines of a result that will be written, or of an operand of its end that will be read.
template <bool kWritten>
inline void ask_for_rows(const MmaOperand& operand, const MmaSpan& span) {
  constexpr int64_t kLine = 64;
  if (!operand.even) return;
  const std::byte* at = operand.data + (span.row * operand.pitch + span.column) * operand.bytes;
  for (int r = 0; r < span.rows; ++r, at += operand.pitch * operand.bytes)
    for (int64_t i = 0; i < span.width * operand.bytes; i += kLine)
      if constexpr (kWritten)
        __asm__ volatile("prefetchw %0" : : "m"(at[i]));
      else
        __builtin_prefetch(at + i);
}

class TileBlocks {
  static constexpr int64_t kRows = mma_format(Mma::tile_i8, Isa::avx512).rows;
  static_assert(kRows == kMostMmaRows && kDotColumns == kTileWords);

 public:
  TileBlocks(const MmaProduct& p, int64_t g, int32_t* sums)
      : product_(p), group_(g), multiply_(block_function(p.params->mma)), sums_(sums) {
    block_.runs = p.places.runs;
    block_.steps = p.places.steps;
    block_.pitch = p.places.pitch;
    block_.offsets = p.places.offsets;
    block_.a_plane = p.places.plane;
    if (p.places.form != ImageForm::lines) return;
    block_.pitch = p.places.steps;
    block_.offsets = window_offsets_;
    for (int64_t run = 0; run < p.places.runs; ++run) window_offsets_[run] = run * p.places.steps * kRows;
  }
  TileBlocks(const TileBlocks&) = delete;
  TileBlocks& operator=(const TileBlocks&) = delete;

  // Panels [from, to) with rows [first, last).
  void run(int64_t from, int64_t to, int64_t first, int64_t last) {
    if (passes_by_rows(to - from))
      for (int64_t at = first; at < last; at += taken_) {
        take(at, last);
        for (int64_t panel = from; panel < to; ++panel) {
          if (at == first && panel + 1 < to) fetch_next(panel, 1);
          multiply(panel);
          block_.ahead_bytes = 0;
        }
      }
    else
      for (int64_t panel = from; panel < to; ++panel) {
        if (panel + 1 < to) fetch_next(panel, (last - first + kRows - 1) / kRows);
        for (int64_t at = first; at < last; at += taken_) {
          take(at, last);
          multiply(panel);
        }
        block_.ahead_bytes = 0;
      }
    settle();
  }

 private:
  // Rows stay in L1 while weights pass from L2, and results are written line after line; or a panel of weights stays.
  bool passes_by_rows(int64_t panels) const {
    constexpr int64_t kWeightBytes = 512 << 10, kRowBytes = 32 << 10;
    const MmaPlaces& places = product_.places;
    if (places.form == ImageForm::lines) return true;
    return places.runs == 1 && panels * product_.panel_words() * 4 <= kWeightBytes &&
           places.planes * places.steps * kRows * 4 <= kRowBytes;
  }

  // The block from row `at` on.
  void take(int64_t at, int64_t last) {
    const MmaPlaces& places = product_.places;
    const int32_t* const words = product_.words + group_ * places.group();
    row_ = at;
    skipped_ = 0;
    if (places.form == ImageForm::lines) return take_windows(words, at, last);
    taken_ = std::min(kRows, last - at);
    if (product_.in_place) {  // nothing behind the last row may be read: rows before it are multiplied once more
      const int64_t read = taken_ > kRows / 2 ? kRows : kRows / 2;
      skipped_ = std::max<int64_t>(0, at + read - places.rows);
    }
    block_.a = words + (at - skipped_) * places.pitch;
  }

  // The windows' lines of some results, put together from those of the image.
  void take_windows(const int32_t* words, int64_t at, int64_t last) {
    const MmaPlaces& places = product_.places;
    const int64_t line = at / places.width, x = at - line * places.width;
    taken_ = std::min({kRows, last - at, places.width - x});
    const int32_t* const first = words + places.line_at(line) + x * places.pitch;
    const int64_t bytes = places.values * 4 / product_.params->format.depth;
    for (int64_t run = 0; run < places.runs; ++run)
      copy_rows(first + places.offsets[run], places.pitch * 4, windows_ + window_offsets_[run], places.steps * 4,
                places.steps * 4, taken_, bytes, 0);
    block_.a = windows_;
  }

  void multiply(int64_t panel) {
    MmaSpan span = span_of(product_, group_, panel);
    span.row = row_;
    span.rows = static_cast<int>(taken_);
    if (product_.places.form != ImageForm::positions) {
      if (product_.params->extras > 0) ask_for_rows<false>(product_.end.extra[0], span);
      ask_for_rows<true>(product_.end.out, span);
    }
    block_.b = product_.weights + (group_ * product_.panels() + panel) * product_.panel_words();
    block_.rows = static_cast<int>(taken_);
    multiply_(block_);
    block_.ahead += steps() * block_.ahead_bytes;
    settle();
    store_tiles(block_.rows, sums_);
    waiting_ = span;
    waiting_sums_ = sums_ + skipped_ * kTileWords;
  }

  // What waits in memory is stored. Sums of positions: those of the borders' own are dropped.
  void settle() {
    if (waiting_.rows == 0) return;
    const MmaColumns columns(product_.end, waiting_);
    const bool positions = product_.places.form == ImageForm::positions;
    const int64_t at = waiting_.row, end = at + waiting_.rows;
    MmaSegment s{at, at, waiting_.rows};
    if (positions) s = next_segment(product_.places, at, end);
    while (s.count > 0) {
      waiting_.row = s.row;
      waiting_.rows = static_cast<int>(s.count);
      finish_block(product_.end, columns, waiting_, waiting_sums_ + (s.position - at) * kTileWords);
      s = positions ? next_segment(product_.places, s.position + s.count, end) : MmaSegment{};
    }
    waiting_.rows = 0;
  }

  // Of tiles in a block.
  int64_t steps() const { return std::max<int64_t>(1, block_.runs * block_.steps / kTileSteps); }
  // While tiles multiply `blocks` of rows, the next panel is fetched.
  void fetch_next(int64_t panel, int64_t blocks) {
    const int64_t words = product_.panel_words();
    block_.ahead =
        reinterpret_cast<const std::byte*>(product_.weights + (group_ * product_.panels() + panel + 1) * words);
    block_.ahead_bytes = (words * 4 / (std::max<int64_t>(1, blocks) * steps()) + 63) / 64 * 64;
  }

  const MmaProduct& product_;
  int64_t group_;
  BlockFn multiply_;
  int32_t* sums_;
  BlockArgs block_;
  int64_t row_ = 0, taken_ = 0;  // of the block that is taken
  int64_t skipped_ = 0;          // rows that are multiplied before it
  MmaSpan waiting_;
  const int32_t* waiting_sums_ = nullptr;
  int64_t window_offsets_[kMostWindowWords / kTileSteps];
  alignas(64) int32_t windows_[kMostWindowWords * kRows];
};

#else

class TileBlocks {
 public:
  TileBlocks(const MmaProduct&, int64_t, int32_t*) {}
  void run(int64_t, int64_t, int64_t, int64_t) {}
};

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
