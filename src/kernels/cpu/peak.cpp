// The yardstick: independent fused multiply-adds in registers, nothing else. Reports divide by its rate.

#if !defined(PLANISH_ISA_scalar)
#include <immintrin.h>
#endif

#include "kernels/check.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

#if defined(PLANISH_ISA_avx512)
using Lane = __m512;
inline Lane splat(float value) { return _mm512_set1_ps(value); }
inline Lane multiply_add(Lane a, Lane b, Lane c) { return _mm512_fmadd_ps(a, b, c); }
inline float first(Lane value) { return _mm512_cvtss_f32(value); }
#elif defined(PLANISH_ISA_avx2)
using Lane = __m256;
inline Lane splat(float value) { return _mm256_set1_ps(value); }
inline Lane multiply_add(Lane a, Lane b, Lane c) { return _mm256_fmadd_ps(a, b, c); }
inline float first(Lane value) { return _mm256_cvtss_f32(value); }
#else
using Lane = float;
inline Lane splat(float value) { return value; }
inline Lane multiply_add(Lane a, Lane b, Lane c) { return a * b + c; }
inline float first(Lane value) { return value; }
#endif

constexpr int kChains = 12;  // more than latency times throughput of any level

// inputs[0]: i64 scalar, rounds a thread. outputs[0]: f32 [2], {FLOP done a thread, a result that depends on all}.
void check_peak(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.in(0).is({DataType::i64}).elements(1);
  o.out().is({DataType::f32}).shape({2}).dense();
}

void peak_run(const KernelArgs& args) {
  const int64_t rounds = load_int(args.inputs[0], 0);
  auto* out = args.outputs[0].as<float>();
  float sink[64] = {};
  const int threads = std::min(args.pool->size(), 64);
  args.pool->parallel_for(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) {
      Lane sums[kChains];
      for (int k = 0; k < kChains; ++k) sums[k] = splat(static_cast<float>(k));
      const Lane scale = splat(0.999f), step = splat(0.001f);
      for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
        for (int k = 0; k < kChains; ++k) sums[k] = multiply_add(sums[k], scale, step);
      }
      for (int k = 0; k < kChains; ++k) sink[thread] += first(sums[k]);
    }
  });
  out[0] = static_cast<float>(rounds) * kChains * 2 * (sizeof(Lane) / sizeof(float));
  out[1] = 0;
  for (float value : sink) out[1] += value;
}

}  // namespace

void register_peak(KernelTable& table) { table.add(make_kernel<NoAttrs>("peak", check_peak, peak_run)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
