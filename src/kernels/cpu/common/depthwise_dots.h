#pragma once
// Depthwise convolution of bytes by products of four. The channels of four lines of the window are interleaved into
// words, once for each position across, and a word serves every tap of its lines: a pixel's taps are the words of as
// many positions as the kernel is wide. Sums of a few vectors of pixels stay in registers until they are bytes: packing
// them puts the channels back into the order that interleaving took them out of.

#include <algorithm>
#include <cstring>

#include "kernels/cpu/common/mma_kernel.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {

#if !defined(PLANISH_ISA_scalar)

constexpr int kVectorBytes = static_cast<int>(sizeof(Words)), kPanelVectors = 4;
constexpr int kDotBlock = Vec::kWidth == 16 ? 4 : 2;  // vectors of pixels whose sums stay in registers

#if defined(PLANISH_ISA_avx512)
inline Words unpack_bytes(Words a, Words b, bool high) {
  return high ? _mm512_unpackhi_epi8(a, b) : _mm512_unpacklo_epi8(a, b);
}
inline Words unpack_halves(Words a, Words b, bool high) {
  return high ? _mm512_unpackhi_epi16(a, b) : _mm512_unpacklo_epi16(a, b);
}
inline Words splat_byte(uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
inline Words splat_half(int16_t x) { return _mm512_set1_epi16(x); }
inline Words flipped(Words x, Words by) { return _mm512_xor_si512(x, by); }
inline Words packed_halves(Words a, Words b, Words zeros) { return _mm512_adds_epi16(_mm512_packs_epi32(a, b), zeros); }
inline Words packed_bytes(Words a, Words b) { return _mm512_packus_epi16(a, b); }
#else
inline Words unpack_bytes(Words a, Words b, bool high) {
  return high ? _mm256_unpackhi_epi8(a, b) : _mm256_unpacklo_epi8(a, b);
}
inline Words unpack_halves(Words a, Words b, bool high) {
  return high ? _mm256_unpackhi_epi16(a, b) : _mm256_unpacklo_epi16(a, b);
}
inline Words splat_byte(uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
inline Words splat_half(int16_t x) { return _mm256_set1_epi16(x); }
inline Words flipped(Words x, Words by) { return _mm256_xor_si256(x, by); }
inline Words packed_halves(Words a, Words b, Words zeros) { return _mm256_adds_epi16(_mm256_packs_epi32(a, b), zeros); }
inline Words packed_bytes(Words a, Words b) { return _mm256_packus_epi16(a, b); }
#endif
inline Words load_vector(const uint8_t* p) { return load_words(reinterpret_cast<const int32_t*>(p)); }
inline void store_vector(uint8_t* p, Words x) { store_words(reinterpret_cast<int32_t*>(p), x); }

// The first `width` channels of P pixels, side by side.
template <int P>
inline Words load_pixels(const uint8_t* const (&from)[P], int64_t width) {
  constexpr int kTogether = kVectorBytes / P;
#if defined(PLANISH_ISA_avx512)
  const __mmask64 some = ~uint64_t{0} >> (64 - width);
  Words x = _mm512_maskz_loadu_epi8(some, from[0]);
#pragma GCC unroll 4
  for (int p = 1; p < P; ++p) x = _mm512_mask_loadu_epi8(x, some << (p * kTogether), from[p] - p * kTogether);
  return x;
#else
  if (P == 1 && width == kTogether) return load_vector(from[0]);
  alignas(32) uint8_t near[kVectorBytes] = {};
  for (int p = 0; p < P; ++p) std::memcpy(near + p * kTogether, from[p], static_cast<size_t>(width));
  return load_vector(near);
#endif
}

// What the end of a panel knows of its channels, in the order of its words.
struct DepthwiseChannels {
  alignas(64) float scales[kVectorBytes], bias[kVectorBytes];
  alignas(64) int32_t offsets[kVectorBytes];
};

class DepthwiseDots {
 public:
  // zero: what stands beside the image, as it lies.
  DepthwiseDots(const MmaProduct& product, const Window<uint8_t>& window, const DepthwiseWords& form, bool is_signed,
                uint8_t zero)
      : p_(product), window_(window), form_(form), flip_(splat_byte(is_signed ? 0x80 : 0)) {
    std::memset(outside_, zero, sizeof(outside_));
    for (int64_t g = 0, step = 0; g < form.groups; ++g)
      for (int64_t k = 0; k < form.taps; ++k, ++step) {
        const int64_t at = k * window.dilation[2];
        step_phase_[step] = g * form.phases + at % window.stride[2];
        step_shift_[step] = at / window.stride[2];
      }
    const auto zero_of_out = static_cast<int32_t>(p_.params->attrs.out_zero) + (is_signed_out() ? 128 : 0);
    least_ = static_cast<float>(-zero_of_out);
    most_ = static_cast<float>(255 - zero_of_out);
    direct_ = p_.end.kind == MmaEnd::Kind::numbers && p_.params->extras == 0;
    clamps_ = !p_.end.are_integers || p_.params->low > least_ || p_.params->high < most_;
    zeros_ = splat_half(static_cast<int16_t>(zero_of_out));
    flip_out_ = splat_byte(is_signed_out() ? 0x80 : 0);
  }

  // Tasks are (part of the lines, panel): the panels of a part share its lines in the cache.
  void run(ThreadPool& pool) const {
    constexpr int64_t kBytesInCache = 256 << 10;
    const int64_t lines = p_.places.rows / width(), panels = form_.panels(p_.params->attrs.columns);
    const int64_t bytes = lines * width() * p_.params->attrs.columns, tasks = pool.size() == 1 ? 1 : 8 * pool.size();
    const int64_t parts = std::clamp<int64_t>(std::max((tasks + panels - 1) / panels, bytes / kBytesInCache), 1, lines);
    pool.parallel_for(parts * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t part = task / panels;
        Panel(*this, task % panels).run(lines * part / parts, lines * (part + 1) / parts);
      }
    });
  }

 private:
  // One of the window's lines in the image; beside the image all its pixels are one.
  struct Line {
    const uint8_t* at;
    int64_t step;
  };

  class Panel {
   public:
    Panel(const DepthwiseDots& all, int64_t panel) : all_(all), form_(all.form_), column_(panel * form_.panel) {
      const int64_t columns = all.p_.params->attrs.columns;
      width_ = std::min(form_.panel, columns - column_);
      together_ = form_.together(width_);
      plane_ = form_.room(width_) * together_;
      weights_ = all.p_.weights + panel * form_.steps() * form_.panel;
      take_channels(all.p_.end);
      for (int64_t i = 0; i < form_.steps(); ++i)
        steps_[i] = all.step_phase_[i] * kPanelVectors * plane_ + all.step_shift_[i] * together_;
    }

    void run(int64_t first, int64_t last) {
      const int64_t width = all_.width(), most = form_.pixels(width_);
      const int64_t pieces = (width + most - 1) / most;
      for (int64_t line = first; line < last; ++line) {
        RowWalk walk = all_.p_.end.rows;
        walk.seek(line * width);
        take_lines(walk);
        for (int64_t piece = 0; piece < pieces; ++piece) {
          const int64_t from = width * piece / pieces, to = width * (piece + 1) / pieces;
          for (int64_t g = 0; g < form_.groups; ++g)
            for (int64_t phase = 0; phase < form_.phases; ++phase) put_words(g, phase, from, to);
          multiply(walk, line * width, from, to);
        }
      }
    }

   private:
    // Four side by side at a time; there are none behind the panel's last channel.
    void take_channels(const MmaEnd& end) {
      for (int64_t i = 0; i < kVectorBytes; i += 4) {
        const int64_t first = (i % Vec::kWidth * 4 + i / Vec::kWidth * 4) & (together_ - 1);  // a power of two
        const int64_t count = std::clamp<int64_t>(width_ - first, 0, 4), at = column_ + first;
        const auto take = [=](const auto* from, auto* to) {
          std::fill_n(to, 4, 0);
          count == 4 ? std::copy_n(from + at, 4, to) : std::copy_n(from + at, count, to);
        };
        take(end.scales, channels_.scales + i);
        take(end.bias, channels_.bias + i);
        if (all_.direct_)
          take(end.offsets, channels_.offsets + i);
        else
          std::fill_n(channels_.offsets + i, 4, 0);
      }
    }

    // The lines under the window; of a group that is not full the first one again, whose weights there are zero.
    void take_lines(const RowWalk& walk) {
      const Window<uint8_t>& window = all_.window_;
      const std::array<int64_t, 3> at = window.first_of(walk);
      const uint8_t* const image = window.x + walk.at[0] * window.image + column_;
      int64_t to = 0;
      for (int64_t kz = 0; kz < window.kernel[0]; ++kz)
        for (int64_t ky = 0; ky < window.kernel[1]; ++ky) {
          const int64_t z = at[0] + kz * window.dilation[0], y = at[1] + ky * window.dilation[1];
          const bool inside = z >= 0 && z < window.extent[0] && y >= 0 && y < window.extent[1];
          lines_[to++] =
              inside ? Line{image + z * window.step[0] + y * window.step[1], window.step[2]} : Line{all_.outside_, 0};
        }
      for (; to % 4 != 0; ++to) lines_[to] = lines_[to / 4 * 4];
    }

    // Words of a group at the positions of a phase that pixels [from, to) reach.
    void put_words(int64_t g, int64_t phase, int64_t from, int64_t to) {
      uint8_t* const words = words_ + (g * form_.phases + phase) * kPanelVectors * plane_;
      const int64_t pixels = form_.panel / together_, count = to - from + form_.reach;
      const Line* const lines = lines_ + g * 4;
      if (pixels == 1) return put_positions<1>(lines, phase, from, count, words);
      if (pixels == 2) return put_positions<2>(lines, phase, from, count, words);
      if constexpr (kVectorBytes == 64) put_positions<4>(lines, phase, from, count, words);
    }

    template <int P>
    void put_positions(const Line* lines, int64_t phase, int64_t from, int64_t count, uint8_t* words) const {
      const Window<uint8_t>& window = all_.window_;
      for (int64_t i = 0; i < count; i += P, words += kVectorBytes) {
        Words bytes[4];
        const int64_t first = (from + i) * window.stride[2] + phase - window.pad[2];
        const bool inside = first >= 0 && first + (P - 1) * window.stride[2] < window.extent[2];
#pragma GCC unroll 4
        for (int line = 0; line < 4; ++line) {
          const uint8_t* pixels[P];
          for (int p = 0; p < P; ++p) {
            const int64_t x = first + p * window.stride[2];
            pixels[p] =
                inside || (x >= 0 && x < window.extent[2]) ? lines[line].at + x * lines[line].step : all_.outside_;
          }
          bytes[line] = flipped(load_pixels<P>(pixels, width_), all_.flip_);
        }
#pragma GCC unroll 4
        for (int v = 0; v < kPanelVectors; ++v)
          store_vector(words + v * plane_, unpack_halves(unpack_bytes(bytes[0], bytes[1], v >= 2),
                                                         unpack_bytes(bytes[2], bytes[3], v >= 2), v % 2 == 1));
      }
    }

    // Pixels [from, to) of a line.
    void multiply(RowWalk& walk, int64_t row, int64_t from, int64_t to) {
      const MmaOperand& out = all_.p_.end.out;
      const auto across = static_cast<size_t>(walk.axes) - 1;
      const int64_t pixels = form_.panel / together_, pitch = out.rows[across];
      walk.at[across] = 0;
      auto* const line = reinterpret_cast<uint8_t*>(out.row(walk) + column_ * out.bytes);
      const bool whole = all_.direct_ && width_ == form_.panel;
      alignas(64) uint8_t near[kDotBlock * kVectorBytes];
      for (int64_t x = from; x < to;) {
        const int64_t left = (to - x + pixels - 1) / pixels;
        const int height = left >= kDotBlock ? kDotBlock : left >= 2 ? 2 : 1;
        const int64_t count = std::min(to - x, height * pixels);
        uint8_t* const first = line + x * pitch;
        const uint8_t* const words = words_ + (x - from) * together_;
        if (height == kDotBlock)
          run_block<kDotBlock>(words, whole ? first : near, whole ? pitch : kVectorBytes, row + x, count);
        else if (height == 2)
          run_block<2>(words, whole ? first : near, whole ? pitch : kVectorBytes, row + x, count);
        else
          run_block<1>(words, whole ? first : near, whole ? pitch : kVectorBytes, row + x, count);
        if (all_.direct_ && !whole)
          for (int64_t i = 0; i < count; ++i)
            std::memcpy(first + i * pitch, near + i * together_, static_cast<size_t>(width_));
        x += count;
      }
    }

    // R vectors of pixels; their bytes go to `to`, vectors `apart`.
    template <int R>
    void run_block(const uint8_t* words, uint8_t* to, int64_t apart, int64_t row, int64_t count) {
      Words sums[R][kPanelVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kPanelVectors; ++v)
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) sums[r][v] = load_words(channels_.offsets + v * Vec::kWidth);
      const int32_t* weights = weights_;
      for (int64_t step = 0; step < form_.steps(); ++step) {
        const uint8_t* const at = words + steps_[step];
#pragma GCC unroll 4
        for (int v = 0; v < kPanelVectors; ++v, weights += Vec::kWidth) {
          const Words w = load_words(weights);
#pragma GCC unroll 4
          for (int r = 0; r < R; ++r) DotI8::add(sums[r][v], load_vector(at + v * plane_ + r * kVectorBytes), w);
        }
      }
      if (!all_.direct_) {
        alignas(64) int32_t stored[R * kPanelVectors * Vec::kWidth];
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
          for (int v = 0; v < kPanelVectors; ++v)
            store_words(stored + (r * kPanelVectors + v) * Vec::kWidth, sums[r][v]);
        return leave_sums(stored, R, row, count);
      }
      const Vec low = Vec::splat(std::max(all_.p_.params->low, all_.least_)),
                high = Vec::splat(std::min(all_.p_.params->high, all_.most_));
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        Words numbers[kPanelVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kPanelVectors; ++v) {
          const int at = v * Vec::kWidth;
          Vec x = floats_of(sums[r][v]) * Vec::load(channels_.scales + at) + Vec::load(channels_.bias + at);
          if (all_.clamps_) x = Vec::min(high, Vec::max(low, x));
          numbers[v] = rounded(x);
        }
        const Words bytes = packed_bytes(packed_halves(numbers[0], numbers[1], all_.zeros_),
                                         packed_halves(numbers[2], numbers[3], all_.zeros_));
        store_vector(to + r * apart, flipped(bytes, all_.flip_out_));
      }
      const MmaParams& params = *all_.p_.params;
      for (int r = 0; r < R && params.has_table; ++r)
        look_up(params.table, to + r * apart, to + r * apart, kVectorBytes);
    }

    // Any other end takes the sums, [vector of pixels][vector][word], in the order of the channels.
    void leave_sums(const int32_t* sums, int64_t vectors, int64_t row, int64_t count) const {
      constexpr int64_t kMostPixels = int64_t{kDotBlock} * kVectorBytes / 16;
      static_assert(kMostPixels <= kMostMmaRows);
      alignas(64) int32_t block[kVectorBytes / kDotColumns][kMostPixels * kDotColumns];
      for (int64_t r = 0; r < vectors; ++r)
        for (int64_t v = 0; v < kPanelVectors; ++v)
          for (int64_t lane = 0; lane < Vec::kWidth / 4; ++lane, sums += 4) {
            const int64_t at = r * kVectorBytes + 16 * lane + 4 * v, channel = at % together_;
            std::copy_n(sums, 4, block[channel / kDotColumns] + at / together_ * kDotColumns + channel % kDotColumns);
          }
      for (int64_t part = 0; part * kDotColumns < width_; ++part) {
        const MmaSpan span{.column = column_ + part * kDotColumns,
                           .width = std::min<int64_t>(kDotColumns, width_ - part * kDotColumns),
                           .row = row,
                           .rows = static_cast<int>(count)};
        finish_block(all_.p_.end, MmaColumns(all_.p_.end, span), span, block[part]);
      }
    }

    const DepthwiseDots& all_;
    const DepthwiseWords& form_;
    int64_t column_, width_, together_, plane_;
    const int32_t* weights_;
    DepthwiseChannels channels_;
    int64_t steps_[DepthwiseWords::kMostSteps];  // bytes from a pixel's first word to those of a step
    Line lines_[DepthwiseWords::kMostSteps * 4];
    alignas(64) uint8_t words_[DepthwiseWords::kBytes];
  };

  bool is_signed_out() const { return p_.end.out.type == DataType::i8; }
  int64_t width() const { return p_.end.rows.dims[static_cast<size_t>(p_.end.rows.axes) - 1]; }

  const MmaProduct& p_;
  const Window<uint8_t>& window_;
  DepthwiseWords form_;
  Words flip_, flip_out_, zeros_;
  float least_, most_;
  bool direct_, clamps_;
  int64_t step_phase_[DepthwiseWords::kMostSteps], step_shift_[DepthwiseWords::kMostSteps];
  uint8_t outside_[kVectorBytes];
};

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
