// Depthwise convolution, channels last: the sums of a few neighbours in a row, two vectors of channels each, stay in
// registers while the taps pass. Where a tap of one of them lies outside, pointers are followed and some lead to zeros:
// at both ends of a row, whose pixels go together. Images lie in memory as f32 or bf16.

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/half.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int kPixels = 6;
constexpr int kPairs = 2;                  // vectors of channels at once
constexpr int64_t kChunkFloats = 5 << 10;  // of a row's image and weights: they stay in L1

struct Depthwise {
  const GemmAttrs* conv = nullptr;
  TensorView x, y;
  const float* weights = nullptr;  // [taps, C]
  const float* bias = nullptr;
  const std::byte* zeros = nullptr;  // [C]
  Epilogue epilogue;
  Elements residual;  // of the epilogue, where it has one
  HalfStore store;

  int64_t channels() const { return y.dims[1]; }
};

// Positions [begin, end).
struct Range {
  int64_t begin = 0, end = 0;
};

// Taps of one axis that lie inside for an output position.
Range taps_inside(const GemmAttrs& conv, size_t axis, int64_t position, int64_t extent) {
  const int64_t first = position * conv.strides[axis] - conv.pads[axis], step = conv.dilations[axis];
  const int64_t begin = first >= 0 ? 0 : ceil_div(-first, step),
                end = first >= extent ? 0 : (extent - 1 - first) / step + 1;
  return {std::min(begin, conv.kernel[axis]), std::clamp(end, std::min(begin, conv.kernel[axis]), conv.kernel[axis])};
}

// Output columns whose taps are all inside; an empty range at the end where there are none.
Range whole_columns(const Depthwise& d) {
  const GemmAttrs& conv = *d.conv;
  const int64_t stride = conv.strides[1], reach = (conv.kernel[1] - 1) * conv.dilations[1];
  const int64_t begin = ceil_div(std::max<int64_t>(conv.pads[1], 0), stride),
                room = d.x.dims[3] + conv.pads[1] - reach;  // of the first tap's columns
  const int64_t width = d.y.dims[3], end = room <= 0 ? 0 : std::min(width, (room - 1) / stride + 1);
  return begin < end ? Range{begin, end} : Range{width, width};
}

// Some pixels of a row of the result, evenly apart. In: elements of the image.
template <class In>
struct PixelTile {
  Range down;
  const In* from;         // tap (0, 0) of the first pixel, channel 0, where all taps of all of them are inside
  const In* const* taps;  // or else [tap][kPixels]
  Elements residual;      // or null
  Elements out;
  int64_t residual_step, out_step;  // between pixels
};

// In memory of their own, so that the sums stay in registers before.
template <int T, int V>
void activate_sums(const Activation& activation, Vec (&sums)[T][V]) {
  Vec values[T * V];
  std::copy_n(&sums[0][0], T * V, values);
  activate(activation, values, T * V);
  std::copy_n(values, T * V, &sums[0][0]);
}

// What a tile's sums become.
template <class In, int T, int V, bool kPart>
void leave_pixels(const Depthwise& d, const PixelTile<In>& tile, Vec (&acc)[T][V], int64_t c, int n) {
  if (d.epilogue.activation != nullptr) activate_sums<T, V>(*d.epilogue.activation, acc);
  const Vec low = Vec::splat(d.epilogue.params->low), high = Vec::splat(d.epilogue.params->high);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int64_t at = c + v * Vec::kWidth;
      Vec sum = acc[t][v];
      if (tile.residual.data != nullptr) sum = sum + load_some<kPart>(tile.residual, t * tile.residual_step + at, n);
      sum = Vec::min(high, Vec::max(low, sum));
      store_some<kPart>(d.store, sum, tile.out, t * tile.out_step + at, n);
    }
}

// The rows that a row of the result is the first to read, under the next tile: a stream for each pixel is more than the
// hardware follows.
template <int T, class In>
void ask_ahead(const Depthwise& d, const PixelTile<In>& tile, int64_t c) {
  const int64_t down = d.conv->dilations[0] * d.x.strides[2], pixel = d.x.strides[3];
  const int64_t pixels = T * d.conv->strides[1];
  for (int64_t ky = std::max(tile.down.begin, tile.down.end - d.conv->strides[0]); ky < tile.down.end; ++ky) {
    const In* from = tile.from + ky * down + pixels * pixel + c;
    for (int64_t j = 0; j < pixels; ++j, from += pixel) __builtin_prefetch(from);
  }
}

