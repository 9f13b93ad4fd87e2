#pragma once
// Blocks of a product of reduced precision: rows of A and a panel of B, both in words of depth, into a block of sums.
//
// The instructions beyond the level's own are written out: a block function is entered only where the processor has
// them, and the compiler may use none of them elsewhere.

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/cpu/common/simd.h"
#include "kernels/mma.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// sums[r][column] = sum over runs t, steps k of a[r * pitch + offsets[t] + k] . b[t][k][column]
struct BlockArgs {
  const int32_t* a = nullptr;
  int64_t pitch = 0, runs = 1, steps = 0;
  const int64_t* offsets = nullptr;
  int64_t a_plane = 0;         // words from a row's first plane to its second
  const int32_t* b = nullptr;  // [plane][run][step][column]
  int32_t* sums = nullptr;     // [rows][columns of the format]
  int rows = 0;
  int64_t next = 0;  // words to the panel behind, which is fetched step by step: its stream ends where this one does
  // Tiles leave the rest of the core idle: after each of their steps a piece of what comes next is fetched.
  const std::byte* ahead = nullptr;
  int64_t ahead_bytes = 0;  // after each step
};
using BlockFn = void (*)(const BlockArgs&);

// Words: as many 32-bit lanes as a Vec has; acc + a . b lane by lane.
#if defined(PLANISH_ISA_avx512)
// Instructions written out work on a local: an operand within an array would keep it in memory.
using Words = __m512i;
inline Words load_words(const int32_t* p) { return _mm512_loadu_si512(p); }
inline Words splat_word(int32_t w) { return _mm512_set1_epi32(w); }
inline void store_words(int32_t* p, Words w) { _mm512_storeu_si512(p, w); }
inline Words no_words() { return _mm512_setzero_si512(); }
struct MaddI16 {
  static void add(Words& sum, Words a, Words b) { sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)); }
};
struct DotI8 {
  static void add(Words& sum, Words a, Words b) {
    Words own = sum;
    __asm__("vpdpbusd %2, %1, %0" : "+v"(own) : "v"(a), "v"(b));
    sum = own;
  }
};
struct DotBf16 {
  static void add(Words& sum, Words a, Words b) {
    Words own = sum;
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(own) : "v"(a), "v"(b));
    sum = own;
  }
};
#elif defined(PLANISH_ISA_avx2)
using Words = __m256i;
inline Words load_words(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline Words splat_word(int32_t w) { return _mm256_set1_epi32(w); }
inline void store_words(int32_t* p, Words w) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), w); }
inline Words no_words() { return _mm256_setzero_si256(); }
struct MaddI16 {
  static void add(Words& sum, Words a, Words b) { sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
};
struct DotI8 {
  static void add(Words& sum, Words a, Words b) {
    Words own = sum;
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(own) : "x"(a), "x"(b));
    sum = own;
  }
};
#else
using Words = int32_t;
inline Words load_words(const int32_t* p) { return *p; }
inline Words splat_word(int32_t w) { return w; }
inline void store_words(int32_t* p, Words w) { *p = w; }
inline Words no_words() { return 0; }
struct MaddI16 {
  static void add(Words& sum, Words a, Words b) {
    const auto low = [](Words w) { return static_cast<int32_t>(static_cast<int16_t>(w)); };
    sum += low(a) * low(b) + (a >> 16) * (b >> 16);
  }
};
#endif

constexpr MmaFormat kDot =
    mma_format(Mma::dot_i8, Isa::PLANISH_ISA);  // columns: as all but tiles; rows: as many or more
constexpr int kDotRows = static_cast<int>(kDot.rows), kDotColumns = static_cast<int>(kDot.columns);

// f(0) … f(N - 1), whose argument is a constant where callers are flattened.
template <int N, class F>
inline void for_constants(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (f(I), ...); }
  (std::make_integer_sequence<int, N>());
}

