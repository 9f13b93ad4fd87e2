#include "compile/views.h"

#include <algorithm>

#include "ops/op.h"

namespace planish {
namespace {

using Dims = std::vector<Dim>;

std::optional<Dims> known_contents(const Graph& graph, const Node& node, size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].valid()) return std::nullopt;
  const Value& value = graph.value(node.inputs[i]);
  if (!value.is_constant()) return value.contents;
  const auto ints = value.constant.to_ints();
  return Dims(ints.begin(), ints.end());
}

// Strides under new extents when only axes of extent 1 come or go; else the source must be dense.
std::optional<ViewDesc> reshaped(const ViewDesc& source, const Shape& target) {
  ViewDesc view = source;
  view.dims = target.dims();
  view.strides.clear();
  Dims kept_dims, kept_strides;
  for (size_t i = 0; i < source.dims.size(); ++i)
    if (source.dims[i] != Dim(1)) {
      kept_dims.push_back(source.dims[i]);
      kept_strides.push_back(source.strides[i]);
    }
  size_t next = 0;
  for (Dim dim : target) {
    if (dim == Dim(1)) {
      view.strides.push_back(1);
      continue;
    }
    if (next >= kept_dims.size() || kept_dims[next] != dim) {
      next = SIZE_MAX;
      break;
    }
    view.strides.push_back(kept_strides[next++]);
  }
  if (next == kept_dims.size()) return view;
  if (!is_dense(source, Layout::row_major)) return std::nullopt;
  view.strides = target.strides(Layout::row_major);
  return view;
}

ViewDesc transposed(const ViewDesc& source, std::vector<int64_t> perm) {
  if (perm.empty())
    for (size_t i = source.dims.size(); i-- > 0;) perm.push_back(static_cast<int64_t>(i));
  ViewDesc view = source;
  for (size_t i = 0; i < perm.size(); ++i) {
    view.dims[i] = source.dims[static_cast<size_t>(perm[i])];
    view.strides[i] = source.strides[static_cast<size_t>(perm[i])];
  }
  return view;
}

void shift(ViewDesc& view, size_t axis, Dim elements) {
  view.offset = view.offset + elements * view.strides[axis] * Dim(element_bytes(view.dtype));
}

// Only positive constant steps, and starts that need no clamping beyond the sign.
std::optional<ViewDesc> sliced(const Graph& graph, const Node& node, const ViewDesc& source, const Shape& target) {
  const auto starts = known_contents(graph, node, 1);
  if (!starts) return std::nullopt;
  const auto axes = known_contents(graph, node, 3), steps = known_contents(graph, node, 4);
  ViewDesc view = source;
  view.dims = target.dims();
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(normalize_axis(axes ? (*axes)[i].value() : static_cast<int64_t>(i), static_cast<int>(source.dims.size())));
    const int64_t step = steps ? (*steps)[i].value() : 1;
    const Dim start = (*starts)[i], extent = source.dims[axis];
    if (step < 1 || !start.is_constant()) return std::nullopt;
    Dim begin = start;
    if (start.value() < 0) begin = extent.is_constant() ? Dim(std::max<int64_t>(0, extent.value() + start.value())) : extent + start;
    if (begin.is_constant() && extent.is_constant()) begin = std::min(begin.value(), extent.value());
    else if (begin.is_constant() && begin.value() > extent.lower_bound(graph.symbols)) return std::nullopt;
    else if (!begin.is_constant() && begin.lower_bound(graph.symbols) < 0) return std::nullopt;
    shift(view, axis, begin);
    view.strides[axis] = view.strides[axis] * Dim(step);
  }
  return view;
}

ViewDesc part_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source, const Shape& target) {
  const auto axis = static_cast<size_t>(normalize_axis(node.attrs.get_or<int64_t>("axis", 0), static_cast<int>(source.dims.size())));
  ViewDesc view = source;
  view.dims = target.dims();
  Dim begin = 0;
  for (size_t i = 0; i < result; ++i) begin = begin + graph.value(node.outputs[i]).type.shape[static_cast<int>(axis)];
  shift(view, axis, begin);
  return view;
}

ViewDesc expanded(const ViewDesc& source, const Shape& target) {
  ViewDesc view = source;
  view.dims = target.dims();
  view.strides.assign(view.dims.size(), Dim(0));
  const size_t lead = view.dims.size() - source.dims.size();
  for (size_t i = 0; i < source.dims.size(); ++i)
    if (source.dims[i] != Dim(1) || view.dims[i + lead] == Dim(1)) view.strides[i + lead] = source.strides[i];
  return view;
}

}  // namespace

bool is_dense(const ViewDesc& view, Layout layout) {
  const auto expected = Shape(view.dims).strides(layout);
  for (size_t i = 0; i < view.dims.size(); ++i)
    if (view.dims[i] != Dim(1) && view.strides[i] != expected[i]) return false;
  return true;
}

bool lies(const ViewDesc& view, Layout layout) {
  if (is_dense(view, layout)) return true;
  return layout == Layout::channels_last && view.dims.size() >= 3 && (view.dims[1] == Dim(1) || view.strides[1] == Dim(1));
}

bool accepts(LayoutRule rule, bool strided, const ViewDesc& view) {
  if (rule == LayoutRule::any) return true;
  const Layout layout = rule == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
  return strided ? lies(view, layout) : is_dense(view, layout);
}

ViewDesc dense_view(int32_t buffer, const TensorType& type, Layout layout) {
  return {buffer, 0, type.dtype, type.shape.dims(), type.shape.strides(layout)};
}

std::optional<ViewDesc> window_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source) {
  const Shape& target = graph.value(node.outputs[result]).type.shape;
  if (node.op == "transpose") return transposed(source, node.attrs.get_or<std::vector<int64_t>>("perm", {}));
  if (node.op == "slice") return sliced(graph, node, source, target);
  if (node.op == "split") return part_of(graph, node, result, source, target);
  if (node.op == "expand") return expanded(source, target);
  if (node.op == "identity") return source;
  return reshaped(source, target);
}

}  // namespace planish
