#pragma once
// Weights in words of depth, as the products of reduced precision read them, and what these cost.

#include <bit>
#include <span>

#include "kernels/mma.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {

// weight(g, column, value) -> [group][panel][plane][run, step][column][depth] in the type of the format, the values in
// `runs` equal runs. Integer weights are taken as they are, bf16 ones rounded, those of two planes cut off and what is
// left of them.
template <class Weight>
Tensor pack_words(Mma mma, Isa isa, int64_t group, int64_t columns, int64_t values, Weight weight, int64_t runs = 1) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  const int64_t panels = (columns + f.columns - 1) / f.columns, length = values / runs, steps = f.steps_of(length);
  const auto bits = [&](int64_t g, int64_t n, int64_t plane, int64_t run, int64_t k) -> int64_t {
    if (n >= columns || k >= length) return 0;
    if (f.integer) return static_cast<int64_t>(weight(g, n, run * length + k));
    const auto w = static_cast<float>(weight(g, n, run * length + k));
    if (f.planes == 1) return to_bfloat16(w).bits;
    const auto cut = std::bit_cast<uint32_t>(w) & 0xffff0000u;
    return plane == 0 ? cut >> 16 : to_bfloat16(w - std::bit_cast<float>(cut)).bits;
  };
  return Tensor::make(f.weights, {group, panels, f.planes, runs * steps, f.columns, f.depth}, [&](std::byte* out) {
    for (int64_t g = 0; g < group; ++g)
      for (int64_t p = 0; p < panels; ++p)
        for (int64_t plane = 0; plane < f.planes; ++plane)
          for (int64_t step = 0; step < runs * steps; ++step)
            for (int64_t j = 0; j < f.columns; ++j)
              for (int64_t d = 0; d < f.depth; ++d) {
                const int64_t value = bits(g, p * f.columns + j, plane, step / steps, step % steps * f.depth + d);
                *out++ = static_cast<std::byte>(value & 0xff);
                if (f.depth == 2) *out++ = static_cast<std::byte>((value >> 8) & 0xff);
              }
  });
}

// "tf32", "bf16", "i8": the class of arithmetic, for reports.
std::string_view mma_class(Mma mma);

// Those of the classes of fp32 networks that the level has and the query permits, the likely fastest first.
std::vector<Mma> permitted_float_mmas(const TacticQuery& query);

// Runs of depth of a convolution on images of so many channels.
ImageRuns mma_runs(Mma mma, Isa isa, const GemmAttrs& conv, int64_t channels);

// Packed weights w[filter][channel][tap] of a convolution.
template <class Weights>
Tensor pack_filter_words(Mma mma, Isa isa, const GemmAttrs& conv, int64_t channels, int64_t taps, Weights w) {
  const ImageRuns runs = mma_runs(mma, isa, conv, channels);
  const auto weight = [&](int64_t g, int64_t n, int64_t k) {
    const int64_t channel = k % runs.channels, tap = k / runs.channels;
    const int64_t at = ((g * conv.columns + n) * channels + channel) * taps + tap;
    return channel < channels ? w[static_cast<size_t>(at)] : typename Weights::value_type{};
  };
  return pack_words(mma, isa, conv.group, conv.columns, runs.channels * taps, weight, runs.count);
}

// Weights w[channel][tap] of a depthwise convolution of bytes, of i8: DepthwiseWords.
Tensor pack_depthwise(Isa isa, const GemmAttrs& conv, std::span<const int16_t> weights);

// Weights w[channel][tap] of one on products of bf16 (kernels/half_depthwise.h).
Tensor pack_half_depthwise(const GemmAttrs& conv, int64_t channels, std::span<const float> weights);

// Rows of a chunk to try, in blocks of the format; a row has so many values, the matrix so many weights.
std::vector<int64_t> mma_row_choices(Mma mma, Isa isa, int threads, double rows, int64_t values, int64_t columns,
                                     double weights);

// Packed, of so many values.
double weight_bytes_of(Mma mma, Isa isa, double weights);

// Arithmetic at the rate of the instruction, traffic, and what one thread takes to put values down in words.
double estimate_mma_us(const TacticQuery& query, Mma mma, double flops, double bytes, double put_down_us);

}  // namespace planish::tactics::cpu
