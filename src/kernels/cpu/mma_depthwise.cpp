// Depthwise convolution of bytes, channels last. Where the processor multiplies bytes: depthwise_dots.h. Else two taps
// at a time are interleaved into words of i16 and multiplied with pairs of weights, the sums of a few pixels by a panel
// of channels staying in registers while the taps pass. Pixels whose windows lie inside the image from left to right
// read every tap as far from where the line begins; lines above and below the image are a line of its zero point.

#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/cpu/common/depthwise_dots.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int kPixelsAtOnce = 4;
constexpr int64_t kMostDepthwiseTaps = 256;
constexpr int64_t kWordLanes = Vec::kWidth;
constexpr int kDotVectors = kDotColumns / Vec::kWidth;

#if defined(PLANISH_ISA_avx512)
// Bytes i of x and y as the halves of word i.
template <class T>
inline Words interleaved(__m128i x, __m128i y) {
  const __m256i pairs = _mm256_set_m128i(_mm_unpackhi_epi8(x, y), _mm_unpacklo_epi8(x, y));
  return std::is_signed_v<T> ? _mm512_cvtepi8_epi16(pairs) : _mm512_cvtepu8_epi16(pairs);
}
#endif

// a[i] and b[i] as the halves of word i.
template <class T>
inline Words byte_pairs(const T* a, const T* b) {
#if defined(PLANISH_ISA_avx512)
  return interleaved<T>(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                        _mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
#elif defined(PLANISH_ISA_avx2)
  const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(a)),
                y = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b));
  const __m128i pairs = _mm_unpacklo_epi8(x, y);
  return std::is_signed_v<T> ? _mm256_cvtepi8_epi16(pairs) : _mm256_cvtepu8_epi16(pairs);
#else
  return static_cast<int32_t>((static_cast<uint32_t>(*a) & 0xffffu) | static_cast<uint32_t>(*b) << 16);
#endif
}

// The same of the first n elements only.
template <class T>
inline Words some_byte_pairs(const T* a, const T* b, int64_t n) {
  if (n >= kWordLanes) return byte_pairs(a, b);
  if (n <= 0) return no_words();
#if defined(PLANISH_ISA_avx512)
  const auto some = static_cast<__mmask16>((1u << n) - 1);
  return interleaved<T>(_mm_maskz_loadu_epi8(some, a), _mm_maskz_loadu_epi8(some, b));
#else
  T x[kWordLanes] = {}, y[kWordLanes] = {};
  std::memcpy(x, a, static_cast<size_t>(n));
  std::memcpy(y, b, static_cast<size_t>(n));
  return byte_pairs(x, y);
#endif
}

// A panel of channels, from `channel` on.
struct ChannelPanel {
  int64_t channel = 0, width = 0, steps = 0;
  const int32_t* weights = nullptr;
};

// sums[pixel][column] of R pixels, `across` elements apart; taps[2 * steps] of the first
template <class T, int R, bool kPart>
void sum_taps(const T* const* taps, int64_t across, const ChannelPanel& panel, int32_t* sums) {
  Words acc[R][kDotVectors];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) acc[r][v] = no_words();
  const int32_t* weights = panel.weights;
  for (int64_t step = 0; step < panel.steps; ++step, weights += kDotColumns) {
    const T *a = taps[2 * step] + panel.channel, *b = taps[2 * step + 1] + panel.channel;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int v = 0; v < kDotVectors; ++v) {
        const int64_t at = v * kWordLanes, from = r * across + at;
        const Words pairs =
            kPart ? some_byte_pairs(a + from, b + from, panel.width - at) : byte_pairs(a + from, b + from);
        MaddI16::add(acc[r][v], pairs, load_words(weights + at));
      }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) store_words(sums + r * kDotColumns + v * kWordLanes, acc[r][v]);
}

template <class T, bool kPart>
void sum_pixels(const T* const* taps, int pixels, int64_t across, const ChannelPanel& panel, int32_t* sums) {
  static_assert(kPixelsAtOnce == 4);
  static constexpr decltype(&sum_taps<T, 1, kPart>) kSums[] = {sum_taps<T, 1, kPart>, sum_taps<T, 2, kPart>,
                                                               sum_taps<T, 3, kPart>, sum_taps<T, 4, kPart>};
  kSums[pixels - 1](taps, across, panel, sums);
}

