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
  T x[kWordLanes] = {}, y[kWordLanes] = {};
  for (int64_t i = 0; i < n; ++i) {
    x[i] = a[i];
    y[i] = b[i];
  }
  return byte_pairs(x, y);
}

// sums[pixel][column] of R pixels and `width` channels from `channel` on; taps[pixel][2 * steps]
template <class T, int R, bool kPart>
void sum_taps(const T* const (*taps)[kMostDepthwiseTaps + 1], int64_t steps, int64_t channel, int64_t width,
              const int32_t* weights, int32_t* sums) {
  Words acc[R][kDotVectors];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) acc[r][v] = no_words();
  for (int64_t step = 0; step < steps; ++step, weights += kDotColumns) {
#pragma GCC unroll 4
    for (int v = 0; v < kDotVectors; ++v) {
      const Words w = load_words(weights + v * kWordLanes);
      const int64_t at = channel + v * kWordLanes, left = std::min(kWordLanes, width - v * kWordLanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const T *a = taps[r][2 * step] + at, *b = taps[r][2 * step + 1] + at;
        if constexpr (kPart)
          MaddI16::add(acc[r][v], some_byte_pairs(a, b, left), w);
        else
          MaddI16::add(acc[r][v], byte_pairs(a, b), w);
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
  MmaProduct product;
  Window<T> window;
  const T* outside = nullptr;  // a row of the zero point

  void run(ThreadPool& pool) const {
    const int64_t rows = product.places.positions, grain = 32;
    pool.parallel_for((rows + grain - 1) / grain, 1, [&](int64_t begin, int64_t end) {
      RowWalk walk = product.rows;
      walk.seek(begin * grain);
      for (int64_t row = begin * grain, last = std::min(end * grain, rows); row < last; row += kPixelsAtOnce)
        run_pixels(walk, static_cast<int>(std::min<int64_t>(kPixelsAtOnce, last - row)));
    });
  }

 private:
  void run_pixels(RowWalk& walk, int count) const {
    const T* taps[kPixelsAtOnce][kMostDepthwiseTaps + 1];
    const RowWalk first = walk;
    for (int r = 0; r < count; ++r, walk.next()) {
      window.taps(0, walk, [&](int64_t tap, const T* data) { taps[r][tap] = data != nullptr ? data : outside; });
      taps[r][product.places.values] = outside;  // where the number of taps is odd
    }
    alignas(64) int32_t sums[kPixelsAtOnce * kDotColumns];
    const int64_t steps = product.places.steps, channels = product.params->attrs.columns;
    for (int64_t panel = 0; panel < product.panels(); ++panel) {
      MmaSpan span;
      span.column = panel * kDotColumns;
      span.width = std::min<int64_t>(kDotColumns, channels - span.column);
      span.rows = count;
      sum_pixels(taps, count, steps, span, product.weights + panel * steps * kDotColumns, sums);
      RowWalk at = first;
      finish_mma_block(product.end, span, at, sums);
    }
  }

  static void sum_pixels(const T* const (*taps)[kMostDepthwiseTaps + 1], int count, int64_t steps, const MmaSpan& span,
                         const int32_t* weights, int32_t* sums) {
    if (span.width < kDotColumns)
      for (int r = 0; r < count; ++r)
        sum_taps<T, 1, true>(taps + r, steps, span.column, span.width, weights, sums + r * kDotColumns);
    else if (count == kPixelsAtOnce)
      sum_taps<T, kPixelsAtOnce, false>(taps, steps, span.column, span.width, weights, sums);
    else
      for (int r = 0; r < count; ++r)
        sum_taps<T, 1, false>(taps + r, steps, span.column, span.width, weights, sums + r * kDotColumns);
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
