/* The headers serve C. */
#include "builtin_types.h"
#include "cuda.h"
#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "cuda_fp8.h"
#include "cuda_profiler_api.h"
#include "cuda_runtime.h"
#include "cuda_runtime_api.h"
#include "device_launch_parameters.h"

int main(void) {
  struct cudaDeviceProp properties;
  dim3 grid = {1, 2, 3};
  float4 v = make_float4(1, 2, 3, 4);
  __half half = {0};
  void* memory = NULL;
  if (cudaGetDeviceProperties(&properties, 0) != cudaSuccess || properties.name[0] == '\0') return 1;
  if (cudaMalloc(&memory, sizeof v) != cudaSuccess) return 2;
  if (cudaMemcpyAsync(memory, &v, sizeof v, cudaMemcpyHostToDevice, cudaStreamPerThread) != cudaSuccess) return 3;
  if (cudaStreamSynchronize(cudaStreamPerThread) != cudaSuccess || cudaFree(memory) != cudaSuccess) return 4;
  return grid.z == 3 && half.__x == 0 && sizeof(float3) == 12 && sizeof(properties) == 1032 ? 0 : 5;
}