template <class T>
struct DepthwiseBytes {
  MmaProduct product;
  Window<T> window;
  const T* outside = nullptr;  // a line of the zero point

  // Tasks are (line of the result, part of the panels).
  void run(ThreadPool& pool) const {
    const int64_t width = line_width(), lines = product.places.rows / width, panels = product.panels();
    const int64_t parts = std::clamp<int64_t>(pool.size() == 1 ? 1 : 8 * pool.size() / lines, 1, panels);
    pool.parallel_for(lines * parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t part = task % parts;
        run_line(task / parts * width, width, panels * part / parts, panels * (part + 1) / parts);
      }
    });
  }

 private:
  using Taps = std::array<const T*, kMostDepthwiseTaps + 1>;

  int64_t line_width() const { return product.end.rows.dims[static_cast<size_t>(product.end.rows.axes) - 1]; }

  // Pixels [first, last) of a line have windows that lie inside from left to right.
  std::array<int64_t, 2> inside(int64_t width) const {
    const int64_t stride = window.stride[2], room = window.extent[2] - 1 - (window.kernel[2] - 1) * window.dilation[2];
    const int64_t first = std::clamp<int64_t>((window.pad[2] + stride - 1) / stride, 0, width);
    const int64_t last = room + window.pad[2] < 0 ? 0 : (room + window.pad[2]) / stride + 1;
    return {first, std::clamp(last, first, width)};
  }

  void run_line(int64_t row, int64_t width, int64_t first_panel, int64_t last_panel) const {
    const auto [first, last] = inside(width);
    RowWalk walk = product.end.rows;
    walk.seek(row);
    Taps taps;
    const auto border = [&](int64_t begin, int64_t end) {
      for (int64_t x = begin; x < end; ++x) {
        walk.at[static_cast<size_t>(walk.axes) - 1] = x;
        window.taps(0, walk, [&](int64_t tap, const T* data) { taps[tap] = data != nullptr ? data : outside; });
        taps[product.places.values] = outside;
        run_pixels(taps.data(), 1, 0, row + x, first_panel, last_panel);
      }
    };
    border(0, first);
    if (first < last) {
      walk.at[static_cast<size_t>(walk.axes) - 1] = 0;
      take_lines(walk, taps);
      const int64_t across = window.stride[2] * window.step[2];
      for (const T*& tap : std::span(taps.data(), product.places.values + 1)) tap += first * across;
      for (int64_t x = first; x < last;) {
        const int64_t blocks = (last - x + kPixelsAtOnce - 1) / kPixelsAtOnce;
        const auto pixels = static_cast<int>((last - x + blocks - 1) / blocks);
        run_pixels(taps.data(), pixels, across, row + x, first_panel, last_panel);
        for (const T*& tap : std::span(taps.data(), product.places.values + 1)) tap += pixels * across;
        x += pixels;
      }
    }
    border(last, width);
  }

  // Taps of pixel 0 as if nothing bounded the lines.
  void take_lines(const RowWalk& walk, Taps& taps) const {
    const std::array<int64_t, 3> at = window.first_of(walk);
    const T* const image = window.x + walk.at[0] * window.image;
    size_t tap = 0;
    for (int64_t kz = 0; kz < window.kernel[0]; ++kz)
      for (int64_t ky = 0; ky < window.kernel[1]; ++ky) {
        const int64_t z = at[0] + kz * window.dilation[0], y = at[1] + ky * window.dilation[1];
        const bool is_line = z >= 0 && z < window.extent[0] && y >= 0 && y < window.extent[1];
        const T* const line = is_line ? image + z * window.step[0] + y * window.step[1] : outside;
        for (int64_t kx = 0; kx < window.kernel[2]; ++kx)
          taps[tap++] = line + (at[2] + kx * window.dilation[2]) * window.step[2];
      }
    taps[tap] = taps[0];  // where the number of taps is odd; its weights are zero
  }

  void run_pixels(const T* const* taps, int pixels, int64_t across, int64_t row, int64_t first, int64_t last) const {
    alignas(64) int32_t sums[kPixelsAtOnce * kDotColumns];
    const int64_t steps = product.places.steps;
    for (int64_t i = first; i < last; ++i) {
      MmaSpan span = span_of(product, 0, i);
      span.row = row;
      span.rows = pixels;
      const ChannelPanel panel{span.column, span.width, steps, product.weights + i * steps * kDotColumns};
      span.width < kDotColumns ? sum_pixels<T, true>(taps, pixels, across, panel, sums)
                               : sum_pixels<T, false>(taps, pixels, across, panel, sums);
      finish_block(product.end, MmaColumns(product.end, span), span, sums);
    }
  }
};

