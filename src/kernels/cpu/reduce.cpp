// Reductions of fp32, the commonest of bf16 too, over any axes. Where the axis along which the data is contiguous
// stays, a block of columns is reduced row by row; where it is reduced, every row is. Sums run in fp32 over short
// stretches and in double across them, in an order that does not depend on the thread count.

#include "kernels/reference/reduce.h"

#include <cmath>
#include <limits>

#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/nest.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kColumns = 64, kStretch = 256, kLanes = 32;

// term: of one element; join: of two partial results.
struct Sum {
  static constexpr float kStart = 0;
  static float term(float x) { return x; }
  template <class T>
  static T join(T a, T b) {
    return a + b;
  }
};
struct SumAbs : Sum {
  static float term(float x) { return std::abs(x); }
};
struct SumSquare : Sum {
  static float term(float x) { return x * x; }
};
struct Product : Sum {
  static constexpr float kStart = 1;
  template <class T>
  static T join(T a, T b) {
    return a * b;
  }
};
struct Max : Sum {  // NaN wins
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  template <class T>
  static T join(T a, T b) {
    return ((b > a) | (b != b)) ? b : a;
  }
};
struct Min : Sum {
  static constexpr float kStart = std::numeric_limits<float>::infinity();
  template <class T>
  static T join(T a, T b) {
    return ((b < a) | (b != b)) ? b : a;
  }
};

// What becomes of the total of `count` elements.
double as_is(double total, double) { return total; }
double mean(double total, double count) { return total / count; }
double root(double total, double) { return std::sqrt(total); }
double logarithm(double total, double) { return std::log(total); }

// One row of adjacent elements.
template <class How, class T>
double reduce_row(const T* x, int64_t n) {
  double total = How::kStart;
  while (n > 0) {
    const int64_t count = std::min(n, kLanes * kLanes);
    float lanes[kLanes];
    std::fill_n(lanes, kLanes, How::kStart);
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes)
      for (int64_t k = 0; k < kLanes; ++k) lanes[k] = How::join(lanes[k], How::term(float_of(x[i + k])));
    for (int64_t k = 0; i + k < count; ++k) lanes[k] = How::join(lanes[k], How::term(float_of(x[i + k])));
    for (int64_t half = kLanes / 2; half > 0; half /= 2)
      for (int64_t k = 0; k < half; ++k) lanes[k] = How::join(lanes[k], lanes[k + half]);
    total = How::join(total, static_cast<double>(lanes[0]));
    x += count;
    n -= count;
  }
  return total;
}

// Results and data of a reduction: what stays (operands: result, data) and what goes (data).
struct Reduction {
  Nest<2> kept;
  Nest<1> gone;
  double count = 1;
  int64_t kept_step() const { return kept.strides[1][kept.inner()]; }
  int64_t gone_step() const { return gone.strides[0][gone.inner()]; }
  int64_t gone_length() const { return gone.dims[gone.inner()]; }
  // Whether whole columns are taken rather than rows.
  bool by_columns() const {
    const bool one_row = gone_length() == 1;
    return kept_step() == 1 && kept.dims[kept.inner()] > 1 && (one_row || gone_step() != 1);
  }
};

Reduction plan_reduction(const KernelArgs& args, const std::array<bool, kMaxRank>& gone, bool keepdims) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  std::array<int64_t, kMaxRank> kept_dims{}, gone_dims{};
  Strides kept_y{}, kept_x{}, gone_x{};
  size_t kept = 0, lost = 0, to = 0;
  Reduction reduction;
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
    if (gone[i]) {
      gone_dims[lost] = x.dims[i];
      gone_x[lost++] = x.strides[i];
      reduction.count *= static_cast<double>(x.dims[i]);
      to += keepdims ? 1 : 0;
      continue;
    }
    kept_dims[kept] = x.dims[i];
    kept_x[kept] = x.strides[i];
    kept_y[kept++] = y.strides[to++];
  }
  // The data decides the order: it is what is read most. Stored back as (result, data).
  const Nest<2> nest = make_nest<2>({kept_dims.data(), kept}, {kept_x, kept_y});
  reduction.kept = nest;
  std::swap(reduction.kept.strides[0], reduction.kept.strides[1]);
  reduction.gone = make_nest<1>({gone_dims.data(), lost}, {gone_x});
  return reduction;
}

