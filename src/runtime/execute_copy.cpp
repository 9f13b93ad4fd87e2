#include "runtime/prepared.h"

namespace planish {
namespace {

// Cut along the longest axis; each part is a copy of its own.
size_t longest_axis(const TensorView& view) {
  size_t longest = 0;
  for (size_t i = 1; i < static_cast<size_t>(view.rank); ++i)
    if (view.dims[i] > view.dims[longest]) longest = i;
  return longest;
}

TensorView part_of(TensorView view, size_t axis, int64_t begin, int64_t end) {
  view.data = view.as<std::byte>() + begin * view.strides[axis] * element_bytes(view.dtype);
  view.dims[axis] = end - begin;
  return view;
}

}  // namespace

void execute_copy(PreparedStep& step, const Execution& execution) {
  const TensorView &from = step.inputs[0], &to = step.outputs[0];
  constexpr int64_t kWorthSharing = 16384;  // elements
  if (from.rank == 0 || from.element_count() < kWorthSharing) return copy_view(from, to);
  const size_t axis = longest_axis(from);
  execution.pool.parallel_for(from.dims[axis], 1, [&](int64_t begin, int64_t end) {
    copy_view(part_of(from, axis, begin, end), part_of(to, axis, begin, end));
  });
}

}  // namespace planish
