/* The runtime interface with vectors and helpers: what sources compiled by nvcc see. */
#if defined(__CUDACC__)
#include_next <cuda_runtime.h>
#elif !defined(__CUDA_RUNTIME_H__)
#define __CUDA_RUNTIME_H__

#include "cuda_runtime_api.h"
#include "driver_functions.h"
#include "vector_functions.h"

#endif