// Channels c … of T pixels: V vectors, or with kPart n channels of one.
template <class In, int T, int V, bool kPart, bool kInside>
void sum_pixels(const Depthwise& d, const PixelTile<In>& tile, int64_t c, int n) {
  const GemmAttrs& conv = *d.conv;
  const int64_t channels = d.channels(), width = conv.kernel[1], pixel = conv.strides[1] * d.x.strides[3];
  const int64_t across = conv.dilations[1] * d.x.strides[3], down = conv.dilations[0] * d.x.strides[2];
  Vec acc[T][V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const Vec init = d.bias != nullptr ? load_some<kPart>(d.bias + c + v * Vec::kWidth, n) : Vec::splat(0.f);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t][v] = init;
  }
  if constexpr (kInside) ask_ahead<T>(d, tile, c);
  const float* w = d.weights + tile.down.begin * width * channels + c;
  const In* const* taps = tile.taps + (kInside ? 0 : tile.down.begin * width * kPixels);
  for (int64_t ky = tile.down.begin; ky < tile.down.end; ++ky) {
    const In* from = kInside ? tile.from + ky * down + c : nullptr;
    for (int64_t kx = 0; kx < width; ++kx, w += channels, from += kInside ? across : 0, taps += kInside ? 0 : kPixels) {
      Vec weight[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) weight[v] = load_some<kPart>(w + v * Vec::kWidth, n);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const In* const x = kInside ? from + t * pixel : taps[t] + c;
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
          acc[t][v] = Vec::fma(load_some<kPart>(x + v * Vec::kWidth, n), weight[v], acc[t][v]);
      }
    }
  }
  leave_pixels<In, T, V, kPart>(d, tile, acc, c, n);
}

template <class In, int T, bool kInside>
void sum_channels(const Depthwise& d, const PixelTile<In>& tile, Range columns) {
  int64_t c = columns.begin;
  for (; c + kPairs * Vec::kWidth <= columns.end; c += kPairs * Vec::kWidth)
    sum_pixels<In, T, kPairs, false, kInside>(d, tile, c, Vec::kWidth);
  for (; c + Vec::kWidth <= columns.end; c += Vec::kWidth)
    sum_pixels<In, T, 1, false, kInside>(d, tile, c, Vec::kWidth);
  if (c < columns.end) sum_pixels<In, T, 1, true, kInside>(d, tile, c, static_cast<int>(columns.end - c));
}

// Even pieces: a last tile of few pixels would wait for its sums.
int next_pixels(int64_t left) {
  return static_cast<int>(left >= 2 * kPixels ? kPixels : left > kPixels ? (left + 1) / 2 : left);
}

// What does not change from row to row.
struct ColumnPlan {
  Range whole, channels;
};

// A row of the result, some of its pixels at a time.
template <class In>
class Row {
 public:
  Row(const Depthwise& d, const ColumnPlan& plan, const RowWalk& walk)
      : d_(d),
        plan_(plan),
        down_(taps_inside(*d.conv, 0, walk.at[1], d.x.dims[2])),
        image_(d.x.as<const In>() + walk.at[0] * d.x.strides[0] +
               (walk.at[1] * d.conv->strides[0] - d.conv->pads[0]) * d.x.strides[2]),
        out_(Elements{static_cast<std::byte*>(d.y.data), d.y.dtype}.at(walk.offset(d.epilogue.out.rows))) {
    if (d.epilogue.residual() == nullptr) return;
    residual_ = d.residual.at(walk.offset(d.epilogue.residual()->rows));
    residual_pixel_ = d.epilogue.residual()->rows[2];
  }

  void run() {
    const int64_t width = d_.y.dims[3], left = plan_.whole.begin, right = width - plan_.whole.end;
    if (left == right) {
      for (int64_t x = 0; x < left; ++x) sum_border(x, plan_.whole.end, 2);
    } else {
      border({0, left});
      border({plan_.whole.end, width});
    }
    inside(plan_.whole);
  }

 private:
  template <bool kInside, int... T>
  static auto sums_of(int count, std::integer_sequence<int, T...>) {
    static constexpr void (*kSums[])(const Depthwise&, const PixelTile<In>&,
                                     Range) = {sum_channels<In, T + 1, kInside>...};
    return kSums[count - 1];
  }
  template <bool kInside>
  static auto sums_of(int count) {
    return sums_of<kInside>(count, std::make_integer_sequence<int, kPixels>());
  }

  PixelTile<In> tile_at(int64_t x, int64_t apart) const {
    const Elements added = residual_.data != nullptr ? residual_.at(x * residual_pixel_) : residual_;
    return {
        down_, nullptr, nullptr, added, out_.at(x * d_.y.strides[3]), apart * residual_pixel_, apart * d_.y.strides[3]};
  }

  void inside(Range columns) const {
    const GemmAttrs& conv = *d_.conv;
    for (int64_t x = columns.begin; x < columns.end;) {
      const int count = next_pixels(columns.end - x);
      PixelTile<In> tile = tile_at(x, 1);
      tile.from = image_ + (x * conv.strides[1] - conv.pads[1]) * d_.x.strides[3];
      sums_of<true>(count)(d_, tile, plan_.channels);
      x += count;
    }
  }

