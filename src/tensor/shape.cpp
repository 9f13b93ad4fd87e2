#include "tensor/shape.h"

#include <algorithm>

#include "base/error.h"

namespace planish {

std::string_view layout_name(Layout layout) { return layout == Layout::row_major ? "row_major" : "channels_last"; }

Layout parse_layout(std::string_view name) {
  if (name == "row_major") return Layout::row_major;
  if (name == "channels_last") return Layout::channels_last;
  fail(Code::invalid_argument, "'{}' is no layout; row_major and channels_last are accepted", name);
}

Shape Shape::of(std::span<const int64_t> extents) { return Shape(std::vector<Dim>(extents.begin(), extents.end())); }

bool Shape::is_static() const {
  return std::all_of(dims_.begin(), dims_.end(), [](Dim dim) { return dim.is_constant(); });
}

std::vector<int64_t> Shape::extents() const {
  std::vector<int64_t> out;
  for (Dim dim : dims_) out.push_back(dim.value());
  return out;
}

Dim Shape::element_count() const {
  Dim product = 1;
  for (Dim dim : dims_) product = product * dim;
  return product;
}

std::vector<int64_t> Shape::evaluate(const SymbolValues& values) const {
  std::vector<int64_t> out;
  for (Dim dim : dims_) out.push_back(dim.evaluate(values));
  return out;
}

std::vector<Dim> Shape::strides(Layout layout) const {
  std::vector<Dim> out(dims_.size());
  std::vector<int> order;  // axes from the slowest to the fastest
  for (int axis = 0; axis < rank(); ++axis) order.push_back(axis);
  if (layout == Layout::channels_last && rank() >= 3) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  Dim step = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    out[static_cast<size_t>(*axis)] = step;
    step = step * dims_[static_cast<size_t>(*axis)];
  }
  return out;
}

std::string Shape::str() const {
  std::string text = "[";
  for (size_t i = 0; i < dims_.size(); ++i) text += (i > 0 ? "," : "") + dims_[i].str();
  return text + "]";
}

int normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) fail(Code::invalid_model, "axis {} of a tensor of rank {}", axis, rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace planish
