// y = x * min(max(x + 3, 0), 6) / 6 for `count` numbers on the stream; a CUDA error number, 0: none. One of
// compute_host.cpp and compute_cuda.cu is linked.
#ifndef PLANISH_EXAMPLES_HSWISH_COMPUTE_H
#define PLANISH_EXAMPLES_HSWISH_COMPUTE_H

#include <cuda_runtime_api.h>

#include <cstddef>

int hswish(const float* x, float* y, size_t count, cudaStream_t stream);

#endif
