#include "kernels/reference/normalization.h"

#include <cmath>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// X [N, C, ..]; scale, bias, mean, variance [C]
void check_batch_norm(const KernelArgs& args) {
  const Operands o(args, 5, 5);
  const Slot x = o.in(0).rank(2, kMaxRank);
  for (size_t i = 1; i < 5; ++i) o.in(i).shape({x.extent(1)});
  o.out().shape(x.extents());
}

// Y = (X - mean) / sqrt(variance + epsilon) * scale + bias, per channel (axis 1)
void run_batch_norm(const KernelArgs& args) {
  const double epsilon = args.as<BatchNormAttrs>().epsilon;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto parameter = [&](size_t i, int64_t c) {
    return load_double(args.inputs[i], c * args.inputs[i].strides[0]);
  };
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const int64_t c = at.index[1];
    const double normal = (load_double(x, at.offset[0]) - parameter(3, c)) / std::sqrt(parameter(4, c) + epsilon);
    store_double(y, at.offset[1], normal * parameter(1, c) + parameter(2, c));
  }
}

struct Moments {
  double mean = 0, variance = 0;
};

Moments moments_of(const TensorView& x, int64_t base, std::span<const int64_t> extents,
                   std::span<const int64_t> strides, bool centred) {
  double sum = 0, squares = 0;
  int64_t count = 0;
  for (Odometer<1> at(extents, {strides}); at.valid(); at.next(), ++count) sum += load_double(x, base + at.offset[0]);
  Moments m;
  m.mean = centred ? sum / static_cast<double>(count) : 0;
  for (Odometer<1> at(extents, {strides}); at.valid(); at.next()) {
    const double d = load_double(x, base + at.offset[0]) - m.mean;
    squares += d * d;
  }
  m.variance = squares / static_cast<double>(count);
  return m;
}

// Y = (X - mean) / sqrt(variance + epsilon) * scale + bias over the axes from `axis` on; RMS: mean taken as 0.
template <bool centred>
void run_layer_norm(const KernelArgs& args) {
  const auto& attrs = args.as<LayerNormAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(attrs.axis, x.rank));
  const auto tail = x.extents().subspan(axis);
  const auto scale_strides = broadcast_strides(args.inputs[1], tail);
  std::array<int64_t, kMaxRank> bias_strides{};
  if (args.has_input(2)) bias_strides = broadcast_strides(args.inputs[2], tail);
  const std::span<const int64_t> xs(x.strides), ys(y.strides);
  for (Odometer<2> row(x.extents().subspan(0, axis), {xs, ys}); row.valid(); row.next()) {
    const Moments m = moments_of(x, row.offset[0], tail, xs.subspan(axis), centred);
    const double inverse = 1 / std::sqrt(m.variance + attrs.epsilon);
    for (Odometer<4> at(tail, {xs.subspan(axis), ys.subspan(axis), std::span<const int64_t>(scale_strides),
                               std::span<const int64_t>(bias_strides)});
         at.valid(); at.next()) {
      const double bias = args.has_input(2) ? load_double(args.inputs[2], at.offset[3]) : 0;
      store_double(y, row.offset[1] + at.offset[1],
                   (load_double(x, row.offset[0] + at.offset[0]) - m.mean) * inverse *
                           load_double(args.inputs[1], at.offset[2]) +
                       bias);
    }
  }
}

// softmax: exp(x - max) / sum; log_softmax: x - max - log(sum)
template <bool logarithm>
void run_softmax(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0) return;
  const auto axis = static_cast<size_t>(normalize_axis(args.as<AxisAttrs>().axis, x.rank));
  std::vector<int64_t> outer(x.extents().begin(), x.extents().end());
  outer[axis] = 1;
  const int64_t n = x.dims[axis], xs = x.strides[axis], ys = y.strides[axis];
  for (Odometer<2> at(outer, {x.strides, y.strides}); at.valid(); at.next()) {
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; ++i) largest = std::max(largest, load_double(x, at.offset[0] + i * xs));
    for (int64_t i = 0; i < n; ++i) sum += std::exp(load_double(x, at.offset[0] + i * xs) - largest);
    for (int64_t i = 0; i < n; ++i) {
      const double shifted = load_double(x, at.offset[0] + i * xs) - largest;
      store_double(y, at.offset[1] + i * ys, logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum);
    }
  }
}

}  // namespace

// X, scale, bias? that spread over the axes from `axis` on -> X's extents
void check_layer_norm(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const Slot x = o.in(0);
  const auto tail = x.extents().subspan(x.axis(args.as<LayerNormAttrs>().axis));
  o.in(1).spreads_over(tail);
  o.in(2).spreads_over(tail);
  o.out().shape(x.extents());
}

void check_softmax(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.in(0).axis(args.as<AxisAttrs>().axis);
  o.out().shape(o.in(0).extents());
}

void register_normalization(KernelTable& table) {
  table.add(make_kernel<BatchNormAttrs>("batch_normalization", check_batch_norm, run_batch_norm));
  table.add(make_kernel<LayerNormAttrs>("layer_normalization", check_layer_norm, run_layer_norm<true>));
  table.add(make_kernel<LayerNormAttrs>("rms_normalization", check_layer_norm, run_layer_norm<false>));
  table.add(make_kernel<AxisAttrs>("softmax", check_softmax, run_softmax<false>));
  table.add(make_kernel<AxisAttrs>("log_softmax", check_softmax, run_softmax<true>));
}

}  // namespace planish::kernels::reference
