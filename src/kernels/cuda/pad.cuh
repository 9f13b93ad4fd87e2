#pragma once
// y[i] = x[source(i - before)] along every axis: padding, cropping and tiling. MODE 0: what lies outside is `value`; 1: the
// edge; 2: mirrored at it; 3: repeated. Macros: RANK, TYPE (elements by their size), MODE, FILLED (0: the value is zero).
// instance: RANK=4 TYPE=uint16_t MODE=0 FILLED=1
// instance: RANK=4 TYPE=uint32_t MODE=2 FILLED=0

#include "view.cuh"

// -1: outside.
__device__ inline int source_of(int at, int extent) {
  if (at >= 0 && at < extent) return at;
#if MODE == 1
  return at < 0 ? 0 : extent - 1;
#elif MODE == 2
  if (extent == 1) return 0;
  const int period = 2 * (extent - 1), folded = (at % period + period) % period;
  return folded < extent ? folded : period - folded;
#elif MODE == 3
  return (at % extent + extent) % extent;
#else
  return -1;
#endif
}

extern "C" __global__ void __launch_bounds__(256)
    pad(const __grid_constant__ View x, const __grid_constant__ View y, const int* before,
#if FILLED
        const TYPE* value,
#endif
        int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    int64_t from = 0;
    bool inside = true;
#pragma unroll
    for (int i = 0; i < RANK; ++i) {
      const int source = x.dims[i] > 0 ? source_of(at[i] - before[i], static_cast<int>(x.dims[i])) : -1;
      inside = inside && source >= 0;
      from += source * x.strides[i];
    }
#if FILLED
    const TYPE outside = *value;
#else
    const TYPE outside = TYPE{};
#endif
    static_cast<TYPE*>(y.data)[offset_of(y, at)] = inside ? static_cast<const TYPE*>(x.data)[from] : outside;
  });
}
