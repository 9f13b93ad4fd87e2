#pragma once
// What happens to a tile of sums before it is stored: clamp, or any pointwise program with extra operands.

#include "kernels/cpu/common/simd.h"
#include "kernels/cpu/common/tile.h"
#include "kernels/gemm.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {

struct GemmParams {
  GemmAttrs attrs;
  PointwiseProgram program;
  bool has_program = false;
};

inline std::shared_ptr<const void> decode_gemm(const Attrs& attrs) {
  auto params = std::make_shared<GemmParams>();
  params->attrs = attrs_to<GemmAttrs>(attrs);
  params->has_program = !params->attrs.program.empty();
  if (params->has_program) params->program = PointwiseProgram::parse(params->attrs.program);
  if (params->program.inputs > 32) fail(Code::invalid_plan, "an epilogue of {} operands", params->program.inputs);
  return params;
}

inline float low_of(const GemmParams& params) { return static_cast<float>(params.attrs.low); }
inline float high_of(const GemmParams& params) { return static_cast<float>(params.attrs.high); }

// Finishes `columns` sums of one row and writes them to `out`. `extras`: the program's operands behind the sum.
inline void finish_row(const GemmParams& params, const float* sums, int64_t columns, const TileOperand* extras, float* out) {
  if (params.has_program) {
    TileOperand operands[32];
    operands[0] = {sums, 1};
    for (int i = 1; i < params.program.inputs; ++i) operands[i] = extras[i - 1];
    return run_tile(params.program, operands, columns, out);
  }
  int64_t i = 0;
  if (params.attrs.clamped != 0) {
    const Vec low = Vec::splat(static_cast<float>(params.attrs.low)), high = Vec::splat(static_cast<float>(params.attrs.high));
    for (; i + Vec::kWidth <= columns; i += Vec::kWidth) Vec::min(high, Vec::max(low, Vec::load(sums + i))).store(out + i);
    for (; i < columns; ++i) {
      const float value = sums[i] < low_of(params) ? low_of(params) : sums[i];
      out[i] = value > high_of(params) ? high_of(params) : value;
    }
    return;
  }
  for (; i + Vec::kWidth <= columns; i += Vec::kWidth) Vec::load(sums + i).store(out + i);
  for (; i < columns; ++i) out[i] = sums[i];
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