// The sums of R rows and V vectors of a panel's columns. Indices are constants and callers are flattened, so that all
// of them are registers: g++ leaves an array whose loops it unrolls late in memory.
template <class Dot, int R, int V>
struct Sums {
  Words at[R * V];  // row by row

  // f(sum, row, vector)
  template <class F>
  void each(const F& f) {
    for_constants<R * V>([&](int i) { f(at[i], i / V, i % V); });
  }
  void add(const BlockArgs& block) {
    const int32_t* b = block.b;
    for (int64_t run = 0; run < block.runs; ++run) {
      const int32_t* a = block.a + block.offsets[run];
#pragma GCC unroll 2
      for (int64_t step = 0; step < block.steps; ++step, ++a, b += kDotColumns) add_word(a, block.pitch, b, block.next);
    }
  }

 private:
  void add_word(const int32_t* a, int64_t pitch, const int32_t* b, int64_t next) {
    for_constants<kDotColumns / 16>([&](int line) { prefetch(reinterpret_cast<const float*>(b + next + line * 16)); });
    Words w[V];
    for_constants<V>([&](int v) { w[v] = load_words(b + v * Vec::kWidth); });
    for_constants<R>([&](int r) {
      const Words x = splat_word(a[r * pitch]);
      for_constants<V>([&](int v) { Dot::add(at[r * V + v], x, w[v]); });
    });
  }
};

template <class Dot, int R>
[[gnu::flatten]] void dot_rows(const BlockArgs& block) {
  Sums<Dot, R, kDotColumns / Vec::kWidth> sums;
  sums.each([](Words& sum, int, int) { sum = no_words(); });
  sums.add(block);
  sums.each([&](const Words& sum, int r, int v) { store_words(block.sums + r * kDotColumns + v * Vec::kWidth, sum); });
}

template <class Dot>
void dot_block(const BlockArgs& block) {
  static constexpr auto kFunctions = []<int... R>(std::integer_sequence<int, R...>) {
    return std::array<BlockFn, kDotRows>{dot_rows<Dot, R + 1>...};
  }
  (std::make_integer_sequence<int, kDotRows>());
  kFunctions[static_cast<size_t>(block.rows - 1)](block);
}

#if defined(PLANISH_ISA_avx512)

// Eight tile registers of 16 rows of 64 bytes: 0-3 sums, 4-5 rows of A, 6-7 columns of B.
template <int T>
inline void tile_zero() {
  __asm__ volatile("tilezero %%tmm%c0" : : "i"(T));
}
template <int T>
inline void tile_load(const int32_t* p, int64_t bytes) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(bytes), "i"(T));
}
template <int T>
inline void tile_store(int32_t* p, int64_t bytes) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(bytes), "i"(T) : "memory");
}
struct TileI8 {
  template <int C, int A, int B>
  static void add() {
    __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
  }
};
struct TileBf16 {
  template <int C, int A, int B>
  static void add() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
  }
};

