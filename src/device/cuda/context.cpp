#include "device/cuda/context.h"

namespace planish::cuda {
namespace {

const Driver& required_driver() {
  const DriverOrReason& found = cuda::driver();
  if (found.driver == nullptr) fail(Code::unsupported, "{}", found.reason);
  return *found.driver;
}

}  // namespace

Context::Context(int index) : driver_(required_driver()) {
  int count = 0;
  PLANISH_CUDA(*this, device_count, &count);
  if (index < 0 || index >= count) fail(Code::unsupported, "there is no GPU {}; there are {}", index, count);
  PLANISH_CUDA(*this, device_get, &device_, index);
  PLANISH_CUDA(*this, primary_retain, &handle_, device_);
}

Context::~Context() { driver_.primary_release(device_); }

int Context::attribute(DeviceAttribute which) const {
  int value = 0;
  PLANISH_CUDA(*this, device_attribute, &value, which, device_);
  return value;
}

// Instructions of one architecture alone ("a") exist from 9.0 on.
std::string Context::arch() const {
  const int major = attribute(DeviceAttribute::compute_major), minor = attribute(DeviceAttribute::compute_minor);
  return fmt::format("sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

}  // namespace planish::cuda
