#pragma once
// Max and average pooling, a thread WIDTH neighbouring channels of a result. Macros: SPATIAL (1 to 3), KERNEL0 to
// KERNEL2 (1 behind the last axis), TYPE_X, TYPE_Y, AVERAGE, COUNT_PAD, WIDTH (1, or 16 bytes of elements that divide
// the channels).
// instance: SPATIAL=2 KERNEL0=3 KERNEL1=2 KERNEL2=1 TYPE_X=float TYPE_Y=float AVERAGE=0 COUNT_PAD=0 WIDTH=1
// instance: SPATIAL=2 KERNEL0=3 KERNEL1=3 KERNEL2=1 TYPE_X=half_t TYPE_Y=half_t AVERAGE=0 COUNT_PAD=0 WIDTH=8
// instance: SPATIAL=2 KERNEL0=3 KERNEL1=3 KERNEL2=1 TYPE_X=uint8_t TYPE_Y=uint8_t AVERAGE=0 COUNT_PAD=0 WIDTH=16
// instance: SPATIAL=2 KERNEL0=5 KERNEL1=5 KERNEL2=1 TYPE_X=half_t TYPE_Y=half_t AVERAGE=1 COUNT_PAD=1 WIDTH=8

#include "view.cuh"

constexpr int kPoolRank = SPATIAL + 2, kTaps = KERNEL0 * KERNEL1 * KERNEL2;
constexpr int kLast = SPATIAL == 1 ? KERNEL0 : SPATIAL == 2 ? KERNEL1 : KERNEL2;
constexpr int kTogether = kLast <= 8 ? kLast : 1;  // taps read before the first is used

template <class T>
__device__ inline bool has_runs(const View& view) {
  bool runs = view.strides[1] == 1 && reinterpret_cast<uint64_t>(view.data) % sizeof(Run<T, WIDTH>) == 0;
#pragma unroll
  for (int i = 0; i < kPoolRank; ++i) runs = runs && (i == 1 || view.strides[i] % WIDTH == 0);
  return runs;
}

template <class T, bool Runs>
__device__ inline Run<T, WIDTH> load_channels_at(const View& view, int64_t at) {
  const T* const from = static_cast<const T*>(view.data) + at;
  Run<T, WIDTH> run;
  if constexpr (Runs) {
    run = *reinterpret_cast<const Run<T, WIDTH>*>(from);
  } else {
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) run.elements[i] = from[i * view.strides[1]];
  }
  return run;
}
template <class T>
__device__ inline void store_channels_at(const View& view, int64_t at, bool runs, const Run<T, WIDTH>& run) {
  T* const to = static_cast<T*>(view.data) + at;
  if (runs) {
    *reinterpret_cast<Run<T, WIDTH>*>(to) = run;
    return;
  }
#pragma unroll
  for (int i = 0; i < WIDTH; ++i) to[i * view.strides[1]] = run.elements[i];
}

__device__ inline float larger_or_nan(float a, float b) {
  float out;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(out) : "f"(a), "f"(b));
  return out;
}

// The largest of WIDTH elements, word by word without conversion: kWhole says whether there is such a form.
template <class T>
struct Largest {
  static constexpr bool kWhole = false;
  __device__ void add(const uint32_t*) {}
  __device__ float value(int) const { return 0; }
};
// Two halves of a word at a time, NaN among them.
template <>
struct Largest<half_t> {
  static constexpr bool kWhole = !AVERAGE && WIDTH % 2 == 0;
  uint32_t words[(WIDTH + 1) / 2];
  __device__ Largest() {
#pragma unroll
    for (int i = 0; i < WIDTH / 2; ++i) words[i] = 0xfc00fc00u;  // -infinity twice
  }
  __device__ void add(const uint32_t* from) {
#pragma unroll
    for (int i = 0; i < WIDTH / 2; ++i) asm("max.NaN.f16x2 %0, %0, %1;" : "+r"(words[i]) : "r"(from[i]));
  }
  __device__ float value(int i) const { return to_float(half_t{static_cast<uint16_t>(words[i / 2] >> i % 2 * 16)}); }
};
// Bytes as the upper ones of 16 bits: what lies below decides among equal ones alone.
template <class T>
struct LargestBytes {
  static constexpr bool kWhole = !AVERAGE && WIDTH % 4 == 0, kSigned = static_cast<T>(-1) < 0;
  uint32_t odd[(WIDTH + 3) / 4], even[(WIDTH + 3) / 4];
  __device__ LargestBytes() {
#pragma unroll
    for (int i = 0; i < WIDTH / 4; ++i) odd[i] = even[i] = kSigned ? 0x80008000u : 0;
  }
  static __device__ uint32_t larger(uint32_t a, uint32_t b) { return kSigned ? __vmaxs2(a, b) : __vmaxu2(a, b); }
  __device__ void add(const uint32_t* from) {
#pragma unroll
    for (int i = 0; i < WIDTH / 4; ++i) odd[i] = larger(odd[i], from[i]), even[i] = larger(even[i], from[i] << 8);
  }
  __device__ float value(int i) const {
    const uint32_t word = i % 2 != 0 ? odd[i / 4] : even[i / 4];
    return static_cast<float>(static_cast<T>(word >> (8 + i % 4 / 2 * 16)));
  }
};
template <>
struct Largest<uint8_t> : LargestBytes<uint8_t> {};
template <>
struct Largest<int8_t> : LargestBytes<int8_t> {};