// visit(row) for each row start along the innermost reduced axis.
template <class T, class Visit>
void for_gone_rows(const Reduction& reduction, const T* x, Visit visit) {
  const int64_t rows = reduction.gone.outer_count();
  if (rows == 0) return;
  NestPosition<1> at(reduction.gone, 0);
  for (int64_t row = 0; row < rows; ++row, at.next()) visit(x + at.offset[0]);
}

template <class How, class T>
void reduce_columns(const Reduction& reduction, const void* data, int64_t offset, int64_t n, double* totals) {
  const T* const x = static_cast<const T*>(data) + offset;
  float sums[kColumns];
  std::fill_n(totals, n, static_cast<double>(How::kStart));
  std::fill_n(sums, n, How::kStart);
  int64_t waiting = 0;
  const auto flush = [&] {
    for (int64_t c = 0; c < n; ++c) totals[c] = How::join(totals[c], static_cast<double>(sums[c]));
    std::fill_n(sums, n, How::kStart);
    waiting = 0;
  };
  const int64_t length = reduction.gone_length(), step = reduction.gone_step();
  for_gone_rows(reduction, x, [&](const T* rows) {
    for (int64_t i = 0; i < length; ++i) {
      const T* row = rows + i * step;
      if (n == kColumns)
        for (int64_t c = 0; c < kColumns; ++c) sums[c] = How::join(sums[c], How::term(float_of(row[c])));
      else
        for (int64_t c = 0; c < n; ++c) sums[c] = How::join(sums[c], How::term(float_of(row[c])));
      if (++waiting == kStretch) flush();
    }
  });
  flush();
}

template <class How, class T>
double reduce_all(const Reduction& reduction, const void* data, int64_t offset) {
  const T* const x = static_cast<const T*>(data) + offset;
  double total = How::kStart;
  const int64_t length = reduction.gone_length(), step = reduction.gone_step();
  for_gone_rows(reduction, x, [&](const T* row) {
    if (step == 1)
      total = How::join(total, reduce_row<How, T>(row, length));
    else
      for (int64_t i = 0; i < length; ++i)
        total = How::join(total, static_cast<double>(How::term(float_of(row[i * step]))));
  });
  return total;
}

void check_reduce(const KernelArgs& args) {
  reference::check_reduce(args);
  const Operands o(args, 1, 2);
  o.in(0).is({DataType::f32});
  o.out().is({DataType::f32});
}

// Data of fp32 or bf16.
void check_reduce_halves(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  TensorView widened = o.in(0).is(kFloatTypes).view();
  widened.dtype = DataType::f32;
  std::array<TensorView, 2> inputs = {widened, o.in(1).view()};
  KernelArgs stated = args;
  stated.inputs = std::span<const TensorView>(inputs).first(args.inputs.size());
  check_reduce(stated);
}

struct Reducer {
  void (*columns)(const Reduction&, const void* data, int64_t offset, int64_t n, double* totals);
  double (*all)(const Reduction&, const void* data, int64_t offset);
  double (*finish)(double total, double count);
};

template <class T, class How, double (*finish)(double, double) = as_is>
constexpr Reducer kReducer = {reduce_columns<How, T>, reduce_all<How, T>, finish};

