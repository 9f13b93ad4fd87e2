#pragma once
// Events: the point at which they were recorded last, or the nodes of a capture that they stand for.

#include <memory>
#include <mutex>

#include "cudart/graph.h"
#include "cudart/handles.h"
#include "device/device.h"

namespace planish::cudart {

class Event {
 public:
  explicit Event(unsigned flags) : flags_(flags) {}

  cudaError_t record(Stream& stream, unsigned flags);
  // What comes on `stream` from now on comes after the event as it was recorded until now.
  cudaError_t make_wait(Stream& stream, unsigned flags);
  cudaError_t query() const;
  cudaError_t synchronize() const;
  static cudaError_t elapsed(float* milliseconds, const Event& start, const Event& end);

 private:
  struct Point {
    std::shared_ptr<planish::Event> reached;  // null: never recorded
    std::shared_ptr<Capture> capture;         // the capture that it was recorded in
    std::vector<const Node*> nodes;
  };
  Point point() const;
  void set(Point point);
  void record_now();
  cudaError_t wait_captured(Stream& stream, const Point& now) const;

  const unsigned flags_;
  mutable std::mutex mutex_;
  Point point_;
};

Handles<Event, cudaEvent_t>& events();

}  // namespace planish::cudart
