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

namespace {

// Operations of a multiprocessor in a clock, dense products, as the vendor's white papers state them by compute
// capability.
struct ClockRates {
  int capability;
  double vector, tf32, sixteen_bits, eight_bits;
};
constexpr ClockRates kClockRates[] = {{80, 128, 1024, 2048, 4096},   {86, 256, 512, 1024, 2048},
                                      {89, 256, 512, 1024, 2048},    {90, 256, 2048, 4096, 8192},
                                      {100, 256, 4096, 8192, 16384}, {103, 256, 4096, 8192, 16384},
                                      {120, 256, 512, 1024, 2048}};

}  // namespace

AcceleratorPeaks Context::peaks() const {
  constexpr double kTransfers = 2, kBits = 8;  // of a clock of the memory; of a byte
  AcceleratorPeaks peaks;
  peaks.bytes = kTransfers * 1e3 * attribute(DeviceAttribute::memory_clock_khz) *
                attribute(DeviceAttribute::memory_bus_bits) / kBits;
  const double clocks = 1e3 * attribute(DeviceAttribute::clock_khz) * attribute(DeviceAttribute::multiprocessors);
  const int capability = 10 * attribute(DeviceAttribute::compute_major) + attribute(DeviceAttribute::compute_minor);
  for (const ClockRates& row : kClockRates) {
    if (row.capability != capability) continue;
    peaks.vector = clocks * row.vector, peaks.tf32 = clocks * row.tf32;
    peaks.sixteen_bits = clocks * row.sixteen_bits, peaks.eight_bits = clocks * row.eight_bits;
  }
  return peaks;
}

// Instructions of one architecture alone ("a") exist from 9.0 on.
std::string Context::arch() const {
  const int major = attribute(DeviceAttribute::compute_major), minor = attribute(DeviceAttribute::compute_minor);
  return fmt::format("sm_{}{}{}", major, minor, major >= 9 ? "a" : "");
}

}  // namespace planish::cuda
