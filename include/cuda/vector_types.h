/* Vectors of two to four numbers, aligned as on the device, and dim3. */
#if defined(__CUDACC__)
#include_next <vector_types.h>
#elif !defined(__VECTOR_TYPES_H__)
#define __VECTOR_TYPES_H__

#include "host_defines.h"

/* PLANISH_CUDA_VECTORS(name, scalar, a2, a4): name1 … name4; a2 and a4 are the alignments of name2 and name4. */
#define PLANISH_CUDA_VECTORS(name, scalar, a2, a4) \
  struct name##1 {                                 \
    scalar x;                                      \
  };                                               \
  struct __align__(a2) name##2 {                   \
    scalar x, y;                                   \
  };                                               \
  struct name##3 {                                 \
    scalar x, y, z;                                \
  };                                               \
  struct __align__(a4) name##4 {                   \
    scalar x, y, z, w;                             \
  };                                               \
  typedef struct name##1 name##1;                  \
  typedef struct name##2 name##2;                  \
  typedef struct name##3 name##3;                  \
  typedef struct name##4 name##4

PLANISH_CUDA_VECTORS(char, signed char, 2, 4);
PLANISH_CUDA_VECTORS(uchar, unsigned char, 2, 4);
PLANISH_CUDA_VECTORS(short, short, 4, 8);
PLANISH_CUDA_VECTORS(ushort, unsigned short, 4, 8);
PLANISH_CUDA_VECTORS(int, int, 8, 16);
PLANISH_CUDA_VECTORS(uint, unsigned int, 8, 16);
PLANISH_CUDA_VECTORS(long, long, 16, 16);
PLANISH_CUDA_VECTORS(ulong, unsigned long, 16, 16);
PLANISH_CUDA_VECTORS(longlong, long long, 16, 16);
PLANISH_CUDA_VECTORS(ulonglong, unsigned long long, 16, 16);
PLANISH_CUDA_VECTORS(float, float, 8, 16);
PLANISH_CUDA_VECTORS(double, double, 16, 16);

struct dim3 {
  unsigned int x, y, z;
#if defined(__cplusplus)
  constexpr dim3(unsigned int width = 1, unsigned int height = 1, unsigned int depth = 1)
      : x(width), y(height), z(depth) {}
  constexpr dim3(struct uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator struct uint3() const { return uint3{x, y, z}; }
#endif
};
typedef struct dim3 dim3;

#endif
