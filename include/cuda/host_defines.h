/* The marks of CUDA sources: empty for a compiler that knows no device. */
#if defined(__CUDACC__)
#include_next <host_defines.h> /* nvcc has its own */
#elif !defined(__HOST_DEFINES_H__)
#define __HOST_DEFINES_H__

#define __host__
#define __device__
#define __global__
#define __shared__
#define __constant__
#define __managed__
#define __grid_constant__
#define __device_builtin__
#define __cudart_builtin__
#define __launch_bounds__(...)
#ifndef __forceinline__
#define __forceinline__ __inline__ __attribute__((always_inline))
#endif
#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __align__(n)

#define CUDARTAPI
#define CUDART_CB
#define CUDAAPI
#define CUDA_CB

#endif
