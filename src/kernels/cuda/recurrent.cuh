#pragma once
// RNN, GRU and LSTM, as the processor's kernels state them; a block a direction of a sequence, a warp an element of the state. Operands:
// x, w, r, bias, lengths, first h, first c, peepholes; results: all h, the last h, the last c. Macros: those of a plain kernel, GATES (1: RNN,
// 3: GRU, 4: LSTM), LINEAR (linear_before_reset), COUPLED (input_forget). activation<I>(direction, v): the functions f, g, h.
// Grid: directions * sequences. Dynamic shared memory: four states of REAL.
// instance: X0=float X1=float X2=float X3=float X4=int32_t X5=float X6=float X7=float Y0=float Y1=float Y2=float HAS=255 MADE=7 RANK=4 REAL=float GATES=4 LINEAR=0 COUPLED=1 PLANISH_RECURRENT_SAMPLE=1
// instance: X0=half_t X1=half_t X2=half_t Y0=half_t HAS=7 MADE=1 RANK=4 REAL=float GATES=3 LINEAR=0 COUPLED=0 PLANISH_RECURRENT_SAMPLE=1
// instance: X0=float X1=float X2=float X3=float Y1=float HAS=15 MADE=2 RANK=3 REAL=float GATES=1 LINEAR=0 COUPLED=0 PLANISH_RECURRENT_SAMPLE=1

#include "view.cuh"

#ifdef PLANISH_RECURRENT_SAMPLE
template <int I>
__device__ inline REAL activation(int, REAL v) {
  return tanh(v);
}
#endif

__device__ inline REAL over_warp(REAL v) {
#pragma unroll
  for (int reach = 16; reach > 0; reach /= 2) v += __shfl_xor_sync(0xffffffffu, v, reach);
  return v;
}

