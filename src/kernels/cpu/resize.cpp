// Resize of any axes over any strides. Rows run along the innermost axis of the result. Every outer position is a
// short list of weighted source rows (the product of its axes' taps). A row axis that is itself resized is interpolated
// from their sum; where the result is much larger, each source row is interpolated once, for all rows that share it.

#include "kernels/reference/resize.h"

#include <cstring>
#include <memory>

#include "kernels/cpu/common/simd.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr size_t kMostSources = 64;  // four taps on each of three outer axes
constexpr size_t kMostCached = 4;    // source rows of a row that is the sum of interpolated ones

struct Axis {
  int64_t extent = 1, in_extent = 1, y_step = 0, x_step = 0;
  size_t taps = 1;
  const int32_t* positions = nullptr;  // [extent][taps]; nullptr: the axis keeps its extent
  const float* weights = nullptr;      // [extent][taps]
};

struct Sources {
  size_t count = 1;
  std::array<int64_t, kMostSources> offsets{};
  std::array<float, kMostSources> weights{1};

  // The entries in use: the arrays are large for a copy at every pixel.
  void assign(const Sources& other) {
    count = other.count;
    std::copy_n(other.offsets.begin(), count, offsets.begin());
    std::copy_n(other.weights.begin(), count, weights.begin());
  }
};

size_t taps_of_mode(const ResizeAttrs& attrs) { return attrs.mode == "nearest" ? 1 : attrs.mode == "linear" ? 2 : 4; }

// The workspace holds positions and weights of every axis that changes.
int64_t resize_workspace(const KernelArgs& args) {
  int64_t entries = 0;
  for (int64_t extent : args.outputs[0].extents()) entries += extent;
  return entries * static_cast<int64_t>(taps_of_mode(args.as<ResizeAttrs>()) * (sizeof(int32_t) + sizeof(float)));
}

