#include "kernels/reference/select.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// All axes but one.
std::vector<int64_t> without_axis(std::span<const int64_t> list, int rank, size_t axis) {
  std::vector<int64_t> rest;
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i)
    if (i != axis) rest.push_back(list[i]);
  return rest;
}

// NaN is above every number.
template <class T>
bool is_above(T a, T b) {
  return a > b || (a != a && b == b);
}

// Positions of the `count` best, the best first.
template <class T>
std::vector<int64_t> best_of(const std::vector<T>& row, int64_t count, bool largest) {
  std::vector<int64_t> order(row.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    const T first = row[static_cast<size_t>(a)], second = row[static_cast<size_t>(b)];
    const bool above = is_above(first, second), below = is_above(second, first);
    return above || below ? above == largest : a < b;
  });
  order.resize(static_cast<size_t>(count));
  return order;
}

template <class T, class Load, class Store>
void topk_rows(const KernelArgs& args, Load load, Store store) {
  const auto& attrs = args.as<TopKAttrs>();
  const TensorView &x = args.inputs[0], values = args.has_output(0) ? args.outputs[0] : TensorView{};
  const TensorView indices = args.has_output(1) ? args.outputs[1] : TensorView{};
  const auto axis = static_cast<size_t>(normalize_axis(attrs.axis, x.rank));
  const int64_t count = load_int(args.inputs[1], 0);
  const int64_t room = (values.present() ? values : indices).dims[axis];
  if (count != room || count > x.dims[axis])
    fail(Code::invalid_argument, "K is {}, {} of {} elements are accepted", count, room, x.dims[axis]);
  const auto strides = [&](const TensorView& view) { return without_axis(view.strides, x.rank, axis); };
  const auto xs = strides(x), vs = strides(values), is = strides(indices);
  const auto rows = without_axis(x.dims, x.rank, axis);
  std::vector<T> row(static_cast<size_t>(x.dims[axis]));
  for (Odometer<3> at(rows, {xs, vs, is}); at.valid(); at.next()) {
    for (size_t i = 0; i < row.size(); ++i) row[i] = load(x, at.offset[0] + static_cast<int64_t>(i) * x.strides[axis]);
    const auto best = best_of(row, count, attrs.largest != 0);
    for (size_t k = 0; k < best.size(); ++k) {
      const auto step = static_cast<int64_t>(k);
      if (values.present())
        store(values, at.offset[1] + step * values.strides[axis], row[static_cast<size_t>(best[k])]);
      if (indices.present()) store_int(indices, at.offset[2] + step * indices.strides[axis], best[k]);
    }
  }
}

// X, K -> values and their positions along the axis; K is data
void check_topk(const KernelArgs& args) {
  const Operands o(args, 2, 2, 0, 2);
  const Slot x = o.in(0);
  const size_t axis = x.axis(args.as<TopKAttrs>().axis);
  o.in(1).integers().elements(1);
  for (size_t i = 0; i < args.outputs.size(); ++i) {
    const Slot y = o.out(i);
    if (!y.present()) continue;
    y.rank(x.view().rank, x.view().rank);
    std::vector<int64_t> dims(x.extents().begin(), x.extents().end());
    dims[axis] = y.extents()[axis];
    y.shape(dims);
    i == 0 ? y.type_of(x) : y.is({DataType::i64});
  }
}

void run_topk(const KernelArgs& args) {
  if (is_float(args.inputs[0].dtype))
    topk_rows<double>(args, load_double, store_double);
  else
    topk_rows<int64_t>(args, load_int, store_int);
}

// Running sums, or products.
template <bool products, class T, class Load, class Store>
void cumulative_rows(const KernelArgs& args, Load load, Store store) {
  const auto& attrs = args.as<CumSumAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(load_int(args.inputs[1], 0), x.rank));
  const auto xs = without_axis(x.strides, x.rank, axis), ys = without_axis(y.strides, x.rank, axis);
  const auto rows = without_axis(x.dims, x.rank, axis);
  const int64_t n = x.dims[axis];
  for (Odometer<2> at(rows, {xs, ys}); at.valid(); at.next()) {
    T sum = products ? 1 : 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t k = attrs.reverse != 0 ? n - 1 - i : i;
      const T value = load(x, at.offset[0] + k * x.strides[axis]), before = sum;
      sum = products ? sum * value : sum + value;
      store(y, at.offset[1] + k * y.strides[axis], attrs.exclusive != 0 ? before : sum);
    }
  }
}