void reduce(const KernelArgs& args, const Reducer& how) {
  Reduction reduction = plan_reduction(args, reference::reduced_axes(args), args.as<ReduceAttrs>().keepdims != 0);
  const void* const x = args.inputs[0].data;
  auto* y = args.outputs[0].as<float>();
  if (reduction.gone.is_empty()) reduction.gone = {.rank = 2, .dims = {0, 1}};  // no row: every result is the start
  const int64_t y_step = reduction.kept.strides[0][reduction.kept.inner()], x_step = reduction.kept_step();
  const auto work = static_cast<int64_t>(std::max(1.0, reduction.count));
  const bool columns = reduction.by_columns();
  for_rows(*args.pool, reduction.kept, kColumns, std::max<int64_t>(1, 16384 / work),
           [&](const std::array<int64_t, 2>& at, int64_t n) {
             double totals[kColumns];
             if (columns) how.columns(reduction, x, at[1], n, totals);
             for (int64_t i = 0; i < n && !columns; ++i) totals[i] = how.all(reduction, x, at[1] + i * x_step);
             for (int64_t i = 0; i < n; ++i)
               y[at[0] + i * y_step] = static_cast<float>(how.finish(totals[i], reduction.count));
           });
}

template <class How, double (*finish)(double, double) = as_is>
void run_reduce(const KernelArgs& args) {
  reduce(args, kReducer<float, How, finish>);
}

template <class How, double (*finish)(double, double) = as_is>
void run_reduce_halves(const KernelArgs& args) {
  if (lies_half(args.inputs[0].dtype)) return reduce(args, kReducer<BFloat16, How, finish>);
  reduce(args, kReducer<float, How, finish>);
}

// --- arg_max, arg_min: the first (or last) position of the extreme value; NaN is never better

template <bool largest, bool last, class T>
inline bool is_better(T value, T best) {
  if constexpr (last)
    return largest ? value >= best : value <= best;
  else
    return largest ? value > best : value < best;
}

// W: positions as wide as the elements are, where they fit, make vectors of equal lanes.
template <bool largest, bool last, class W, class T>
void arg_columns_as(const T* x, int64_t extent, int64_t step, int64_t n, int64_t* y, int64_t y_step) {
  T best[kColumns] = {};
  W where[kColumns] = {};
  std::copy_n(x, n, best);
  for (int64_t i = 1; i < extent; ++i) {
    const T* row = x + i * step;
    const auto at = static_cast<W>(i);
    for (int64_t c = 0; c < n; ++c) {
      const bool better = is_better<largest, last>(row[c], best[c]);
      best[c] = better ? row[c] : best[c];
      where[c] = better ? at : where[c];
    }
  }
  for (int64_t c = 0; c < n; ++c) y[c * y_step] = where[c];
}

template <bool largest, bool last, class T>
void arg_columns(const T* x, int64_t extent, int64_t step, int64_t n, int64_t* y, int64_t y_step) {
  if (sizeof(T) == 1 && extent <= 256) return arg_columns_as<largest, last, uint8_t>(x, extent, step, n, y, y_step);
  arg_columns_as<largest, last, int32_t>(x, extent, step, n, y, y_step);
}

template <bool largest, bool last, class T>
int64_t arg_row(const T* x, int64_t extent, int64_t step) {
  if (step != 1 || extent < 4 * 16 || x[0] != x[0]) {
    T best = x[0];
    int64_t where = 0;
    for (int64_t i = 1; i < extent; ++i) {
      const T value = x[i * step];
      const bool better = is_better<largest, last>(value, best);
      best = better ? value : best;
      where = better ? i : where;
    }
    return where;
  }
  constexpr int64_t kWide = 16;
  T lanes[kWide];
  std::fill_n(lanes, kWide, x[0]);
  int64_t i = 0;
  for (; i + kWide <= extent; i += kWide)
    for (int64_t k = 0; k < kWide; ++k) lanes[k] = is_better<largest, false>(x[i + k], lanes[k]) ? x[i + k] : lanes[k];
  for (int64_t k = 0; i + k < extent; ++k)
    lanes[k] = is_better<largest, false>(x[i + k], lanes[k]) ? x[i + k] : lanes[k];
  T best = lanes[0];
  for (T lane : lanes) best = is_better<largest, false>(lane, best) ? lane : best;
  if constexpr (last) {
    for (int64_t k = extent; k-- > 0;)
      if (x[k] == best) return k;
    return 0;
  }
  return std::find(x, x + extent, best) - x;
}

