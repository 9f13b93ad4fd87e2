#pragma once
// What is asked of CUDA's runtime interface, where the process has one: work in the order of a stream. Functions are
// looked up when they are first needed, so that nothing here links it.

#include <functional>

#include "NvInferRuntime.h"

namespace planish::tensorrt {

// What runs in the order of a stream; false: it failed.
using StreamWork = bool (*)(void* data);

// Runs work(data) when all that `stream` was given before is done. Where streams are planish's own, calls that the work
// makes on its stream take effect at once, and its failure is what waiting for the stream returns; a toolkit's runtime
// refuses the first and never learns of the second. While the stream is captured the work becomes a part of a graph,
// which may run many times.
// nowhere: the process has no such runtime, or one without a device; no_stream: the handle is none, or its stream was
// destroyed; refused: the runtime takes no work here. Nothing will run then.
enum class Placed { nowhere, no_stream, refused, placed, captured };
template <StreamWork work>
Placed call_in_stream(cudaStream_t stream, void* data) noexcept;
// The same for work that runs once; captured: nothing was done.
template <StreamWork work>
Placed call_once_in_stream(cudaStream_t stream, void* data) noexcept;
// Runs `work` in the caller, once what the default stream waits for is done; calls on that stream take effect at once.
void call_here(const std::function<void()>& work);
// Waits for all that `stream` was given; nothing to do without a runtime. False: there is no such stream.
bool wait_for_stream(cudaStream_t stream) noexcept;
void record_event(cudaEvent_t event, cudaStream_t stream) noexcept;
// The GPU that is current in this thread; where the process has no CUDA runtime, the first. -1: the runtime is the
// processor's, or finds no GPU.
int current_gpu() noexcept;
// What the stream is given now becomes part of a graph that may be run many times.
bool is_capturing(cudaStream_t stream) noexcept;

namespace streams {
constexpr int kUnknownError = 999;  // cudaErrorUnknown
Placed call_in_stream(cudaStream_t stream, int (*run)(void*), void (*call)(void*), void* data) noexcept;
Placed call_once(cudaStream_t stream, int (*run)(void*), void (*call)(void*), void* data) noexcept;
template <StreamWork work>
int run(void* data) {
  return work(data) ? 0 : kUnknownError;
}
template <StreamWork work>
void call(void* data) {
  static_cast<void>(work(data));
}
}  // namespace streams

template <StreamWork work>
Placed call_in_stream(cudaStream_t stream, void* data) noexcept {
  return streams::call_in_stream(stream, streams::run<work>, streams::call<work>, data);
}
template <StreamWork work>
Placed call_once_in_stream(cudaStream_t stream, void* data) noexcept {
  return streams::call_once(stream, streams::run<work>, streams::call<work>, data);
}

}  // namespace planish::tensorrt
