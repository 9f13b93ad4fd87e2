// Device, Stream, Event, Allocator.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "planish/error.hpp"

namespace planish {
inline namespace v0 {

namespace detail {

// Owner of an object of the C interface.
template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
template <class T, void (*destroy)(T*)>
using Handle = std::unique_ptr<T, Destroy<T, destroy>>;

}  // namespace detail

// Where intermediate values live. Must outlive every context whose memory it gave; any thread may call.
class Allocator {
 public:
  virtual ~Allocator() = default;
  // `alignment` is a power of two. Null: out of memory.
  virtual void* allocate(size_t bytes, size_t alignment) noexcept = 0;
  virtual void release(void* memory, size_t bytes) noexcept = 0;
};

// The CPU with a pool of threads, or a GPU; engines on one device share it. Usable from any thread.
class Device {
 public:
  // threads: that take part in an execution, the caller's included; 0: one per usable core.
  explicit Device(int threads = 0, Allocator* allocator = nullptr) : Device("cpu", threads, allocator) {}

  // kind: "cpu", "cuda", "cuda:1", or "auto": a GPU where there is one. processors: that the pool's own threads run on,
  // the caller's stays where it is; empty: any.
  explicit Device(const char* kind, int threads = 0, Allocator* allocator = nullptr,
                  const std::vector<int32_t>& processors = {}) {
    auto functions = detail::sized<planish_allocator>();
    functions.user = allocator;
    functions.allocate = [](void* user, size_t bytes, size_t alignment) {
      return static_cast<Allocator*>(user)->allocate(bytes, alignment);
    };
    functions.release = [](void* user, void* memory, size_t bytes) {
      static_cast<Allocator*>(user)->release(memory, bytes);
    };
    auto options = detail::sized<planish_device_options>();
    options.threads = threads;
    options.kind = kind;
    options.allocator = allocator == nullptr ? nullptr : &functions;
    options.processors = processors.empty() ? nullptr : processors.data();
    options.processor_count = processors.size();
    planish_device* made = nullptr;
    detail::check(planish_device_create(&options, &made));
    handle_.reset(made);
  }

  int threads() const { return planish_device_threads(handle_.get()); }
  std::string name() const { return planish_device_name(handle_.get()); }
  planish_device* handle() const { return handle_.get(); }

 private:
  detail::Handle<planish_device, planish_device_destroy> handle_;
};

// Memory of a device, or of the host beside it (pinned where the device is a GPU).
class Memory {
 public:
  enum class Kind { device = PLANISH_MEMORY_DEVICE, host = PLANISH_MEMORY_HOST };
  Memory(const Device& device, size_t bytes, Kind kind = Kind::device) : bytes_(bytes) {
    planish_memory* made = nullptr;
    detail::check(planish_memory_create(device.handle(), static_cast<planish_memory_kind>(kind), bytes, &made));
    handle_.reset(made);
  }
  void* data() const { return planish_memory_data(handle_.get()); }
  size_t size() const { return bytes_; }

 private:
  size_t bytes_;
  detail::Handle<planish_memory, planish_memory_destroy> handle_;
};

class Engine;

// An in-order queue with a thread of its own. Its destructor waits for what was enqueued.
class Stream {
 public:
  explicit Stream(const Device& device) {
    planish_stream* made = nullptr;
    detail::check(planish_stream_create(device.handle(), &made));
    handle_.reset(made);
  }
  explicit Stream(const Engine& engine);
  // A stream of the caller's on a GPU (CUstream, cudaStream_t; null: the default one), which is not owned. Throws
  // Error(invalid_argument): it is of another GPU or context.
  static Stream adopt(const Device& device, void* native) {
    planish_stream* made = nullptr;
    detail::check(planish_stream_adopt(device.handle(), native, &made));
    return Stream(made);
  }
  static Stream adopt(const Engine& engine, void* native);

  void* native() const { return planish_stream_native(handle_.get()); }  // CUstream; null: of the processor
  // In the order of the stream, between any memory that the device reaches.
  void copy(void* to, const void* from, size_t bytes) {
    detail::check(planish_stream_copy(handle_.get(), to, from, bytes));
  }
  // Waits for everything enqueued; throws what the first execution that failed since the last call says.
  void synchronize() { detail::check(planish_stream_synchronize(handle_.get())); }
  planish_stream* handle() const { return handle_.get(); }

 private:
  explicit Stream(planish_stream* made) : handle_(made) {}
  detail::Handle<planish_stream, planish_stream_destroy> handle_;
};

// A point in a stream, and the time at which it was reached.
class Event {
 public:
  explicit Event(const Stream& stream) {
    planish_event* made = nullptr;
    detail::check(planish_event_create(stream.handle(), &made));
    handle_.reset(made);
  }

  void record(const Stream& stream) { detail::check(planish_event_record(handle_.get(), stream.handle())); }
  void synchronize() { detail::check(planish_event_synchronize(handle_.get())); }
  bool reached() const {
    int32_t reached = 0;
    detail::check(planish_event_query(handle_.get(), &reached));
    return reached != 0;
  }
  // From `earlier` to this; both must have been reached.
  double milliseconds_since(const Event& earlier) const {
    double milliseconds = 0;
    detail::check(planish_event_elapsed(earlier.handle_.get(), handle_.get(), &milliseconds));
    return milliseconds;
  }

 private:
  detail::Handle<planish_event, planish_event_destroy> handle_;
};

}  // namespace v0
}  // namespace planish
