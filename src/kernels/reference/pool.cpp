#include <cmath>
#include <limits>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

struct Window {
  std::vector<WindowAxis> axes;
  std::vector<int64_t> kernel;
};

Window window_of(const PoolAttrs& attrs, const TensorView& x, const TensorView& y) {
  Window w;
  for (size_t i = 0; i + 2 < static_cast<size_t>(x.rank); ++i) {
    w.axes.push_back(window_axis(attrs, i, x.dims[i + 2], y.dims[i + 2], attrs.kernel_shape[i]));
    w.kernel.push_back(attrs.kernel_shape[i]);
  }
  return w;
}

// Calls visit(offset, flat spatial index) for each tap inside the input; returns how many taps lie inside the
// input or its padding (what count_include_pad divides by).
template <class Visit>
int64_t for_taps(const Window& w, const PoolAttrs& attrs, const TensorView& x, std::span<const int64_t> position,
                 Visit visit) {
  int64_t padded = 0;
  const std::vector<int64_t> none(w.kernel.size(), 0);
  for (Odometer<1> tap(w.kernel, {std::span<const int64_t>(none)}); tap.valid(); tap.next()) {
    bool inside = true, counted = true;
    int64_t offset = 0, flat = 0;
    for (size_t d = 0; d < w.axes.size(); ++d) {
      const WindowAxis& axis = w.axes[d];
      const int64_t at = position[d] * axis.stride - axis.pad + tap.index[d] * axis.dilation;
      const int64_t pad_end = attrs.auto_pad == "NOTSET" ? at_or(attrs.pads, d + w.axes.size(), 0) : axis.kernel;
      counted = counted && at < axis.in + pad_end;
      inside = inside && at >= 0 && at < axis.in;
      offset += at * x.strides[d + 2];
      if (inside) flat = flat * axis.in + at;
    }
    padded += counted ? 1 : 0;
    if (inside) visit(offset, flat);
  }
  return padded;
}

template <class Reduce>
void for_outputs(const KernelArgs& args, Reduce reduce) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t planes = x.dims[0] * x.dims[1];
  const std::span<const int64_t> spatial(y.dims.data() + 2, static_cast<size_t>(y.rank) - 2);
  args.pool->parallel_for(planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t n = plane / x.dims[1], c = plane % x.dims[1];
      const int64_t from = n * x.strides[0] + c * x.strides[1], to = n * y.strides[0] + c * y.strides[1];
      for (Odometer<1> at(spatial, {std::span<const int64_t>(y.strides).subspan(2)}); at.valid(); at.next())
        reduce(plane, from, std::span<const int64_t>(at.index.data(), spatial.size()), to + at.offset[0]);
    }
  });
}

// The number of an element of a plane, first axis fastest instead of last.
int64_t column_major(const TensorView& x, int64_t plane_elements, int64_t flat) {
  int64_t number = 0, step = plane_elements;
  for (auto i = static_cast<size_t>(x.rank); i-- > 2;) {
    step /= x.dims[i];
    number += flat % x.dims[i] * step;
    flat /= x.dims[i];
  }
  return number;
}

void run_max_pool(const KernelArgs& args) {
  const auto& attrs = args.as<PoolAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const Window w = window_of(attrs, x, y);
  int64_t plane_elements = 1;
  for (int i = 2; i < x.rank; ++i) plane_elements *= x.dims[static_cast<size_t>(i)];
  for_outputs(args, [&](int64_t plane, int64_t from, std::span<const int64_t> position, int64_t to) {
    double best = -std::numeric_limits<double>::infinity();
    int64_t where = -1;
    for_taps(w, attrs, x, position, [&](int64_t offset, int64_t flat) {
      const double value = load_double(x, from + offset);
      if (where >= 0 && !(value > best)) return;
      best = value;
      where = flat;
    });
    store_double(y, to, best);
    if (!args.has_output(1)) return;
    const TensorView& indices = args.outputs[1];
    int64_t at = plane / x.dims[1] * indices.strides[0] + plane % x.dims[1] * indices.strides[1];
    for (size_t d = 0; d < position.size(); ++d) at += position[d] * indices.strides[d + 2];
    if (attrs.storage_order != 0) where = column_major(x, plane_elements, where);
    store_int(indices, at, plane * plane_elements + where);
  });
}

