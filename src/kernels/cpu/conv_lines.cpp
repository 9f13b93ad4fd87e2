// Convolution of an image of few channels, into channels-last results. The lines under a block of output pixels are
// copied once, padded with zeros and apart by channels, so that nothing is outside any more: tap (c, ky, kx) of the
// pixels of a tile is a fixed place and a constant step.
//   y[p][:] = sum over taps t of lines[place(t) + p * stride] * w[t][:]

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kWorthThreads = 200 << 10;  // multiply-adds and additions

// Pixels of a tile: few vectors of columns leave room for more of them.
template <int V>
constexpr int kLinePixels = std::min(static_cast<int>(kMostLinePixels), kRows* kVectors / V);

struct LineTask {
  const float* lines;  // of the first pixel
  int64_t step;        // from one pixel to the next
  const int64_t* places;
  int64_t taps;
  const float* weights;  // [taps][kPanel]
  const float* init;     // [kPanel]
};

template <int R, int V>
void multiply_lines(const LineTask& task, const TileEnd& end) {
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec::load(task.init + v * Vec::kWidth);
  const float* w = task.weights;
  for (int64_t k = 0; k < task.taps; ++k, w += kPanel) {
    const float* const x = task.lines + task.places[k];
    Vec weight[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) weight[v] = Vec::load(w + v * Vec::kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec value = Vec::splat(x[r * task.step]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = Vec::fma(value, weight[v], acc[r][v]);
    }
  }
  finish_tile<R, V>(acc, end);
}

using LinesFn = void (*)(const LineTask&, const TileEnd&);

struct LineTile {
  int pixels;
  const LinesFn* functions;  // for 1 … pixels of them
};

template <int V, int... R>
LineTile line_tile(std::integer_sequence<int, R...>) {
  static constexpr LinesFn kFunctions[] = {multiply_lines<R + 1, V>...};
  return {sizeof...(R), kFunctions};
}

LineTile line_tile(int width) {
  return cover(width, []<int V>() { return line_tile<V>(std::make_integer_sequence<int, kLinePixels<V>>()); });
}

// One axis of the window.
struct LineAxis {
  int64_t in, out, kernel, stride, dilation, pad;
  int64_t reach(int64_t outputs) const { return (outputs - 1) * stride + (kernel - 1) * dilation + 1; }
  // The most outputs that `inputs` serve.
  int64_t served(int64_t inputs) const { return (inputs - (kernel - 1) * dilation - 1) / stride + 1; }
};

struct LineConv {
  const GemmParams& params;
  TensorView x, y;
  const float* weights;
  const float* bias;
  Epilogue epilogue;
  LineAxis down, across;
  int64_t channels, taps, columns, panels;
  HalfStore store;
  int64_t rows = 1, width = 1;               // output pixels of a block
  int64_t row_blocks = 1, width_blocks = 1;  // of an image

  int64_t line() const { return across.reach(width); }         // floats of a line
  int64_t plane() const { return down.reach(rows) * line(); }  // of a channel
};

// A block of output pixels.
struct LineBlock {
  int64_t image, row, rows, column, width;
};

LineBlock block_of(const LineConv& conv, int64_t task) {
  const int64_t blocks = conv.row_blocks * conv.width_blocks, at = task % blocks;
  LineBlock block{};
  block.image = task / blocks;
  block.row = at / conv.width_blocks * conv.rows;
  block.column = at % conv.width_blocks * conv.width;
  block.rows = std::min(conv.rows, conv.down.out - block.row);
  block.width = std::min(conv.width, conv.across.out - block.column);
  return block;
}

// Elements [first, first + n) of a line of the image, zeros outside it.
void copy_line(const float* x, int64_t extent, int64_t step, int64_t first, int64_t n, float* to) {
  const int64_t begin = std::clamp<int64_t>(-first, 0, n), end = std::clamp<int64_t>(extent - first, begin, n);
  std::fill_n(to, begin, 0.f);
  const float* const from = x + first * step;
  if (step == 1)
    std::copy(from + begin, from + end, to + begin);
  else
    for (int64_t i = begin; i < end; ++i) to[i] = from[i * step];
  std::fill(to + end, to + n, 0.f);
}

void copy_lines(const LineConv& conv, const LineBlock& block, float* to) {
  const TensorView& x = conv.x;
  const int64_t lines = conv.down.reach(block.rows), n = conv.across.reach(block.width);
  const int64_t top = block.row * conv.down.stride - conv.down.pad,
                left = block.column * conv.across.stride - conv.across.pad;
  for (int64_t c = 0; c < conv.channels; ++c)
    for (int64_t i = 0; i < lines; ++i) {
      float* const line = to + c * conv.plane() + i * conv.line();
      const int64_t row = top + i;
      if (row < 0 || row >= conv.down.in)
        std::fill_n(line, n, 0.f);
      else
        copy_line(x.as<const float>() + block.image * x.strides[0] + c * x.strides[1] + row * x.strides[2],
                  conv.across.in, x.strides[3], left, n, line);
    }
}

void find_places(const LineConv& conv, int64_t* places) {
  for (int64_t c = 0; c < conv.channels; ++c)
    for (int64_t ky = 0; ky < conv.down.kernel; ++ky)
      for (int64_t kx = 0; kx < conv.across.kernel; ++kx)
        *places++ = c * conv.plane() + ky * conv.down.dilation * conv.line() + kx * conv.across.dilation;
}

void narrow_row(const HalfStore& store, const float* from, int64_t n, BFloat16* to) {
  int64_t i = 0;
  for (; i + Vec::kWidth <= n; i += Vec::kWidth) store(Vec::load(from + i), to + i);
  if (i < n) store(Vec::load_part(from + i, static_cast<int>(n - i)), to + i, static_cast<int>(n - i));
}

// One line of output pixels, the columns of one panel.
void multiply_line(const LineConv& conv, const LineBlock& block, int64_t row, int64_t panel, LineTask task) {
  const int64_t column = panel * kPanel;
  TileEnd end;
  end.width = static_cast<int>(std::min<int64_t>(kPanel, conv.columns - column));
  end.low = conv.params.low;
  end.high = conv.params.high;
  end.activation = conv.epilogue.activation;
  const auto* residual = conv.epilogue.residual();
  end.has_residual = residual != nullptr;
  const LineTile tile = line_tile(end.width);
  RowWalk walk = rows_of(conv.y, 1);
  walk.at = {block.image, row, block.column};
  const bool half = lies_half(conv.y.dtype);
  float* out = half ? nullptr : conv.epilogue.out.row(walk) + column;
  auto* halves = half ? conv.y.as<BFloat16>() + walk.offset(conv.epilogue.out.rows) + column : nullptr;
  alignas(64) float tile_rows[kMostTileRows][kPanel];
  const float* from = residual != nullptr ? residual->row(walk) + column : nullptr;
  for (int64_t p = 0; p < block.width; p += tile.pixels) {
    const int count = static_cast<int>(std::min<int64_t>(tile.pixels, block.width - p));
    for (int r = 0; r < count; ++r) {
      end.out[r] = half ? tile_rows[r] : out + r * conv.y.strides[3];
      end.residual[r] = from;
      if (from != nullptr) from += residual->rows[2];
    }
    tile.functions[count - 1](task, end);
    for (int r = 0; r < count && half; ++r, halves += conv.y.strides[3])
      narrow_row(conv.store, tile_rows[r], end.width, halves);
    out += half ? 0 : count * conv.y.strides[3];
    task.lines += count * task.step;
  }
}

void run_line_block(const LineConv& conv, const LineBlock& block, const int64_t* places, float* lines) {
  copy_lines(conv, block, lines);
  for (int64_t panel = 0; panel < conv.panels; ++panel) {
    alignas(64) float init[kPanel] = {};
    const int64_t column = panel * kPanel;
    if (conv.bias != nullptr) std::copy_n(conv.bias + column, std::min<int64_t>(kPanel, conv.columns - column), init);
    LineTask task{lines, conv.across.stride, places, conv.taps, conv.weights + column * conv.taps, init};
    for (int64_t r = 0; r < block.rows; ++r, task.lines += conv.down.stride * conv.line())
      multiply_line(conv, block, block.row + r, panel, task);
  }
  if (!conv.epilogue.has_program) return;
  RowWalk walk = rows_of(conv.y, 1);
  for (int64_t r = 0; r < block.rows; ++r) {
    walk.at = {block.image, block.row + r, block.column};
    finish_rows(conv.epilogue, walk, block.width, 0, conv.columns);
  }
}

// Blocks as high as the lines fit, several for each thread; narrower than the image only where one line does not fit.
void cut_blocks(LineConv& conv, int threads) {
  const int64_t floats = kMostLineFloats / conv.channels;
  conv.width = std::min(conv.across.out, conv.across.served(floats / conv.down.reach(1)));
  const int64_t most = conv.down.served(floats / conv.line()), images = conv.y.dims[0];
  const int64_t wanted = ceil_div(conv.down.out * images, int64_t{4} * threads);
  conv.rows = std::clamp<int64_t>(wanted, 1, std::min(most, conv.down.out));
  conv.row_blocks = ceil_div(conv.down.out, conv.rows);
  conv.width_blocks = ceil_div(conv.across.out, conv.width);
}

LineAxis line_axis(const GemmAttrs& conv, const TensorView& x, const TensorView& y, size_t i) {
  return {x.dims[i + 2], y.dims[i + 2], conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i]};
}

