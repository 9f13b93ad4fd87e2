#pragma once
// Products of reduced precision: what they multiply and how their operands are packed, shared by the kernels of every
// level and by the tactics.
//
// Depth is read in words of 4 bytes (4 i8, 2 i16 or 2 bf16), run by run, each run padded with zeros: packed B is
// [group][panel][plane][run][step][column] words.

#include <algorithm>
#include <cstdint>

#include "base/cpu_features.h"
#include "kernels/gemm.h"
#include "tensor/data_type.h"

namespace planish {

enum class Mma : int64_t {
  madd_i16 = 1,  // i16 x i16 -> i32, of u8 or i8 rows: every level
  dot_i8,        // u8 x i8 -> i32: avx2_vnni, avx512_vnni
  tile_i8,       // the same on tiles: amx
  dot_bf16,      // bf16 x bf16 -> f32, of f32 rows: avx512_bf16
  tile_bf16,     // amx
  tile_tf32,     // f32 rows and weights as two bf16 each, x = high + low: xh wh + xl wh + xh wl. amx
};

struct MmaFormat {
  DataType weights = DataType::none;
  int64_t depth = 0;    // values in a word
  int64_t planes = 1;   // words of a value lie in so many
  int64_t steps = 1;    // their number is a multiple of this
  int64_t rows = 0;     // of a block
  int64_t columns = 0;  // of a panel
  bool integer = false;

  int64_t steps_of(int64_t values) const { return (values + depth * steps - 1) / (depth * steps) * steps; }
};

constexpr bool is_mma(int64_t value) { return value >= 1 && value <= static_cast<int64_t>(Mma::tile_tf32); }
constexpr bool is_tiled(Mma mma) { return mma == Mma::tile_i8 || mma == Mma::tile_bf16 || mma == Mma::tile_tf32; }

// Of the code of a level (code_level).
constexpr MmaFormat mma_format(Mma mma, Isa code) {
  // Of 16 registers twelve sums would do, but products of i16 are added one by one: eight keep more of them in flight.
  const int64_t rows = is_tiled(mma) ? 32 : code == Isa::avx512 ? 12 : code == Isa::avx2 && mma == Mma::dot_i8 ? 6 : 4;
  const int64_t columns = code == Isa::avx512 ? 32 : code == Isa::avx2 ? 16 : 4;
  const int64_t steps = is_tiled(mma) ? 16 : 1;
  switch (mma) {
    case Mma::madd_i16:
      return {DataType::i16, 2, 1, steps, rows, columns, true};
    case Mma::dot_i8:
    case Mma::tile_i8:
      return {DataType::i8, 4, 1, steps, rows, columns, true};
    case Mma::dot_bf16:
    case Mma::tile_bf16:
      return {DataType::bf16, 2, 1, steps, rows, columns, false};
    case Mma::tile_tf32:
      return {DataType::bf16, 2, 2, steps, rows, columns, false};
  }
  return {};
}

// Words of rows that stay in L2 while the weights pass; processors with tiles have 2 MiB of it.
constexpr int64_t words_in_cache(Mma mma) { return int64_t{is_tiled(mma) ? 320 : 128} << 10; }
// More words of weights than this stream by: then each thread has columns of its own, else rows.
constexpr int64_t streamed_words(Mma mma) { return int64_t{is_tiled(mma) ? 512 : 256} << 10; }
// Words of a window whose lines tiles have put together for a block at a time.
constexpr int64_t kMostWindowWords = 288;

// Whether the kernels of `isa` multiply so.
constexpr bool has_mma(Isa isa, Mma mma) {
  switch (mma) {
    case Mma::madd_i16:
      return true;
    case Mma::dot_i8:
      return isa == Isa::avx2_vnni || isa >= Isa::avx512_vnni;
    case Mma::dot_bf16:
      return isa >= Isa::avx512_bf16;
    default:
      return isa == Isa::amx;
  }
}

inline bool host_has(Mma mma) {
  for (Isa isa : kIsas)
    if (has_mma(isa, mma) && cpu_info().has(isa)) return true;
  return false;
}

// "mma_gemm" and "mma_conv": the products of GemmAttrs on such operands. Operands: x, packed weights, bias f32 [columns
// of all groups]; of integers then scales f32 and offsets i32, as many; then the epilogue's.
//   v = float(sum + offset) * scale + bias  or  v = sum + bias
// Where x's scale is known only then (dynamic), it follows as f32, and its zero point in x's type, one for all or one
// for each row of the result; offsets are the negated sums of the columns' weights:
//   v = float(sum + zero * offset) * (x's scale * scale) + bias
//   v = v + (residual - residual_zero) * residual_scale, or the program of v and the extras; clamped
// With an inner_scale what meets a residual is a number itself, before: of u8, or i8 where inner_signed is 1,
//   v = (saturate(round_half_even(v) + inner_zero) - inner_zero) * inner_scale
// A result of integers is saturate(round_half_even(v) + out_zero), or what the program `table` makes of that: of u8, or
// i8 where table_signed is 1, the same type.
struct MmaAttrs : GemmAttrs {
  int64_t mma = 0;
  int64_t x_zero = 0;  // what stands beside the image
  int64_t residual_zero = 0, out_zero = 0;
  double residual_scale = 1;
  int64_t dynamic = 0;
  double inner_scale = 0;  // 0: no number
  int64_t inner_zero = 0, inner_signed = 0;
  std::string table;
  int64_t table_signed = 0;
  template <class V>
  void fields(V& v) {
    GemmAttrs::fields(v);
    v("mma", mma);
    v("x_zero", x_zero);
    v("residual_zero", residual_zero);
    v("out_zero", out_zero);
    v("residual_scale", residual_scale);
    v("dynamic", dynamic);
    v("inner_scale", inner_scale);
    v("inner_zero", inner_zero);
    v("inner_signed", inner_signed);
    v("table", table);
    v("table_signed", table_signed);
  }
};

inline int64_t taps_of(const GemmAttrs& conv) {
  int64_t taps = 1;
  for (int64_t k : conv.kernel) taps = taps > kMostTaps ? taps : taps * k;
  return taps;
}

// "mma_depthwise": a group a channel. Of kind dot_i8 a word is a channel at one position of four lines of the window;
// positions a stride apart lie together. Packed weights: [panel][group of four lines][tap across][word][line], zeros
// where lines or channels end. Words of a panel lie as they leave the bytes of four lines by unpacking: vector j, lane
// l, word i is channel 16 l + 4 j + i; a panel of few channels holds them several times, for pixels side by side.
struct DepthwiseWords {
  static constexpr int64_t kBytes = 24 << 10;  // of words that are put down at a time
  static constexpr int64_t kMostSteps = 64;
  int64_t panel = 0;                        // channels of a whole one: bytes of a vector
  int64_t lines = 1, groups = 0, taps = 0;  // of the window: lines, groups of four of them, taps across
  int64_t phases = 0, reach = 0;  // positions modulo the stride, and how far the taps reach among those of one

