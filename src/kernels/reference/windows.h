#pragma once
// Parts of views, and single elements of them, for kernels that move elements.

#include <algorithm>

#include "tensor/view.h"

namespace planish::kernels::reference {

// The view with axis `axis` cut to [begin, begin + count).
inline TensorView window(TensorView view, size_t axis, int64_t begin, int64_t count) {
  view.data = view.as<std::byte>() + begin * view.strides[axis] * element_bytes(view.dtype);
  view.dims[axis] = count;
  return view;
}

// Position `index` of axis `axis`, without that axis.
inline TensorView at_index(TensorView view, size_t axis, int64_t index) {
  view = window(view, axis, index, 1);
  for (size_t i = axis; i + 1 < static_cast<size_t>(view.rank); ++i) {
    view.dims[i] = view.dims[i + 1];
    view.strides[i] = view.strides[i + 1];
  }
  --view.rank;
  return view;
}

// Elements by their offsets, in elements.
inline void copy_element(const TensorView& from, int64_t source, const TensorView& to, int64_t target) {
  const auto bytes = static_cast<size_t>(element_bytes(from.dtype));
  std::copy_n(from.as<const std::byte>() + source * static_cast<int64_t>(bytes), bytes,
              to.as<std::byte>() + target * static_cast<int64_t>(bytes));
}

}  // namespace planish::kernels::reference
