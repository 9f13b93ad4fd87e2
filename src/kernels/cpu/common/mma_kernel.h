#pragma once
// What the kernels on products of reduced precision share: parameters, contract, epilogue, level.

#include "base/checked.h"
#include "kernels/cpu/common/mma_product.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {

inline std::shared_ptr<const void> decode_mma(const Attrs& attrs) {
  auto params = std::make_shared<MmaParams>();
  params->attrs = attrs_to<MmaAttrs>(attrs);
  const MmaAttrs& a = params->attrs;
  require(is_mma(a.mma), "a product of kind {}", a.mma);
  params->mma = static_cast<Mma>(a.mma);
  params->format = mma_format(params->mma, Isa::PLANISH_ISA);
  static_cast<EpilogueSetup&>(*params) = decode_epilogue(a);
  if (params->has_program) params->activation = activation_of(params->program);
  const auto is_byte = [](int64_t value) { return value >= -128 && value <= 255; };
  const auto is_flag = [](int64_t value) { return value == 0 || value == 1; };
  require(a.dynamic == 0 || (a.dynamic == 1 && params->format.integer), "a product of floats whose scale is dynamic");
  if (!a.table.empty()) {
    const auto program = PointwiseProgram::parse(a.table);
    require(params->format.integer && program.inputs == 1 && program.results.size() == 1 && is_flag(a.table_signed),
            "a table of {} operands", program.inputs);
    params->has_table = true;
    fill_table(program, a.table_signed != 0 ? DataType::i8 : DataType::u8, params->table);
  }
  require(std::isfinite(a.inner_scale) && a.inner_scale >= 0 && is_byte(a.inner_zero) && is_flag(a.inner_signed) &&
              (a.inner_scale == 0 || (a.residual != 0 && params->format.integer)),
          "damaged numbers in front of a residual");
  require(is_byte(a.x_zero) && is_byte(a.out_zero) && is_byte(a.residual_zero) && std::isfinite(a.residual_scale),
          "damaged parameters of a matrix kernel");
  return params;
}

// Operands in front of the epilogue's: x, weights, bias; of integers scales and offsets; dynamic: x's scales and zeros.
inline size_t mma_operands(const MmaParams& params) {
  return params.attrs.dynamic != 0 ? 7 : params.format.integer ? 5 : 3;
}

// All but the weights' extents. The result's columns (all groups', along `axis`) are adjacent; extras spread over the
// result, a residual is read along its columns.
inline void check_mma_operands(const KernelArgs& args, int axis) {
  const auto& params = args.as<MmaParams>();
  const MmaFormat& format = params.format;
  const size_t first = mma_operands(params), count = first + params.extras;
  const Operands o(args, count, count);
  const Slot y =
      o.out().is({DataType::f32, DataType::bf16, DataType::u8, DataType::i8}).rank(2, kMaxRank).adjacent(axis);
  if (params.has_table) o.out().is({params.attrs.table_signed != 0 ? DataType::i8 : DataType::u8});
  if (format.integer)
    o.in(0).is({DataType::u8, DataType::i8});
  else if (format.planes == 1)
    o.in(0).is({DataType::f32, DataType::bf16});
  else
    o.in(0).is({DataType::f32});
  const int64_t columns = params.attrs.columns;
  o.in(1).is({format.weights}).dense();
  for (size_t i = 2; i < std::min<size_t>(first, 5); ++i)
    o.in(i).is({i == 4 ? DataType::i32 : DataType::f32}).shape({y.extent(axis)}).dense();
  for (size_t i = 5; i < first; ++i) {
    const Slot of_rows = o.in(i).dense();
    i == 5 ? of_rows.is({DataType::f32}) : of_rows.type_of(o.in(0));
    const int64_t found = of_rows.view().element_count(), rows = y.view().element_count();
    if (found != 1 && found * columns != rows) of_rows.misfit("one for all, or one for each row of the result");
    require(found == o.in(5).view().element_count() && params.format.integer, "zero points beside other scales");
  }
  for (size_t i = first; i < count; ++i)
    o.in(i)
        .is({DataType::f32, DataType::bf16, DataType::u8, DataType::i8})
        .spreads_over(y.extents())
        .rank(0, y.view().rank);
  if (params.attrs.residual == 0 || y.extent(axis) <= 1) return;
  const Slot residual = o.in(count - 1);
  const auto strides = broadcast_strides(residual.view(), y.extents());
  if (strides[y.axis(axis)] != 1) residual.misfit("one whose elements are adjacent along the columns");
}

// Depth is `runs` runs of so many values.
inline void check_mma(const KernelArgs& args, int axis, int64_t runs, int64_t values) {
  check_mma_operands(args, axis);
  const auto& params = args.as<MmaParams>();
  const MmaFormat& format = params.format;
  const Operands o(args, args.inputs.size(), args.inputs.size());
  o.in(1).shape({params.attrs.group, (params.attrs.columns + format.columns - 1) / format.columns, format.planes,
                 checked_mul(runs, format.steps_of(values)), format.columns, format.depth});
}

