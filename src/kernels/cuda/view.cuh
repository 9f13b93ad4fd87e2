#pragma once
// Strided operands as kernels receive them, and loads and stores of any element type. Layouts: runtime/launch.cpp.

#include "small_floats.cuh"

// First in every kernel: nothing is read or written before the kernel in front has ended. The next one comes when the
// blocks of this one are done: sooner, its waiting blocks would take their places.
__device__ inline void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

struct bool_t {
  uint8_t bits;
};

constexpr int kMaxRank = 10;

// "view:" and "spread:" arguments.
struct View {
  void* data;
  int64_t dims[kMaxRank], strides[kMaxRank];
};

// Loads give R, the type that is computed in; stores take it.
template <class R, class T>
__device__ inline R widened(T x) {
  return static_cast<R>(x);
}
template <>
__device__ inline float widened<float, half_t>(half_t x) {
  return to_float(x);
}
template <>
__device__ inline float widened<float, bfloat_t>(bfloat_t x) {
  return to_float(x);
}
template <>
__device__ inline float widened<float, bool_t>(bool_t x) {
  return x.bits != 0 ? 1.0f : 0.0f;
}
template <>
__device__ inline double widened<double, half_t>(half_t x) {
  return to_float(x);
}
template <>
__device__ inline double widened<double, bfloat_t>(bfloat_t x) {
  return to_float(x);
}
template <>
__device__ inline double widened<double, bool_t>(bool_t x) {
  return x.bits != 0 ? 1.0 : 0.0;
}
template <>
__device__ inline int64_t widened<int64_t, bool_t>(bool_t x) {
  return x.bits != 0 ? 1 : 0;
}

template <class T, class R>
struct Narrowed {
  __device__ static T make(R x) { return static_cast<T>(x); }
};
template <>
struct Narrowed<half_t, float> {
  __device__ static half_t make(float x) { return from_float<half_t>(x); }
};
template <>
struct Narrowed<bfloat_t, float> {
  __device__ static bfloat_t make(float x) { return from_float<bfloat_t>(x); }
};
// To odd: what is rounded again is rounded as if it were the first time.
__device__ inline float narrowed_to_odd(double x) {
  const float cut = __double2float_rz(x);
  return x == x && static_cast<double>(cut) != x ? __uint_as_float(__float_as_uint(cut) | 1) : cut;
}
template <>
struct Narrowed<half_t, double> {
  __device__ static half_t make(double x) { return from_float<half_t>(narrowed_to_odd(x)); }
};
template <>
struct Narrowed<bfloat_t, double> {
  __device__ static bfloat_t make(double x) { return from_float<bfloat_t>(narrowed_to_odd(x)); }
};
template <class R>
struct Narrowed<bool_t, R> {
  __device__ static bool_t make(R x) { return bool_t{static_cast<uint8_t>(x != 0 ? 1 : 0)}; }
};

template <class T, class R>
__device__ inline R load(const void* data, int64_t at) {
  return widened<R, T>(static_cast<const T*>(data)[at]);
}
template <class T, class R>
__device__ inline void store(void* data, int64_t at, R value) {
  static_cast<T*>(data)[at] = Narrowed<T, R>::make(value);
}

// N adjacent elements, moved at once where they are aligned to all of them (to 16 bytes at most).
template <class T, int N>
struct alignas(N * sizeof(T) < 16 ? N * sizeof(T) : 16) Run {
  T elements[N];
};

template <int N>
__device__ inline int64_t offset_of(const View& view, const int (&at)[N]) {
  int64_t offset = 0;
#pragma unroll
  for (int i = 0; i < N; ++i) offset += at[i] * view.strides[i];
  return offset;
}
template <class T, class R, int N>
__device__ inline R load_at(const View& view, const int (&at)[N]) {
  return load<T, R>(view.data, offset_of(view, at));
}

// Takes a flat position in `view`'s extents apart; axis FASTEST changes first, then the others from the last on.
template <int FASTEST, int N>
__device__ inline void position_of(uint32_t flat, const View& view, int (&at)[N]) {
  const auto take = [&](int axis) {
    const uint32_t extent = view.dims[axis] > 1 ? static_cast<uint32_t>(view.dims[axis]) : 1, rest = flat / extent;
    at[axis] = static_cast<int>(flat - rest * extent);
    flat = rest;
  };
  take(FASTEST);
#pragma unroll
  for (int i = N - 1; i >= 0; --i)
    if (i != FASTEST) take(i);
}

// Positions of a grid of 256 threads a block: body(flat) for each below `count`.
template <class Body>
__device__ inline void for_positions(int64_t count, Body body) {
  for (int64_t flat = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; flat < count;
       flat += static_cast<int64_t>(gridDim.x) * 256)
    body(static_cast<uint32_t>(flat));
}

// What follows a kernel's sum: `epilogue(value, position, extras…)`. A generated source defines the two macros and
// the function in front of the kernel.
#ifndef EXTRA_PARAMETERS
#define EXTRA_PARAMETERS
#define EXTRA_ARGUMENTS
template <int N>
__device__ inline float epilogue(float r0, const int (&)[N]) {
  return r0;
}
#endif