// The tile registers of this thread, shaped for the products of one task.
class Tiles {
 public:
  explicit Tiles(bool used) : used_(used) {
    if (!used_) return;
    struct alignas(64) Config {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static constexpr Config kConfig;
    __asm__ volatile("ldtilecfg %0" : : "m"(kConfig));
  }
  ~Tiles() {
    if (used_) __asm__ volatile("tilerelease");
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  bool used_;
};

constexpr int64_t kTileSteps = 16, kTileWords = 32, kTileBytes = kTileWords * 4;  // of B and of the sums: a row's

template <int M>
void zero_sums() {
  tile_zero<0>();
  tile_zero<1>();
  if constexpr (M == 2) {
    tile_zero<2>();
    tile_zero<3>();
  }
}

template <int M>
void load_rows(const int32_t* a, int64_t pitch) {
  tile_load<4>(a, pitch * 4);
  if constexpr (M == 2) tile_load<5>(a + 16 * pitch, pitch * 4);
}

inline void load_columns(const int32_t* b) {
  tile_load<6>(b, kTileBytes);
  tile_load<7>(b + 16, kTileBytes);
}

template <class Dot, int M>
void add_tiles() {
  Dot::template add<0, 4, 6>();
  Dot::template add<1, 4, 7>();
  if constexpr (M == 2) {
    Dot::template add<2, 5, 6>();
    Dot::template add<3, 5, 7>();
  }
}

template <int M>
void store_sums(int32_t* sums) {
  tile_store<0>(sums, kTileBytes);
  tile_store<1>(sums + 16, kTileBytes);
  if constexpr (M == 2) {
    tile_store<2>(sums + 16 * kTileWords, kTileBytes);
    tile_store<3>(sums + 16 * kTileWords + 16, kTileBytes);
  }
}

inline void fetch_ahead(const BlockArgs& block, const std::byte*& ahead) {
  constexpr int64_t kLine = 64;
  for (int64_t i = 0; i < block.ahead_bytes; i += kLine) prefetch(ahead + i);
  ahead += block.ahead_bytes;
}

// Rows beyond `rows` are multiplied too: 16 M rows of A and of the sums are there.
template <class Dot, int M>
void tile_rows(const BlockArgs& block) {
  __asm__ volatile("" : : : "memory");
  zero_sums<M>();
  const int32_t* b = block.b;
  const std::byte* ahead = block.ahead;
  for (int64_t run = 0; run < block.runs; ++run) {
    const int32_t* const a = block.a + block.offsets[run];
    for (int64_t step = 0; step < block.steps; step += kTileSteps, b += kTileSteps * kTileWords) {
      load_columns(b);
      load_rows<M>(a + step, block.pitch);
      add_tiles<Dot, M>();
      fetch_ahead(block, ahead);
    }
  }
  store_sums<M>(block.sums);
}

// Both planes: xh wh + xl wh + xh wl
template <int M>
void tf32_rows(const BlockArgs& block) {
  __asm__ volatile("" : : : "memory");
  zero_sums<M>();
  const int32_t* b = block.b;
  const std::byte* ahead = block.ahead;
  const int64_t b_plane = block.runs * block.steps * kTileWords;
  for (int64_t run = 0; run < block.runs; ++run) {
    const int32_t* const a = block.a + block.offsets[run];
    for (int64_t step = 0; step < block.steps; step += kTileSteps, b += kTileSteps * kTileWords) {
      load_columns(b);
      load_rows<M>(a + block.a_plane + step, block.pitch);
      add_tiles<TileBf16, M>();
      load_rows<M>(a + step, block.pitch);
      add_tiles<TileBf16, M>();
      load_columns(b + b_plane);
      add_tiles<TileBf16, M>();
      fetch_ahead(block, ahead);
    }
  }
  store_sums<M>(block.sums);
}

template <class Dot>
void tile_block(const BlockArgs& block) {
  block.rows > 16 ? tile_rows<Dot, 2>(block) : tile_rows<Dot, 1>(block);
}

inline void tf32_block(const BlockArgs& block) { block.rows > 16 ? tf32_rows<2>(block) : tf32_rows<1>(block); }

inline BlockFn block_function(Mma mma) {
  switch (mma) {
    case Mma::madd_i16:
      return dot_block<MaddI16>;
    case Mma::dot_i8:
      return dot_block<DotI8>;
    case Mma::tile_i8:
      return tile_block<TileI8>;
    case Mma::dot_bf16:
      return dot_block<DotBf16>;
    case Mma::tile_bf16:
      return tile_block<TileBf16>;
    case Mma::tile_tf32:
      return tf32_block;
  }
  return nullptr;
}

#else

class Tiles {
 public:
  explicit Tiles(bool) {}
};

// Null: this level has no such instructions.
inline BlockFn block_function(Mma mma) {
#if defined(PLANISH_ISA_avx2)
  if (mma == Mma::dot_i8) return dot_block<DotI8>;
#endif
  return mma == Mma::madd_i16 ? dot_block<MaddI16> : nullptr;
}

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
