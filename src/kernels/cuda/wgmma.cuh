#pragma once
// Products of a warpgroup (sm_90a): D[64][N] += A[64][32 bytes] B[N][32 bytes]^T, both operands in shared memory with
// their depth contiguous. A thread's sums: group j of 8 columns holds (row, 2q), (row, 2q + 1), (row + 8, 2q),
// (row + 8, 2q + 1) at 4j ... 4j + 3, with row = 16 * warp + lane / 4 and q = lane % 4.

#include "ptx.cuh"

// Matrix descriptor of a tile that a bulk copy has swizzled, rows of RowBytes = 128, 64 or 32 bytes, groups of 8 rows
// adjacent. Swizzling is a function of the address: depth and rows advance by adding bytes to it.
template <int RowBytes>
PLANISH_DEVICE uint64_t tile_descriptor(uint32_t address) {
  constexpr uint64_t mode = RowBytes == 128 ? 1 : RowBytes == 64 ? 2 : 3;
  return static_cast<uint64_t>((address & 0x3ffff) >> 4) | (uint64_t{1} << 16) |
         (static_cast<uint64_t>(RowBytes * 8 >> 4) << 32) | (mode << 62);
}
// Of a tile whose rows are depth: rows of 128 bytes swizzled, 64 columns a panel, panels `panel` bytes apart; depth
// advances by rows. For the right operand of a RightProduct.
PLANISH_DEVICE uint64_t panel_descriptor(uint32_t address, uint32_t panel) {
  return static_cast<uint64_t>((address & 0x3ffff) >> 4) | (static_cast<uint64_t>(panel >> 4) << 16) |
         (static_cast<uint64_t>(8 * 128 >> 4) << 32) | (uint64_t{1} << 62);
}
PLANISH_DEVICE void product_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
PLANISH_DEVICE void product_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N>  // until at most N committed groups are under way
PLANISH_DEVICE void product_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

// What reads sums stays behind this, and so behind the wait in front of it.
template <int N>
PLANISH_DEVICE void sums_ready(float* sums) {
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+f"(sums[i])::"memory");
}
template <int N>
PLANISH_DEVICE void sums_ready(int* sums) {
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+r"(sums[i])::"memory");
}

template <class T, int N>
struct Product;  // static void add(sums[N / 2], descriptor of A, descriptor of B, bool accumulate)

#define PLANISH_R0 "%0, %1, %2, %3, %4, %5, %6, %7"
#define PLANISH_R1 PLANISH_R0 ", %8, %9, %10, %11, %12, %13, %14, %15"
#define PLANISH_R2 PLANISH_R1 ", %16, %17, %18, %19, %20, %21, %22, %23"
#define PLANISH_R3 PLANISH_R2 ", %24, %25, %26, %27, %28, %29, %30, %31"
#define PLANISH_R4 PLANISH_R3 ", %32, %33, %34, %35, %36, %37, %38, %39"
#define PLANISH_R5 PLANISH_R4 ", %40, %41, %42, %43, %44, %45, %46, %47"
#define PLANISH_R6 PLANISH_R5 ", %48, %49, %50, %51, %52, %53, %54, %55"
#define PLANISH_R7 PLANISH_R6 ", %56, %57, %58, %59, %60, %61, %62, %63"
#define PLANISH_R8 PLANISH_R7 ", %64, %65, %66, %67, %68, %69, %70, %71"
#define PLANISH_R9 PLANISH_R8 ", %72, %73, %74, %75, %76, %77, %78, %79"
#define PLANISH_R10 PLANISH_R9 ", %80, %81, %82, %83, %84, %85, %86, %87"
#define PLANISH_R11 PLANISH_R10 ", %88, %89, %90, %91, %92, %93, %94, %95"
#define PLANISH_R12 PLANISH_R11 ", %96, %97, %98, %99, %100, %101, %102, %103"
#define PLANISH_R13 PLANISH_R12 ", %104, %105, %106, %107, %108, %109, %110, %111"
#define PLANISH_R14 PLANISH_R13 ", %112, %113, %114, %115, %116, %117, %118, %119"
#define PLANISH_R15 PLANISH_R14 ", %120, %121, %122, %123, %124, %125, %126, %127"
#define PLANISH_V8(c, b)                                                                                             \
  "+" c(s[b]), "+" c(s[b + 1]), "+" c(s[b + 2]), "+" c(s[b + 3]), "+" c(s[b + 4]), "+" c(s[b + 5]), "+" c(s[b + 6]), \
      "+" c(s[b + 7])