class Walk {
 public:
  explicit Walk(const KernelArgs& args) : args_(args) {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    std::byte* tables = args.workspace;
    for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i) {
      if (x.dims[i] == 1 && y.dims[i] == 1) continue;
      insert(make_axis(i, tables));
    }
    if (count_ == 0) axes_[count_++] = Axis{};
    for (size_t i = 0; i + 1 < count_; ++i) {
      rows_ *= axes_[i].extent;
      sources_ *= axes_[i].taps;
    }
    if (sources_ > kMostSources)
      fail(Code::unsupported, "resize of so many axes: {} source rows, at most {}", sources_, kMostSources);
  }

  const Axis& row_axis() const { return axes_[count_ - 1]; }
  size_t sources() const { return sources_; }

  // make() gives the body(sources, y_offset) that is called for the rows of one thread, in order.
  template <class Make>
  void for_rows(Make make) const {
    const int64_t grain = std::max<int64_t>(1, 8192 / row_axis().extent);
    args_.pool->parallel_for(rows_, grain, [&](int64_t begin, int64_t end) {
      auto body = make();
      std::array<int64_t, kMaxRank> index{};
      for (int64_t i = static_cast<int64_t>(count_) - 1, rest = begin; i-- > 0;
           rest /= axes_[static_cast<size_t>(i)].extent)
        index[static_cast<size_t>(i)] = rest % axes_[static_cast<size_t>(i)].extent;
      const size_t last = count_ < 2 ? 0 : count_ - 2;  // the axis next to the rows
      Sources outer, here;
      int64_t y_outer = place(index, last, outer);
      for (int64_t row = begin; row < end; ++row) {
        if (count_ < 2) {
          body(outer, y_outer);
          continue;
        }
        here.assign(outer);
        multiply(here, axes_[last], index[last]);
        body(here, y_outer + index[last] * axes_[last].y_step);
        if (++index[last] < axes_[last].extent) continue;
        index[last] = 0;
        for (size_t i = last; i-- > 0;) {
          if (++index[i] < axes_[i].extent) break;
          index[i] = 0;
        }
        y_outer = place(index, last, outer);
      }
    });
  }

 private:
  Axis make_axis(size_t i, std::byte*& tables) const {
    const auto& attrs = args_.as<ResizeAttrs>();
    const TensorView &x = args_.inputs[0], &y = args_.outputs[0];
    Axis axis{y.dims[i], x.dims[i], y.strides[i], x.strides[i]};
    const ResizeAxis resized = resize_axis(args_, attrs, i);
    if (keeps_positions(attrs, resized)) return axis;
    axis.taps = taps_of_mode(attrs);
    auto* positions = reinterpret_cast<int32_t*>(tables);
    auto* weights = reinterpret_cast<float*>(positions + axis.extent * static_cast<int64_t>(axis.taps));
    tables = reinterpret_cast<std::byte*>(weights + axis.extent * static_cast<int64_t>(axis.taps));
    axis.positions = positions;
    axis.weights = weights;
    for (int64_t at = 0; at < axis.extent; ++at) {
      const ResizeTaps taps = resize_taps(attrs, resized, at);
      for (size_t t = 0; t < axis.taps; ++t) {
        *positions++ = static_cast<int32_t>(taps.positions[t]);
        *weights++ = static_cast<float>(taps.weights[t]);
      }
    }
    return axis;
  }

  // Slowest of the result first; an axis of one position is no row.
  void insert(const Axis& axis) {
    const auto before = [](const Axis& a, const Axis& b) {
      return a.extent == 1 || b.extent == 1 ? b.extent != 1 : a.y_step > b.y_step;
    };
    size_t at = count_++;
    for (; at > 0 && before(axis, axes_[at - 1]); --at) axes_[at] = axes_[at - 1];
    axes_[at] = axis;
  }

  static void multiply(Sources& sources, const Axis& axis, int64_t index) {
    if (axis.positions == nullptr) {
      for (size_t i = 0; i < sources.count; ++i) sources.offsets[i] += index * axis.x_step;
      return;
    }
    const int32_t* positions = axis.positions + index * static_cast<int64_t>(axis.taps);
    const float* weights = axis.weights + index * static_cast<int64_t>(axis.taps);
    const size_t count = sources.count;
    for (size_t t = axis.taps; t-- > 0;)  // tap 0 last: it overwrites what the others start from
      for (size_t i = 0; i < count; ++i) {
        sources.offsets[t * count + i] = sources.offsets[i] + positions[t] * axis.x_step;
        sources.weights[t * count + i] = sources.weights[i] * weights[t];
      }
    sources.count = count * axis.taps;
  }

  // Sources of the axes before `last`, and the offset of the result there.
  int64_t place(const std::array<int64_t, kMaxRank>& index, size_t last, Sources& sources) const {
    sources.count = 1;
    sources.offsets[0] = 0;
    sources.weights[0] = 1;
    int64_t y = 0;
    for (size_t i = 0; i < last; ++i) {
      multiply(sources, axes_[i], index[i]);
      y += index[i] * axes_[i].y_step;
    }
    return y;
  }

  const KernelArgs& args_;
  size_t count_ = 0;
  std::array<Axis, kMaxRank> axes_{};
  size_t sources_ = 1;
  int64_t rows_ = 1;
};

template <class T>
void nearest_as(const KernelArgs& args) {
  const Walk walk(args);
  const Axis& row = walk.row_axis();
  const auto copy = [&](const Sources& sources, int64_t y_offset) {
    const T* from = args.inputs[0].as<const T>() + sources.offsets[0];
    T* to = args.outputs[0].as<T>() + y_offset;
    if (row.positions != nullptr)
      for (int64_t i = 0; i < row.extent; ++i) to[i * row.y_step] = from[row.positions[i] * row.x_step];
    else if (row.x_step == 1 && row.y_step == 1)
      std::memcpy(to, from, static_cast<size_t>(row.extent) * sizeof(T));
    else
      for (int64_t i = 0; i < row.extent; ++i) to[i * row.y_step] = from[i * row.x_step];
  };
  walk.for_rows([&] { return copy; });
}

