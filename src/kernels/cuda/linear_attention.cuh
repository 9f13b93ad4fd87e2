#pragma once
// A matrix S [key, value] of each head is carried along the sequence:
//   S = exp(g) S   u = v, or beta (v - S' k)   S = S + k u'   o = scale S' q
// A thread has a column of S, in memory: columns do not meet. Operands: q, k, v, past state, decay g, beta; results: o, state. Macros:
// those of a plain kernel, GATED, DELTA.
// instance: X0=float X1=float X2=float X3=float X4=float X5=float Y0=float Y1=float HAS=63 MADE=3 RANK=3 REAL=float GATED=1 DELTA=1
// instance: X0=float X1=float X2=float Y0=float Y1=float HAS=7 MADE=3 RANK=3 REAL=float GATED=0 DELTA=0

#include "view.cuh"

template <class T>
__device__ inline REAL row_element(const View& view, int batch, int step, int i) {
  return load<T, REAL>(view.data, batch * view.strides[0] + step * view.strides[1] + i * view.strides[2]);
}

// count: batches * heads * values. heads: of keys; each serves `group` heads of queries.
extern "C" __global__ void __launch_bounds__(256)
    linear_attention(const __grid_constant__ View q, const __grid_constant__ View k, const __grid_constant__ View v,
                     const __grid_constant__ View past, const __grid_constant__ View decay, const __grid_constant__ View beta,
                     const __grid_constant__ View y, const __grid_constant__ View state, int heads, int group, float scale,
                     int64_t count) {
  wait_for_previous();
  const int keys = static_cast<int>(k.dims[2]) / heads, values = static_cast<int>(v.dims[2]) / heads;
  for_positions(count, [&](uint32_t flat) {
    const int value = flat % values, head = flat / values % heads, batch = flat / values / heads;
    Y1* const column =
        static_cast<Y1*>(state.data) + batch * state.strides[0] + head * state.strides[1] + value * state.strides[3];
    const int64_t row = state.strides[2];
    for (int i = 0; i < keys; ++i) {
#if HAS & 8
      store<Y1, REAL>(column, i * row,
                      load<X3, REAL>(past.data, batch * past.strides[0] + head * past.strides[1] + i * past.strides[2] +
                                                    value * past.strides[3]));
#else
      store<Y1, REAL>(column, i * row, REAL(0));
#endif
    }
    for (int step = 0; step < static_cast<int>(q.dims[1]); ++step) {
      REAL update = row_element<X2>(v, batch, step, head * values + value);
#if GATED
      const bool by_head = decay.dims[2] == heads;
      for (int i = 0; i < keys; ++i) {
        const REAL factor = exp(row_element<X4>(decay, batch, step, by_head ? head : head * keys + i));
        store<Y1, REAL>(column, i * row, load<Y1, REAL>(column, i * row) * factor);
      }
#endif
#if DELTA
      for (int i = 0; i < keys; ++i)
        update -= load<Y1, REAL>(column, i * row) * row_element<X1>(k, batch, step, head * keys + i);
      update *= row_element<X5>(beta, batch, step, beta.dims[2] == 1 ? 0 : head);
#endif
      for (int i = 0; i < keys; ++i)
        store<Y1, REAL>(column, i * row,
                        load<Y1, REAL>(column, i * row) + row_element<X1>(k, batch, step, head * keys + i) * update);
#if MADE & 1
      for (int j = 0; j < group; ++j) {
        const int query = head * group + j;
        REAL sum = 0;
        for (int i = 0; i < keys; ++i)
          sum += load<Y1, REAL>(column, i * row) * row_element<X0>(q, batch, step, query * keys + i);
        store<Y0, REAL>(y.data, batch * y.strides[0] + step * y.strides[1] + (query * values + value) * y.strides[2],
                        scale * sum);
      }
#endif
    }
  });
}
