// nonzero, compress, unique, non_max_suppression, each with the row that counts its results.

#include "kernels/reference/find.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// --- nonzero

bool is_set(const TensorView& x, int64_t offset) {
  return is_float(x.dtype) ? load_double(x, offset) != 0 : load_int(x, offset) != 0;
}

int64_t count_nonzero(const TensorView& x) {
  int64_t count = 0;
  for (Odometer<1> at(x.extents(), {x.strides}); at.valid(); at.next()) count += is_set(x, at.offset[0]) ? 1 : 0;
  return count;
}

void check_count_nonzero(const KernelArgs& args) { const Operands o(args, 1, 1, 0, 0); }
void run_count_nonzero(const KernelArgs& args) { args.bound_symbols[0] = count_nonzero(args.inputs[0]); }

void check_nonzero(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.out().integers().rank(2, 2);
  require(o.out().extent(0) == std::max(o.in(0).view().rank, 1), "coordinates of {} axes for rank {}",
          o.out().extent(0), o.in(0).view().rank);
}

void run_nonzero(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (count_nonzero(x) != y.dims[1])
    fail(Code::invalid_argument, "{} elements are not zero, {} were planned for", count_nonzero(x), y.dims[1]);
  int64_t column = 0;
  for (Odometer<1> at(x.extents(), {x.strides}); at.valid(); at.next()) {
    if (!is_set(x, at.offset[0])) continue;
    for (int64_t axis = 0; axis < y.dims[0]; ++axis)
      store_int(y, axis * y.strides[0] + column * y.strides[1], x.rank == 0 ? 0 : at.index[static_cast<size_t>(axis)]);
    ++column;
  }
}

// --- slices along an axis, or the elements of the whole

// `x` as [outer, slices, inner]; without an axis the elements are the slices.
struct Slices {
  TensorView x;
  int64_t count;
  size_t axis;
  bool flat;

  Slices(const TensorView& view, int64_t named) : x(view), flat(named == kNoAxis) {
    axis = flat ? 0 : static_cast<size_t>(normalize_axis(named, x.rank));
    count = flat ? x.element_count() : x.dims[axis];
  }
  // Offsets of the elements of a slice, in row-major order.
  std::vector<int64_t> offsets(int64_t slice) const {
    if (flat) {
      int64_t offset = 0;
      for (size_t i = static_cast<size_t>(x.rank); i-- > 0; slice /= x.dims[i])
        offset += slice % x.dims[i] * x.strides[i];
      return {offset};
    }
    TensorView part = x;
    part.dims[axis] = 1;
    std::vector<int64_t> all;
    for (Odometer<1> at(part.extents(), {part.strides}); at.valid(); at.next())
      all.push_back(at.offset[0] + slice * x.strides[axis]);
    return all;
  }
};

void copy_slice(const Slices& from, int64_t source, const Slices& to, int64_t target) {
  const auto read = from.offsets(source), write = to.offsets(target);
  const int64_t bytes = element_bytes(from.x.dtype);
  for (size_t i = 0; i < read.size(); ++i)
    std::copy_n(from.x.as<const std::byte>() + read[i] * bytes, bytes, to.x.as<std::byte>() + write[i] * bytes);
}

// --- compress

std::vector<int64_t> kept_slices(const KernelArgs& args, int64_t slices) {
  const TensorView& condition = args.inputs[1];
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < std::min(slices, condition.dims[0]); ++i)
    if (load_int(condition, i * condition.strides[0]) != 0) kept.push_back(i);
  return kept;
}

void check_compress_operands(const Operands& o, int64_t axis) {
  if (axis != kNoAxis) static_cast<void>(o.in(0).axis(axis));
  o.in(1).is({DataType::boolean}).rank(1, 1);
}

void check_count_compress(const KernelArgs& args) {
  check_compress_operands(Operands(args, 2, 2, 0, 0), args.as<CompressAttrs>().axis);
}
void run_count_compress(const KernelArgs& args) {
  const Slices x(args.inputs[0], args.as<CompressAttrs>().axis);
  args.bound_symbols[0] = static_cast<int64_t>(kept_slices(args, x.count).size());
}

// X's extents but along the axis
void check_slices(const Slot& x, const Slot& y, int64_t named) {
  y.type_of(x);
  if (named == kNoAxis) return static_cast<void>(y.rank(1, 1));
  std::vector<int64_t> dims(x.extents().begin(), x.extents().end());
  y.rank(x.view().rank, x.view().rank);
  dims[x.axis(named)] = y.extents()[x.axis(named)];
  y.shape(dims);
}

void check_compress(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  check_compress_operands(o, args.as<CompressAttrs>().axis);
  check_slices(o.in(0), o.out(), args.as<CompressAttrs>().axis);
}

