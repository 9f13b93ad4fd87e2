/* Who answers: argv[1] says who should. Run with a driver and a toolkit's library of the test's own, or without. */
#include <stdio.h>
#include <string.h>

#include "cuda_runtime_api.h"
#include "cudart/planish_cudart.h"

#define CHECK(what)                                      \
  do {                                                   \
    if (!(what)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #what); \
      return 1;                                          \
    }                                                    \
  } while (0)

static int calls = 0;
static cudaError_t run(void* user) {
  calls += *(int*)user;
  return cudaSuccess;
}
static void release(void* user) { calls += 10 * *(int*)user; }

static int expect_gpu(void) {
  struct cudaDeviceProp properties;
  void* memory = NULL;
  int count = 0, value = 0, one = 1;
  CHECK(planish_cudart_find()->on_cuda() == 1);
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess && count == 17);
  CHECK(cudaMalloc(&memory, 99) == cudaErrorTextureNotBound && memory == (void*)99);
  CHECK(cudaGetLastError() == cudaErrorInvalidSurface);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 3) == cudaSuccess && value == 1010);
  CHECK(cudaGetDeviceProperties(&properties, 3) == cudaSuccess);
  CHECK(strcmp(properties.name, "a GPU for the test") == 0 && properties.totalGlobalMem == 1ul << 40);
  CHECK(properties.major == 1075 && properties.clockRate == 1013 && properties.maxGridSize[2] == 1007);
  CHECK(properties.sharedMemPerBlock == 1008);
  CHECK(cudaMemPrefetchAsync(memory, 1, 0, NULL) == cudaErrorCallRequiresNewerDriver);
  CHECK(cudaStreamSynchronize(NULL) == cudaErrorCallRequiresNewerDriver); /* the toolkit of the test has none */
  CHECK(planish_cudart_find()->enqueue(NULL, run, release, &one) == cudaSuccess && calls == 11);
  return 0;
}

static int expect_cpu(void) {
  int count = 0;
  CHECK(planish_cudart_find()->on_cuda() == 0);
  CHECK(cudaGetDeviceCount(&count) == cudaSuccess && count == 1);
  return 0;
}

static int expect_nothing(void) {
  int count = 0;
  CHECK(planish_cudart_find()->on_cuda() == 1);
  CHECK(cudaGetDeviceCount(&count) == cudaErrorCallRequiresNewerDriver);
  return 0;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  if (strcmp(argv[1], "gpu") == 0) return expect_gpu();
  return strcmp(argv[1], "cpu") == 0 ? expect_cpu() : expect_nothing();
}