// X, an axis -> like X; the axis is data
void check_cum_sum(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  o.in(1).integers().elements(1);
  o.out().like(o.in(0));
}

template <bool products>
void run_cumulative(const KernelArgs& args) {
  if (is_float(args.inputs[0].dtype))
    cumulative_rows<products, double>(args, load_double, store_double);
  else
    cumulative_rows<products, uint64_t>(
        args, [](const TensorView& x, int64_t at) { return static_cast<uint64_t>(load_int(x, at)); },
        [](const TensorView& y, int64_t at, uint64_t sum) { store_int(y, at, static_cast<int64_t>(sum)); });
}

// X, k? -> like X
void check_trilu(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  o.in(0).rank(2, kMaxRank);
  o.in(1).integers().elements(1);
  o.out().like(o.in(0));
}

// Keeps row i, column j of the last two axes where j - i >= k (upper) or <= k (lower).
void run_trilu(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const bool upper = args.as<TriluAttrs>().upper != 0;
  const int64_t k = args.has_input(1) ? load_int(args.inputs[1], 0) : 0;
  const auto column = static_cast<size_t>(x.rank) - 1;
  const auto bytes = static_cast<size_t>(element_bytes(x.dtype));
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const int64_t above = at.index[column] - at.index[column - 1];
    std::byte* to = y.as<std::byte>() + at.offset[1] * static_cast<int64_t>(bytes);
    if (upper ? above >= k : above <= k)
      std::copy_n(x.as<const std::byte>() + at.offset[0] * static_cast<int64_t>(bytes), bytes, to);
    else
      std::fill_n(to, bytes, std::byte{0});
  }
}

// --- grid_sample

struct GridTaps {
  int count = 1;
  std::array<int64_t, 4> positions{};  // -1: outside, where zeros are
  std::array<double, 4> weights{1, 0, 0, 0};
};

// Back and forth between low and high.
double reflect(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double folded = std::fmod(std::abs(x - low), 2 * range);
  return low + (folded <= range ? folded : 2 * range - folded);
}

int64_t grid_position(const GridSampleAttrs& attrs, int64_t at, int64_t extent) {
  if (at >= 0 && at < extent) return at;
  if (attrs.padding_mode == "zeros") return -1;
  const bool corners = attrs.align_corners != 0;
  const double last = static_cast<double>(extent) - 1, edge = corners ? 0 : 0.5;
  const double inside = attrs.padding_mode == "reflection" ? reflect(static_cast<double>(at), -edge, last + edge)
                                                           : static_cast<double>(at);
  return static_cast<int64_t>(std::clamp(inside, 0.0, last));
}