#define PLANISH_V0(c) PLANISH_V8(c, 0)
#define PLANISH_V1(c) PLANISH_V0(c), PLANISH_V8(c, 8)
#define PLANISH_V2(c) PLANISH_V1(c), PLANISH_V8(c, 16)
#define PLANISH_V3(c) PLANISH_V2(c), PLANISH_V8(c, 24)
#define PLANISH_V4(c) PLANISH_V3(c), PLANISH_V8(c, 32)
#define PLANISH_V5(c) PLANISH_V4(c), PLANISH_V8(c, 40)
#define PLANISH_V6(c) PLANISH_V5(c), PLANISH_V8(c, 48)
#define PLANISH_V7(c) PLANISH_V6(c), PLANISH_V8(c, 56)
#define PLANISH_V8_(c) PLANISH_V7(c), PLANISH_V8(c, 64)
#define PLANISH_V9(c) PLANISH_V8_(c), PLANISH_V8(c, 72)
#define PLANISH_V10(c) PLANISH_V9(c), PLANISH_V8(c, 80)
#define PLANISH_V11(c) PLANISH_V10(c), PLANISH_V8(c, 88)
#define PLANISH_V12(c) PLANISH_V11(c), PLANISH_V8(c, 96)
#define PLANISH_V13(c) PLANISH_V12(c), PLANISH_V8(c, 104)
#define PLANISH_V14(c) PLANISH_V13(c), PLANISH_V8(c, 112)
#define PLANISH_V15(c) PLANISH_V14(c), PLANISH_V8(c, 120)
// a, b, p: the numbers of the operands behind the sums, N / 2 and the two after it
#define PLANISH_PRODUCT(T, S, c, N, shape, tail, R, V, a, b, p)                                                    \
  template <>                                                                                                      \
  struct Product<T, N> {                                                                                           \
    static PLANISH_DEVICE void add(S* s, uint64_t left, uint64_t right, bool accumulate) {                         \
      asm volatile("{.reg .pred p;\nsetp.ne.b32 p, %" #p ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N shape " {" R \
                   "}, %" #a ", %" #b ", p" tail ";}"                                                              \
                   : V(c)                                                                                          \
                   : "l"(left), "l"(right), "r"(static_cast<int>(accumulate)));                                    \
    }                                                                                                              \
  };
#define PLANISH_PRODUCTS(T, S, c, shape, tail)                                        \
  PLANISH_PRODUCT(T, S, c, 16, shape, tail, PLANISH_R0, PLANISH_V0, 8, 9, 10)         \
  PLANISH_PRODUCT(T, S, c, 32, shape, tail, PLANISH_R1, PLANISH_V1, 16, 17, 18)       \
  PLANISH_PRODUCT(T, S, c, 48, shape, tail, PLANISH_R2, PLANISH_V2, 24, 25, 26)       \
  PLANISH_PRODUCT(T, S, c, 64, shape, tail, PLANISH_R3, PLANISH_V3, 32, 33, 34)       \
  PLANISH_PRODUCT(T, S, c, 80, shape, tail, PLANISH_R4, PLANISH_V4, 40, 41, 42)       \
  PLANISH_PRODUCT(T, S, c, 96, shape, tail, PLANISH_R5, PLANISH_V5, 48, 49, 50)       \
  PLANISH_PRODUCT(T, S, c, 112, shape, tail, PLANISH_R6, PLANISH_V6, 56, 57, 58)      \
  PLANISH_PRODUCT(T, S, c, 128, shape, tail, PLANISH_R7, PLANISH_V7, 64, 65, 66)      \
  PLANISH_PRODUCT(T, S, c, 144, shape, tail, PLANISH_R8, PLANISH_V8_, 72, 73, 74)     \
  PLANISH_PRODUCT(T, S, c, 160, shape, tail, PLANISH_R9, PLANISH_V9, 80, 81, 82)      \
  PLANISH_PRODUCT(T, S, c, 192, shape, tail, PLANISH_R11, PLANISH_V11, 96, 97, 98)    \
  PLANISH_PRODUCT(T, S, c, 224, shape, tail, PLANISH_R13, PLANISH_V13, 112, 113, 114) \
  PLANISH_PRODUCT(T, S, c, 256, shape, tail, PLANISH_R15, PLANISH_V15, 128, 129, 130)
PLANISH_PRODUCTS(half_t, float, "f", "k16.f32.f16.f16", ", 1, 1, 0, 0")
PLANISH_PRODUCTS(bfloat_t, float, "f", "k16.f32.bf16.bf16", ", 1, 1, 0, 0")
PLANISH_PRODUCTS(tf32_t, float, "f", "k8.f32.tf32.tf32", ", 1, 1")
PLANISH_PRODUCTS(int8_t, int, "r", "k32.s32.s8.s8", "")
PLANISH_PRODUCTS(uint8_t, int, "r", "k32.s32.u8.s8", "")  // weights are signed

