#include "kernels/reference/reduce.h"

#include <cmath>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

struct Accumulator {
  double start;
  double (*step)(double, double);
  double (*finish)(double, double count);
};

double keep(double sum, double) { return sum; }
double add_to(double s, double x) { return s + x; }

const Accumulator kSum = {0, add_to, keep};
const Accumulator kMean = {0, add_to, [](double s, double n) { return s / n; }};
const Accumulator kMax = {-INFINITY, [](double s, double x) { return x > s || std::isnan(x) ? x : s; }, keep};
const Accumulator kMin = {INFINITY, [](double s, double x) { return x < s || std::isnan(x) ? x : s; }, keep};
const Accumulator kProd = {1, [](double s, double x) { return s * x; }, keep};
const Accumulator kL1 = {0, [](double s, double x) { return s + std::abs(x); }, keep};
const Accumulator kL2 = {0, [](double s, double x) { return s + x * x; },
                         [](double s, double) { return std::sqrt(s); }};
const Accumulator kSumSquare = {0, [](double s, double x) { return s + x * x; }, keep};
const Accumulator kLogSum = {0, add_to, [](double s, double) { return std::log(s); }};
// log(e^a + e^b), whatever their size.
double log_add(double a, double b) {
  const double most = a > b || std::isnan(a) ? a : b;
  return std::isfinite(most) ? most + std::log1p(std::exp(-std::abs(a - b))) : most;
}
const Accumulator kLogSumExp = {-INFINITY, log_add, keep};

// The extents of `x` that remain; those taken away are 1 or gone.
std::vector<int64_t> remaining(const Slot& x, const std::array<bool, kMaxRank>& gone, bool keepdims) {
  std::vector<int64_t> dims;
  for (size_t i = 0; i < x.extents().size(); ++i) {
    if (!gone[i])
      dims.push_back(x.extents()[i]);
    else if (keepdims)
      dims.push_back(1);
  }
  return dims;
}

template <const Accumulator& how>
void run_reduce(const KernelArgs& args) {
  const auto& attrs = args.as<ReduceAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto reduced = reduced_axes(args);
  std::vector<int64_t> outer, inner, outer_x, outer_y, inner_x;
  size_t to = 0;
  double count = 1;
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
    if (reduced[i]) {
      inner.push_back(x.dims[i]);
      inner_x.push_back(x.strides[i]);
      count *= static_cast<double>(x.dims[i]);
      to += attrs.keepdims != 0 ? 1 : 0;
    } else {
      outer.push_back(x.dims[i]);
      outer_x.push_back(x.strides[i]);
      outer_y.push_back(y.strides[to++]);
    }
  }
  for (Odometer<2> at(outer, {outer_x, outer_y}); at.valid(); at.next()) {
    double value = how.start;
    for (Odometer<1> in(inner, {inner_x}); in.valid(); in.next())
      value = how.step(value, load_double(x, at.offset[0] + in.offset[0]));
    store_double(y, at.offset[1], how.finish(value, count));
  }
}

template <bool largest>
void run_arg(const KernelArgs& args) {
  const auto& attrs = args.as<ArgAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(attrs.axis, x.rank));
  std::vector<int64_t> outer, outer_x, outer_y;
  for (size_t i = 0, to = 0; i < static_cast<size_t>(x.rank); ++i) {
    if (i == axis) {
      to += attrs.keepdims != 0 ? 1 : 0;
      continue;
    }
    outer.push_back(x.dims[i]);
    outer_x.push_back(x.strides[i]);
    outer_y.push_back(y.strides[to++]);
  }
  for (Odometer<2> at(outer, {outer_x, outer_y}); at.valid(); at.next()) {
    double best = load_double(x, at.offset[0]);
    int64_t where = 0;
    for (int64_t i = 1; i < x.dims[axis]; ++i) {
      const double value = load_double(x, at.offset[0] + i * x.strides[axis]);
      const bool better = largest ? value > best : value < best;
      if (!better && !(attrs.select_last_index != 0 && value == best)) continue;
      best = value;
      where = i;
    }
    store_int(y, at.offset[1], where);
  }
}

}  // namespace

std::array<bool, kMaxRank> reduced_axes(const KernelArgs& args) {
  const auto& attrs = args.as<ReduceAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  std::array<bool, kMaxRank> gone{};
  const int64_t count = args.has_input(1) ? args.inputs[1].element_count() : 0;
  for (int64_t i = 0; i < count; ++i)
    gone[static_cast<size_t>(normalize_axis(load_int(args.inputs[1], i * args.inputs[1].strides[0]), x.rank))] = true;
  if (count == 0 && attrs.noop_with_empty_axes == 0) gone.fill(true);
  size_t to = 0;
  bool fits = true;
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
    if (gone[i] && attrs.keepdims == 0) continue;
    fits = fits && to < static_cast<size_t>(y.rank) && y.dims[to] == (gone[i] ? 1 : x.dims[i]);
    ++to;
  }
  if (!fits || to != static_cast<size_t>(y.rank))
    fail(Code::invalid_argument, "the axes given do not reduce {} to {}", Shape::of(x.extents()).str(),
         Shape::of(y.extents()).str());
  return gone;
}

// X, axes? -> what remains of X; the axes are data.
void check_reduce(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  o.in(1).integers().list();
}

// X, not empty along the axis unless the result is -> positions
void check_arg(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0), y = o.out();
  std::array<bool, kMaxRank> gone{};
  const size_t axis = x.axis(args.as<ArgAttrs>().axis);
  gone[axis] = true;
  y.integers().shape(remaining(x, gone, args.as<ArgAttrs>().keepdims != 0));
  require(x.extents()[axis] > 0 || y.view().element_count() == 0, "the extreme of no elements");
}

void register_reduce(KernelTable& table) {
  table.add(make_kernel<ReduceAttrs>("reduce_sum", check_reduce, run_reduce<kSum>));
  table.add(make_kernel<ReduceAttrs>("reduce_mean", check_reduce, run_reduce<kMean>));
  table.add(make_kernel<ReduceAttrs>("reduce_max", check_reduce, run_reduce<kMax>));
  table.add(make_kernel<ReduceAttrs>("reduce_min", check_reduce, run_reduce<kMin>));
  table.add(make_kernel<ReduceAttrs>("reduce_prod", check_reduce, run_reduce<kProd>));
  table.add(make_kernel<ReduceAttrs>("reduce_l1", check_reduce, run_reduce<kL1>));
  table.add(make_kernel<ReduceAttrs>("reduce_l2", check_reduce, run_reduce<kL2>));
  table.add(make_kernel<ReduceAttrs>("reduce_sum_square", check_reduce, run_reduce<kSumSquare>));
  table.add(make_kernel<ReduceAttrs>("reduce_log_sum", check_reduce, run_reduce<kLogSum>));
  table.add(make_kernel<ReduceAttrs>("reduce_log_sum_exp", check_reduce, run_reduce<kLogSumExp>));
  table.add(make_kernel<ArgAttrs>("arg_max", check_arg, run_arg<true>));
  table.add(make_kernel<ArgAttrs>("arg_min", check_arg, run_arg<false>));
}

}  // namespace planish::kernels::reference
