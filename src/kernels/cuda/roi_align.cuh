#pragma once
// A grid of bins over each region of a picture: the mean, or the largest weighted neighbour, of samples between elements. Macros: those
// of a plain kernel, AVERAGE, HALF_PIXEL, SAMPLES (along an axis of a bin; 0: as many as it is long).
// instance: X0=float X1=float X2=int64_t Y0=float HAS=7 MADE=1 RANK=4 REAL=float AVERAGE=1 HALF_PIXEL=1 SAMPLES=2
// instance: X0=half_t X1=half_t X2=int64_t Y0=half_t HAS=7 MADE=1 RANK=4 REAL=float AVERAGE=0 HALF_PIXEL=0 SAMPLES=0

#include "view.cuh"

struct RoiAxis {
  REAL start, bin;
  int samples, extent;
};

__device__ inline RoiAxis roi_axis(REAL low, REAL high, REAL scale, int bins, int extent) {
  const REAL reach = (high - low) * scale, bin = (HALF_PIXEL ? reach : fmax(reach, REAL(1))) / bins;
  return {low * scale - (HALF_PIXEL ? REAL(0.5) : REAL(0)), bin, SAMPLES > 0 ? SAMPLES : max(static_cast<int>(ceil(bin)), 0), extent};
}

struct RoiSample {
  bool inside;
  int low, high;
  REAL fraction;
};

__device__ inline RoiSample roi_sample(const RoiAxis& axis, int bin, int i) {
  const REAL at = axis.start + bin * axis.bin + (i + REAL(0.5)) * axis.bin / axis.samples;
  if (!(at >= -1 && at <= axis.extent)) return {false, 0, 0, 0};
  const REAL inside = fmax(at, REAL(0));
  const int low = static_cast<int>(inside);
  if (low >= axis.extent - 1) return {true, axis.extent - 1, axis.extent - 1, 0};
  return {true, low, low + 1, inside - low};
}

// A region in a picture that there is not gives zeros.
extern "C" __global__ void __launch_bounds__(256)
    roi_align(const __grid_constant__ View x, const __grid_constant__ View rois, const __grid_constant__ View pictures,
              const __grid_constant__ View y, float scale, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[4];
    position_of<3>(flat, y, at);
    const auto edge = [&](int i) { return load<X1, REAL>(rois.data, at[0] * rois.strides[0] + i * rois.strides[1]); };
    const int64_t picture = load<X2, int64_t>(pictures.data, at[0] * pictures.strides[0]);
    const RoiAxis columns = roi_axis(edge(0), edge(2), scale, static_cast<int>(y.dims[3]), static_cast<int>(x.dims[3])),
                  rows = roi_axis(edge(1), edge(3), scale, static_cast<int>(y.dims[2]), static_cast<int>(x.dims[2]));
    const int64_t plane = picture * x.strides[0] + at[1] * x.strides[1];
    REAL sum = 0, most = REAL(-__longlong_as_double(0x7ff0000000000000ll));
    const bool there = picture >= 0 && picture < x.dims[0];
    for (int i = 0; there && i < rows.samples; ++i)
      for (int j = 0; j < columns.samples; ++j) {
        const RoiSample row = roi_sample(rows, at[2], i), column = roi_sample(columns, at[3], j);
#pragma unroll
        for (int corner = 0; corner < 4; ++corner) {
          const bool below = corner >= 2, right = corner % 2 == 1;
          const REAL weight = (below ? row.fraction : 1 - row.fraction) * (right ? column.fraction : 1 - column.fraction);
          REAL value = 0;
          if (row.inside && column.inside && weight != 0)
            value = weight * load<X0, REAL>(x.data, plane + (below ? row.high : row.low) * x.strides[2] +
                                                        (right ? column.high : column.low) * x.strides[3]);
          sum += value, most = fmax(most, value);
        }
      }
    const int samples = there ? rows.samples * columns.samples : 0;
    store<Y0, REAL>(y.data, offset_of(y, at), samples == 0 ? REAL(0) : AVERAGE ? sum / samples : most);
  });
}
