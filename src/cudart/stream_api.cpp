// Streams, callbacks and events.

#include "cudart/call.h"
#include "cudart/event.h"

using namespace planish::cudart;

namespace {

constexpr unsigned kEventFlags = cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess;

cudaError_t create_stream(cudaStream_t* stream, unsigned flags, int priority) {
  return call([&] {
    if (stream == nullptr || (flags & ~static_cast<unsigned>(cudaStreamNonBlocking)) != 0) return cudaErrorInvalidValue;
    *stream = handle_of(*streams().create(flags, priority));
    return cudaSuccess;
  });
}

// body(stream), where `handle` is one.
template <class Body>
cudaError_t with_stream(cudaStream_t handle, Body&& body) {
  return call([&] {
    const auto stream = streams().find(handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : body(*stream);
  });
}

template <class Body>
cudaError_t with_event(cudaEvent_t handle, Body&& body) {
  return call([&] {
    const auto event = events().find(handle);
    return event == nullptr ? cudaErrorInvalidResourceHandle : body(*event);
  });
}

// A captured stream runs nothing that could be waited for.
cudaError_t refuse_captured(const Stream& stream) {
  const auto capture = stream.capture();
  if (capture == nullptr) return cudaSuccess;
  capture->invalidate();
  return cudaErrorStreamCaptureUnsupported;
}

// What a wait for the stream waits for: its last work, and on the default stream that of all blocking streams.
std::vector<Mark> outstanding(const Stream& stream) {
  std::vector<Mark> marks;
  if (streams().default_stream() == &stream) marks = streams().unfinished(true);
  marks.push_back(stream.last());
  return marks;
}

cudaError_t synchronize(Stream& stream) {
  if (inside().callback) return cudaErrorNotPermitted;
  if (inside().running && (inside().stream == &stream || streams().default_stream() == &stream)) return cudaSuccess;
  if (const cudaError_t error = refuse_captured(stream)) return error;
  for (const Mark& mark : outstanding(stream)) mark.wait();
  return stream.take_failure();
}

cudaError_t query(Stream& stream) {
  if (const cudaError_t error = refuse_captured(stream)) return error;
  for (const Mark& mark : outstanding(stream))
    if (!mark.reached()) return cudaErrorNotReady;
  return stream.take_failure();
}

cudaError_t record(cudaEvent_t handle, cudaStream_t stream, unsigned flags) {
  return with_event(handle, [&](Event& event) {
    return flags > cudaEventRecordExternal ? cudaErrorInvalidValue
                                           : with_stream(stream, [&](Stream& s) { return event.record(s, flags); });
  });
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  PLANISH_FORWARD(cudaStreamCreate, stream);
  return create_stream(stream, cudaStreamDefault, 0);
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  PLANISH_FORWARD(cudaStreamCreateWithFlags, stream, flags);
  return create_stream(stream, flags, 0);
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned int flags, int priority) {
  PLANISH_FORWARD(cudaStreamCreateWithPriority, stream, flags, priority);
  static_cast<void>(priority);  // the range that the device offers is 0 to 0, and priorities are cut off at its ends
  return create_stream(stream, flags, 0);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  PLANISH_FORWARD(cudaStreamDestroy, stream);
  return call([&] {
    if (const auto found = streams().find(stream); found != nullptr && found->capture() != nullptr)
      found->capture()->invalidate();
    return streams().destroy(stream) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  PLANISH_FORWARD(cudaStreamSynchronize, stream);
  return with_stream(stream, synchronize);
}
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  PLANISH_FORWARD(cudaStreamQuery, stream);
  return with_stream(stream, query);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  PLANISH_FORWARD(cudaStreamWaitEvent, stream, event, flags);
  if (flags > cudaEventWaitExternal) return refuse(cudaErrorInvalidValue);
  return with_event(event,
                    [&](Event& e) { return with_stream(stream, [&](Stream& s) { return e.make_wait(s, flags); }); });
}
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* data, unsigned int flags) {
  PLANISH_FORWARD(cudaStreamAddCallback, stream, callback, data, flags);
  if (callback == nullptr || flags != 0) return refuse(cudaErrorInvalidValue);
  return with_stream(stream, [&](Stream& own) {
    if (const cudaError_t error = refuse_captured(own)) return error;
    return enqueue(stream, cudaGraphNodeTypeHost, [stream, callback, data, progress = own.last().progress] {
      const Enter enter({nullptr, false, true});
      callback(stream, progress->failure.load(), data);
      return cudaSuccess;
    });
  });
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* data) {
  PLANISH_FORWARD(cudaLaunchHostFunc, stream, fn, data);
  if (fn == nullptr) return refuse(cudaErrorInvalidValue);
  return call([&] {
    return enqueue(stream, cudaGraphNodeTypeHost, [fn, data] {
      const Enter enter({nullptr, false, true});
      fn(data);
      return cudaSuccess;
    });
  });
}
cudaError_t cudaStreamGetPriority(cudaStream_t stream, int* priority) {
  PLANISH_FORWARD(cudaStreamGetPriority, stream, priority);
  return with_stream(stream, [&](Stream& own) { return give(priority, own.priority()); });
}
cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned int* flags) {
  PLANISH_FORWARD(cudaStreamGetFlags, stream, flags);
  return with_stream(stream, [&](Stream& own) { return give(flags, own.flags()); });
}
cudaError_t cudaStreamGetId(cudaStream_t stream, unsigned long long* id) {
  PLANISH_FORWARD(cudaStreamGetId, stream, id);
  return with_stream(stream, [&](Stream& own) { return give(id, own.id()); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  PLANISH_FORWARD(cudaEventCreateWithFlags, event, flags);
  return call([&] {
    const bool between_processes = (flags & cudaEventInterprocess) != 0 && (flags & cudaEventDisableTiming) == 0;
    if (event == nullptr || (flags & ~kEventFlags) != 0 || between_processes) return cudaErrorInvalidValue;
    *event = events().add(std::make_shared<Event>(flags));
    return cudaSuccess;
  });
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  PLANISH_FORWARD(cudaEventRecord, event, stream);
  return record(event, stream, cudaEventRecordDefault);
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned int flags) {
  PLANISH_FORWARD(cudaEventRecordWithFlags, event, stream, flags);
  return record(event, stream, flags);
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  PLANISH_FORWARD(cudaEventQuery, event);
  return with_event(event, [](Event& own) { return own.query(); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  PLANISH_FORWARD(cudaEventSynchronize, event);
  return with_event(event, [](Event& own) { return inside().callback ? cudaErrorNotPermitted : own.synchronize(); });
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  PLANISH_FORWARD(cudaEventElapsedTime, milliseconds, start, end);
  if (milliseconds == nullptr) return refuse(cudaErrorInvalidValue);
  return with_event(start, [&](Event& first) {
    return with_event(end, [&](Event& second) { return Event::elapsed(milliseconds, first, second); });
  });
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  PLANISH_FORWARD(cudaEventDestroy, event);
  return call([&] { return events().take(event) != nullptr ? cudaSuccess : cudaErrorInvalidResourceHandle; });
}

}  // extern "C"