void run_compress(const KernelArgs& args) {
  const Slices x(args.inputs[0], args.as<CompressAttrs>().axis), y(args.outputs[0], args.as<CompressAttrs>().axis);
  const auto kept = kept_slices(args, x.count);
  if (static_cast<int64_t>(kept.size()) != y.count)
    fail(Code::invalid_argument, "{} are kept, {} were planned for", kept.size(), y.count);
  for (size_t i = 0; i < kept.size(); ++i) copy_slice(x, kept[i], y, static_cast<int64_t>(i));
}

// --- unique

struct Distinct {
  std::vector<int64_t> first;    // the slice of X that each of Y is
  std::vector<int64_t> inverse;  // of each slice of X, which of Y it is
  std::vector<int64_t> counts;
};

// Below 0, 0 or above as slice a comes before b, equals it, or comes after; NaN comes last.
int compare_slices(const Slices& x, const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_float(x.x.dtype)) {
      const double u = load_double(x.x, a[i]), v = load_double(x.x, b[i]);
      if (std::isnan(u) != std::isnan(v)) return std::isnan(u) ? 1 : -1;
      if (u != v && !std::isnan(u)) return u < v ? -1 : 1;
    } else if (const int64_t u = load_int(x.x, a[i]), v = load_int(x.x, b[i]); u != v) {
      if (x.x.dtype == DataType::u64) return static_cast<uint64_t>(u) < static_cast<uint64_t>(v) ? -1 : 1;
      return u < v ? -1 : 1;
    }
  }
  return 0;
}

Distinct distinct_slices(const Slices& x, bool sorted) {
  std::vector<std::vector<int64_t>> offsets;
  for (int64_t i = 0; i < x.count; ++i) offsets.push_back(x.offsets(i));
  std::vector<size_t> order(static_cast<size_t>(x.count));
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return compare_slices(x, offsets[a], offsets[b]) < 0; });
  Distinct found;
  found.inverse.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare_slices(x, offsets[order[i - 1]], offsets[order[i]]) != 0) {
      found.first.push_back(static_cast<int64_t>(order[i]));
      found.counts.push_back(0);
    }
    ++found.counts.back();
    found.inverse[order[i]] = static_cast<int64_t>(found.first.size()) - 1;
  }
  if (sorted) return found;
  // In the order of their first places.
  std::vector<size_t> by_place(found.first.size());
  std::iota(by_place.begin(), by_place.end(), size_t{0});
  std::sort(by_place.begin(), by_place.end(), [&](size_t a, size_t b) { return found.first[a] < found.first[b]; });
  Distinct placed = found;
  std::vector<int64_t> moved(by_place.size());
  for (size_t i = 0; i < by_place.size(); ++i) {
    placed.first[i] = found.first[by_place[i]];
    placed.counts[i] = found.counts[by_place[i]];
    moved[by_place[i]] = static_cast<int64_t>(i);
  }
  for (int64_t& slice : placed.inverse) slice = moved[static_cast<size_t>(slice)];
  return placed;
}

void check_count_unique(const KernelArgs& args) {
  const Operands o(args, 1, 1, 0, 0);
  if (args.as<UniqueAttrs>().axis != kNoAxis) static_cast<void>(o.in(0).axis(args.as<UniqueAttrs>().axis));
}
void run_count_unique(const KernelArgs& args) {
  const Slices x(args.inputs[0], args.as<UniqueAttrs>().axis);
  args.bound_symbols[0] = static_cast<int64_t>(distinct_slices(x, true).first.size());
}

void check_unique(const KernelArgs& args) {
  const Operands o(args, 1, 1, 1, 4);
  const int64_t axis = args.as<UniqueAttrs>().axis;
  check_slices(o.in(0), o.out(), axis);
  const int64_t slices = axis == kNoAxis ? o.in(0).view().element_count() : o.in(0).extents()[o.in(0).axis(axis)],
                found = axis == kNoAxis ? o.out().extent(0) : o.out().extents()[o.out().axis(axis)];
  for (size_t i : {1, 2, 3}) o.out(i).integers().shape({i == 2 ? slices : found});
}

void run_unique(const KernelArgs& args) {
  const auto attrs = args.as<UniqueAttrs>();
  const Slices x(args.inputs[0], attrs.axis), y(args.outputs[0], attrs.axis);
  const Distinct found = distinct_slices(x, attrs.sorted != 0);
  if (static_cast<int64_t>(found.first.size()) != y.count)
    fail(Code::invalid_argument, "{} slices differ, {} were planned for", found.first.size(), y.count);
  for (size_t i = 0; i < found.first.size(); ++i) copy_slice(x, found.first[i], y, static_cast<int64_t>(i));
  const std::vector<int64_t>* const lists[] = {&found.first, &found.inverse, &found.counts};
  for (size_t k = 0; k < 3; ++k)
    if (args.has_output(k + 1))
      for (size_t i = 0; i < lists[k]->size(); ++i)
        store_int(args.outputs[k + 1], static_cast<int64_t>(i) * args.outputs[k + 1].strides[0], (*lists[k])[i]);
}

// --- non_max_suppression

struct Box {
  double top, left, bottom, right;
  double area() const { return (bottom - top) * (right - left); }
};

