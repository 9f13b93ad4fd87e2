#pragma once
// Reductions of an image channels last over all its pixels, [image, channel]. A block has 64 channels, eight a thread, and
// 32 pixels at a time; BLOCKS of a cluster share the pixels.
// Macros as in reduce.cuh: TYPE_X, TYPE_Y, HOW, BEGIN(v), END(v, count), IDENTITY; RANK_Y; BLOCKS (1 before sm_90).
// Grid: (BLOCKS * ceil(channels / 64), images).
// instance: RANK_Y=4 TYPE_X=half_t TYPE_Y=half_t HOW=Plus BEGIN(v)=(v) END(v,count)=((v)/(count)) IDENTITY=0 BLOCKS=1
// instance [sm_90a]: RANK_Y=4 TYPE_X=half_t TYPE_Y=half_t HOW=Plus BEGIN(v)=(v) END(v,count)=((v)/(count)) IDENTITY=0 BLOCKS=8
// instance: RANK_Y=2 TYPE_X=float TYPE_Y=float HOW=Larger BEGIN(v)=(v) END(v,count)=(v) IDENTITY=__int_as_float(0xff800000) BLOCKS=1

#include "ptx.cuh"
#include "rows.cuh"

constexpr int kEach = 8, kAcross = 8, kDown = 32, kChannels = kEach * kAcross;

PLANISH_DEVICE float load_peer(uint32_t address) {
  float value;
  asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(address) : "memory");
  return value;
}

extern "C" __global__ void __launch_bounds__(kAcross* kDown)
    reduce_pixels(const __grid_constant__ View x, const __grid_constant__ View y, int channels, int pixels,
                  int pitch EXTRA_PARAMETERS) {
  wait_for_previous();
  __shared__ float parts[kDown][kChannels];
  const int across = threadIdx.x % kAcross, down = threadIdx.x / kAcross;
  const int part = blockIdx.x % BLOCKS, first = blockIdx.x / BLOCKS * kChannels, channel = first + across * kEach;
  const TYPE_X* from = static_cast<const TYPE_X*>(x.data) + blockIdx.y * x.strides[0] + channel;
  const bool runs = channel + kEach <= channels && pitch % kEach == 0 && reinterpret_cast<uint64_t>(from) % 16 == 0;
  float values[kEach];
#pragma unroll
  for (int e = 0; e < kEach; ++e) values[e] = IDENTITY;
  const auto add = [&](const float(&loaded)[kEach]) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) values[e] = HOW::of(values[e], BEGIN(loaded[e]));
  };
  constexpr int step = BLOCKS * kDown, together = 4;  // reads under way at once
  int pixel = part * kDown + down;
  for (; runs && pixel + (together - 1) * step < pixels; pixel += together * step) {
    float loaded[together][kEach];
#pragma unroll
    for (int u = 0; u < together; ++u)
      load_run<TYPE_X, kEach>(loaded[u], from + static_cast<int64_t>(pixel + u * step) * pitch);
#pragma unroll
    for (int u = 0; u < together; ++u) add(loaded[u]);
  }
  for (; pixel < pixels; pixel += step) {
    const TYPE_X* at = from + static_cast<int64_t>(pixel) * pitch;
    float loaded[kEach];
    if (runs) {
      load_run<TYPE_X, kEach>(loaded, at);
    } else {
#pragma unroll
      for (int e = 0; e < kEach; ++e) loaded[e] = channel + e < channels ? to_float(at[e]) : 0.0f;
    }
    add(loaded);
  }
#pragma unroll
  for (int e = 0; e < kEach; ++e) parts[down][across * kEach + e] = values[e];
  __syncthreads();
  const int own = threadIdx.x;
  float value = IDENTITY;
  if (own < kChannels) {
#pragma unroll
    for (int i = 0; i < kDown; ++i) value = HOW::of(value, parts[i][own]);
  }
#if BLOCKS > 1
  __syncthreads();
  if (own < kChannels) parts[0][own] = value;
  cluster_arrive();
  cluster_wait();
  if (part == 0 && own < kChannels) {
    for (int i = 1; i < BLOCKS; ++i) value = HOW::of(value, load_peer(peer_address(shared_address(&parts[0][own]), i)));
  }
  cluster_arrive();
  cluster_wait();
#endif
  if (part != 0 || own >= kChannels || first + own >= channels) return;
  value = END(value, static_cast<float>(pixels));
  int at[RANK_Y] = {};
  at[0] = blockIdx.y, at[1] = first + own;
  store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(value, at EXTRA_ARGUMENTS));
}
