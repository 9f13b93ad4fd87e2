#include <algorithm>

#include "compute.h"

int hswish(const float* x, float* y, size_t count, cudaStream_t) {
  for (size_t i = 0; i < count; ++i) y[i] = x[i] * std::min(std::max(x[i] + 3, 0.0F), 6.0F) / 6;
  return 0;
}
