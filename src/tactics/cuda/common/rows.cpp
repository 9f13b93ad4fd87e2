#include "tactics/cuda/common/rows.h"

#include <optional>
#include <utility>

#include "tactics/cuda/common/elementwise.h"

namespace planish::tactics::cuda {
namespace {

Operand dense_like(StepBuilder& builder, const ViewDesc& view, LayoutRule rule) {
  TensorType type{view.dtype, Shape(view.dims)};
  type.layout = rule == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
  return builder.temporary(type);
}

}  // namespace

int adjacent_axis(LayoutRule rule, size_t rank) {
  return rule == LayoutRule::channels_last && rank >= 3 ? 1 : static_cast<int>(rank) - 1;
}

int64_t row_pitch(const ViewDesc& view, int channels, int64_t align) {
  const int64_t size = element_bytes(view.dtype);
  if (channels < 0 || !view.offset.is_constant() || view.offset.value() % align != 0) return 0;
  const auto last = static_cast<size_t>(channels);
  if (view.strides[last] != Dim(1) && view.dims[last] != Dim(1)) return 0;
  std::optional<Dim> pitch;
  Dim next = 0;  // what the stride of the axis in front must be
  for (size_t i = view.dims.size(); i-- > 0;) {
    if (i == last || view.dims[i] == Dim(1)) continue;
    if (view.strides[i] == Dim(0)) return 0;  // one row that repeats
    if (!pitch)
      pitch = view.strides[i];
    else if (view.strides[i] != next)
      return 0;
    next = view.strides[i] * view.dims[i];
  }
  if (!pitch) pitch = view.dims[last];  // one row
  return pitch->is_constant() && pitch->value() * size % align == 0 ? pitch->value() : 0;
}

Operand rows_input(StepBuilder& builder, size_t i, LayoutRule rule, int64_t align, const std::string& arch) {
  const Operand given = builder.input(i);
  const ViewDesc view = builder.place(given);
  if (row_pitch(view, adjacent_axis(rule, view.dims.size()), align) != 0) return given;
  const Operand rows = dense_like(builder, view, rule);
  copy_elements(builder, given, rows, arch);
  return rows;
}

RowsOutput::RowsOutput(StepBuilder& builder, LayoutRule rule, int64_t align, std::string arch, int64_t columns)
    : builder_(builder), arch_(std::move(arch)), result_(builder.output(0)), rows_(result_) {
  ViewDesc view = builder.place(result_);
  channels_ = adjacent_axis(rule, view.dims.size());
  pitch_ = columns == 0 ? row_pitch(view, channels_, align) : 0;
  if (pitch_ != 0) return;
  if (columns != 0) view.dims[static_cast<size_t>(channels_)] = columns;
  rows_ = dense_like(builder, view, rule);
  pitch_ = row_pitch(builder.place(rows_), channels_, 1);
}

void RowsOutput::finish() {
  if (rows_.index == result_.index) return;
  const Dim extent = builder_.place(result_).dims[static_cast<size_t>(channels_)];
  copy_elements(builder_, builder_.window(rows_, channels_, 0, extent, 1), result_, arch_);
}

}  // namespace planish::tactics::cuda
