#include "tactics/cpu/common/mma_packing.h"

#include <algorithm>
#include <functional>
#include <numeric>

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

int64_t mma_runs(Mma mma, Isa isa, const GemmAttrs& conv, int64_t channels) {
  if (!shifts_image(mma_format(mma, code_level(isa)), conv, channels)) return 1;
  return std::accumulate(conv.kernel.begin(), conv.kernel.end(), int64_t{1}, std::multiplies<>());
}

std::vector<int64_t> mma_row_choices(Mma mma, Isa isa, int threads, double rows, int64_t values, int64_t columns) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  const int64_t words = row_words(mma, isa, values), most = 512 / f.rows;
  const int64_t fits = std::max<int64_t>(1, words_in_cache(mma) / words / f.rows);
  const auto shared = static_cast<int64_t>(rows) / (f.rows * 4 * threads);
  const bool streamed = words * columns > kStreamedWords;
  const int64_t blocks = streamed ? fits : std::clamp<int64_t>(shared, 1, std::min<int64_t>(fits, most));
  std::vector<int64_t> choices = {blocks};
  for (int64_t other : {blocks / 2, std::min(blocks * 4, fits)})
    if (other > 0 && std::find(choices.begin(), choices.end(), other) == choices.end()) choices.push_back(other);
  return choices;
}

double weight_bytes_of(Mma mma, Isa isa, double weights) {
  const MmaFormat f = mma_format(mma, code_level(isa));
  return weights * 4 * static_cast<double>(f.planes) / static_cast<double>(f.depth);
}

double estimate_mma_us(const TacticQuery& query, Mma mma, double flops, double bytes, double put_down) {
  constexpr double kPutDown = 8e3;  // values a microsecond and thread
  return estimate_us(query, flops / rate_of(mma, query.isa), bytes, 0.8) + put_down / (kPutDown * query.threads);
}

}  // namespace planish::tactics::cpu
