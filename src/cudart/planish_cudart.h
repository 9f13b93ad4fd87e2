/* How the TensorRT libraries put their work on a cudaStream_t.
 *
 * The library that answers for CUDA may be this one or the toolkit's: ask planish_cudart_find(), and where it is NULL
 * (the toolkit's), or where on_cuda() says 1, streams and memory are those of a GPU.
 *
 * Order. Work that `enqueue` was given runs on the stream's own thread, after all that was enqueued on the stream
 * before (copies, events, callbacks, other work) and before all that is enqueued later; the default stream and blocking
 * streams wait for each other as in CUDA. While a stream is captured, the work becomes a node of the graph and runs at
 * every launch of it; `release` is called once, when the work will never run again, on any thread.
 *
 * Inside. While `run` runs, calls that its thread makes on the same stream, or on the default stream, take effect at
 * once: they stand where the work stands. So plugins may copy, set, record and synchronise as they do on a GPU. Calls
 * on other streams are enqueued as ever.
 *
 * Failures. What `run` returns other than cudaSuccess is returned by the next cudaStreamSynchronize, cudaStreamQuery or
 * cudaDeviceSynchronize that sees the stream; what was enqueued behind it still runs. */
#ifndef PLANISH_CUDART_PLANISH_CUDART_H
#define PLANISH_CUDART_PLANISH_CUDART_H

#include <dlfcn.h>

#include "cuda_runtime_api.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct planish_cudart {
  size_t struct_size; /* fields are added at the end only */
  /* 1: calls go to the toolkit's library and a GPU. */
  int (*on_cuda)(void);
  /* Returns at once. `release` may be NULL. On an error neither function is called. On a GPU: as cudaLaunchHostFunc. */
  cudaError_t (*enqueue)(cudaStream_t stream, cudaError_t (*run)(void* user), void (*release)(void* user), void* user);
  /* Waits for what the default stream would wait for, then runs in the caller, with calls on the default stream taking
   * effect at once. Returns what `run` returned. */
  cudaError_t (*execute)(cudaError_t (*run)(void* user), void* user);
  /* Bytes from `memory` to the end of the allocation or registration that it lies in; 0: in none that is known. */
  size_t (*extent)(const void* memory);
  /* `enqueue` for what runs once, at the least cost. cudaErrorNotSupported, and nothing is done: the stream is
   * captured, or a GPU's. */
  cudaError_t (*enqueue_once)(cudaStream_t stream, cudaError_t (*run)(void* user), void* user);
} planish_cudart;

const planish_cudart* planish_cudart_interface(void);

/* NULL: this library, a CUDA runtime, is not ours. */
static inline const planish_cudart* planish_cudart_find_in(void* library) {
  const planish_cudart* (*found)(void) = 0;
  *(void**)&found = dlsym(library, "planish_cudart_interface");
  return found ? found() : 0;
}

/* NULL: the CUDA runtime that this process is linked with is not ours. */
static inline const planish_cudart* planish_cudart_find(void) { return planish_cudart_find_in(RTLD_DEFAULT); }

#ifdef __cplusplus
}
#endif

#endif
