#pragma once
// alpha op(A) op(B) + beta C of any elements. Macros: those of a plain kernel, TRANS_A, TRANS_B.
// instance: X0=float X1=float X2=float Y0=float HAS=7 MADE=1 RANK=2 REAL=float TRANS_A=1 TRANS_B=0
// instance: X0=double X1=double Y0=double HAS=3 MADE=1 RANK=2 REAL=double TRANS_A=0 TRANS_B=1

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    plain_gemm(const __grid_constant__ View a, const __grid_constant__ View b, const __grid_constant__ View c,
               const __grid_constant__ View y, float alpha, float beta, int64_t count) {
  wait_for_previous();
  const int depth = static_cast<int>(a.dims[1 - TRANS_A]);
  const int64_t step_a = a.strides[1 - TRANS_A], step_b = b.strides[TRANS_B];
  for_positions(count, [&](uint32_t flat) {
    int at[2];
    position_of<1>(flat, y, at);
    const int64_t row = at[0] * a.strides[TRANS_A], column = at[1] * b.strides[1 - TRANS_B];
    REAL sum = 0;
    for (int k = 0; k < depth; ++k)
      sum += load<X0, REAL>(a.data, row + k * step_a) * load<X1, REAL>(b.data, column + k * step_b);
    sum *= alpha;
#if HAS & 4
    sum += beta * load_at<X2, REAL>(c, at);
#endif
    store<Y0, REAL>(y.data, offset_of(y, at), sum);
  });
}
