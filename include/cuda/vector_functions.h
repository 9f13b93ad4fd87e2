/* make_float4 and its kin. */
#if defined(__CUDACC__)
#include_next <vector_functions.h>
#elif !defined(__VECTOR_FUNCTIONS_H__)
#define __VECTOR_FUNCTIONS_H__

#include "vector_types.h"

#define PLANISH_CUDA_MAKE(name, scalar)                                                     \
  static __inline__ struct name##1 make_##name##1(scalar x) {                               \
    struct name##1 v = {x};                                                                 \
    return v;                                                                               \
  }                                                                                         \
  static __inline__ struct name##2 make_##name##2(scalar x, scalar y) {                     \
    struct name##2 v = {x, y};                                                              \
    return v;                                                                               \
  }                                                                                         \
  static __inline__ struct name##3 make_##name##3(scalar x, scalar y, scalar z) {           \
    struct name##3 v = {x, y, z};                                                           \
    return v;                                                                               \
  }                                                                                         \
  static __inline__ struct name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w) { \
    struct name##4 v = {x, y, z, w};                                                        \
    return v;                                                                               \
  }

PLANISH_CUDA_MAKE(char, signed char)
PLANISH_CUDA_MAKE(uchar, unsigned char)
PLANISH_CUDA_MAKE(short, short)
PLANISH_CUDA_MAKE(ushort, unsigned short)
PLANISH_CUDA_MAKE(int, int)
PLANISH_CUDA_MAKE(uint, unsigned int)
PLANISH_CUDA_MAKE(long, long)
PLANISH_CUDA_MAKE(ulong, unsigned long)
PLANISH_CUDA_MAKE(longlong, long long)
PLANISH_CUDA_MAKE(ulonglong, unsigned long long)
PLANISH_CUDA_MAKE(float, float)
PLANISH_CUDA_MAKE(double, double)

#endif
