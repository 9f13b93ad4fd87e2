#pragma once
// What is asked of CUDA's runtime interface, where the process has one: work in the order of a stream. Functions are
// looked up when they are first needed, so that nothing here links it.

#include "NvInferRuntime.h"

namespace planish::tensorrt {

// Calls work(data) when all that `stream` was given before is done. False: the process has no such runtime, or it
// refuses; nothing was called.
bool call_in_stream(cudaStream_t stream, void (*work)(void*), void* data) noexcept;
// Waits for all that `stream` was given; nothing to do without a runtime.
void wait_for_stream(cudaStream_t stream) noexcept;
void record_event(cudaEvent_t event, cudaStream_t stream) noexcept;
// What the stream is given now becomes part of a graph that may be run many times.
bool is_capturing(cudaStream_t stream) noexcept;

}  // namespace planish::tensorrt
