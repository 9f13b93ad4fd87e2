// Convolution over channels-last results, as a product whose rows are found through pointers: one for each output
// pixel and kernel tap, padding is a row of zeros. With few channels the taps of a pixel are gathered into one row.

#include <cstring>

#include "base/checked.h"
#include "kernels/cpu/common/product.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kGathered = 24 << 10;  // floats of one chunk's gathered rows: on the stack

constexpr int64_t kFew = 8;

// n <= kFew elements by a copy of known length: a loop would cost more than they do. False: there are more.
template <int64_t... N>
bool copy_few(const float* from, int64_t n, float* to, std::integer_sequence<int64_t, N...>) {
  return ((n == N + 1 && std::memcpy(to, from, (N + 1) * sizeof(float)) != nullptr) || ...);
}

// The window of an output pixel in X, with the spatial axes shifted to three.
struct Window {
  const float* x = nullptr;
  int spatial = 0;
  int64_t image = 0, channel = 1, channels = 0;  // strides of N and C; channels of a group
  std::array<int64_t, 3> extent{1, 1, 1}, step{}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, pad{};
  bool one_tap = false;  // of every pixel, and it is inside

  const float* only_tap(int64_t g, const RowWalk& walk) const {
    int64_t at = walk.at[0] * image + g * channels * channel;
    for (int i = 0; i < spatial; ++i) {
      const auto to = static_cast<size_t>(3 - spatial + i);
      at += walk.at[static_cast<size_t>(i + 1)] * stride[to] * step[to];
    }
    return x + at;
  }

  // The first position of an output pixel's window along each axis, which padding may have put outside.
  std::array<int64_t, 3> first_of(const RowWalk& walk) const {
    std::array<int64_t, 3> first{};
    for (int i = 0; i < spatial; ++i) {
      const auto to = static_cast<size_t>(3 - spatial + i);
      first[to] = walk.at[static_cast<size_t>(i + 1)] * stride[to] - pad[to];
    }
    return first;
  }

  // Calls visit(tap, data or null) for every tap in the order of the packed weights.
  template <class Visit>
  void taps(int64_t g, const RowWalk& walk, Visit visit) const {
    const std::array<int64_t, 3> first = first_of(walk);
    const float* const base = x + walk.at[0] * image + g * channels * channel;
    int64_t tap = 0;
    for (int64_t kz = 0; kz < kernel[0]; ++kz) {
      const int64_t z = first[0] + kz * dilation[0];
      for (int64_t ky = 0; ky < kernel[1]; ++ky) {
        const int64_t row = first[1] + ky * dilation[1];
        const bool inside = z >= 0 && z < extent[0] && row >= 0 && row < extent[1];
        const float* const line = base + z * step[0] + row * step[1];
        for (int64_t kx = 0; kx < kernel[2]; ++kx) {
          const int64_t column = first[2] + kx * dilation[2];
          visit(tap++, inside && column >= 0 && column < extent[2] ? line + column * step[2] : nullptr);
        }
      }
    }
  }

  // The elements of the window in the order [channel][tap], zeros where it lies outside.
  void lines(int64_t g, const RowWalk& walk, float* to) const {
    const std::array<int64_t, 3> first = first_of(walk);
    const int64_t base = walk.at[0] * image + g * channels * channel + first[2] * step[2];
    // Taps [begin, end) of a line are inside.
    const int64_t d = dilation[2], begin = std::min(kernel[2], first[2] < 0 ? (d - 1 - first[2]) / d : 0),
                  end = std::clamp((extent[2] - first[2] + d - 1) / d, begin, kernel[2]);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t kz = 0; kz < kernel[0]; ++kz) {
        const int64_t z = first[0] + kz * dilation[0];
        for (int64_t ky = 0; ky < kernel[1]; ++ky, to += kernel[2]) {
          const int64_t row = first[1] + ky * dilation[1];
          if (z < 0 || z >= extent[0] || row < 0 || row >= extent[1])
            std::fill_n(to, kernel[2], 0.f);
          else
            line(base + c * channel + z * step[0] + row * step[1], begin, end, to);
        }
      }
  }

 private:
  // One line of the kernel, from x[at] on.
  void line(int64_t at, int64_t begin, int64_t end, float* to) const {
    const int64_t by = dilation[2] * step[2];
    const bool whole = begin == 0 && end == kernel[2] && by == 1;
    if (whole && copy_few(x + at, end, to, std::make_integer_sequence<int64_t, kFew>())) return;
    for (int64_t k = 0; k < begin; ++k) to[k] = 0.f;
    for (int64_t k = begin; k < end; ++k) to[k] = x[at + k * by];
    for (int64_t k = end; k < kernel[2]; ++k) to[k] = 0.f;
  }
};

