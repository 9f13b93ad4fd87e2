// Winograd convolution: fewer multiplications, more weights. F(2x2, 3x3) rounds no more than the sum itself does; on
// products of bf16 its errors are about 2.3 times those of the direct sum. The errors of F(4x4, 3x3) stay within 1e-5
// of the result's largest value: closer than tf32, and permitted with it; in bf16 they would be 7 times the direct
// sum's.

#include <algorithm>

#include "kernels/winograd.h"
#include "tactics/cpu/common/conv_operands.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {
namespace {

// Planes of the image that one of the result takes in.
int64_t planes_of(const ConvProblem& p) { return p.taps / 9; }

// G g Gᵀ of every pair of channels: [group][panel][position][channel][panel_width], or in words of bf16.
template <size_t kIn>
Tensor pack_winograd(Isa isa, const ConvProblem& p, const std::array<std::array<double, 3>, kIn>& matrix, bool half) {
  const auto* w = p.weights.as<float>().data();
  const int64_t columns = p.gemm.columns, positions = kIn * kIn, depth = p.channels * planes_of(p);
  const auto transformed = [&](int64_t g, int64_t n, int64_t position, int64_t k) {
    const int64_t c = k % p.channels, plane = k / p.channels;
    const float* const tap = w + ((g * columns + n) * p.channels + c) * p.taps + plane * 9;
    const auto &left = matrix[static_cast<size_t>(position) / kIn],
               &right = matrix[static_cast<size_t>(position) % kIn];
    double sum = 0;
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < 3; ++j) sum += left[i] * static_cast<double>(tap[i * 3 + j]) * right[j];
    return static_cast<float>(sum);
  };
  if (!half) return pack_panels(isa, p.gemm.group, columns, positions, depth, transformed);
  const auto weight = [&](int64_t g, int64_t n, int64_t k) { return transformed(g, n, k / depth, k % depth); };
  return pack_words(Mma::dot_bf16, isa, p.gemm.group, columns, positions * depth, weight, positions);
}

// What the estimates are made of, for tiles of `side` pixels.
struct WinogradCost {
  double tiles = 0, flops = 0, transformed = 0, weight_bytes = 0;  // transformed: elements of V and M
};

WinogradCost winograd_cost(const TacticQuery& query, const ConvProblem& p, int64_t side) {
  const auto out = query.typical(query.output(0).type.shape);
  const auto along = [&](int64_t extent) { return static_cast<double>((extent + side - 1) / side); };
  const auto positions = static_cast<double>((side + 2) * (side + 2)), filters = static_cast<double>(p.filters),
             channels = static_cast<double>(p.channels * planes_of(p));
  const size_t down = out.size() - 2;
  WinogradCost cost;
  cost.tiles = static_cast<double>(out[0] * (out.size() > 4 ? out[2] : 1)) * along(out[down]) * along(out[down + 1]);
  cost.flops = 2 * cost.tiles * positions * channels * filters;
  cost.transformed = cost.tiles * positions * (channels * static_cast<double>(p.attrs.group) + filters);
  cost.weight_bytes = 4 * positions * channels * filters;
  return cost;
}

// The transforms cost about a third of a nanosecond an element, with vectors of eight. Rows of few channels and
// blocks of few rows keep the microkernel waiting; weights come from memory, to a few threads at once.
double winograd_us(const TacticQuery& query, const ConvProblem& p, const WinogradCost& cost) {
  constexpr double kTransformUs = 2.2e-3, kBytesPerUs = 10e3, kStart = 4;
  const auto channels = static_cast<double>(p.channels);
  const double efficiency = 0.8 * channels / (channels + kStart) * std::min(cost.tiles / kStart, 1.0);
  const double weights = cost.weight_bytes / (kBytesPerUs * std::min(query.threads, 4));
  return std::max(estimate_us(query, cost.flops, p.bytes, std::max(efficiency, 1e-3)), weights) +
         cost.transformed * kTransformUs / (vector_lanes(query.isa) * query.threads);
}

template <size_t kIn>
void offer_winograd(const TacticQuery& query, CandidateSink& sink, std::shared_ptr<const ConvProblem> p,
                    const char* kernel, const std::array<std::array<double, 3>, kIn>& matrix, int64_t tiles,
                    bool half = false) {
  constexpr double kHalfRate = 1.8;  // of products of bf16, beside fp32's
  WinogradCost cost = winograd_cost(query, *p, kIn - 2);
  if (half) {
    cost.flops /= kHalfRate;
    cost.weight_bytes /= 2;
  }
  const Isa isa = query.isa;
  constexpr int64_t rows = winograd::kChunkRows;
  double us = winograd_us(query, *p, cost);
  const std::string name = std::string(kernel) + (half ? ".bf16.r" : ".r");
  const bool stores_half = ends_in_registers(query, p->epilogue);
  for (int64_t chunk : {tiles, 2 * tiles}) {
    GemmAttrs gemm = p->gemm;
    gemm.row_blocks = (chunk + rows - 1) / rows;
    gemm.slots = std::clamp(query.threads, 1, 64);
    Candidate candidate = conv_candidate(query, p, name + std::to_string(gemm.row_blocks), kernel, gemm,
                                         [=, &matrix] { return pack_winograd(isa, *p, matrix, half); });
    candidate.estimated_us = us;
    candidate.half_inputs = stores_half ? kAllOperands : 0;
    candidate.half_output = stores_half;
    sink.offer(std::move(candidate));
    if (cost.tiles <= static_cast<double>(chunk)) return;
    us *= 1.03;
  }
}

void propose_winograd(const TacticQuery& query, CandidateSink& sink) {
  auto p = std::make_shared<ConvProblem>();
  if (std::string why = describe_conv(query, *p); !why.empty()) return sink.refuse("winograd", std::move(why));
  if (!winograd::is_plane_of_three(p->gemm)) return sink.refuse("winograd", "not 3x3 with strides and dilations of 1");
  const int64_t planes = planes_of(*p);
  if (p->gemm.kernel.size() > 2 &&
      (p->attrs.group > 1 || p->channels % winograd::kVolumeLine != 0 || planes > winograd::kMostPlanes))
    return sink.refuse("winograd", "volumes of several groups, of many planes, or of channels that fill no lines");
  if (p->channels == 1 && p->attrs.group > 1) return sink.refuse("winograd", "one channel a group");
  // Of a chunk: a few hundred KiB.
  const int64_t tiles4 = std::max<int64_t>(24 / planes, 6), tiles2 = std::max<int64_t>(48 / planes, 12);
  if (query.precisions.tf32)
    offer_winograd(query, sink, p, "winograd.f4", winograd::kG4, tiles4);
  else
    sink.refuse("winograd.f4", "exact fp32 is asked for");
  offer_winograd(query, sink, p, "winograd.f2", winograd::kG2, tiles2);
  if (!query.precisions.bf16 || !has_mma(query.isa, Mma::dot_bf16) || has_mma(query.isa, Mma::tile_bf16)) return;
  if (p->attrs.group > 1 && p->channels % 2 != 0)
    return sink.refuse("winograd.f2.bf16", "an odd number of channels a group");
  offer_winograd(query, sink, p, "winograd.f2", winograd::kG2, tiles2, true);
}

}  // namespace

void register_winograd(TacticTable& table) { table.add("conv", propose_winograd); }

}  // namespace planish::tactics::cpu
