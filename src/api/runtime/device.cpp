// Devices, memory, streams, events.

#include <cstring>

#include "api/runtime/handles.h"
#include "base/sized.h"
#include "device/accelerator.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

Allocator allocator_of(const planish_allocator* given) {
  if (given == nullptr) return {};
  const planish_allocator functions = read_sized(given, "planish_allocator");
  if (functions.allocate == nullptr || functions.release == nullptr)
    fail(Code::invalid_argument, "an allocator needs both allocate and release");
  return {[functions](size_t bytes, size_t alignment) { return functions.allocate(functions.user, bytes, alignment); },
          [functions](void* memory, size_t bytes) { functions.release(functions.user, memory, bytes); }};
}

planish_stream* new_stream(const std::shared_ptr<Device>& device) {
  return new planish_stream{device, device->create_stream()};
}

// Streams of the caller's exist on a GPU.
planish_stream* adopted_stream(const std::shared_ptr<Device>& device, void* native) {
  if (device->accelerator() == nullptr)
    fail(Code::invalid_argument, "the device is the processor, which has no streams of others; a GPU has");
  return new planish_stream{device, device->accelerator()->adopt_stream(native)};
}

void copy_in_order(planish_stream& stream, void* to, const void* from, size_t bytes) {
  if (Accelerator* const accelerator = stream.device->accelerator(); accelerator != nullptr)
    return accelerator->copy(to, from, static_cast<int64_t>(bytes), *stream.stream);
  stream.stream->submit([=] { return std::memmove(to, from, bytes), Status(); }).raise();
}

}  // namespace

extern "C" {

planish_status planish_device_create(const planish_device_options* given, planish_device** device) {
  return guarded([&] {
    required(device, "the result");
    const planish_device_options options = read_sized(given, "planish_device_options");
    if (options.threads < 0) fail(Code::invalid_argument, "{} threads; 0 means one per usable core", options.threads);
    if (options.processors == nullptr && options.processor_count > 0)
      fail(Code::invalid_argument, "{} processors at NULL", options.processor_count);
    const std::vector<int> processors(options.processors, options.processors + options.processor_count);
    auto made = create_device(options.kind == nullptr ? "cpu" : options.kind, options.threads,
                              allocator_of(options.allocator), processors);
    const std::string name = made->name();
    *device = new planish_device{std::move(made), name};
  });
}

void planish_device_destroy(planish_device* device) { delete device; }

int32_t planish_device_is_there(const char* kind) {
  const planish_status status = guarded([&] { check_device(&required(kind, "the kind")); });
  return status == PLANISH_OK ? 1 : 0;
}

int32_t planish_device_threads(const planish_device* device) {
  return device == nullptr ? 0 : device->device->pool().size();
}
const char* planish_device_name(const planish_device* device) { return device == nullptr ? "" : device->name.c_str(); }

planish_status planish_stream_create(planish_device* device, planish_stream** stream) {
  return guarded([&] { required(stream, "the result") = new_stream(required(device, "the device").device); });
}

planish_status planish_engine_create_stream(planish_engine* engine, planish_stream** stream) {
  return guarded([&] { required(stream, "the result") = new_stream(required(engine, "the engine").device); });
}

planish_status planish_stream_adopt(planish_device* device, void* native, planish_stream** stream) {
  return guarded(
      [&] { required(stream, "the result") = adopted_stream(required(device, "the device").device, native); });
}

planish_status planish_engine_adopt_stream(planish_engine* engine, void* native, planish_stream** stream) {
  return guarded(
      [&] { required(stream, "the result") = adopted_stream(required(engine, "the engine").device, native); });
}

void* planish_stream_native(const planish_stream* stream) {
  Accelerator* const accelerator = stream == nullptr ? nullptr : stream->device->accelerator();
  return accelerator == nullptr ? nullptr : accelerator->native(*stream->stream);
}

planish_status planish_stream_copy(planish_stream* stream, void* to, const void* from, size_t bytes) {
  return guarded([&] {
    required(stream, "the stream");
    if (bytes == 0) return;
    if (to == nullptr || from == nullptr) fail(Code::invalid_argument, "memory to copy is NULL");
    copy_in_order(*stream, to, from, bytes);
  });
}

planish_status planish_memory_create(planish_device* device, planish_memory_kind kind, size_t bytes,
                                     planish_memory** memory) {
  return guarded([&] {
    required(memory, "the result");
    const auto& owner = required(device, "the device").device;
    if (kind != PLANISH_MEMORY_DEVICE && kind != PLANISH_MEMORY_HOST)
      fail(Code::invalid_argument, "memory of kind {}", kind);
    Accelerator* const accelerator = owner->accelerator();
    const auto size = static_cast<int64_t>(std::min<size_t>(bytes, INT64_MAX));
    *memory =
        new planish_memory{owner, kind == PLANISH_MEMORY_DEVICE && accelerator != nullptr ? accelerator->allocate(size)
                                                                                          : owner->allocate(size)};
  });
}

void* planish_memory_data(const planish_memory* memory) { return memory == nullptr ? nullptr : memory->data.get(); }
void planish_memory_destroy(planish_memory* memory) { delete memory; }

planish_status planish_stream_synchronize(planish_stream* stream) {
  return guarded([&] { return required(stream, "the stream").stream->synchronize(); });
}

void planish_stream_destroy(planish_stream* stream) { delete stream; }

planish_status planish_event_create(planish_stream* stream, planish_event** event) {
  return guarded([&] {
    const auto& device = required(stream, "the stream").device;
    required(event, "the result") = new planish_event{device, device->create_event()};
  });
}

planish_status planish_event_record(planish_event* event, planish_stream* stream) {
  return guarded([&] { return required(event, "the event").event->record(*required(stream, "the stream").stream); });
}

planish_status planish_event_synchronize(planish_event* event) {
  return guarded([&] { return required(event, "the event").event->synchronize(); });
}

planish_status planish_event_query(const planish_event* event, int32_t* reached) {
  return guarded([&] { required(reached, "the result") = required(event, "the event").event->reached() ? 1 : 0; });
}

planish_status planish_event_elapsed(const planish_event* first, const planish_event* second, double* milliseconds) {
  return guarded([&] {
    const Event &begin = *required(first, "the first event").event, &end = *required(second, "the second event").event;
    if (!begin.reached() || !end.reached()) fail(Code::invalid_state, "an event was not reached yet");
    required(milliseconds, "the result") = end.milliseconds_since(begin);
  });
}

void planish_event_destroy(planish_event* event) { delete event; }

}  // extern "C"
