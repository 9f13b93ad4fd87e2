#pragma once
// Device code of bench/cuda_attention.cpp: attention by the formula, a block of 128 threads a query.

#include "flash_attention.cuh"
#include "checks.cuh"

template <class T>
__device__ void attend(const T* q, const T* k, const T* v, const T* mask, T* out, AttentionShape p, int mask_kind,
                       int width) {
  extern __shared__ float scores[];
  __shared__ float total[128];
  const int query = blockIdx.x, head = blockIdx.y, batch = blockIdx.z, key_head = head / p.heads_per_key_head;
  q += batch * p.query.batch + head * p.query.head + query * p.query.row;
  k += batch * p.key.batch + key_head * p.key.head;
  v += batch * p.value.batch + key_head * p.value.head;
  float most = -infinity(), sum = 0;
  for (int j = threadIdx.x; j < p.keys; j += 128) {
    float s = 0;
    for (int d = 0; d < width; d++) s = fmaf(to_float(q[d]), to_float(k[j * p.key.row + d]), s);
    s *= p.scale;
    if (mask_kind == 2) s += to_float(mask[batch * p.mask.batch + head * p.mask.head + query * p.mask.row + j]);
    if (mask_kind == 1 && j > query + p.causal_offset) s = -infinity();
    scores[j] = s, most = fmaxf(most, s);
  }
  total[threadIdx.x] = most;
  __syncthreads();
  for (int i = 0; i < 128; i++) most = fmaxf(most, total[i]);
  __syncthreads();
  for (int j = threadIdx.x; j < p.keys; j += 128) sum += scores[j] = expf(scores[j] - most);
  total[threadIdx.x] = sum;
  __syncthreads();
  sum = 0;
  for (int i = 0; i < 128; i++) sum += total[i];
  for (int d = threadIdx.x; d < width; d += 128) {
    float r = 0;
    for (int j = 0; j < p.keys; j++) r = fmaf(scores[j], to_float(v[j * p.value.row + d]), r);
    out[batch * p.result.batch + head * p.result.head + query * p.result.row + d] = from_float<T>(r / sum);
  }
}

#define PLANISH_ATTENTION_CHECKS(T)                                                                                    \
  extern "C" __global__ void attend_plain(const T* q, const T* k, const T* v, const T* mask, T* out, AttentionShape p, \
                                          int mask_kind, int width) {                                                  \
    attend(q, k, v, mask, out, p, mask_kind, width);                                                                   \
  }                                                                                                                    \
  extern "C" __global__ void fill_random(T* to, int64_t n, uint64_t seed, float low, float high, int integers) {       \
    fill(to, n, seed, low, high, integers);                                                                            \
  }                                                                                                                    \
  extern "C" __global__ void compare_out(const T* found, const T* expected, int64_t n, float absolute, float relative, \
                                         double* out) {                                                                \
    compare(found, expected, n, absolute, relative, out);                                                              \
  }