double grid_cubic_weight(double distance) {
  constexpr double a = -0.75;
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

GridTaps grid_taps(const GridSampleAttrs& attrs, double normal, int64_t extent) {
  constexpr double kFarthest = 1e9;
  const auto n = static_cast<double>(extent);
  double x = attrs.align_corners != 0 ? (normal + 1) / 2 * (n - 1) : ((normal + 1) * n - 1) / 2;
  x = std::isnan(x) ? -kFarthest : std::clamp(x, -kFarthest, kFarthest);
  GridTaps taps;
  if (attrs.mode == "nearest") {
    taps.positions[0] = grid_position(attrs, static_cast<int64_t>(std::nearbyint(x)), extent);
    return taps;
  }
  const double base = std::floor(x), fraction = x - base;
  const int64_t before = attrs.mode == "cubic" ? 1 : 0;
  taps.count = before != 0 ? 4 : 2;
  for (int i = 0; i < taps.count; ++i) {
    const auto tap = static_cast<size_t>(i);
    const double distance = fraction + static_cast<double>(before - i);
    taps.positions[tap] = grid_position(attrs, static_cast<int64_t>(base) + i - before, extent);
    taps.weights[tap] = before != 0 ? grid_cubic_weight(distance) : 1 - std::abs(distance);
  }
  return taps;
}

// The taps of all axes multiplied out: offsets into a channel, and weights.
struct GridPoint {
  std::vector<int64_t> offsets;
  std::vector<double> weights;
};

GridPoint grid_point(const KernelArgs& args, int64_t grid_offset) {
  const auto& attrs = args.as<GridSampleAttrs>();
  const TensorView &x = args.inputs[0], &grid = args.inputs[1];
  const auto last = static_cast<size_t>(grid.rank) - 1, spatial = static_cast<size_t>(x.rank) - 2;
  GridPoint point{{0}, {1}};
  for (size_t axis = 0; axis < spatial; ++axis) {
    const int64_t which = static_cast<int64_t>(spatial - 1 - axis);  // the last axis comes first in the grid
    const double normal = load_double(grid, grid_offset + which * grid.strides[last]);
    const GridTaps taps = grid_taps(attrs, normal, x.dims[axis + 2]);
    GridPoint next;
    for (size_t i = 0; i < point.offsets.size(); ++i)
      for (size_t k = 0; k < static_cast<size_t>(taps.count); ++k) {
        if (taps.positions[k] < 0) continue;
        next.offsets.push_back(point.offsets[i] + taps.positions[k] * x.strides[axis + 2]);
        next.weights.push_back(point.weights[i] * taps.weights[k]);
      }
    point = std::move(next);
  }
  return point;
}

// X [N, C, space..], grid [N, result.., axes] -> [N, C, result..]
void check_grid_sample(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot x = o.in(0).rank(4, 5), grid = o.in(1).rank(x.view().rank, x.view().rank);
  require(grid.extent(0) == x.extent(0) && grid.extent(-1) == x.view().rank - 2,
          "a grid of {} points of {} in batch {}", grid.extent(0), grid.extent(-1), x.extent(0));
  std::vector<int64_t> dims = {x.extent(0), x.extent(1)};
  dims.insert(dims.end(), grid.extents().begin() + 1, grid.extents().end() - 1);
  o.out().type_of(x).shape(dims);
}

// No point of an empty picture is inside it.
void fill_zeros(const TensorView& y) {
  for (Odometer<1> at(y.extents(), {std::span<const int64_t>(y.strides)}); at.valid(); at.next())
    store_double(y, at.offset[0], 0);
}

void run_grid_sample(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &grid = args.inputs[1], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  if (x.element_count() == 0) return fill_zeros(y);
  const auto spatial = static_cast<size_t>(x.rank) - 2;
  const std::span<const int64_t> gs(grid.strides), ys(y.strides);
  args.pool->parallel_for(y.dims[0] * y.dims[2], 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / y.dims[2], first = row % y.dims[2];
      const int64_t from = n * gs[0] + first * gs[1], to = n * ys[0] + first * ys[2];
      for (Odometer<2> at(y.extents().subspan(3, spatial - 1), {gs.subspan(2), ys.subspan(3)}); at.valid(); at.next()) {
        const GridPoint point = grid_point(args, from + at.offset[0]);
        for (int64_t c = 0; c < x.dims[1]; ++c) {
          double sum = 0;
          for (size_t i = 0; i < point.offsets.size(); ++i)
            sum += point.weights[i] * load_double(x, n * x.strides[0] + c * x.strides[1] + point.offsets[i]);
          store_double(y, to + at.offset[1] + c * ys[1], sum);
        }
      }
    }
  });
}

}  // namespace

void register_select(KernelTable& table) {
  table.add(make_kernel<TopKAttrs>("topk", check_topk, run_topk));
  table.add(make_kernel<CumSumAttrs>("cum_sum", check_cum_sum, run_cumulative<false>));
  table.add(make_kernel<CumSumAttrs>("cum_prod", check_cum_sum, run_cumulative<true>));
  table.add(make_kernel<TriluAttrs>("trilu", check_trilu, run_trilu));
  table.add(make_kernel<GridSampleAttrs>("grid_sample", check_grid_sample, run_grid_sample));
}

}  // namespace planish::kernels::reference