Box box_at(const TensorView& boxes, int64_t batch, int64_t index, bool center) {
  double v[4];
  for (int64_t i = 0; i < 4; ++i)
    v[i] = load_double(boxes, batch * boxes.strides[0] + index * boxes.strides[1] + i * boxes.strides[2]);
  if (center) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top),
               width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0) return 0;
  const double common = height * width, whole = a.area() + b.area() - common;
  return whole <= 0 ? 0 : common / whole;
}

// Boxes of one class in falling order of score; one that overlaps a kept one too much goes.
void keep_boxes(const KernelArgs& args, int64_t batch, int64_t group, std::vector<std::array<int64_t, 3>>& kept) {
  const TensorView &boxes = args.inputs[0], &scores = args.inputs[1];
  const auto option = [&](size_t i, double fallback) {
    return args.has_input(i) && args.inputs[i].element_count() > 0 ? load_double(args.inputs[i], 0) : fallback;
  };
  const double most = option(2, 0), threshold = option(3, 0), least = option(4, -INFINITY);
  std::vector<std::pair<double, int64_t>> candidates;
  for (int64_t i = 0; i < scores.dims[2]; ++i) {
    const double score =
        load_double(scores, batch * scores.strides[0] + group * scores.strides[1] + i * scores.strides[2]);
    if (score > least) candidates.emplace_back(-score, i);
  }
  std::stable_sort(candidates.begin(), candidates.end());
  std::vector<Box> chosen;
  for (const auto& [score, index] : candidates) {
    if (static_cast<double>(chosen.size()) >= most) return;
    const Box box = box_at(boxes, batch, index, args.as<NonMaxSuppressionAttrs>().center_point_box != 0);
    const bool hidden =
        std::any_of(chosen.begin(), chosen.end(), [&](const Box& other) { return overlap(box, other) > threshold; });
    if (hidden) continue;
    chosen.push_back(box);
    kept.push_back({batch, group, index});
  }
}

std::vector<std::array<int64_t, 3>> kept_boxes(const KernelArgs& args) {
  std::vector<std::array<int64_t, 3>> kept;
  for (int64_t batch = 0; batch < args.inputs[1].dims[0]; ++batch)
    for (int64_t group = 0; group < args.inputs[1].dims[1]; ++group) keep_boxes(args, batch, group, kept);
  return kept;
}

void check_nms_operands(const Operands& o) {
  o.in(0).rank(3, 3);
  o.in(1).rank(3, 3).type_of(o.in(0));
  o.in(0).shape({o.in(1).extent(0), o.in(1).extent(2), 4});
  for (size_t i : {2, 3, 4}) o.in(i).elements(1);
}

void check_count_nms(const KernelArgs& args) { check_nms_operands(Operands(args, 2, 5, 0, 0)); }
void run_count_nms(const KernelArgs& args) { args.bound_symbols[0] = static_cast<int64_t>(kept_boxes(args).size()); }

void check_nms(const KernelArgs& args) {
  const Operands o(args, 2, 5);
  check_nms_operands(o);
  o.out().integers().shape({o.out().extent(0), 3});
}

void run_nms(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const auto kept = kept_boxes(args);
  if (static_cast<int64_t>(kept.size()) != y.dims[0])
    fail(Code::invalid_argument, "{} boxes are kept, {} were planned for", kept.size(), y.dims[0]);
  for (size_t i = 0; i < kept.size(); ++i)
    for (size_t k = 0; k < 3; ++k)
      store_int(y, static_cast<int64_t>(i) * y.strides[0] + static_cast<int64_t>(k) * y.strides[1], kept[i][k]);
}

// The rows that count bind one symbol.
template <void (*check)(const KernelArgs&)>
void check_one_symbol(const KernelArgs& args) {
  require(args.bound_symbols.size() == 1, "{} symbols are bound, one is accepted", args.bound_symbols.size());
  check(args);
}

}  // namespace

void register_find(KernelTable& table) {
  table.add(make_kernel<NoAttrs>("extents.nonzero", check_one_symbol<check_count_nonzero>, run_count_nonzero));
  table.add(make_kernel<NoAttrs>("nonzero", check_nonzero, run_nonzero));
  table.add(make_kernel<CompressAttrs>("extents.compress", check_one_symbol<check_count_compress>, run_count_compress));
  table.add(make_kernel<CompressAttrs>("compress", check_compress, run_compress));
  table.add(make_kernel<UniqueAttrs>("extents.unique", check_one_symbol<check_count_unique>, run_count_unique));
  table.add(make_kernel<UniqueAttrs>("unique", check_unique, run_unique));
  table.add(make_kernel<NonMaxSuppressionAttrs>("extents.non_max_suppression", check_one_symbol<check_count_nms>,
                                                run_count_nms));
  table.add(make_kernel<NonMaxSuppressionAttrs>("non_max_suppression", check_nms, run_nms));
}

}  // namespace planish::kernels::reference