// X [N, C, H, W] of any strides, packed W [1, panel, 1, C * taps, kPanel], bias?, extras -> Y [N, M, H, W], channels
// adjacent, f32 or, without extras and with what ends in registers alone, bf16. The lines under a few pixels fit into a
// block.
void check_conv_lines(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  check_product(args, 1, kFloatTypes);
  const Operands o(args, 2, args.inputs.size());
  for (size_t i = 0; i < args.inputs.size(); ++i) o.in(i).is({DataType::f32});
  if (params.extras > 0 || !ends_in_registers(params, 1)) o.out().is({DataType::f32});
  const Slot x = o.in(0).rank(4, 4), y = o.out().rank(4, 4);
  require(conv.kernel.size() == 2 && conv.group == 1, "{} spatial axes and {} groups; 2 and 1 are accepted",
          conv.kernel.size(), conv.group);
  const auto [taps, channels] = check_conv_reach(conv, x, y);
  check_panels(o.in(1).is({DataType::f32}), 1, conv.columns, 1, checked_mul(taps, channels));
  require(channels >= 1 && taps * channels <= kMostTaps, "{} channels of {} taps; 1 to {} together are accepted",
          channels, taps, kMostTaps);
  const int64_t floats = least_lines(conv, channels);
  require(floats <= kMostLineFloats, "{} elements under a few pixels; at most {}", floats, kMostLineFloats);
}

void run_conv_lines(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& attrs = params.attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const int64_t channels = x.dims[1], taps = attrs.kernel[0] * attrs.kernel[1] * channels;
  LineConv conv{params,
                x,
                y,
                args.inputs[1].as<const float>(),
                attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr,
                make_epilogue(args, 1),
                line_axis(attrs, x, y, 0),
                line_axis(attrs, x, y, 1),
                channels,
                taps,
                attrs.columns,
                ceil_div(attrs.columns, kPanel)};
  cut_blocks(conv, args.pool->size());
  int64_t places[kMostTaps];
  find_places(conv, places);
  const int64_t tasks = y.dims[0] * conv.row_blocks * conv.width_blocks;
  const bool alone = 2 * y.element_count() * conv.taps < kWorthThreads;
  args.pool->parallel_for(tasks, alone ? tasks : 1, [&](int64_t begin, int64_t end) {
    alignas(64) float lines[kMostLineFloats];
    for (int64_t task = begin; task < end; ++task) run_line_block(conv, block_of(conv, task), places, lines);
  });
}

}  // namespace

void register_conv_lines(KernelTable& table) {
  table.add(make_gemm_kernel("conv_lines", check_conv_lines, run_conv_lines));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
