#pragma once
// Determinants of the matrices of the last two axes, of `order` rows, by elimination with pivots in double: a block a
// matrix, which lies in dynamic shared memory. Macros: those of a plain kernel.
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=1 REAL=float

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    det(const __grid_constant__ View x, const __grid_constant__ View y, int order) {
  wait_for_previous();
  extern __shared__ double matrix[];
  __shared__ int pivot;
  int64_t from = 0, to = 0;
  uint32_t rest = blockIdx.x;
  for (int i = RANK - 1; i >= 0; --i) {
    const uint32_t extent = static_cast<uint32_t>(y.dims[i]), next = rest / extent;
    from += (rest - next * extent) * x.strides[i], to += (rest - next * extent) * y.strides[i];
    rest = next;
  }
  for (int i = threadIdx.x; i < order * order; i += 256)
    matrix[i] = load<X0, double>(x.data, from + i / order * x.strides[RANK] + i % order * x.strides[RANK + 1]);
  __syncthreads();
  double product = 1;
  for (int k = 0; k < order; ++k) {
    if (threadIdx.x == 0) {
      pivot = k;
      for (int i = k + 1; i < order; ++i)
        if (fabs(matrix[i * order + k]) > fabs(matrix[pivot * order + k])) pivot = i;
    }
    __syncthreads();
    if (pivot != k)
      for (int j = threadIdx.x; j < order; j += 256) {
        const double kept = matrix[k * order + j];
        matrix[k * order + j] = matrix[pivot * order + j], matrix[pivot * order + j] = kept;
      }
    __syncthreads();
    const double diagonal = matrix[k * order + k];
    product *= pivot != k ? -diagonal : diagonal;
    if (diagonal == 0) break;
    const int below = order - k - 1;
    for (int i = threadIdx.x; i < below * below; i += 256) {
      const int row = k + 1 + i / below, column = k + 1 + i % below;
      matrix[row * order + column] -= matrix[row * order + k] / diagonal * matrix[k * order + column];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) store<Y0, double>(y.data, to, product);
}
