#include "trtexec/device.h"

#include <cstdlib>
#include <cstring>

#include "cudart/planish_cudart.h"
#include "trtexec/cuda.h"

namespace planish::trtexec {
namespace {

bool answers_for_a_gpu() { return planish_cudart_find() == nullptr || planish_cudart_find()->on_cuda() != 0; }

bool processor_is_asked_for() {
  const char* const named = std::getenv("PLANISH_DEVICE");
  return named != nullptr && std::strcmp(named, "cpu") == 0;
}

void describe(const cudaDeviceProp& properties, int device, const char* kind) {
  info("Available Devices: ");
  info("  Device {}: \"{}\"{}", device < 0 ? 0 : device, properties.name, kind);
  info("Selected Device: {}", properties.name);
  info("Selected Device ID: {}", device);
  info("Compute Capability: {}.{}", properties.major, properties.minor);
  info("SMs: {}", properties.multiProcessorCount);
  info("Device Global Memory: {} MiB", properties.totalGlobalMem >> 20);
  info("Shared Memory per SM: {} KiB", properties.sharedMemPerMultiprocessor >> 10);
  info("Memory Bus Width: {} bits", properties.memoryBusWidth);
  info("Application Compute Clock Rate: {:g} GHz", properties.clockRate / 1e6);
  info("Application Memory Clock Rate: {:g} GHz", properties.memoryClockRate / 1e6);
  info("");
}

}  // namespace

// Streams and memory are those of the device that engines run on: the processor's for -1, and where there is no GPU.
void choose_device(int device) {
  if (device < 0) setenv("PLANISH_DEVICE", "cpu", 1);
  int count = 0;
  check(cudaGetDeviceCount(&count), "the number of devices");
  if (device >= count) fail("Cannot find device ID {}! {} device(s) are here; -1 is the processor", device, count);
  cudaDeviceProp properties{};
  check(cudaSetDevice(device < 0 ? 0 : device), "the device");
  check(cudaGetDeviceProperties(&properties, device < 0 ? 0 : device), "the device's properties");
  info("=== Device Information ===");
  const bool on_gpu = answers_for_a_gpu();
  if (!on_gpu)
    info("Running on the CPU: {}", device < 0                 ? "--device=-1 asks for it"
                                   : processor_is_asked_for() ? "PLANISH_DEVICE=cpu asks for it"
                                                              : "there is no GPU with a driver");
  describe(properties, device, on_gpu ? "" : " (CPU)");
}

}  // namespace planish::trtexec
