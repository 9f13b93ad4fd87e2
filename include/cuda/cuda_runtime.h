/* The runtime interface with vectors and helpers: what sources compiled by nvcc see. */
#if defined(__CUDACC__)
#include_next <cuda_runtime.h>
#elif !defined(PLANISH_CUDA_RUNTIME_H)
#define PLANISH_CUDA_RUNTIME_H

#include "cuda_runtime_api.h"
#include "driver_functions.h"
#include "vector_functions.h"

#endif