  DepthwiseWords() = default;
  DepthwiseWords(const GemmAttrs& conv, Isa code)
      : panel(code == Isa::avx512 ? 64 : 32), lines(taps_of(conv) / conv.kernel.back()), taps(conv.kernel.back()) {
    const int64_t last = (std::min(taps, kMostTaps) - 1) * conv.dilations.back();
    groups = (lines + 3) / 4;
    phases = std::min(conv.strides.back(), last + 1);
    reach = last / conv.strides.back();
  }
  int64_t steps() const { return groups * taps; }
  int64_t panels(int64_t channels) const { return (channels + panel - 1) / panel; }
  // Channels that lie together for a panel of `width`.
  int64_t together(int64_t width) const { return width <= 16 ? 16 : width <= 32 ? 32 : panel; }
  // Positions of a phase that there is room for, and pixels whose taps are among them.
  int64_t room(int64_t width) const { return kBytes / (groups * phases * 16 * together(width)) * 4; }
  int64_t pixels(int64_t width) const { return room(width) - reach - 2 * panel / together(width); }
  bool fits() const {
    constexpr int64_t kLeast = 8;
    return lines * taps < kMostTaps && steps() <= kMostSteps && phases <= kMostSteps && reach < kMostTaps &&
           pixels(panel) >= kLeast;
  }
};

// How the rows of a convolution's A are found in what is put down of its image.
enum class ImageForm : uint8_t {
  gathered,   // the taps of each output pixel together, as one run of depth
  lines,      // the image with its borders, line by line: a run is a line of the kernel, whose taps lie side by side.
              // For tiles, windows are put together from these a block at a time
  positions,  // the same, pixel by pixel, evenly apart: a run is a tap. Tiles read rows that lie so
};

// How depth lies.
struct ImageRuns {
  ImageForm form = ImageForm::gathered;
  int64_t count = 1;
  int64_t channels = 0;  // values of a pixel: zeros follow its own
};

inline ImageRuns image_runs(const MmaFormat& format, const GemmAttrs& conv, int64_t channels) {
  const int64_t taps = taps_of(conv);
  const ImageRuns gathered{ImageForm::gathered, 1, channels};
  if (taps > kMostTaps || conv.kernel.empty()) return gathered;
  if (format.steps > 1) {
    const bool even = std::all_of(conv.strides.begin(), conv.strides.end(), [](int64_t stride) { return stride == 1; });
    const bool shifts =
        even && taps > 1 && conv.group == 1 && format.steps_of(channels) * format.depth * 2 <= channels * 3;
    if (shifts) return {ImageForm::positions, taps, channels};
    const int64_t across = conv.kernel.back(), pixel = (channels + format.depth - 1) / format.depth * format.depth;
    const ImageRuns lines{ImageForm::lines, taps / across, pixel};
    const int64_t steps = lines.count * format.steps_of(across * pixel);
    const bool few = across * pixel <= format.depth * format.steps || steps * 2 <= format.steps_of(taps * channels) * 3;
    const bool adjacent = conv.dilations.back() == 1 && across > 1 && (pixel == channels || channels < 4);
    return format.planes == 1 && few && adjacent && steps <= kMostWindowWords ? lines : gathered;
  }
  // Words begin where pixels do, and what fills the last of a run meets weights of zero: no number for floats, whose
  // pixels are padded there.
  ImageRuns lines{ImageForm::lines, taps / conv.kernel.back(), channels};
  const bool begins = conv.strides.back() * channels % format.depth == 0;
  if (!begins || (!format.integer && conv.kernel.back() * channels % format.depth != 0)) {
    lines.channels = (channels + format.depth - 1) / format.depth * format.depth;
    if (lines.channels * 2 > channels * 3) return gathered;
  }
  int64_t pixels = 1;  // of the image to an output pixel
  for (int64_t stride : conv.strides) pixels = pixels > taps ? pixels : pixels * stride;
  const bool adjacent = conv.dilations.back() == 1 || conv.kernel.back() == 1;
  return adjacent && taps > pixels ? lines : gathered;
}

}  // namespace planish