// A length outside the sequence counts as its end.
extern "C" __global__ void __launch_bounds__(256)
    recurrent(const __grid_constant__ View x, const __grid_constant__ View w, const __grid_constant__ View r,
              const __grid_constant__ View b, const __grid_constant__ View lengths, const __grid_constant__ View first_h,
              const __grid_constant__ View first_c, const __grid_constant__ View peepholes, const __grid_constant__ View y,
              const __grid_constant__ View last_h, const __grid_constant__ View last_c, float clip, int backwards) {
  wait_for_previous();
  extern __shared__ double memory[];
  const int hidden = static_cast<int>(r.dims[2]), inputs = static_cast<int>(x.dims[2]), steps = static_cast<int>(x.dims[0]);
  const int batches = static_cast<int>(x.dims[1]), direction = blockIdx.x / batches, batch = blockIdx.x % batches;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const bool back = direction == 1 || backwards != 0;
  REAL *h = reinterpret_cast<REAL*>(memory), *next = h + hidden, *const kept = next + hidden, *const c = kept + hidden;
  for (int i = threadIdx.x; i < hidden; i += 256) {
#if HAS & 32
    h[i] = load<X5, REAL>(first_h.data, direction * first_h.strides[0] + batch * first_h.strides[1] + i * first_h.strides[2]);
#else
    h[i] = 0;
#endif
#if HAS & 64
    c[i] = load<X6, REAL>(first_c.data, direction * first_c.strides[0] + batch * first_c.strides[1] + i * first_c.strides[2]);
#else
    c[i] = 0;
#endif
  }
  int length = steps;
#if HAS & 16
  const int64_t given = load<X4, int64_t>(lengths.data, batch * lengths.strides[0]);
  length = given < 0 || given > steps ? steps : static_cast<int>(given);
#endif
  __syncthreads();
  const auto clipped = [&](REAL v) { return clip > 0 ? fmin(fmax(v, REAL(-clip)), REAL(clip)) : v; };
  const auto bias = [&](int half, int row) {
#if HAS & 8
    return load<X3, REAL>(b.data, direction * b.strides[0] + (half * GATES * hidden + row) * b.strides[1]);
#else
    return REAL(0);
#endif
  };
  const auto recurrent_part = [&](int row, const REAL* state) {
    const int64_t from = direction * r.strides[0] + row * r.strides[1];
    REAL sum = 0;
    for (int i = lane; i < hidden; i += 32) sum += state[i] * load<X2, REAL>(r.data, from + i * r.strides[2]);
    return sum;
  };
  for (int s = 0; s < steps; ++s) {
    const bool live = s < length;
    const int t = live && back ? length - 1 - s : s;
    const auto input_part = [&](int row) {
      const int64_t from = direction * w.strides[0] + row * w.strides[1], pixel = t * x.strides[0] + batch * x.strides[1];
      REAL sum = 0;
      for (int i = lane; i < inputs; i += 32)
        sum += load<X0, REAL>(x.data, pixel + i * x.strides[2]) * load<X1, REAL>(w.data, from + i * w.strides[2]);
      return sum;
    };
    const auto sum_of = [&](int row) {
      return over_warp(input_part(row) + recurrent_part(row, h)) + bias(0, row) + bias(1, row);
    };
    if (live && GATES == 3) {
      for (int k = warp; k < hidden; k += 8) {
        const REAL reset = activation<0>(direction, clipped(sum_of(hidden + k)));
        if (lane == 0) kept[k] = LINEAR ? reset : reset * h[k];
      }
      __syncthreads();
    }
    for (int k = warp; live && k < hidden; k += 8) {
      REAL result;
#if GATES == 1
      result = activation<0>(direction, clipped(sum_of(k)));
#elif GATES == 3
      const int row = 2 * hidden + k;
      const REAL recurrent_sum = LINEAR ? kept[k] * (over_warp(recurrent_part(row, h)) + bias(1, row))
                                        : over_warp(recurrent_part(row, kept)) + bias(1, row);
      const REAL z = activation<0>(direction, clipped(sum_of(k)));
      result = (1 - z) * activation<1>(direction, clipped(over_warp(input_part(row)) + bias(0, row) + recurrent_sum)) + z * h[k];
#else
      const auto peephole = [&](int number, REAL cell) {
#if HAS & 128
        return cell * load<X7, REAL>(peepholes.data,
                                     direction * peepholes.strides[0] + (number * hidden + k) * peepholes.strides[1]);
#else
        return REAL(0);
#endif
      };
      const REAL before = c[k];
      const REAL in = activation<0>(direction, clipped(sum_of(k) + peephole(0, before)));
      const REAL forget = COUPLED ? 1 - in : activation<0>(direction, clipped(sum_of(2 * hidden + k) + peephole(2, before)));
      const REAL cell = forget * before + in * activation<1>(direction, clipped(sum_of(3 * hidden + k)));
      result = activation<0>(direction, clipped(sum_of(hidden + k) + peephole(1, cell))) * activation<2>(direction, cell);
      if (lane == 0) c[k] = cell;
#endif
      if (lane == 0) next[k] = result;
    }
    __syncthreads();
    if (live) {
      REAL* const old = h;
      h = next, next = old;
    }
#if MADE & 1
    for (int i = threadIdx.x; i < hidden; i += 256)
      store<Y0, REAL>(y.data, t * y.strides[0] + direction * y.strides[1] + batch * y.strides[2] + i * y.strides[3],
                      live ? h[i] : REAL(0));
#endif
  }
  for (int i = threadIdx.x; i < hidden; i += 256) {
#if MADE & 2
    store<Y1, REAL>(last_h.data, direction * last_h.strides[0] + batch * last_h.strides[1] + i * last_h.strides[2], h[i]);
#endif
#if MADE & 4
    store<Y2, REAL>(last_c.data, direction * last_c.strides[0] + batch * last_c.strides[1] + i * last_c.strides[2], c[i]);
#endif
  }
}
