// Convolution whose taps are displaced by offsets of their own, one for each position of the result, and weighted by a
// mask.
//   Y[n, m, o] = B[m] + sum over c, k of W[m, c, k] * mask[n, k, o] * X[n, c, o*stride - pad + k*dilation + offset[n,
//   k, o]]
// X between elements is interpolated linearly and 0 outside.

#include "kernels/reference/deform_conv.h"

#include <cmath>

#include "base/checked.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

constexpr size_t kMostCorners = 8;  // of three axes

// The elements around a displaced tap that lie inside, with their weights, the mask's included.
struct DeformedTap {
  size_t count = 1;
  std::array<int64_t, kMostCorners> offsets{};
  std::array<double, kMostCorners> weights{1};

  // Goes on along one more axis: `at` is the position on it.
  void extend(double at, int64_t extent, int64_t stride) {
    const double base = std::floor(at), fraction = at - base;
    const size_t before = count;
    DeformedTap next;
    next.count = 0;
    for (int side = 0; side < 2; ++side) {
      const double weight = side == 0 ? 1 - fraction : fraction, position = base + side;
      if (weight == 0 || !(position >= 0 && position < static_cast<double>(extent))) continue;
      for (size_t i = 0; i < before; ++i, ++next.count) {
        next.offsets[next.count] = offsets[i] + static_cast<int64_t>(position) * stride;
        next.weights[next.count] = weights[i] * weight;
      }
    }
    *this = next;
  }
};

struct DeformedConv {
  const KernelArgs& args;
  const DeformConvAttrs& attrs = args.as<DeformConvAttrs>();
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &shift = args.inputs[2], &y = args.outputs[0];
  size_t spatial = static_cast<size_t>(x.rank) - 2;
  int64_t taps = 1;

  explicit DeformedConv(const KernelArgs& from) : args(from) {
    for (size_t i = 0; i < spatial; ++i) taps *= w.dims[i + 2];
  }

  // Offset of channel c at a position of the result.
  int64_t at(const TensorView& view, int64_t n, int64_t c, std::span<const int64_t> position) const {
    int64_t offset = n * view.strides[0] + c * view.strides[1];
    for (size_t i = 0; i < spatial; ++i) offset += position[i] * view.strides[i + 2];
    return offset;
  }

  // Tap number `flat`, which is `tap`, of an offset group.
  DeformedTap displaced(int64_t n, int64_t group, int64_t flat, std::span<const int64_t> tap,
                        std::span<const int64_t> position) const {
    const int64_t number = group * taps + flat;
    DeformedTap result;
    if (args.has_input(4)) result.weights[0] = load_double(args.inputs[4], at(args.inputs[4], n, number, position));
    for (size_t i = 0; i < spatial && result.count > 0; ++i) {
      const int64_t regular =
          position[i] * at_or(attrs.strides, i, 1) - at_or(attrs.pads, i, 0) + tap[i] * at_or(attrs.dilations, i, 1);
      const int64_t channel = number * static_cast<int64_t>(spatial) + static_cast<int64_t>(i);
      result.extend(static_cast<double>(regular) + load_double(shift, at(shift, n, channel, position)), x.dims[i + 2],
                    x.strides[i + 2]);
    }
    return result;
  }

  // All taps of all offset groups at one position.
  std::vector<DeformedTap> all_taps(int64_t n, std::span<const int64_t> position) const {
    std::vector<DeformedTap> result;
    const std::array<int64_t, kMaxRank> none{};
    for (int64_t group = 0; group < attrs.offset_group; ++group) {
      int64_t flat = 0;
      for (Odometer<1> tap(w.extents().subspan(2), {std::span<const int64_t>(none)}); tap.valid(); tap.next(), ++flat)
        result.push_back(displaced(n, group, flat, {tap.index.data(), spatial}, position));
    }
    return result;
  }

  double sum(int64_t n, int64_t filter, const std::vector<DeformedTap>& displaced_taps) const {
    const int64_t channels = w.dims[1], first = filter / (w.dims[0] / attrs.group) * channels;
    const int64_t per_offset_group = x.dims[1] / attrs.offset_group;
    double sum = args.has_input(3) ? load_double(args.inputs[3], filter * args.inputs[3].strides[0]) : 0;
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t from = n * x.strides[0] + (first + c) * x.strides[1];
      const DeformedTap* tap = displaced_taps.data() + (first + c) / per_offset_group * taps;
      for (Odometer<1> at(w.extents().subspan(2), {std::span<const int64_t>(w.strides).subspan(2)}); at.valid();
           at.next(), ++tap) {
        double value = 0;
        for (size_t i = 0; i < tap->count; ++i) value += tap->weights[i] * load_double(x, from + tap->offsets[i]);
        sum += value * load_double(w, filter * w.strides[0] + c * w.strides[1] + at.offset[0]);
      }
    }
    return sum;
  }
};

void run_deform_conv(const KernelArgs& args) {
  const DeformedConv conv(args);
  const TensorView& y = args.outputs[0];
  const std::span<const int64_t> rest = y.extents().subspan(3);
  args.pool->parallel_for(y.dims[0] * y.dims[2], 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / y.dims[2];
      std::array<int64_t, kMaxRank> position = {row % y.dims[2]};
      for (Odometer<1> at(rest, {std::span<const int64_t>(y.strides).subspan(3)}); at.valid(); at.next()) {
        std::copy_n(at.index.begin(), rest.size(), position.begin() + 1);
        const auto taps = conv.all_taps(n, position);
        for (int64_t m = 0; m < y.dims[1]; ++m) store_double(y, conv.at(y, n, m, position), conv.sum(n, m, taps));
      }
    }
  });
}

// X [N, C, space..], W [M, C/group, kernel..], offsets [N, offset groups * kernel * axes, result..], B? [M],
// mask? [N, offset groups * kernel, result..] -> Y [N, M, result..]
void check_deform_conv(const KernelArgs& args) {
  const Operands o(args, 3, 5);
  const auto& attrs = args.as<DeformConvAttrs>();
  const Slot x = o.in(0).rank(3, 5), y = o.out();
  const int rank = x.view().rank;
  const Slot w = o.in(1).rank(rank, rank);
  y.type_of(x).rank(rank, rank);
  const int64_t channels = x.extent(1);
  require(attrs.group >= 1 && attrs.offset_group >= 1 && channels % attrs.group == 0 &&
              channels % attrs.offset_group == 0 && w.extent(0) % attrs.group == 0 &&
              w.extent(1) == channels / attrs.group && channels > 0,
          "{} channels and filters {} by {} in {} groups and {} offset groups", channels, w.extent(0), w.extent(1),
          attrs.group, attrs.offset_group);
  require(y.extent(0) == x.extent(0) && y.extent(1) == w.extent(0), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  std::vector<int64_t> dims(y.extents().begin(), y.extents().end());
  dims[1] = attrs.offset_group;
  for (size_t i = 0; i + 2 < dims.size(); ++i) {
    check_window_axis(attrs, x, y, i, w.extent(static_cast<int>(i) + 2));
    dims[1] = checked_mul(dims[1], w.extent(static_cast<int>(i) + 2));
  }
  o.in(4).shape(dims);
  dims[1] = checked_mul(dims[1], rank - 2);
  o.in(2).shape(dims);
  o.in(3).shape({w.extent(0)});
}

}  // namespace

void register_deform_conv(KernelTable& table) {
  table.add(make_kernel<DeformConvAttrs>("deform_conv", check_deform_conv, run_deform_conv));
}

}  // namespace planish::kernels::reference
