// Convolution as the sum that defines it, in double.
//   Y[n, m, o] = B[m] + sum over c, k of X[n, g*C/G + c, o*stride + k*dilation - pad] * W[m, c, k]

#include "kernels/reference/conv.h"

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

constexpr size_t kSpatial = 3;

// A 1-D to 3-D problem seen as 3-D: missing axes have extent 1.
struct Geometry {
  std::array<WindowAxis, kSpatial> axes{};
  std::array<int64_t, kSpatial> in_stride{}, out_stride{}, weight_stride{};
};

Geometry geometry_of(const ConvAttrs& attrs, const TensorView& x, const TensorView& w, const TensorView& y,
                     bool transposed) {
  Geometry g;
  const auto spatial = static_cast<size_t>(x.rank - 2);
  for (size_t i = 0; i < spatial; ++i) {
    const size_t to = kSpatial - spatial + i, from = i + 2;
    WindowAxis axis{
        x.dims[from], y.dims[from], w.dims[from], at_or(attrs.strides, i, 1), at_or(attrs.dilations, i, 1), 0};
    axis.pad = at_or(attrs.pads, i, 0);
    if (!transposed)
      axis.pad = pad_begin(attrs.auto_pad, attrs.pads, i, axis);
    else if (attrs.auto_pad.starts_with("SAME") || !attrs.output_shape.empty()) {
      const int64_t total = std::max<int64_t>(0, (axis.in - 1) * axis.stride + at_or(attrs.output_padding, i, 0) +
                                                     axis.dilation * (axis.kernel - 1) + 1 - axis.out);
      axis.pad = attrs.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    }
    g.axes[to] = axis;
    g.in_stride[to] = x.strides[from];
    g.out_stride[to] = y.strides[from];
    g.weight_stride[to] = w.strides[from];
  }
  return g;
}

struct Range {
  int64_t begin, end;
};

// Taps k for which base + k * dilation lies in [0, extent).
Range valid_taps(int64_t base, int64_t dilation, int64_t kernel, int64_t extent) {
  const int64_t begin = base >= 0 ? 0 : (-base + dilation - 1) / dilation;
  const int64_t end = base >= extent ? 0 : std::min(kernel, (extent - 1 - base) / dilation + 1);
  return {begin, std::max(begin, end)};
}

template <class LoadX, class LoadW>
double conv_at(const Geometry& g, int64_t channels, int64_t x_channel, int64_t w_channel,
               std::array<int64_t, 3> position, LoadX x, LoadW w) {
  std::array<int64_t, 3> base;
  std::array<Range, 3> taps;
  for (size_t i = 0; i < 3; ++i) {
    base[i] = position[i] * g.axes[i].stride - g.axes[i].pad;
    taps[i] = valid_taps(base[i], g.axes[i].dilation, g.axes[i].kernel, g.axes[i].in);
  }
  double sum = 0;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t a = taps[0].begin; a < taps[0].end; ++a)
      for (int64_t b = taps[1].begin; b < taps[1].end; ++b) {
        const int64_t xs = c * x_channel + (base[0] + a * g.axes[0].dilation) * g.in_stride[0] +
                           (base[1] + b * g.axes[1].dilation) * g.in_stride[1] + base[2] * g.in_stride[2];
        const int64_t ws = c * w_channel + a * g.weight_stride[0] + b * g.weight_stride[1];
        const int64_t step = g.axes[2].dilation * g.in_stride[2];
        for (int64_t k = taps[2].begin; k < taps[2].end; ++k) sum += x(xs + k * step) * w(ws + k * g.weight_stride[2]);
      }
  return sum;
}

// X [N, C, spatial…], W [M, C/group, kernel…], B? [M] -> Y [N, M, spatial…]
void check_conv(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const Slot x = o.in(0).rank(3, 5), w = o.in(1).rank(x.view().rank, x.view().rank), y = o.out();
  const auto& attrs = args.as<ConvAttrs>();
  y.rank(x.view().rank, x.view().rank);
  require(attrs.group >= 1 && w.extent(0) % attrs.group == 0 && x.extent(1) % attrs.group == 0 &&
              x.extent(1) / attrs.group == w.extent(1),
          "{} channels and {} filters of {} channels in {} groups", x.extent(1), w.extent(0), w.extent(1), attrs.group);
  require(y.extent(0) == x.extent(0) && y.extent(1) == w.extent(0), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  o.in(2).shape({w.extent(0)});
  for (size_t i = 0; i + 2 < static_cast<size_t>(x.view().rank); ++i)
    check_window_axis(attrs, x, y, i, w.extent(static_cast<int>(i) + 2));
}

void run_conv(const KernelArgs& args) {
  const auto& attrs = args.as<ConvAttrs>();
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  const Geometry g = geometry_of(attrs, x, w, y, false);
  const int64_t filters = w.dims[0], channels = w.dims[1], per_group = filters / attrs.group;
  const bool f32 = x.dtype == DataType::f32 && w.dtype == DataType::f32;
  args.pool->parallel_for(x.dims[0] * filters, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / filters, m = i % filters;
      const int64_t xo = n * x.strides[0] + m / per_group * channels * x.strides[1], wo = m * w.strides[0];
      const double bias = args.has_input(2) ? load_double(args.inputs[2], m * args.inputs[2].strides[0]) : 0;
      const auto *xf = x.as<const float>() + xo, *wf = w.as<const float>() + wo;
      for (int64_t a = 0; a < g.axes[0].out; ++a)
        for (int64_t b = 0; b < g.axes[1].out; ++b)
          for (int64_t c = 0; c < g.axes[2].out; ++c) {
            const std::array<int64_t, 3> at = {a, b, c};
            const double sum = f32 ? conv_at(
                                         g, channels, x.strides[1], w.strides[1], at,
                                         [&](int64_t o) { return static_cast<double>(xf[o]); },
                                         [&](int64_t o) { return static_cast<double>(wf[o]); })
                                   : conv_at(
                                         g, channels, x.strides[1], w.strides[1], at,
                                         [&](int64_t o) { return load_double(x, xo + o); },
                                         [&](int64_t o) { return load_double(w, wo + o); });
            store_double(
                y,
                n * y.strides[0] + m * y.strides[1] + a * g.out_stride[0] + b * g.out_stride[1] + c * g.out_stride[2],
                sum + bias);
          }
    }
  });
}

