#pragma once
// What the kernels on products of reduced precision share: parameters, contract, epilogue, level.

#include "base/checked.h"
#include "kernels/cpu/common/mma_product.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr Isa kCode = Isa::PLANISH_ISA;
static_assert(panel_width(kCode) == kPanel && microkernel_rows(kCode) == kRows);

inline std::shared_ptr<const void> decode_mma(const Attrs& attrs) {
  auto params = std::make_shared<MmaParams>();
  params->attrs = attrs_to<MmaAttrs>(attrs);
  const MmaAttrs& a = params->attrs;
  require(is_mma(a.mma), "a product of kind {}", a.mma);
  params->mma = static_cast<Mma>(a.mma);
  params->format = mma_format(params->mma, kCode);
  static_cast<EpilogueSetup&>(*params) = decode_epilogue(a);
  const auto is_byte = [](int64_t value) { return value >= -128 && value <= 255; };
  require(is_byte(a.x_zero) && is_byte(a.out_zero) && is_byte(a.residual_zero) && std::isfinite(a.residual_scale),
          "damaged parameters of a matrix kernel");
  return params;
}

// Operands in front of the epilogue's: x, weights, bias; of integers scales and offsets.
inline size_t mma_operands(const MmaParams& params) { return params.format.integer ? 5 : 3; }

// The result's columns (all groups', along `axis`) are adjacent; extras spread over the result, a residual is read
// along its columns. `channels`: values of depth a group has at each of `taps` positions.
inline void check_mma(const KernelArgs& args, int axis, int64_t taps, int64_t channels) {
  const auto& params = args.as<MmaParams>();
  const MmaFormat& format = params.format;
  const size_t first = mma_operands(params), count = first + params.extras;
  const Operands o(args, count, count);
  const Slot y = o.out().is({DataType::f32, DataType::u8, DataType::i8}).rank(2, kMaxRank).adjacent(axis);
  if (format.integer)
    o.in(0).is({DataType::u8, DataType::i8});
  else
    o.in(0).is({DataType::f32});
  const int64_t columns = params.attrs.columns, values = checked_mul(taps, channels);
  o.in(1).is({format.weights}).dense();
  o.in(1).shape({params.attrs.group, (columns + format.columns - 1) / format.columns, format.planes,
                 format.steps_of(values), format.columns, format.depth});
  for (size_t i = 2; i < first; ++i)
    o.in(i).is({i == 4 ? DataType::i32 : DataType::f32}).shape({y.extent(axis)}).dense();
  for (size_t i = first; i < count; ++i)
    o.in(i).is({DataType::f32, DataType::u8, DataType::i8}).spreads_over(y.extents()).rank(0, y.view().rank);
  require(mma_pitch(params, values) * kLeastMmaRows <= kMmaChunkWords, "a depth of {}; {} words fit", values,
          kMmaChunkWords / kLeastMmaRows);
  if (params.attrs.residual == 0 || y.extent(axis) <= 1) return;
  const Slot residual = o.in(count - 1);
  const auto strides = broadcast_strides(residual.view(), y.extents());
  if (strides[y.axis(axis)] != 1) residual.misfit("one whose elements are adjacent along the columns");
}

inline MmaOperand mma_operand(const TensorView& view, const std::array<int64_t, kMaxRank>& strides, int rank,
                              int axis) {
  return {static_cast<std::byte*>(view.data), view.dtype, element_bytes(view.dtype), without_axis(strides, rank, axis),
          strides[static_cast<size_t>(axis)]};
}

// All of a product but its rows' source. A plan may claim any kind of product: one that this processor lacks is
// refused.
inline MmaProduct make_mma_product(const KernelArgs& args, int axis, int64_t values) {
  const auto& params = args.as<MmaParams>();
  const TensorView& y = args.outputs[0];
  if (block_function(params.mma) == nullptr || !host_has(params.mma))
    fail(Code::mismatch, "a product of kind {}, which this processor lacks", params.attrs.mma);
  MmaProduct p;
  p.params = &params;
  p.rows = rows_of(y, axis);
  p.row_count = p.rows.count();
  p.values = values;
  p.weights = args.inputs[1].as<const int32_t>();
  p.end.params = &params;
  p.end.bias = args.inputs[2].as<const float>();
  if (params.format.integer) {
    p.end.scales = args.inputs[3].as<const float>();
    p.end.offsets = args.inputs[4].as<const int32_t>();
  }
  p.end.out = mma_operand(y, y.strides, y.rank, axis);
  const size_t first = mma_operands(params);
  for (size_t i = 0; i < params.extras; ++i)
    p.end.extra[i] =
        mma_operand(args.inputs[first + i], broadcast_strides(args.inputs[first + i], y.extents()), y.rank, axis);
  return p;
}

inline Kernel make_mma_kernel(const char* name, void (*check)(const KernelArgs&), void (*run)(const KernelArgs&)) {
  Kernel kernel;
  kernel.name = name;
  kernel.decode = decode_mma;
  kernel.check = check;
  kernel.run = run;
  return kernel;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