void run_nearest(const KernelArgs& args) {
  switch (element_bytes(args.inputs[0].dtype)) {
    case 1:
      return nearest_as<uint8_t>(args);
    case 2:
      return nearest_as<uint16_t>(args);
    case 4:
      return nearest_as<uint32_t>(args);
    default:
      return nearest_as<uint64_t>(args);
  }
}

// to[i] = sum over sources of weight * from[offset + i]; `to` overlaps no source.
template <int K>
void weighted_rows(const Sources& sources, const float* from, int64_t n, float* to) {
  Vec weights[K];
  const float* rows[K];
  for (int k = 0; k < K; ++k) {
    weights[k] = Vec::splat(sources.weights[static_cast<size_t>(k)]);
    rows[k] = from + sources.offsets[static_cast<size_t>(k)];
  }
  const auto at = [&](int64_t i) {
    Vec sum = Vec::fma(weights[0], Vec::load(rows[0] + i), Vec::splat(0));
    for (int k = 1; k < K; ++k) sum = Vec::fma(weights[k], Vec::load(rows[k] + i), sum);
    sum.store(to + i);
  };
  int64_t i = 0;
  for (; i + Vec::kWidth <= n; i += Vec::kWidth) at(i);
  if (i == n) return;
  if (n >= Vec::kWidth) return at(n - Vec::kWidth);  // the last whole vector once more: same values
  for (; i < n; ++i) {
    float sum = 0;
    for (int k = 0; k < K; ++k) sum += sources.weights[static_cast<size_t>(k)] * rows[k][i];
    to[i] = sum;
  }
}

void sum_rows(const Sources& sources, const float* from, int64_t x_step, int64_t n, float* to) {
  if (x_step == 1 && sources.count == 1 && sources.weights[0] == 1)
    return static_cast<void>(std::memcpy(to, from + sources.offsets[0], static_cast<size_t>(n) * 4));
  if (x_step == 1 && sources.count == 2) return weighted_rows<2>(sources, from, n, to);
  if (x_step == 1 && sources.count == 4) return weighted_rows<4>(sources, from, n, to);
  for (int64_t i = 0; i < n; ++i) {
    float sum = 0;
    for (size_t k = 0; k < sources.count; ++k) sum += sources.weights[k] * from[sources.offsets[k] + i * x_step];
    to[i] = sum;
  }
}

// A row of this thread; grows once.
float* resize_scratch(int64_t count) {
  thread_local std::unique_ptr<float[]> row;
  thread_local int64_t capacity = 0;
  if (capacity < count) {
    row = std::make_unique<float[]>(static_cast<size_t>(count));
    capacity = count;
  }
  return row.get();
}

void interpolate_row(const Axis& row, const float* from, float* to) {
  const int32_t* __restrict__ positions = row.positions;
  const float* __restrict__ weights = row.weights;
  if (row.taps == 2) {
    for (int64_t i = 0; i < row.extent; ++i)
      to[i * row.y_step] = weights[2 * i] * from[positions[2 * i]] + weights[2 * i + 1] * from[positions[2 * i + 1]];
    return;
  }
  for (int64_t i = 0; i < row.extent; ++i) {
    float sum = 0;
    for (size_t t = 0; t < row.taps; ++t) sum += weights[t] * from[positions[t]];
    to[i * row.y_step] = sum;
    positions += row.taps;
    weights += row.taps;
  }
}

// Source rows interpolated along the row axis: the last that were asked for.
class LineCache {
 public:
  static constexpr size_t kLines = 2 * kMostCached;

  LineCache(const Axis& row, const float* x)
      : row_(row), x_(x), memory_(resize_scratch(static_cast<int64_t>(kLines) * row.extent + row.in_extent)) {
    asked_.fill(0);
  }

  // weighted sum of the lines of `sources`, at most kMostCached
  void sum(const Sources& sources, float* to) {
    Sources lines;
    lines.count = sources.count;
    for (size_t k = 0; k < sources.count; ++k) {
      lines.offsets[k] = static_cast<int64_t>(line(sources.offsets[k])) * row_.extent;
      lines.weights[k] = sources.weights[k];
    }
    sum_rows(lines, memory_, 1, row_.extent, to);
  }