Window window_of(const GemmAttrs& conv, const TensorView& x, const TensorView& y) {
  Window window;
  window.one_tap = true;
  window.x = x.as<const float>();
  window.spatial = x.rank - 2;
  window.image = x.strides[0];
  window.channel = x.strides[1];
  window.channels = x.dims[1] / conv.group;
  for (size_t i = 0; i < conv.kernel.size(); ++i) {
    const size_t to = 3 - conv.kernel.size() + i;
    window.extent[to] = x.dims[i + 2];
    window.step[to] = x.strides[i + 2];
    window.kernel[to] = conv.kernel[i];
    window.stride[to] = conv.strides[i];
    window.dilation[to] = conv.dilations[i];
    window.pad[to] = conv.pads[i];
    window.one_tap = window.one_tap && conv.kernel[i] == 1 && conv.pads[i] == 0 &&
                     (y.dims[i + 2] - 1) * conv.strides[i] < x.dims[i + 2];
  }
  return window;
}

struct IndirectRows {
  Window window;
  const float* zeros;
  void row(int64_t g, const RowWalk& walk, int64_t, const float** pointers) const {
    if (window.one_tap) return static_cast<void>(pointers[0] = window.only_tap(g, walk));
    window.taps(g, walk,
                [&](int64_t tap, const float* data) { pointers[tap * kRows] = data != nullptr ? data : zeros; });
  }
};

// Taps of a pixel, channel by channel, so that those of one line of the kernel are neighbours in an image [N, C, H, W].
struct GatheredRows {
  Window window;
  int64_t length;  // taps * channels
  alignas(64) float rows[kGathered];
  GatheredRows(const Window& w, int64_t n) : window(w), length(n) {}
  void row(int64_t g, const RowWalk& walk, int64_t index, const float** pointers) {
    float* const to = rows + index * length;
    pointers[0] = to;
    window.lines(g, walk, to);
  }
};

// X [N, C, spatial…], packed W, bias?, extras -> Y [N, M, spatial…], channels adjacent; X's are unless gathered
void check_convolution(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  const auto spatial = static_cast<int>(conv.kernel.size());
  check_product(args, 1);
  const Operands o(args, 2, args.inputs.size());
  const Slot x = o.in(0).rank(2 + spatial, 2 + spatial), y = o.out().rank(2 + spatial, 2 + spatial);
  require(y.extent(0) == x.extent(0) && x.extent(1) % conv.group == 0 &&
              y.extent(1) == checked_mul(conv.group, conv.columns),
          "{} images of {} channels become {} of {} in {} groups of {}", x.extent(0), x.extent(1), y.extent(0),
          y.extent(1), conv.group, conv.columns);
  const int64_t channels = x.extent(1) / conv.group;
  int64_t taps = 1;
  for (size_t i = 0; i < conv.kernel.size(); ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
    taps = checked_mul(taps, conv.kernel[i]);
  }
  check_panels(o.in(1), conv.group, conv.columns, taps, channels);
  if (conv.gathered != 0)
    require(checked_mul(taps, channels) <= kGathered / kRows, "gathered rows of {} values; at most {}", taps * channels,
            kGathered / kRows);
  else if (channels > 1)
    x.adjacent(1);
  require(conv.gathered != 0 || taps <= kMostTaps, "a kernel of {} taps; at most {}", taps, kMostTaps);
}

void run_convolution(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  Product p;
  p.rows = rows_of(y, 1);
  p.row_count = p.rows.count();
  p.group = conv.group;
  p.columns = conv.columns;
  p.channels = x.dims[1] / conv.group;
  for (int64_t k : conv.kernel) p.taps *= k;
  p.weights = args.inputs[1].as<const float>();
  p.bias = conv.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.row_blocks = conv.row_blocks;
  p.epilogue = make_epilogue(args, 1);
  const Window window = window_of(conv, x, y);
  if (conv.gathered != 0) {
    const int64_t length = p.taps * p.channels;
    p.taps = 1;
    p.channels = length;
    return run_product(p, *args.pool, kGathered / std::max<int64_t>(length * kRows, 1),
                       [&] { return GatheredRows(window, length); });
  }
  auto* zeros = reinterpret_cast<float*>(args.workspace);
  std::fill_n(zeros, x.dims[1], 0.f);
  run_product(p, *args.pool, kMostBlocks, [&] { return IndirectRows{window, zeros}; });
}

int64_t convolution_workspace(const KernelArgs& args) { return args.inputs[0].dims[1] * 4; }

}  // namespace

void register_convolution(KernelTable& table) {
  table.add(make_gemm_kernel("igemm", check_convolution, run_convolution, convolution_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