// fp32 and bytes to i64, at most 2^31 - 1 elements
void check_arg(const KernelArgs& args) {
  reference::check_arg(args);
  const Operands o(args, 1, 1);
  const Slot x = o.in(0).is({DataType::f32, DataType::u8, DataType::i8});
  const int64_t extent = x.extents()[x.axis(args.as<ArgAttrs>().axis)];
  require(extent <= INT32_MAX, "the extreme of {} elements", extent);
  o.out().is({DataType::i64});
}

template <bool largest, bool last, class T>
void run_arg(const KernelArgs& args) {
  const auto& attrs = args.as<ArgAttrs>();
  const TensorView& x = args.inputs[0];
  if (args.outputs[0].element_count() == 0) return;
  std::array<bool, kMaxRank> gone{};
  gone[static_cast<size_t>(normalize_axis(attrs.axis, x.rank))] = true;
  const Reduction reduction = plan_reduction(args, gone, attrs.keepdims != 0);
  const int64_t extent = reduction.gone_length(), step = reduction.gone_step();
  const int64_t y_step = reduction.kept.strides[0][reduction.kept.inner()], x_step = reduction.kept_step();
  const bool columns = reduction.by_columns();
  for_rows(*args.pool, reduction.kept, kColumns, std::max<int64_t>(1, 16384 / extent),
           [&](const std::array<int64_t, 2>& at, int64_t n) {
             const T* from = x.as<const T>() + at[1];
             int64_t* to = args.outputs[0].as<int64_t>() + at[0];
             if (columns) return arg_columns<largest, last>(from, extent, step, n, to, y_step);
             for (int64_t i = 0; i < n; ++i) to[i * y_step] = arg_row<largest, last>(from + i * x_step, extent, step);
           });
}

template <bool largest, class T>
void run_arg_of(const KernelArgs& args) {
  if (args.as<ArgAttrs>().select_last_index != 0)
    run_arg<largest, true, T>(args);
  else
    run_arg<largest, false, T>(args);
}

template <bool largest>
void run_arg_either(const KernelArgs& args) {
  switch (args.inputs[0].dtype) {
    case DataType::u8:
      return run_arg_of<largest, uint8_t>(args);
    case DataType::i8:
      return run_arg_of<largest, int8_t>(args);
    default:
      return run_arg_of<largest, float>(args);
  }
}

}  // namespace

void register_reduce(KernelTable& table) {
  table.add(make_kernel<ReduceAttrs>("reduce_sum", check_reduce_halves, run_reduce_halves<Sum>));
  table.add(make_kernel<ReduceAttrs>("reduce_mean", check_reduce_halves, run_reduce_halves<Sum, mean>));
  table.add(make_kernel<ReduceAttrs>("reduce_max", check_reduce_halves, run_reduce_halves<Max>));
  table.add(make_kernel<ReduceAttrs>("reduce_min", check_reduce, run_reduce<Min>));
  table.add(make_kernel<ReduceAttrs>("reduce_prod", check_reduce, run_reduce<Product>));
  table.add(make_kernel<ReduceAttrs>("reduce_l1", check_reduce, run_reduce<SumAbs>));
  table.add(make_kernel<ReduceAttrs>("reduce_l2", check_reduce, run_reduce<SumSquare, root>));
  table.add(make_kernel<ReduceAttrs>("reduce_sum_square", check_reduce, run_reduce<SumSquare>));
  table.add(make_kernel<ReduceAttrs>("reduce_log_sum", check_reduce, run_reduce<Sum, logarithm>));
  table.add(make_kernel<ArgAttrs>("arg_max", check_arg, run_arg_either<true>));
  table.add(make_kernel<ArgAttrs>("arg_min", check_arg, run_arg_either<false>));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
