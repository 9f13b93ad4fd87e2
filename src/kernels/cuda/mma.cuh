#pragma once
// Products of a warp (sm_80 and later) and what feeds them: D[16][8] += A[16][32 bytes] B[8][32 bytes]^T. In bytes the
// fragments of all types are alike, and so are their loads. Sums lie as in wgmma.cuh.

#include "ptx.cuh"

// Fragment of A: 16 rows of 32 bytes; of two B: the same 16 rows, fragments {0, 2} and {1, 3}. Lane l gives the address
// of row l % 16, byte 16 * (l / 16).
PLANISH_DEVICE void load_fragments(uint32_t* fragment, uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
}
PLANISH_DEVICE void load_fragments_transposed(uint32_t* fragment, uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
}

template <class T>
struct WarpProduct;  // static void add(sums[4], a[4], b0, b1)
#define PLANISH_WARP_PRODUCT(T, S, c, shape)                                                                    \
  template <>                                                                                                   \
  struct WarpProduct<T> {                                                                                       \
    static PLANISH_DEVICE void add(S* s, const uint32_t* a, uint32_t b0, uint32_t b1) {                         \
      asm volatile("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
                   : "+" c(s[0]), "+" c(s[1]), "+" c(s[2]), "+" c(s[3])                                         \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                             \
    }                                                                                                           \
  };
PLANISH_WARP_PRODUCT(half_t, float, "f", "m16n8k16.row.col.f32.f16.f16.f32")
PLANISH_WARP_PRODUCT(bfloat_t, float, "f", "m16n8k16.row.col.f32.bf16.bf16.f32")
PLANISH_WARP_PRODUCT(tf32_t, float, "f", "m16n8k8.row.col.f32.tf32.tf32.f32")
PLANISH_WARP_PRODUCT(int8_t, int, "r", "m16n8k32.row.col.s32.s8.s8.s32")
PLANISH_WARP_PRODUCT(uint8_t, int, "r", "m16n8k32.row.col.s32.u8.s8.s32")  // weights are signed

// Bytes of memory into shared memory; zeros where not `valid` (the address is not read then).
template <int Bytes>
PLANISH_DEVICE void copy_async(uint32_t to, const void* from, bool valid) {
  const int read = valid ? Bytes : 0;
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(read) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(to), "l"(from), "r"(read), "n"(Bytes)
                 : "memory");
}
PLANISH_DEVICE void copies_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N>
PLANISH_DEVICE void copies_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// Offset of 16-byte chunk `chunk` of row `row` in a tile of RowBytes (32, 64, 128) a row, without bank conflicts for 8
// neighbouring rows.
template <int RowBytes>
PLANISH_DEVICE uint32_t chunk_offset(int row, int chunk) {
  constexpr int shift = RowBytes == 128 ? 0 : RowBytes == 64 ? 1 : 2, mask = RowBytes / 16 - 1;
  return static_cast<uint32_t>(row * RowBytes + ((chunk ^ row >> shift) & mask) * 16);
}