// X [N, C, spatial…], W [C, M/group, kernel…], B? [M] -> Y [N, M, spatial…]
void check_conv_transpose(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const Slot x = o.in(0).rank(3, 5), w = o.in(1).rank(x.view().rank, x.view().rank), y = o.out();
  const auto& attrs = args.as<ConvAttrs>();
  y.rank(x.view().rank, x.view().rank);
  require(attrs.group >= 1 && x.extent(1) % attrs.group == 0 && w.extent(0) == x.extent(1) &&
              y.extent(1) % attrs.group == 0 && y.extent(1) / attrs.group == w.extent(1),
          "{} channels, {} filters and weights of {} by {} in {} groups", x.extent(1), y.extent(1), w.extent(0),
          w.extent(1), attrs.group);
  require(y.extent(0) == x.extent(0), "a result of {} images for {}", y.extent(0), x.extent(0));
  o.in(2).shape({y.extent(1)});
  for (size_t i = 0; i + 2 < static_cast<size_t>(x.view().rank); ++i) {
    check_window_axis(attrs, x, y, i, w.extent(static_cast<int>(i) + 2));
    check_pad_extent(at_or(attrs.output_padding, i, 0));
  }
}

// Y[n, m, i*stride + k*dilation - pad] += X[n, c, i] * W[c, m, k], gathered per output element.
void run_conv_transpose(const KernelArgs& args) {
  const auto& attrs = args.as<ConvAttrs>();
  const TensorView &x = args.inputs[0], &w = args.inputs[1], &y = args.outputs[0];
  const Geometry g = geometry_of(attrs, x, w, y, true);
  const int64_t filters = y.dims[1], per_group = w.dims[1], channels = x.dims[1] / attrs.group;
  // For output position o and tap k the input position is (o + pad - k*dilation) / stride where that is whole.
  const auto source = [&](size_t i, int64_t o, int64_t k) -> int64_t {
    const int64_t at = o + g.axes[i].pad - k * g.axes[i].dilation;
    return at < 0 || at % g.axes[i].stride != 0 || at / g.axes[i].stride >= g.axes[i].in ? -1 : at / g.axes[i].stride;
  };
  args.pool->parallel_for(y.dims[0] * filters, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / filters, m = i % filters, group = m / per_group;
      const double bias = args.has_input(2) ? load_double(args.inputs[2], m * args.inputs[2].strides[0]) : 0;
      const std::array<int64_t, 3> out = {g.axes[0].out, g.axes[1].out, g.axes[2].out};
      for (Odometer<1> at(out, {std::span<const int64_t>(g.out_stride)}); at.valid(); at.next()) {
        double sum = bias;
        const std::array<int64_t, 3> kernel = {g.axes[0].kernel, g.axes[1].kernel, g.axes[2].kernel};
        for (Odometer<1> tap(kernel, {std::span<const int64_t>(g.weight_stride)}); tap.valid(); tap.next()) {
          int64_t xs = n * x.strides[0] + group * channels * x.strides[1];
          bool inside = true;
          for (size_t d = 0; d < 3; ++d) {
            const int64_t from = source(d, at.index[d], tap.index[d]);
            inside = inside && from >= 0;
            xs += from * g.in_stride[d];
          }
          if (!inside) continue;
          const int64_t ws = group * channels * w.strides[0] + m % per_group * w.strides[1] + tap.offset[0];
          for (int64_t c = 0; c < channels; ++c)
            sum += load_double(x, xs + c * x.strides[1]) * load_double(w, ws + c * w.strides[0]);
        }
        store_double(y, n * y.strides[0] + m * y.strides[1] + at.offset[0], sum);
      }
    }
  });
}

}  // namespace

void register_conv(KernelTable& table) {
  table.add(make_kernel<ConvAttrs>("conv", check_conv, run_conv));
  table.add(make_kernel<ConvAttrs>("conv_transpose", check_conv_transpose, run_conv_transpose));
}

}  // namespace planish::kernels::reference
