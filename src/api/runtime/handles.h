#pragma once
// What the opaque types of the C interface are, and how calls turn exceptions into statuses.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"
#include "planish/planish.h"
#include "runtime/engine.h"

struct planish_device {
  std::shared_ptr<planish::Device> device;
  std::string name;
};

struct planish_plan {
  std::shared_ptr<const std::byte> bytes;  // aligned to 64
  size_t size = 0;
};

struct planish_engine {
  std::shared_ptr<planish::Engine> engine;
  std::shared_ptr<planish::Device> device;
  std::vector<std::string> types;  // of the bindings, as text
};

struct planish_context {
  std::shared_ptr<planish::Engine> engine;
  std::unique_ptr<planish::Context> context;
};

struct planish_stream {
  std::shared_ptr<planish::Device> device;
  std::unique_ptr<planish::Stream> stream;
};

struct planish_memory {
  std::shared_ptr<planish::Device> device;
  std::shared_ptr<std::byte> data;
};

struct planish_event {
  std::shared_ptr<planish::Device> device;
  std::unique_ptr<planish::Event> event;
};

namespace planish::api {

// Keeps the sentence for planish_last_error; returns the code's status.
planish_status remember(Code code, const char* text) noexcept;
planish_status remember(const Status& status) noexcept;
// The status of the exception in flight.
planish_status remember_exception() noexcept;

// A text that callers may leave out.
inline const char* text_or_empty(const char* text) { return text == nullptr ? "" : text; }

// Runs `body`, which may throw; its result is the call's.
template <class Body>
planish_status guarded(Body&& body) noexcept {
  try {
    if constexpr (std::is_same_v<decltype(body()), Status>)
      return remember(body());
    else
      return body(), PLANISH_OK;
  } catch (...) {
    return remember_exception();
  }
}

// Error(invalid_argument) that names what must not be NULL.
template <class T>
T& required(T* object, const char* what) {
  if (object == nullptr) fail(Code::invalid_argument, "{} is NULL", what);
  return *object;
}

// A copy of `bytes` in memory aligned for use in place.
std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes);

std::shared_ptr<Device> device_or_new(const planish_device* device, int threads, const char* kind = "cpu");

}  // namespace planish::api