 private:
  // Its number. Those asked for since the sum began are the latest, and stay.
  size_t line(int64_t offset) {
    size_t oldest = 0;
    ++clock_;
    for (size_t k = 0; k < kLines; ++k) {
      if (asked_[k] != 0 && offsets_[k] == offset) {
        asked_[k] = clock_;
        return k;
      }
      if (asked_[k] < asked_[oldest]) oldest = k;
    }
    const float* from = x_ + offset;
    float* const dense = memory_ + static_cast<int64_t>(kLines) * row_.extent;
    for (int64_t i = 0; i < row_.in_extent && row_.x_step != 1; ++i) dense[i] = from[i * row_.x_step];
    Axis adjacent = row_;
    adjacent.y_step = 1;
    interpolate_row(adjacent, row_.x_step == 1 ? from : dense, memory_ + static_cast<int64_t>(oldest) * row_.extent);
    offsets_[oldest] = offset;
    asked_[oldest] = clock_;
    return oldest;
  }

  const Axis& row_;
  const float* x_;
  float* memory_;
  int64_t clock_ = 0;
  std::array<int64_t, kLines> offsets_{}, asked_{};
};

void run_cached(const Walk& walk, const KernelArgs& args) {
  walk.for_rows([&] {
    return [&, cache = LineCache(walk.row_axis(), args.inputs[0].as<const float>())](const Sources& sources,
                                                                                     int64_t y_offset) mutable {
      cache.sum(sources, args.outputs[0].as<float>() + y_offset);
    };
  });
}

void run_weighted(const KernelArgs& args) {
  const Walk walk(args);
  const Axis& row = walk.row_axis();
  const auto* x = args.inputs[0].as<const float>();
  const bool larger = args.outputs[0].element_count() >= 3 * args.inputs[0].element_count();
  if (row.positions != nullptr && row.y_step == 1 && larger && walk.sources() <= kMostCached)
    return run_cached(walk, args);
  const auto weigh = [&](const Sources& sources, int64_t y_offset) {
    float* to = args.outputs[0].as<float>() + y_offset;
    if (row.positions == nullptr && row.y_step == 1) return sum_rows(sources, x, row.x_step, row.extent, to);
    float* line = resize_scratch(std::max(row.in_extent, row.extent));
    sum_rows(sources, x, row.x_step, row.in_extent, line);
    if (row.positions != nullptr) return interpolate_row(row, line, to);
    for (int64_t i = 0; i < row.extent; ++i) to[i * row.y_step] = line[i];
  };
  walk.for_rows([&] { return weigh; });
}

// Nearest of any type, else fp32; of an axis that changes, extents below 2^31; no crops, no wider filters
void check_resize(const KernelArgs& args) {
  reference::check_resize(args);
  const Operands o(args, 1, 4);
  const Slot x = o.in(0), y = o.out();
  const auto& attrs = args.as<ResizeAttrs>();
  if (attrs.mode != "nearest") x.is({DataType::f32});
  require(attrs.antialias == 0 && attrs.coordinate_transformation_mode != "tf_crop_and_resize",
          "antialias or tf_crop_and_resize");
  for (size_t i = 0; i < x.extents().size(); ++i)
    require(x.extents()[i] == y.extents()[i] || x.extents()[i] <= INT32_MAX, "an extent of {} to resize",
            x.extents()[i]);
}

void run_resize(const KernelArgs& args) {
  if (args.inputs[0].element_count() == 0 || args.outputs[0].element_count() == 0) return;
  if (args.as<ResizeAttrs>().mode == "nearest")
    run_nearest(args);
  else
    run_weighted(args);
}

}  // namespace

void register_resize(KernelTable& table) {
  table.add(make_kernel<ResizeAttrs>("resize", check_resize, run_resize, resize_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