void run_average_pool(const KernelArgs& args) {
  const auto& attrs = args.as<PoolAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const Window w = window_of(attrs, x, y);
  for_outputs(args, [&](int64_t, int64_t from, std::span<const int64_t> position, int64_t to) {
    double sum = 0;
    int64_t inside = 0;
    const int64_t padded = for_taps(w, attrs, x, position, [&](int64_t offset, int64_t) {
      sum += load_double(x, from + offset);
      ++inside;
    });
    store_double(y, to,
                 sum / static_cast<double>(std::max<int64_t>(attrs.count_include_pad != 0 ? padded : inside, 1)));
  });
}

// (sum |x|^p)^(1/p) over the window; padding is zeros.
void run_lp_pool(const KernelArgs& args) {
  const auto& attrs = args.as<LpPoolAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const Window w = window_of(attrs, x, y);
  const auto p = static_cast<double>(attrs.p);
  for_outputs(args, [&](int64_t, int64_t from, std::span<const int64_t> position, int64_t to) {
    double sum = 0;
    for_taps(w, attrs, x, position, [&](int64_t offset, int64_t) {
      const double value = load_double(x, from + offset);
      sum += attrs.p == 2 ? value * value : std::pow(std::abs(value), p);
    });
    store_double(y, to, attrs.p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p));
  });
}

template <bool average>
void run_global_pool(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const std::span<const int64_t> spatial(x.dims.data() + 2, static_cast<size_t>(x.rank) - 2);
  for_outputs(args, [&](int64_t, int64_t from, std::span<const int64_t>, int64_t to) {
    double sum = 0, best = -std::numeric_limits<double>::infinity();
    int64_t count = 0;
    for (Odometer<1> at(spatial, {std::span<const int64_t>(x.strides).subspan(2)}); at.valid(); at.next(), ++count) {
      const double value = load_double(x, from + at.offset[0]);
      sum += value;
      best = value > best || std::isnan(value) ? value : best;
    }
    store_double(args.outputs[0], to, average ? sum / static_cast<double>(count) : best);
  });
}

// X [N, C, spatial…] -> [N, C, 1…]
void check_global_pool(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0).rank(2, kMaxRank);
  std::vector<int64_t> dims(static_cast<size_t>(x.view().rank), 1);
  dims[0] = x.extent(0);
  dims[1] = x.extent(1);
  o.out().shape(dims);
}

// X [N, C, spatial…] -> Y [N, C, spatial…], a kernel extent for each spatial axis
void check_pool_of(const KernelArgs& args, const PoolAttrs& attrs) {
  const Operands o(args, 1, 1, 1, 2);
  const Slot x = o.in(0).rank(2, kMaxRank), y = o.out().rank(x.view().rank, x.view().rank);
  const auto spatial = static_cast<size_t>(x.view().rank) - 2;
  require(x.extent(0) == y.extent(0) && x.extent(1) == y.extent(1), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  require(attrs.kernel_shape.size() == spatial, "a kernel of {} axes over {} spatial ones", attrs.kernel_shape.size(),
          spatial);
  for (size_t i = 0; i < spatial; ++i) {
    check_window_axis(attrs, x, y, i, attrs.kernel_shape[i]);
    check_pad_extent(at_or(attrs.pads, i + spatial, 0));
  }
}

void check_max_pool(const KernelArgs& args) {
  check_pool(args);
  Operands(args, 1, 1, 1, 2).out(1).integers().shape(args.outputs[0].extents());
}

void check_average_pool(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  check_pool(args);
}

void check_lp_pool(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const auto& attrs = args.as<LpPoolAttrs>();
  require(attrs.p >= 1, "a norm of order {}", attrs.p);
  check_pool_of(args, attrs);
}

}  // namespace

void check_pool(const KernelArgs& args) { check_pool_of(args, args.as<PoolAttrs>()); }

void register_pool(KernelTable& table) {
  table.add(make_kernel<PoolAttrs>("max_pool", check_max_pool, run_max_pool));
  table.add(make_kernel<PoolAttrs>("average_pool", check_average_pool, run_average_pool));
  table.add(make_kernel<LpPoolAttrs>("lp_pool", check_lp_pool, run_lp_pool));
  table.add(make_kernel<NoAttrs>("global_average_pool", check_global_pool, run_global_pool<true>));
  table.add(make_kernel<NoAttrs>("global_max_pool", check_global_pool, run_global_pool<false>));
}

}  // namespace planish::kernels::reference