// X [N, C, spatial…] of bytes, channels adjacent, words of the taps' weights -> Y [N, C, spatial…]
void check_mma_depthwise(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const Operands o(args, 5, args.inputs.size());
  const bool dots = params.mma == Mma::dot_i8 && Vec::kWidth > 1;
  require((dots || params.mma == Mma::madd_i16) && params.attrs.group == 1,
          "a depthwise product of kind {} in {} groups", params.attrs.mma, params.attrs.group);
  const Slot x = o.in(0).adjacent(1).rank(3, kMaxRank);
  const ConvReach reach = check_conv_reach(params.attrs, x, o.out());
  require(x.extent(1) == params.attrs.columns, "{} channels of {}", params.attrs.columns, x.extent(1));
  require(x.view().strides[static_cast<size_t>(x.view().rank) - 1] >= 0, "lines that run backwards");
  require(reach.taps <= kMostDepthwiseTaps, "{} taps; {} are accepted", reach.taps, kMostDepthwiseTaps);
  if (!dots) return check_mma(args, 1, 1, reach.taps);
  check_mma_operands(args, 1);
  const DepthwiseWords form(params.attrs, Isa::PLANISH_ISA);
  require(form.fits() && params.attrs.dynamic == 0, "a kernel of {} lines of {} taps", form.lines, form.taps);
  o.in(1).shape({form.panels(params.attrs.columns), form.steps(), form.panel, 4});
}

// Elements of a line, and of a pixel.
int64_t outside_line(const TensorView& x) {
  const auto last = static_cast<size_t>(x.rank) - 1;
  return checked_add(checked_mul(x.dims[last], x.strides[last]), x.dims[1]);
}

template <class T>
void run_depthwise_bytes(const KernelArgs& args) {
  const MmaAttrs& conv = args.as<MmaParams>().attrs;
  const TensorView& x = args.inputs[0];
  DepthwiseBytes<T> d;
  d.window = window_of<T>(conv, x, args.outputs[0]);
  const TensorView& y = args.outputs[0];
  const int64_t pixels = y.element_count() / y.dims[1];
  d.product = make_mma_product(args, 1, mma_places(args.as<MmaParams>(), 1, d.window.tap_count(), pixels));
  auto* outside = reinterpret_cast<T*>(args.workspace);
  std::fill_n(outside, outside_line(x), static_cast<T>(conv.x_zero));
  d.outside = outside;
  d.run(*args.pool);
}

#if defined(PLANISH_ISA_scalar)
void run_depthwise_dots(const KernelArgs&) {}
#else
void run_depthwise_dots(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto window = window_of<uint8_t>(params.attrs, x, y);
  const MmaProduct product =
      make_mma_product(args, 1, mma_places(params, 1, window.tap_count(), y.element_count() / y.dims[1]));
  const DepthwiseWords form(params.attrs, Isa::PLANISH_ISA);
  DepthwiseDots(product, window, form, x.dtype == DataType::i8, static_cast<uint8_t>(params.attrs.x_zero))
      .run(*args.pool);
}
#endif

void run_mma_depthwise(const KernelArgs& args) {
  if (args.outputs[0].element_count() == 0) return;
  if (args.as<MmaParams>().mma == Mma::dot_i8) return run_depthwise_dots(args);
  args.inputs[0].dtype == DataType::i8 ? run_depthwise_bytes<int8_t>(args) : run_depthwise_bytes<uint8_t>(args);
}

int64_t depthwise_workspace(const KernelArgs& args) {
  return args.as<MmaParams>().mma == Mma::dot_i8 ? 0 : outside_line(args.inputs[0]);
}

}  // namespace

void register_mma_depthwise(KernelTable& table) {
  table.add(make_mma_kernel("mma_depthwise", check_mma_depthwise, run_mma_depthwise, depthwise_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
