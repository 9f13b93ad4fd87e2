/* bfloat16 on the host: the upper half of a float, arithmetic in float. */
#if defined(__CUDACC__)
#include_next <cuda_bf16.h>
#elif !defined(__CUDA_BF16_H__)
#define __CUDA_BF16_H__

#include "planish_small_floats.h"

typedef struct {
  unsigned short x;
} __nv_bfloat16_raw;

#if defined(__cplusplus)
extern "C++" {

PLANISH_CUDA_SMALL_FLOAT(__nv_bfloat16, __nv_bfloat16_raw, bfloat_of, from_bfloat);
struct __align__(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
  __nv_bfloat162() = default;
  __nv_bfloat162(const __nv_bfloat16& a, const __nv_bfloat16& b) : x(a), y(b) {}
};
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

PLANISH_CUDA_SMALL_FLOAT_FUNCTIONS(__nv_bfloat16)

inline __nv_bfloat16 __float2bfloat16(float value) { return __nv_bfloat16(value); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
inline __nv_bfloat16 __double2bfloat16(double value) { return __nv_bfloat16(value); }
inline float __bfloat162float(__nv_bfloat16 value) { return value; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) { return value.__x; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  __nv_bfloat16 value;
  value.__x = bits;
  return value;
}
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) { return __nv_bfloat162(a, b); }
inline __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return __nv_bfloat162(__nv_bfloat16(a), __nv_bfloat16(b));
}
inline float2 __bfloat1622float2(__nv_bfloat162 value) { return make_float2(value.x, value.y); }

}  // extern "C++"

#else

typedef struct {
  unsigned short __x;
} __nv_bfloat16;
typedef __nv_bfloat16 nv_bfloat16;

#endif

#endif