struct Pooled {
  float values[WIDTH];
  Largest<TYPE_X> largest;
  int inside = 0, counted = 0;
};
struct PoolWindow {
  int kernel[3], stride[3], dilation[3], pad[3], most[3];
};

// The taps of the results at `at` and the channels behind it.
template <bool Runs>
__device__ inline Pooled pooled(const View& x, const int (&at)[kPoolRank], const PoolWindow& p) {
  constexpr bool whole = Largest<TYPE_X>::kWhole;
  Pooled sum;
#pragma unroll
  for (int i = 0; i < WIDTH; ++i) sum.values[i] = AVERAGE ? 0.0f : __int_as_float(0xff800000);
  const int64_t plane = at[0] * x.strides[0] + at[1] * x.strides[1];
  for (int first = 0; first < kTaps; first += kTogether) {
    int64_t from = plane;
    bool line_there = true, line_counts = true;
    int left = first / kLast;
#pragma unroll
    for (int i = SPATIAL - 2; i >= 0; --i) {
      const int line = at[i + 2] * p.stride[i] - p.pad[i] + left % p.kernel[i] * p.dilation[i];
      left /= p.kernel[i];
      line_there = line_there && line >= 0 && line < static_cast<int>(x.dims[i + 2]);
      line_counts = line_counts && line < p.most[i];
      from += line * x.strides[i + 2];
    }
    Run<TYPE_X, WIDTH> taps[kTogether];
    bool there[kTogether];
#pragma unroll
    for (int s = 0; s < kTogether; ++s) {
      const int source =
          at[SPATIAL + 1] * p.stride[SPATIAL - 1] - p.pad[SPATIAL - 1] + (first % kLast + s) * p.dilation[SPATIAL - 1];
      there[s] = line_there && source >= 0 && source < static_cast<int>(x.dims[SPATIAL + 1]);
      sum.counted += line_counts && source < p.most[SPATIAL - 1] ? 1 : 0;
      if (there[s]) taps[s] = load_channels_at<TYPE_X, Runs>(x, from + source * x.strides[SPATIAL + 1]);
    }
#pragma unroll
    for (int s = 0; s < kTogether; ++s) {
      if (!there[s]) continue;
      if constexpr (whole) sum.largest.add(reinterpret_cast<const uint32_t*>(taps[s].elements));
#pragma unroll
      for (int i = 0; !whole && i < WIDTH; ++i) {
        const float element = widened<float, TYPE_X>(taps[s].elements[i]);
        sum.values[i] = AVERAGE ? sum.values[i] + element : larger_or_nan(sum.values[i], element);
      }
      ++sum.inside;
    }
  }
  return sum;
}

// Results in the order n, o, c: neighbours are channels. `most`: positions from there on are not even padding.
extern "C" __global__ void __launch_bounds__(256)
    pool(const __grid_constant__ View x, const __grid_constant__ View y, int stride0, int stride1, int stride2,
         int dilation0, int dilation1, int dilation2, int pad0, int pad1, int pad2, int most0, int most1, int most2,
         int64_t count EXTRA_PARAMETERS) {
  wait_for_previous();
  const PoolWindow window = {{KERNEL0, KERNEL1, KERNEL2},
                             {stride0, stride1, stride2},
                             {dilation0, dilation1, dilation2},
                             {pad0, pad1, pad2},
                             {most0, most1, most2}};
  const bool runs = has_runs<TYPE_X>(x), stored_runs = has_runs<TYPE_Y>(y);
  for_positions(count, [&](uint32_t rest) {
    int at[kPoolRank];
    const auto take = [&](uint32_t extent) {
      const uint32_t whole = rest / extent, part = rest - whole * extent;
      rest = whole;
      return static_cast<int>(part);
    };
    at[1] = take(static_cast<uint32_t>(y.dims[1]) / WIDTH) * WIDTH;
#pragma unroll
    for (int i = kPoolRank - 1; i > 1; --i) at[i] = take(static_cast<uint32_t>(y.dims[i]));
    at[0] = static_cast<int>(rest);
    Pooled sum = runs ? pooled<true>(x, at, window) : pooled<false>(x, at, window);
#pragma unroll
    for (int i = 0; Largest<TYPE_X>::kWhole && i < WIDTH; ++i) sum.values[i] = sum.largest.value(i);
    const float count_of = static_cast<float>(max(COUNT_PAD ? sum.counted : sum.inside, 1));
    const int64_t to = offset_of(y, at);
    Run<TYPE_Y, WIDTH> results;
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) {
      if (AVERAGE) sum.values[i] /= count_of;
      results.elements[i] = Narrowed<TYPE_Y, float>::make(epilogue(sum.values[i], at EXTRA_ARGUMENTS));
      ++at[1];
    }
    store_channels_at<TYPE_Y>(y, to, stored_runs, results);
  });
}
