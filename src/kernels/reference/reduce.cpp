#include "kernels/reference/reduce.h"

#include <cmath>

#include "kernels/kernel.h"

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
const Accumulator kLogSumExp = {0, [](double s, double x) { return s + std::exp(x); },
                                [](double s, double) { return std::log(s); }};

std::vector<bool> reduced_axes(const KernelArgs& args, const ReduceAttrs& attrs) {
  const TensorView& x = args.inputs[0];
  std::vector<bool> reduced(static_cast<size_t>(x.rank), false);
  const int64_t count = args.has_input(1) ? args.inputs[1].element_count() : 0;
  for (int64_t i = 0; i < count; ++i)
    reduced[static_cast<size_t>(normalize_axis(load_int(args.inputs[1], i * args.inputs[1].strides[0]), x.rank))] =
        true;
  if (count == 0 && attrs.noop_with_empty_axes == 0) reduced.assign(reduced.size(), true);
  return reduced;
}

template <const Accumulator& how>
void run_reduce(const KernelArgs& args) {
  const auto& attrs = args.as<ReduceAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto reduced = reduced_axes(args, attrs);
  std::vector<int64_t> outer, inner, outer_x, outer_y, inner_x;
  size_t to = 0;
  double count = 1;
  for (size_t i = 0; i < reduced.size(); ++i) {
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

void register_reduce(KernelTable& table) {
  table.add(make_kernel<ReduceAttrs>("reduce_sum", run_reduce<kSum>));
  table.add(make_kernel<ReduceAttrs>("reduce_mean", run_reduce<kMean>));
  table.add(make_kernel<ReduceAttrs>("reduce_max", run_reduce<kMax>));
  table.add(make_kernel<ReduceAttrs>("reduce_min", run_reduce<kMin>));
  table.add(make_kernel<ReduceAttrs>("reduce_prod", run_reduce<kProd>));
  table.add(make_kernel<ReduceAttrs>("reduce_l1", run_reduce<kL1>));
  table.add(make_kernel<ReduceAttrs>("reduce_l2", run_reduce<kL2>));
  table.add(make_kernel<ReduceAttrs>("reduce_sum_square", run_reduce<kSumSquare>));
  table.add(make_kernel<ReduceAttrs>("reduce_log_sum", run_reduce<kLogSum>));
  table.add(make_kernel<ReduceAttrs>("reduce_log_sum_exp", run_reduce<kLogSumExp>));
  table.add(make_kernel<ArgAttrs>("arg_max", run_arg<true>));
  table.add(make_kernel<ArgAttrs>("arg_min", run_arg<false>));
}

}  // namespace planish::kernels::reference
