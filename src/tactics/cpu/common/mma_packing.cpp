#include "tactics/cpu/common/mma_packing.h"

#include <algorithm>

#include "kernels/half_depthwise.h"

namespace planish::tactics::cpu {
namespace {

// How many times the rate of fp32 multiply-adds, useful work: bench/results and the published tables of instructions.
double rate_of(Mma mma, Isa isa) {
  switch (mma) {
    case Mma::madd_i16:
      return isa == Isa::scalar ? 1 : 1.6;
    case Mma::dot_i8:
      return 3.2;
    case Mma::tile_i8:
      return 16;
    case Mma::dot_bf16:
      return isa == Isa::amx ? 0.5 : 1.8;  // processors with tiles do it at half the rate of fp32
    case Mma::tile_bf16:
      return 8;
    case Mma::tile_tf32:
      return 3.2;
  }
  return 1;
}

int64_t row_words(Mma mma, Isa isa, int64_t values) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  return f.steps_of(values) * f.planes + (is_tiled(mma) ? 32 : 0);  // with what sets rows apart
}

}  // namespace

std::string_view mma_class(Mma mma) {
  switch (mma) {
    case Mma::tile_tf32:
      return "tf32";
    case Mma::dot_bf16:
    case Mma::tile_bf16:
      return "bf16";
    default:
      return "i8";
  }
}

std::vector<Mma> permitted_float_mmas(const TacticQuery& query) {
  std::vector<Mma> found;
  for (Mma mma : {Mma::tile_bf16, Mma::dot_bf16, Mma::tile_tf32}) {
    const bool permitted = mma == Mma::tile_tf32 ? query.precisions.tf32 : query.precisions.bf16;
    if (permitted && has_mma(query.isa, mma)) found.push_back(mma);
  }
  return found;
}

ImageRuns mma_runs(Mma mma, Isa isa, const GemmAttrs& conv, int64_t channels) {
  return image_runs(mma_format(mma, code_level(isa)), conv, channels);
}

Tensor pack_depthwise(Isa isa, const GemmAttrs& conv, std::span<const int16_t> weights) {
  const DepthwiseWords form(conv, code_level(isa));
  const int64_t channels = conv.columns, words = form.panel / 4;  // of a vector
  return Tensor::make(DataType::i8, {form.panels(channels), form.steps(), form.panel, 4}, [&](std::byte* out) {
    for (int64_t first = 0; first < channels; first += form.panel) {
      const int64_t width = std::min(form.panel, channels - first), together = form.together(width);
      for (int64_t step = 0; step < form.steps(); ++step)
        for (int64_t i = 0; i < form.panel * 4; ++i) {
          const int64_t word = i / 4 % words, vector = i / 4 / words, line = step / form.taps * 4 + i % 4,
                        channel = (word / 4 * 16 + vector * 4 + word % 4) % together;
          const int64_t at = ((first + channel) * form.lines + line) * form.taps + step % form.taps;
          const bool there = channel < width && line < form.lines;
          *out++ = static_cast<std::byte>(there ? weights[static_cast<size_t>(at)] & 0xff : 0);
        }
    }
  });
}

Tensor pack_half_depthwise(const GemmAttrs& conv, int64_t channels, std::span<const float> weights) {
  using half_depthwise::kLanes;
  const int64_t blocks = (channels + kLanes - 1) / kLanes, lines = conv.kernel[0], columns = conv.kernel[1];
  const auto bits = [&](int64_t channel, int64_t line, int64_t column) {
    const bool exists = channel < channels && line < lines;
    return exists ? to_bfloat16(weights[static_cast<size_t>((channel * lines + line) * columns + column)]) : BFloat16{};
  };
  const std::vector<int64_t> extents = {blocks, (lines + 1) / 2, columns, 2, kLanes / 2, 2};
  return Tensor::make(DataType::bf16, extents, [&](std::byte* out) {
    auto* to = reinterpret_cast<BFloat16*>(out);
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t line = 0; line < lines; line += 2)
        for (int64_t column = 0; column < columns; ++column)
          for (int64_t half : {0, 1})
            for (int64_t i = 0; i < kLanes / 2; ++i)
              for (int64_t below : {0, 1})
                *to++ = bits(block * kLanes + half_depthwise::channel_of(half, i), line + below, column);
  });
}

namespace {

// A chunk a thread: what it writes it reads in the next product, and the next weights come while these are multiplied;
// or chunks that stay nearer; or all rows with each thread's own columns, where weights are many.
std::vector<int64_t> tile_row_choices(const MmaFormat& f, int threads, int64_t rows, int64_t fits, double weights,
                                      int64_t columns) {
  constexpr double kHeavyWords = 192 << 10;  // of a thread's: it reads no others' then
  const int64_t all = (rows + f.rows - 1) / f.rows,
                own = std::min((rows + f.rows * threads - 1) / (f.rows * threads), fits);
  const bool heavy = weights > kHeavyWords * threads && columns >= f.columns * threads;
  const int64_t most = std::min(all, fits);
  std::vector<int64_t> choices = {heavy ? most : own};
  for (int64_t other : {heavy ? own : most, (own + 3) / 4})
    if (std::find(choices.begin(), choices.end(), other) == choices.end()) choices.push_back(other);
  return choices;
}

}  // namespace

// Few rows by many weights are cut along the weights, which then are read once: a chunk is as large as the cache takes.
std::vector<int64_t> mma_row_choices(Mma mma, Isa isa, int threads, double rows, int64_t values, int64_t columns,
                                     double weights) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  // Weights of more words are read again for every chunk of rows: large chunks are first. From streamed_words on the
  // kernel deals columns out to its threads besides.
  constexpr int64_t kHeavyWords = 64 << 10;
  const int64_t fits = std::max<int64_t>(1, words_in_cache(mma) / row_words(mma, isa, values) / f.rows);
  if (is_tiled(mma))
    return tile_row_choices(f, threads, std::max<int64_t>(1, static_cast<int64_t>(rows)), fits,
                            weights * static_cast<double>(f.planes) / static_cast<double>(f.depth), columns);
  const auto shared = static_cast<int64_t>(rows) / (f.rows * 4 * threads),
             all = static_cast<int64_t>(rows) / f.rows + 1;
  const bool heavy = row_words(mma, isa, values) * columns > kHeavyWords && columns >= f.columns * 4 * threads;
  const int64_t most = std::min<int64_t>(fits, 512 / f.rows);
  const int64_t blocks = std::clamp<int64_t>(heavy ? std::min(all, most) : shared, 1, most);
  std::vector<int64_t> choices = {blocks};
  for (int64_t other : {heavy ? shared : blocks / 2, std::min(blocks * 4, fits)})
    if (other > 0 && std::find(choices.begin(), choices.end(), other) == choices.end()) choices.push_back(other);
  return choices;
}

double weight_bytes_of(Mma mma, Isa isa, double weights) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  return weights * 4 * static_cast<double>(f.planes) / static_cast<double>(f.depth);
}

double estimate_mma_us(const TacticQuery& query, Mma mma, double flops, double bytes, double put_down_us) {
  return estimate_us(query, flops / rate_of(mma, query.isa), bytes, 0.8) + put_down_us / query.threads;
}

}  // namespace planish::tactics::cpu