// D[64][N] += A[64][16] B[16][N] of 16-bit elements: A in registers, a thread's as its sums lie (two groups of 8
// columns, packed); B in shared memory as panel_descriptor has it.
template <class T, int N>
struct RightProduct;  // static void add(sums[N / 2], words of A[4], descriptor of B)

// a: the number of the first operand behind the sums; b, c, d, e the next ones
#define PLANISH_RIGHT_PRODUCT(T, N, shape, R, V, a, b, c, d, e)                                                     \
  template <>                                                                                                       \
  struct RightProduct<T, N> {                                                                                       \
    static PLANISH_DEVICE void add(float* s, const uint32_t* left, uint64_t right) {                                \
      asm volatile("{.reg .pred p;\nsetp.ne.b32 p, 1, 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k16." shape " {" R \
                   "}, {%" #a ", %" #b ", %" #c ", %" #d "}, %" #e ", p, 1, 1, 1;}"                                 \
                   : V("f")                                                                                         \
                   : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right));                           \
    }                                                                                                               \
  };
PLANISH_RIGHT_PRODUCT(half_t, 64, "f32.f16.f16", PLANISH_R3, PLANISH_V3, 32, 33, 34, 35, 36)
PLANISH_RIGHT_PRODUCT(bfloat_t, 64, "f32.bf16.bf16", PLANISH_R3, PLANISH_V3, 32, 33, 34, 35, 36)

// D[64][N] = (accumulate ? D : 0) + A[64][16] B[N][16]^T of 16-bit elements: A in registers as that of a RightProduct,
// B as tile_descriptor has it.
template <class T, int N>
struct HeldProduct;  // static void add(sums[N / 2], words of A[4], descriptor of B, bool accumulate)

// a: the number of the first operand behind the sums; b … f the next ones
#define PLANISH_HELD_PRODUCT(T, N, shape, R, V, a, b, c, d, e, f)                                                  \
  template <>                                                                                                      \
  struct HeldProduct<T, N> {                                                                                       \
    static PLANISH_DEVICE void add(float* s, const uint32_t* left, uint64_t right, bool accumulate) {              \
      asm volatile("{.reg .pred p;\nsetp.ne.b32 p, %" #f ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k16." shape \
                   " {" R "}, {%" #a ", %" #b ", %" #c ", %" #d "}, %" #e ", p, 1, 1, 0;}"                         \
                   : V("f")                                                                                        \
                   : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right),                           \
                     "r"(static_cast<int>(accumulate)));                                                           \
    }                                                                                                              \
  };
#define PLANISH_HELD_PRODUCTS(T, shape)                                                \
  PLANISH_HELD_PRODUCT(T, 16, shape, PLANISH_R0, PLANISH_V0, 8, 9, 10, 11, 12, 13)     \
  PLANISH_HELD_PRODUCT(T, 32, shape, PLANISH_R1, PLANISH_V1, 16, 17, 18, 19, 20, 21)   \
  PLANISH_HELD_PRODUCT(T, 48, shape, PLANISH_R2, PLANISH_V2, 24, 25, 26, 27, 28, 29)   \
  PLANISH_HELD_PRODUCT(T, 64, shape, PLANISH_R3, PLANISH_V3, 32, 33, 34, 35, 36, 37)   \
  PLANISH_HELD_PRODUCT(T, 80, shape, PLANISH_R4, PLANISH_V4, 40, 41, 42, 43, 44, 45)   \
  PLANISH_HELD_PRODUCT(T, 96, shape, PLANISH_R5, PLANISH_V5, 48, 49, 50, 51, 52, 53)   \
  PLANISH_HELD_PRODUCT(T, 112, shape, PLANISH_R6, PLANISH_V6, 56, 57, 58, 59, 60, 61)  \
  PLANISH_HELD_PRODUCT(T, 128, shape, PLANISH_R7, PLANISH_V7, 64, 65, 66, 67, 68, 69)  \
  PLANISH_HELD_PRODUCT(T, 144, shape, PLANISH_R8, PLANISH_V8_, 72, 73, 74, 75, 76, 77) \
  PLANISH_HELD_PRODUCT(T, 160, shape, PLANISH_R9, PLANISH_V9, 80, 81, 82, 83, 84, 85)  \
  PLANISH_HELD_PRODUCT(T, 192, shape, PLANISH_R11, PLANISH_V11, 96, 97, 98, 99, 100, 101)
PLANISH_HELD_PRODUCTS(half_t, "f32.f16.f16")
PLANISH_HELD_PRODUCTS(bfloat_t, "f32.bf16.bf16")