inline MmaOperand mma_operand(const RowWalk& walk, const TensorView& view, const std::array<int64_t, kMaxRank>& strides,
                              int rank, int axis) {
  MmaOperand operand{static_cast<std::byte*>(view.data), view.dtype, element_bytes(view.dtype),
                     without_axis(strides, rank, axis), strides[static_cast<size_t>(axis)]};
  int64_t expected = -1;
  operand.even = true;
  for (int i = walk.axes; i-- > 0;) {
    const auto at = static_cast<size_t>(i);
    if (walk.dims[at] == 1) continue;
    if (expected < 0) operand.pitch = expected = operand.rows[at];
    operand.even = operand.even && operand.rows[at] == expected;
    expected = operand.rows[at] * walk.dims[at];
  }
  return operand;
}

// The largest magnitude; NaN where there is one.
inline float largest_of(const float* x, int64_t n) {
  uint32_t most = 0;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  return std::bit_cast<float>(most);
}

// Bytes from integers whose values are finite, and of what size they are at most.
inline bool are_numbers(MmaEnd& end, int64_t columns) {
  constexpr float kMost = 1e20f, kMostSum = 0x1p31f, kMostInteger = 0x1p30f;
  const MmaParams& params = *end.params;
  const auto is_byte = [](DataType type) { return type == DataType::u8 || type == DataType::i8; };
  if (!params.format.integer || !is_byte(end.out.type) || params.has_program || end.row_scales != nullptr) return false;
  const auto residual = static_cast<float>(std::abs(params.attrs.residual_scale));
  if (params.extras > 0 && !(is_byte(end.extra[0].type) && residual < kMost)) return false;
  if (!(params.low <= params.high)) return false;
  const float scale = largest_of(end.scales, columns), bias = largest_of(end.bias, columns);
  const auto inner = static_cast<float>(params.attrs.inner_scale);
  end.are_integers = (inner == 0 ? scale * kMostSum + bias : inner * 512) + residual * 512 < kMostInteger;
  return scale < kMost && bias < kMost && inner < kMost;
}

inline bool is_float_row(DataType type) { return type == DataType::f32 || lies_half(type); }

// What is added lies along the columns and is added as it is.
inline bool are_floats(const MmaEnd& end) {
  const MmaParams& params = *end.params;
  const MmaAttrs& attrs = params.attrs;
  if (!is_float_row(end.out.type) || (params.has_program && !params.activation.present())) return false;
  if (params.extras == 0) return true;
  const MmaOperand& added = end.extra[0];
  return params.extras == 1 && is_float_row(added.type) && added.step == 1 && attrs.residual_zero == 0 &&
         attrs.residual_scale == 1;
}

// All of a product but its rows' source. A plan may claim any kind of product: one that this processor lacks is
// refused.
inline MmaProduct make_mma_product(const KernelArgs& args, int axis, const MmaPlaces& places) {
  const auto& params = args.as<MmaParams>();
  const TensorView& y = args.outputs[0];
  if (block_function(params.mma) == nullptr || !host_has(params.mma))
    fail(Code::mismatch, "a product of kind {}, which this processor lacks", params.attrs.mma);
  MmaProduct p;
  p.params = &params;
  p.end.rows = rows_of(y, axis);
  p.places = places;
  p.x_zero = params.attrs.x_zero;
  p.words = reinterpret_cast<int32_t*>(args.workspace);
  p.weights = args.inputs[1].as<const int32_t>();
  p.end.params = &params;
  p.end.bias = args.inputs[2].as<const float>();
  if (params.format.integer) {
    p.end.scales = args.inputs[3].as<const float>();
    p.end.offsets = args.inputs[4].as<const int32_t>();
  }
  if (params.attrs.dynamic != 0) {
    p.end.row_scales = args.inputs[5].as<const float>();
    p.end.row_zeros = static_cast<const uint8_t*>(args.inputs[6].data);
    p.end.row_step = args.inputs[5].element_count() == 1 ? 0 : 1;
    p.end.signed_rows = args.inputs[0].dtype == DataType::i8;
    p.end.raise = p.end.signed_rows && params.mma != Mma::madd_i16 ? 128 : 0;
    p.x_zero = p.end.row_zero(0) - p.end.raise;
  }
  p.end.out = mma_operand(p.end.rows, y, y.strides, y.rank, axis);
  const size_t first = mma_operands(params);
  for (size_t i = 0; i < params.extras; ++i)
    p.end.extra[i] = mma_operand(p.end.rows, args.inputs[first + i],
                                 broadcast_strides(args.inputs[first + i], y.extents()), y.rank, axis);
  if (are_numbers(p.end, y.dims[static_cast<size_t>(axis)])) p.end.kind = MmaEnd::Kind::numbers;
  if (are_floats(p.end)) p.end.kind = MmaEnd::Kind::floats;
  if (params.activation.present()) p.end.activation = &params.activation;
  return p;
}

// Bytes of A's words.
inline int64_t mma_workspace(const MmaParams& params, const MmaPlaces& places) {
  return checked_mul(checked_mul(params.attrs.group, places.group()), 4);
}

inline Kernel make_mma_kernel(const char* name, void (*check)(const KernelArgs&), void (*run)(const KernelArgs&),
                              int64_t (*workspace)(const KernelArgs&)) {
  Kernel kernel;
  kernel.name = name;
  kernel.version = 3;
  kernel.decode = decode_mma;
  kernel.check = check;
  kernel.run = run;
  kernel.workspace = workspace;
  return kernel;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
