#pragma once
// Elements that indices name: gathers, y[p] = data[d(p)], and scatters, y[d(p)] = data[p] over what y holds already.
// A position p runs over the result of a gather, over the updates of a scatter. FORM says what d is:
//   0: p = (a.., i.., b..), d = (a.., indices[i..], b..) with AXIS axes in front
//   1: d = p, along AXIS indices[p]
//   2: p = (o.., t..), d = (the first BATCH of o.., indices[o.., 0], …, indices[o.., DEPTH - 1], t..)
// Indices below 0 count from the end. Outside the data a gather gives zeros and a scatter stores nothing.
// Macros: FORM, SCATTER, RANK_D, RANK_P, RANK_I (of data, positions, indices), AXIS, BATCH, DEPTH, INDEX, TYPE; of a
// scatter that COMBINEs (COMBINE(a, b)) REAL, what it computes in; and SERIAL, a mask of p's axes that one thread walks
// along in order, so that whatever meets in one place does so in that thread: the last one stays, or they are combined
// in order. 0 where nothing meets.
// instance: FORM=0 SCATTER=0 RANK_D=2 RANK_P=3 RANK_I=2 AXIS=0 BATCH=0 DEPTH=0 INDEX=int64_t TYPE=uint16_t SERIAL=0
// instance: FORM=1 SCATTER=1 RANK_D=2 RANK_P=2 RANK_I=2 AXIS=0 BATCH=0 DEPTH=0 INDEX=int64_t TYPE=uint16_t SERIAL=1
// instance: FORM=1 SCATTER=1 RANK_D=3 RANK_P=3 RANK_I=3 AXIS=1 BATCH=0 DEPTH=0 INDEX=int32_t TYPE=float SERIAL=2 REAL=float COMBINE(a,b)=((a)+(b))
// instance: FORM=2 SCATTER=1 RANK_D=4 RANK_P=3 RANK_I=2 AXIS=0 BATCH=0 DEPTH=2 INDEX=int64_t TYPE=uint32_t SERIAL=0

#include "view.cuh"

constexpr int kAxesP = RANK_P == 0 ? 1 : RANK_P;

__device__ inline bool add_indexed(const View& view, int axis, int64_t index, int64_t& offset) {
  const int64_t extent = view.dims[axis];
  if (index < 0) index += extent;
  offset += index * view.strides[axis];
  return index >= 0 && index < extent;
}

// Offset of d(p) in `view`; false: outside.
__device__ inline bool indexed_offset(const View& view, const View& indices, const int (&p)[kAxesP], int64_t& offset) {
  offset = 0;
  int64_t from = 0;
  bool inside = true;
#if FORM == 0
#pragma unroll
  for (int i = 0; i < RANK_I; ++i) from += p[AXIS + i] * indices.strides[i];
#pragma unroll
  for (int i = 0; i < RANK_D; ++i)
    if (i != AXIS) offset += p[i < AXIS ? i : i - 1 + RANK_I] * view.strides[i];
  inside = add_indexed(view, AXIS, load<INDEX, int64_t>(indices.data, from), offset);
#elif FORM == 1
#pragma unroll
  for (int i = 0; i < RANK_I; ++i) {
    from += p[i] * indices.strides[i];
    if (i != AXIS) offset += p[i] * view.strides[i];
  }
  inside = add_indexed(view, AXIS, load<INDEX, int64_t>(indices.data, from), offset);
#else
#pragma unroll
  for (int i = 0; i < RANK_I - 1; ++i) from += p[i] * indices.strides[i];
#pragma unroll
  for (int i = 0; i < BATCH; ++i) offset += p[i] * view.strides[i];
#pragma unroll
  for (int i = 0; i < DEPTH; ++i) {
    const int64_t index = load<INDEX, int64_t>(indices.data, from + i * indices.strides[RANK_I - 1]);
    inside = add_indexed(view, BATCH + i, index, offset) && inside;
  }
#pragma unroll
  for (int i = BATCH + DEPTH; i < RANK_D; ++i) offset += p[i - BATCH - DEPTH + RANK_I - 1] * view.strides[i];
#endif
  return inside;
}

__device__ inline void move_indexed(const View& data, const View& indices, const View& y, const int (&p)[kAxesP]) {
  int64_t named;
#if SCATTER
  if (!indexed_offset(y, indices, p, named)) return;
  const int64_t from = offset_of(data, p);
#ifdef COMBINE
  store<TYPE, REAL>(y.data, named, COMBINE((load<TYPE, REAL>(y.data, named)), (load<TYPE, REAL>(data.data, from))));
#else
  static_cast<TYPE*>(y.data)[named] = static_cast<const TYPE*>(data.data)[from];
#endif
#else
  const bool inside = indexed_offset(data, indices, p, named);
  static_cast<TYPE*>(y.data)[offset_of(y, p)] = inside ? static_cast<const TYPE*>(data.data)[named] : TYPE{};
#endif
}

// `count`: of the positions that threads have.
extern "C" __global__ void __launch_bounds__(256)
    indexed(const __grid_constant__ View data, const __grid_constant__ View indices, const __grid_constant__ View y,
            int64_t count) {
  wait_for_previous();
  const View& places = SCATTER ? data : y;
  for_positions(count, [&](uint32_t flat) {
    int p[kAxesP] = {};
#if SERIAL
    uint32_t steps = 1;
#pragma unroll
    for (int i = RANK_P - 1; i >= 0; --i) {
      const uint32_t extent = static_cast<uint32_t>(places.dims[i]);
      if (SERIAL >> i & 1) {
        steps *= extent;
        continue;
      }
      p[i] = flat % extent;
      flat /= extent;
    }
    for (uint32_t step = 0; step < steps; ++step) {
      uint32_t rest = step;
#pragma unroll
      for (int i = RANK_P - 1; i >= 0; --i) {
        if ((SERIAL >> i & 1) == 0) continue;
        p[i] = rest % static_cast<uint32_t>(places.dims[i]);
        rest /= static_cast<uint32_t>(places.dims[i]);
      }
      move_indexed(data, indices, y, p);
    }
#else
    position_of<kAxesP - 1>(flat, places, p);
    move_indexed(data, indices, y, p);
#endif
  });
}