  void border(Range columns) {
    for (int64_t x = columns.begin; x < columns.end;) {
      const int count = next_pixels(columns.end - x);
      sum_border(x, 1, count);
      x += count;
    }
  }

  // `count` pixels from x on, `apart` from each other.
  void sum_border(int64_t x, int64_t apart, int count) {
    find_taps(x, apart, count);
    PixelTile<In> tile = tile_at(x, apart);
    tile.taps = taps_;
    sums_of<false>(count)(d_, tile, plan_.channels);
  }

  // Where each tap of the pixels is read.
  void find_taps(int64_t x, int64_t apart, int count) {
    const GemmAttrs& conv = *d_.conv;
    const In** taps = taps_ + down_.begin * conv.kernel[1] * kPixels;
    for (int64_t ky = down_.begin; ky < down_.end; ++ky) {
      const In* const line = image_ + ky * conv.dilations[0] * d_.x.strides[2];
      for (int64_t kx = 0; kx < conv.kernel[1]; ++kx, taps += kPixels) {
        int64_t column = x * conv.strides[1] - conv.pads[1] + kx * conv.dilations[1];
        for (int t = 0; t < count; ++t, column += apart * conv.strides[1])
          taps[t] = column >= 0 && column < d_.x.dims[3] ? line + column * d_.x.strides[3]
                                                         : reinterpret_cast<const In*>(d_.zeros);
      }
    }
  }

  const Depthwise& d_;
  const ColumnPlan& plan_;
  Range down_;
  const In* image_;  // tap row 0, column 0
  Elements out_;
  Elements residual_;  // or null
  int64_t residual_pixel_ = 0;
  const In* taps_[kMostTaps * kPixels];
};

void run_row(const Depthwise& d, const ColumnPlan& plan, int64_t n, int64_t oy) {
  RowWalk walk = rows_of(d.y, 1);
  walk.at = {n, oy, 0};
  if (lies_half(d.x.dtype))
    Row<BFloat16>(d, plan, walk).run();
  else
    Row<float>(d, plan, walk).run();
  if (d.epilogue.has_program) finish_rows(d.epilogue, walk, d.y.dims[3], plan.channels.begin, plan.channels.end);
}

// Channels of a chunk: whole vectors, few enough for the rows under a row of the result to stay in L1.
int64_t chunk_channels(const Depthwise& d) {
  constexpr int64_t kStep = kPairs * Vec::kWidth, kLeast = 16 * kStep;
  const int64_t rows = d.conv->kernel[0] * (d.x.dims[3] + d.conv->kernel[1]);
  return std::max(kChunkFloats / rows / kStep * kStep, kLeast);
}

// X [N, C, H, W], weights [taps, C], bias?, extras -> Y [N, C, H, W]; channels adjacent
void check_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  check_product(args, 1, kFloatTypes);
  const Operands o(args, 2, args.inputs.size());
  check_program_types(args);
  const Slot x = o.in(0).rank(4, 4).adjacent(1), y = o.out().rank(4, 4);
  require(conv.kernel.size() == 2, "a kernel of {} axes over 2 spatial ones", conv.kernel.size());
  require(y.extent(0) == x.extent(0) && y.extent(1) == x.extent(1), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
  }
  const int64_t taps = checked_mul(conv.kernel[0], conv.kernel[1]);
  require(taps <= kMostTaps, "a kernel of {} taps; at most {}", taps, kMostTaps);
  o.in(1).is({DataType::f32}).shape({taps, x.extent(1)}).dense();
}

void run_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  Depthwise d;
  d.conv = &params.attrs;
  d.x = args.inputs[0];
  d.y = args.outputs[0];
  d.weights = args.inputs[1].as<const float>();
  d.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  d.epilogue = make_epilogue(args, 1);
  d.residual = first_extra(args);
  if (d.y.element_count() == 0) return;
  std::memset(args.workspace, 0, static_cast<size_t>(d.channels()) * sizeof(float));
  d.zeros = args.workspace;
  const Range whole = whole_columns(d);
  const int64_t rows = d.y.dims[0] * d.y.dims[2], chunk = chunk_channels(d), chunks = ceil_div(d.channels(), chunk);
  args.pool->parallel_for(chunks * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task / rows * chunk, row = task % rows;
      const ColumnPlan plan{whole, {first, std::min(first + chunk, d.channels())}};
      run_row(d, plan, row / d.y.dims[2], row % d.y.dims[2]);
    }
  });
}

int64_t depthwise_workspace(const KernelArgs& args) { return args.inputs[0].dims[1] * 4; }

}  // namespace

void register_depthwise(KernelTable& table) {
  table.add(make_gemm_kernel("depthwise", check_depthwise, run_depthwise, depthwise_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
