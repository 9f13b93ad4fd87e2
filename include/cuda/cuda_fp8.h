/* 8-bit floats on the host: conversion from numbers and to float. */
#if defined(__CUDACC__)
#include_next <cuda_fp8.h>
#elif !defined(__CUDA_FP8_H__)
#define __CUDA_FP8_H__

#include "cuda_bf16.h"
#include "cuda_fp16.h"

typedef unsigned char __nv_fp8_storage_t;
typedef enum __nv_fp8_interpretation_t { __NV_E4M3, __NV_E5M2 } __nv_fp8_interpretation_t;
typedef enum __nv_saturation_t { __NV_NOSAT, __NV_SATFINITE } __nv_saturation_t;

#if defined(__cplusplus)
extern "C++" {

// From every number that has a float, rounded once.
#define PLANISH_CUDA_FP8(name, to, from)                                              \
  struct name {                                                                       \
    __nv_fp8_storage_t __x;                                                           \
    name() = default;                                                                 \
    template <class Number>                                                           \
    explicit name(Number value) : __x(planish_cuda::to(static_cast<float>(value))) {} \
    operator float() const { return planish_cuda::from(__x); }                        \
  }
PLANISH_CUDA_FP8(__nv_fp8_e4m3, e4m3_of, from_e4m3);
PLANISH_CUDA_FP8(__nv_fp8_e5m2, e5m2_of, from_e5m2);
#undef PLANISH_CUDA_FP8

}  // extern "C++"

#endif

#endif
