#include "cudart/event.h"

namespace planish::cudart {

Event::Point Event::point() const {
  const std::lock_guard lock(mutex_);
  return point_;
}

void Event::set(Point point) {
  const std::lock_guard lock(mutex_);
  point_ = std::move(point);
}

void Event::record_now() {
  std::shared_ptr<planish::Event> reached = device().create_event();
  reached->record(device().null_stream()).raise();
  set({std::move(reached), nullptr, {}});
}

cudaError_t Event::record(Stream& stream, unsigned flags) {
  const auto capture = stream.capture();
  if (capture == nullptr) {
    std::shared_ptr<planish::Event> reached = device().create_event();
    reached->record(stream).raise();
    set({std::move(reached), nullptr, {}});
    return cudaSuccess;
  }
  if ((flags & cudaEventRecordExternal) == 0) {
    set({nullptr, capture, capture->tail(stream)});
    return cudaSuccess;
  }
  const auto self = events().find(reinterpret_cast<cudaEvent_t>(this));
  return capture->add(stream, cudaGraphNodeTypeEventRecord, [self] {
    if (self != nullptr) self->record_now();
    return cudaSuccess;
  });
}

cudaError_t Event::wait_captured(Stream& stream, const Point& now) const {
  if (now.capture->status() != cudaStreamCaptureStatusActive) return cudaErrorCapturedEvent;
  if (streams().default_stream() == &stream) return cudaErrorStreamCaptureImplicit;
  const auto own = stream.capture();
  if (own != nullptr && own != now.capture) {
    own->invalidate();
    return cudaErrorStreamCaptureMerge;
  }
  now.capture->join(stream, now.nodes);
  if (own == nullptr) stream.set_capture(now.capture);
  return cudaSuccess;
}

cudaError_t Event::make_wait(Stream& stream, unsigned flags) {
  const Point now = point();
  if (now.capture != nullptr) return wait_captured(stream, now);
  const auto wait = [reached = now.reached] { return reached->synchronize().ok() ? cudaSuccess : cudaErrorUnknown; };
  if (const auto capture = stream.capture()) {
    const auto self = events().find(reinterpret_cast<cudaEvent_t>(this));
    if ((flags & cudaEventWaitExternal) != 0)
      return capture->add(stream, cudaGraphNodeTypeWaitEvent,
                          [self] { return self ? self->synchronize() : cudaSuccess; });
    capture->invalidate();
    return cudaErrorStreamCaptureIsolation;
  }
  if (now.reached == nullptr || now.reached->reached()) return cudaSuccess;
  return enqueue(handle_of(stream), cudaGraphNodeTypeWaitEvent, wait);
}

cudaError_t Event::query() const {
  const Point now = point();
  if (now.capture != nullptr) return cudaErrorCapturedEvent;
  return now.reached == nullptr || now.reached->reached() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t Event::synchronize() const {
  const Point now = point();
  if (now.capture != nullptr) return cudaErrorCapturedEvent;
  if (now.reached == nullptr) return cudaSuccess;
  return now.reached->synchronize().ok() ? cudaSuccess : cudaErrorUnknown;
}

cudaError_t Event::elapsed(float* milliseconds, const Event& start, const Event& end) {
  const Point first = start.point(), second = end.point();
  if (first.capture != nullptr || second.capture != nullptr) return cudaErrorCapturedEvent;
  if (((start.flags_ | end.flags_) & cudaEventDisableTiming) != 0 || !first.reached || !second.reached)
    return cudaErrorInvalidResourceHandle;
  if (!first.reached->reached() || !second.reached->reached()) return cudaErrorNotReady;
  *milliseconds = static_cast<float>(second.reached->milliseconds_since(*first.reached));
  return cudaSuccess;
}

Handles<Event, cudaEvent_t>& events() {
  static auto& all = *new Handles<Event, cudaEvent_t>;
  return all;
}

}  // namespace planish::cudart
