// What a step's views must hold at the current shapes, whatever its kernel: inside their buffers, aligned, results
// where results may be written and apart from everything else that the step uses.

#include <algorithm>
#include <cstdlib>

#include "base/checked.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

constexpr int64_t kMost = int64_t{1} << 44;  // elements of a view, elements of a stride

int64_t magnitude(int64_t value) { return value < 0 ? -value : value; }

void check_numbers(const TensorView& view, int64_t offset) {
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i)
    if (view.dims[i] < 0)
      fail(Code::invalid_argument, "would have an extent of {} on axis {} for these shapes", view.dims[i], i);
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i)
    if (view.dims[i] > kMost || view.strides[i] < -kMost || view.strides[i] > kMost)
      fail(Code::invalid_plan, "has the extent {} and the stride {} on axis {}", view.dims[i], view.strides[i], i);
  if (checked_product(view.extents()) > kMost) fail(Code::invalid_plan, "has more than 2^44 elements");
  if (offset % element_bytes(view.dtype) != 0)
    fail(Code::invalid_plan, "begins at byte {}, which is not aligned to its elements", offset);
}

// Bytes [begin, end) of one piece of memory.
struct Reach {
  int32_t memory;
  int64_t begin, end;
};

Reach reach_of(const TensorView& view, const Place& place) {
  check_numbers(view, place.offset);
  Reach reach{place.memory, place.offset, place.offset};
  if (view.element_count() == 0) return reach;
  const int64_t size = element_bytes(view.dtype);
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i) {
    const int64_t span = checked_mul(checked_mul(view.dims[i] - 1, view.strides[i]), size);
    int64_t& bound = span < 0 ? reach.begin : reach.end;
    bound = checked_add(bound, span);
  }
  reach.end = checked_add(reach.end, size);
  if (reach.begin < 0 || reach.end > place.bytes)
    fail(Code::invalid_plan, "reaches [{}, {}) of a buffer of {} bytes", reach.begin, reach.end, place.bytes);
  return {place.memory, reach.begin + place.begin, reach.end + place.begin};
}

// Bytes that the axes of steps below `step` span; -1 where a coarser one is no multiple of it.
int64_t span_below(const TensorView& view, int64_t step) {
  const int64_t size = element_bytes(view.dtype);
  int64_t span = size;
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i) {
    const int64_t stride = magnitude(view.strides[i]) * size;
    if (view.dims[i] <= 1) continue;
    if (stride < step)
      span += (view.dims[i] - 1) * stride;
    else if (stride % step != 0)
      return -1;
  }
  return span;
}

// Both repeat in steps of `step` bytes and use parts of it that are apart: windows of one tensor, wherever it begins.
bool apart_within(const TensorView& a, const Reach& at, const TensorView& b, const Reach& bt, int64_t step) {
  const int64_t as = span_below(a, step), bs = span_below(b, step);
  const int64_t between = ((bt.begin - at.begin) % step + step) % step;  // from a's part on to b's
  return as >= 0 && bs >= 0 && as <= between && between + bs <= step;
}

bool are_apart(const TensorView& a, const Reach& at, const TensorView& b, const Reach& bt) {
  if (at.begin == at.end || bt.begin == bt.end) return true;
  if (at.memory != bt.memory || at.end <= bt.begin || bt.end <= at.begin) return true;
  for (const TensorView* view : {&a, &b})
    for (size_t i = 0; i < static_cast<size_t>(view->rank); ++i) {
      const int64_t step = magnitude(view->strides[i]) * element_bytes(view->dtype);
      if (view->dims[i] > 1 && step > 0 && apart_within(a, at, b, bt, step)) return true;
    }
  return false;
}

void check_written(const TensorView& view, const Place& place) {
  if (!place.writable) fail(Code::invalid_plan, "is written to a constant or an input");
  if (view.element_count() == 0) return;
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i)
    if (view.dims[i] > 1 && view.strides[i] == 0)
      fail(Code::invalid_plan, "is written with the stride 0 on axis {}", i);
}

struct Placed {
  const TensorView* view = nullptr;
  Reach reach{};
  const char* what = "";
  size_t index = 0;
  std::string name() const { return fmt::format("{} {}", what, index); }
};

void add_view(const TensorView& view, const ViewDesc& desc, const PlaceOf& place_of, bool write, Placed placed,
              std::vector<Placed>& list) {
  if (!view.present()) return;
  placed.view = &view;
  with_context([&] { return placed.name(); },
               [&] {
                 const Place place = place_of(desc);
                 placed.reach = reach_of(view, place);
                 if (write) check_written(view, place);
               });
  list.push_back(placed);
}

}  // namespace

void check_views(const PreparedStep& step, const TensorView& workspace, const PlaceOf& place_of) {
  std::vector<Placed> read, written;
  for (size_t i = 0; i < step.inputs.size(); ++i)
    add_view(step.inputs[i], step.step->inputs[i], place_of, false, {.what = "operand", .index = i}, read);
  for (size_t i = 0; i < step.outputs.size(); ++i)
    add_view(step.outputs[i], step.step->outputs[i], place_of, true, {.what = "result", .index = i}, written);
  add_view(workspace, step.step->workspace, place_of, true, {.what = "workspace"}, written);
  if (step.step->kind == StepKind::control) return;  // its bodies read and write what it lists
  for (size_t i = 0; i < written.size(); ++i) {
    const auto refuse = [&](const Placed& other) {
      if (!are_apart(*written[i].view, written[i].reach, *other.view, other.reach))
        fail(Code::invalid_plan, "{} lies over {}", written[i].name(), other.name());
    };
    std::for_each(read.begin(), read.end(), refuse);
    std::for_each(written.begin() + static_cast<std::ptrdiff_t>(i) + 1, written.end(), refuse);
  }
}

}  // namespace planish
