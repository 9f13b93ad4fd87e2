#pragma once
// PTX of sm_90 and later by name: mbarriers, bulk tensor copies, clusters, dependent launch, register budgets.
// Addresses of shared memory are 32-bit offsets of the window .shared (shared_address).

#include "types.cuh"

PLANISH_DEVICE uint32_t shared_address(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
PLANISH_DEVICE uint32_t cluster_rank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
// The same offset in the shared memory of block `rank` of the cluster.
PLANISH_DEVICE uint32_t peer_address(uint32_t address, uint32_t rank) {
  uint32_t out;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(out) : "r"(address), "r"(rank));
  return out;
}

// ---- mbarrier: a phase ends when all arrivals and all expected bytes have come; parity 0, 1, 0, ... ----
PLANISH_DEVICE void barrier_init(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
// Between the inits and the first use by copies or other blocks.
PLANISH_DEVICE void barrier_init_fence() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
PLANISH_DEVICE void barrier_arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
PLANISH_DEVICE void barrier_expect(uint32_t barrier, uint32_t bytes) {  // arrives, too
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
PLANISH_DEVICE void barrier_arrive_at(uint32_t barrier, uint32_t rank) {
  asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(peer_address(barrier, rank))
               : "memory");
}
PLANISH_DEVICE bool barrier_test(uint32_t barrier, uint32_t parity) {
  uint32_t done;
  asm volatile(
      "{.reg .pred p;\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p;}"
      : "=r"(done)
      : "r"(barrier), "r"(parity)
      : "memory");
  return done != 0;
}
PLANISH_DEVICE uint64_t clock_now() {
  uint64_t now;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(now));
  return now;
}
// Until the phase of this parity has ended. A parity tells only odd from even: nobody may be a second phase ahead.
// With PLANISH_WATCHDOG a wait of some 0.5 s is a trap.
PLANISH_DEVICE void barrier_wait(uint32_t barrier, uint32_t parity) {
#ifdef PLANISH_WATCHDOG
  if (barrier_test(barrier, parity)) return;
  const uint64_t start = clock_now();
  while (!barrier_test(barrier, parity))
    if (clock_now() - start > 1000000000ull) __trap();
#else
  while (!barrier_test(barrier, parity)) {
  }
#endif
}

// Position in a ring of stages, with the parity that its `full` barrier is waited for with.
template <int Stages>
struct Ring {
  int stage = 0;
  uint32_t parity = 0;
  PLANISH_DEVICE void next() {
    if (++stage == Stages) stage = 0, parity ^= 1;
  }
  PLANISH_DEVICE void skip(int count) {
    stage += count;
    parity ^= (stage / Stages) & 1;
    stage %= Stages;
  }
};

// ---- bulk tensor copies ----
// How long L2 should keep what a copy reads.
constexpr uint64_t kKeepNormal = 0x1000000000000000ull, kKeepShort = 0x12F0000000000000ull,
                   kKeepLong = 0x14F0000000000000ull;

PLANISH_DEVICE void prefetch_map(const TensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}
PLANISH_DEVICE void copy_tile(uint32_t to, const TensorMap& map, uint32_t barrier, int x, int y, uint64_t keep) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint"
      " [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "l"(keep)
      : "memory");
}
// To the same place of every block of `ranks` (a bit each), counted at each one's barrier.
PLANISH_DEVICE void copy_tile_to(uint32_t to, const TensorMap& map, uint32_t barrier, int x, int y, uint16_t ranks,
                                 uint64_t keep) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint"
      " [%0], [%1, {%3, %4}], [%2], %5, %6;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(x), "r"(y), "h"(ranks), "l"(keep)
      : "memory");
}
PLANISH_DEVICE void copy_tile4(uint32_t to, const TensorMap& map, uint32_t barrier, int c, int w, int h, int n,
                               uint64_t keep) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint"
      " [%0], [%1, {%3, %4, %5, %6}], [%2], %7;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(c), "r"(w), "r"(h), "r"(n), "l"(keep)
      : "memory");
}
// (w, h) is the base pixel, (q * stride - pad, p * stride - pad); (tap_w, tap_h) the filter's tap times dilation.
PLANISH_DEVICE void copy_pixels(uint32_t to, const TensorMap& map, uint32_t barrier, int c, int w, int h, int n,
                                uint16_t tap_w, uint16_t tap_h, uint64_t keep) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes.L2::cache_hint"
      " [%0], [%1, {%3, %4, %5, %6}], [%2], {%7, %8}, %9;" ::"r"(to),
      "l"(&map), "r"(barrier), "r"(c), "r"(w), "r"(h), "r"(n), "h"(tap_w), "h"(tap_h), "l"(keep)
      : "memory");
}
PLANISH_DEVICE void store_tile(const TensorMap& map, uint32_t from, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map), "r"(from),
               "r"(x), "r"(y)
               : "memory");
}
PLANISH_DEVICE void stores_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
PLANISH_DEVICE void stores_read() { asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory"); }
PLANISH_DEVICE void stores_done() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }
// Between plain stores to shared memory and a bulk copy or wgmma that reads them.
PLANISH_DEVICE void fence_shared_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// ---- clusters, dependent launch, registers ----
PLANISH_DEVICE void cluster_arrive() { asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory"); }
PLANISH_DEVICE void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }
// Until the grids before have ended and their writes are seen. Without such edges it returns at once.
PLANISH_DEVICE void grid_wait() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
// Once every block has said so, the next grid may start (and wait).
PLANISH_DEVICE void grid_release() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
template <int N>
PLANISH_DEVICE void registers_give() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}
template <int N>
PLANISH_DEVICE void registers_take() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}
// 4 or 2 values into the shared memory of a block of the cluster, counted in bytes at its barrier.
PLANISH_DEVICE void send4(uint32_t to, uint32_t barrier, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  asm volatile(
      "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%2, %3, %4, %5}, [%1];" ::"r"(to),
      "r"(barrier), "r"(a), "r"(b), "r"(c), "r"(d)
      : "memory");
}
PLANISH_DEVICE void send2(uint32_t to, uint32_t barrier, uint32_t a, uint32_t b) {
  asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%0], {%2, %3}, [%1];" ::"r"(to),
               "r"(barrier), "r"(a), "r"(b)
               : "memory");
}
PLANISH_DEVICE uint4 load_shared4(uint32_t from) {
  uint4 v;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "r"(from)
               : "memory");
  return v;
}
PLANISH_DEVICE uint2 load_shared2(uint32_t from) {
  uint2 v;
  asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(v.x), "=r"(v.y) : "r"(from) : "memory");
  return v;
}
PLANISH_DEVICE void store_shared4(uint32_t to, const uint32_t* v) {
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(v[0]), "r"(v[1]), "r"(v[2]), "r"(v[3])
               : "memory");
}
PLANISH_DEVICE void store_shared2(uint32_t to, const uint32_t* v) {
  asm volatile("st.shared.v2.u32 [%0], {%1, %2};" ::"r"(to), "r"(v[0]), "r"(v[1]) : "memory");
}
