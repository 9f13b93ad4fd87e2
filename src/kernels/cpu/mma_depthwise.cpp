// Depthwise convolution of bytes, channels last: two taps at a time are interleaved into words of i16 and multiplied
// with pairs of weights, the sums of a few pixels by a panel of channels staying in registers while the taps pass.
// Taps outside of the image read a row of its zero point.

#include <algorithm>
#include <cstring>

#include "kernels/cpu/common/mma_kernel.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int kPixelsAtOnce = 4;
constexpr int64_t kMostDepthwiseTaps = 256;
constexpr int64_t kWordLanes = Vec::kWidth;
constexpr int kDotVectors = kDotColumns / Vec::kWidth;

// a[i] and b[i] as the halves of word i.
template <class T>
inline Words byte_pairs(const T* a, const T* b) {
#if defined(PLANISH_ISA_avx512)
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  const __m256i pairs = _mm256_set_m128i(_mm_unpackhi_epi8(x, y), _mm_unpacklo_epi8(x, y));
  return std::is_signed_v<T> ? _mm512_cvtepi8_epi16(pairs) : _mm512_cvtepu8_epi16(pairs);
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
  T x[kWordLanes] = {}, y[kWordLanes] = {};
  std::memcpy(x, a, static_cast<size_t>(n));
  std::memcpy(y, b, static_cast<size_t>(n));
  return byte_pairs(x, y);
}

// A panel of channels, from `channel` on.
struct ChannelPanel {
  int64_t channel = 0, width = 0, steps = 0;
  const int32_t* weights = nullptr;
};

// sums[pixel][column] of R pixels; taps[pixel][2 * steps]
template <class T, int R, bool kPart>
void sum_taps(const T* const (*taps)[kMostDepthwiseTaps + 1], const ChannelPanel& panel, int32_t* sums) {
  Words acc[R][kDotVectors];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) acc[r][v] = no_words();
  const int32_t* weights = panel.weights;
  for (int64_t step = 0; step < panel.steps; ++step, weights += kDotColumns) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const T *a = taps[r][2 * step] + panel.channel, *b = taps[r][2 * step + 1] + panel.channel;
#pragma GCC unroll 4
      for (int v = 0; v < kDotVectors; ++v) {
        const int64_t at = v * kWordLanes;
        const Words pairs = kPart ? some_byte_pairs(a + at, b + at, panel.width - at) : byte_pairs(a + at, b + at);
        MaddI16::add(acc[r][v], pairs, load_words(weights + at));
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) store_words(sums + r * kDotColumns + v * kWordLanes, acc[r][v]);
}

template <class T>
struct DepthwiseBytes {
  using Taps = const T* [kPixelsAtOnce][kMostDepthwiseTaps + 1];

  MmaProduct product;
  Window<T> window;
  const T* outside = nullptr;  // a row of the zero point

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
  int64_t line_width() const { return product.end.rows.dims[static_cast<size_t>(product.end.rows.axes) - 1]; }

  // Where the window of the next pixel in the line reads what this one's reads, a stride on.
  bool is_inside(int64_t x) const {
    const int64_t first = x * window.stride[2] - window.pad[2];
    return first >= 0 && first + (window.kernel[2] - 1) * window.dilation[2] < window.extent[2];
  }

  void run_line(int64_t row, int64_t width, int64_t first, int64_t last) const {
    Taps taps;
    RowWalk walk = product.end.rows;
    walk.seek(row);
    const int64_t across = window.stride[2] * window.step[2], count = product.places.values;
    int before = -1;  // where the taps of the pixel before are, if it is inside
    for (int64_t x = 0; x < width;) {
      const int64_t blocks = (width - x + kPixelsAtOnce - 1) / kPixelsAtOnce;
      const auto pixels = static_cast<int>((width - x + blocks - 1) / blocks);
      for (int r = 0; r < pixels; ++r, ++x, walk.next()) {
        const bool inside = is_inside(x);
        if (inside && before >= 0)
          for (int64_t t = 0; t < count; ++t)
            taps[r][t] = taps[before][t] == outside ? outside : taps[before][t] + across;
        else
          window.taps(0, walk, [&](int64_t tap, const T* data) { taps[r][tap] = data != nullptr ? data : outside; });
        taps[r][count] = outside;  // where the number of taps is odd
        before = inside ? r : -1;
      }
      run_pixels(taps, pixels, row + x - pixels, first, last);
    }
  }

  void run_pixels(const Taps& taps, int pixels, int64_t row, int64_t first, int64_t last) const {
    alignas(64) int32_t sums[kPixelsAtOnce * kDotColumns];
    const int64_t steps = product.places.steps;
    for (int64_t i = first; i < last; ++i) {
      MmaSpan span = MmaPanel::span_of(product, 0, i);
      span.row = row;
      span.rows = pixels;
      sum_pixels(taps, pixels, {span.column, span.width, steps, product.weights + i * steps * kDotColumns}, sums);
      finish_block(product.end, MmaColumns(product.end, span), span, sums);
    }
  }

  static void sum_pixels(const Taps& taps, int pixels, const ChannelPanel& panel, int32_t* sums) {
    if (panel.width < kDotColumns)
      for (int r = 0; r < pixels; ++r) sum_taps<T, 1, true>(taps + r, panel, sums + r * kDotColumns);
    else if (pixels == 1)
      sum_taps<T, 1, false>(taps, panel, sums);
    else if (pixels == 2)
      sum_taps<T, 2, false>(taps, panel, sums);
    else if (pixels == 3)
      sum_taps<T, 3, false>(taps, panel, sums);
    else
      sum_taps<T, kPixelsAtOnce, false>(taps, panel, sums);
  }
};

// X [N, C, spatial…] of bytes, channels adjacent, words of two taps' weights -> Y [N, C, spatial…]
void check_mma_depthwise(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const Operands o(args, 5, args.inputs.size());
  require(params.mma == Mma::madd_i16 && params.attrs.group == 1, "a depthwise product of kind {} in {} groups",
          params.attrs.mma, params.attrs.group);
  const Slot x = o.in(0).adjacent(1);
  const ConvReach reach = check_conv_reach(params.attrs, x, o.out());
  require(x.extent(1) == params.attrs.columns, "{} channels of {}", params.attrs.columns, x.extent(1));
  require(reach.taps <= kMostDepthwiseTaps, "{} taps; {} are accepted", reach.taps, kMostDepthwiseTaps);
  check_mma(args, 1, 1, reach.taps);
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
  std::fill_n(outside, x.dims[1], static_cast<T>(conv.x_zero));
  d.outside = outside;
  d.run(*args.pool);
}

void run_mma_depthwise(const KernelArgs& args) {
  if (args.outputs[0].element_count() == 0) return;
  args.inputs[0].dtype == DataType::i8 ? run_depthwise_bytes<int8_t>(args) : run_depthwise_bytes<uint8_t>(args);
}

int64_t depthwise_workspace(const KernelArgs& args) { return std::max<int64_t>(1, args.inputs[0].dims[1]); }

}  // namespace

void register_mma_depthwise(KernelTable& table) {
  table.add(make_mma_kernel("mma_depthwise", check_mma_depthwise, run_mma_depthwise, depthwise_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
