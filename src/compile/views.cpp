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

bool is_less(Dim a, Dim b) {
  if (a.is_constant() && b.is_constant()) return a.value() < b.value();
  // Which product to extend is a guess where symbols take part: only equal expressions count as equal.
  std::vector<std::string> names;
  a.collect_symbols(names);
  b.collect_symbols(names);
  SymbolValues values;
  for (const std::string& name : names) values[name] = 101;
  return a.evaluate(values) < b.evaluate(values);
}

struct Axis {
  Dim dim, stride;
};

// Whether `outer` and `inner` are one axis: the rows of one follow each other as the elements of the other do.
bool are_joined(const Axis& outer, const Axis& inner) { return outer.stride == inner.dim * inner.stride; }

// Strides of `target`, axis by axis: runs of axes with equal products, of which the source's must be joined.
std::optional<Dims> regrouped_strides(const std::vector<Axis>& axes, const Shape& target) {
  Dims strides(static_cast<size_t>(target.rank()), Dim(1));
  std::vector<size_t> fresh;
  for (size_t k = 0; k < strides.size(); ++k)
    if (target.dims()[k] != Dim(1)) fresh.push_back(k);
  size_t i = 0, j = 0;
  while (i < axes.size() && j < fresh.size()) {
    Dim old_product = axes[i++].dim, new_product = target.dims()[fresh[j]];
    size_t end = j + 1;
    while (old_product != new_product) {
      if (is_less(old_product, new_product)) {
        if (i == axes.size() || !are_joined(axes[i - 1], axes[i])) return std::nullopt;
        old_product = old_product * axes[i++].dim;
      } else {
        if (end == fresh.size()) return std::nullopt;
        new_product = new_product * target.dims()[fresh[end++]];
      }
    }
    Dim stride = axes[i - 1].stride;
    for (size_t k = end; k-- > j;) {
      strides[fresh[k]] = stride;
      stride = stride * target.dims()[fresh[k]];
    }
    j = end;
  }
  return i == axes.size() && j == fresh.size() ? std::optional(strides) : std::nullopt;
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
  const auto axes = known_contents(graph, node, 3), steps = known_contents(graph, node, 4);
  const auto waits = [&](size_t i, const std::optional<Dims>& known) {
    return i < node.inputs.size() && node.inputs[i].valid() &&
           (!known || !std::all_of(known->begin(), known->end(), [](Dim dim) { return dim.is_constant(); }));
  };
  if (!starts || waits(3, axes) || waits(4, steps)) return std::nullopt;
  ViewDesc view = source;
  view.dims = target.dims();
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(
        normalize_axis(axes ? (*axes)[i].value() : static_cast<int64_t>(i), static_cast<int>(source.dims.size())));
    const int64_t step = steps ? (*steps)[i].value() : 1;
    const Dim start = (*starts)[i], extent = source.dims[axis];
    if (step < 1 || !start.is_constant()) return std::nullopt;
    Dim begin = start;
    if (start.value() < 0)
      begin = extent.is_constant() ? Dim(std::max<int64_t>(0, extent.value() + start.value())) : extent + start;
    if (begin.is_constant() && extent.is_constant())
      begin = std::min(begin.value(), extent.value());
    else if (begin.is_constant() && begin.value() > extent.lower_bound(graph.symbols))
      return std::nullopt;
    else if (!begin.is_constant() && begin.lower_bound(graph.symbols) < 0)
      return std::nullopt;
    shift(view, axis, begin);
    if (view.dims[axis].upper_bound(graph.symbols) > 1) view.strides[axis] = view.strides[axis] * Dim(step);
  }
  return view;
}

ViewDesc part_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source, const Shape& target) {
  const auto axis =
      static_cast<size_t>(normalize_axis(node.attrs.get_or<int64_t>("axis", 0), static_cast<int>(source.dims.size())));
  ViewDesc view = source;
  view.dims = target.dims();
  Dim begin = 0;
  for (size_t i = 0; i < result; ++i) begin = begin + graph.value(node.outputs[i]).type.shape[static_cast<int>(axis)];
  shift(view, axis, begin);
  return view;
}

// Nothing where only running tells whether an axis repeats.
std::optional<ViewDesc> expanded(const Graph& graph, const ViewDesc& source, const Shape& target) {
  ViewDesc view = source;
  view.dims = target.dims();
  view.strides.assign(view.dims.size(), Dim(0));
  const size_t lead = view.dims.size() - source.dims.size();
  for (size_t i = 0; i < source.dims.size(); ++i) {
    const Dim from = source.dims[i], to = view.dims[i + lead];
    if (from != to && !from.is_constant() && depends_on_data(to, graph.symbols)) return std::nullopt;
    if (from != Dim(1) || to == Dim(1)) view.strides[i + lead] = source.strides[i];
  }
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
  return layout == Layout::channels_last && view.dims.size() >= 3 &&
         (view.dims[1] == Dim(1) || view.strides[1] == Dim(1));
}

bool accepts(LayoutRule rule, bool strided, const ViewDesc& view) {
  if (rule == LayoutRule::any) return true;
  const Layout layout = rule == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
  return strided ? lies(view, layout) : is_dense(view, layout);
}

ViewDesc dense_view(int32_t buffer, const TensorType& type, Layout layout) {
  return {buffer, 0, type.dtype, type.shape.dims(), type.shape.strides(layout)};
}

std::optional<ViewDesc> reshaped(const ViewDesc& source, const Shape& target) {
  ViewDesc view = source;
  view.dims = target.dims();
  std::vector<Axis> axes;
  for (size_t i = 0; i < source.dims.size(); ++i)
    if (source.dims[i] != Dim(1)) axes.push_back({source.dims[i], source.strides[i]});
  if (auto strides = regrouped_strides(axes, target))
    view.strides = std::move(*strides);
  else if (is_dense(source, Layout::row_major))
    view.strides = target.strides(Layout::row_major);
  else
    return std::nullopt;
  return view;
}

std::optional<ViewDesc> window_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source) {
  const Shape& target = graph.value(node.outputs[result]).type.shape;
  if (node.op == "transpose") return transposed(source, node.attrs.get_or<std::vector<int64_t>>("perm", {}));
  if (node.op == "slice") return sliced(graph, node, source, target);
  if (node.op == "split") return part_of(graph, node, result, source, target);
  if (node.op == "expand") return expanded(graph, source, target);
  if (node.op == "identity") return source;
  return reshaped(source, target);
}

}  // namespace planish
