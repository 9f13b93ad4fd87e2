#pragma once
// The primary context of one GPU, shared by all that stands on it.

#include <memory>

#include "device/accelerator.h"
#include "device/cuda/driver.h"

namespace planish::cuda {

class Context {
 public:
  // Error(unsupported) when there is no driver or no such device.
  explicit Context(int index);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Driver& driver() const { return driver_; }
  DeviceIndex device() const { return device_; }
  ContextHandle* handle() const { return handle_; }
  int attribute(DeviceAttribute which) const;
  AcceleratorPeaks peaks() const;
  std::string arch() const;  // "sm_90a"

  // Makes the context current in this thread for a while.
  class Current {
   public:
    explicit Current(const Context& context) : driver_(context.driver_) {
      driver_.check(driver_.context_push(context.handle_), "cuCtxPushCurrent");
    }
    ~Current() {
      ContextHandle* popped = nullptr;
      driver_.context_pop(&popped);
    }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

   private:
    const Driver& driver_;
  };

 private:
  const Driver& driver_;
  DeviceIndex device_ = 0;
  ContextHandle* handle_ = nullptr;
};

// Calls the driver's entry `name` in the context, and throws what it says.
#define PLANISH_CUDA(context, name, ...) (context).driver().check((context).driver().name(__VA_ARGS__), #name)

}  // namespace planish::cuda
