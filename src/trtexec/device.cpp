#include "trtexec/device.h"

#include <cstdlib>

#include "trtexec/cuda.h"

namespace planish::trtexec {

// Engines of this build run on the processor, so streams and memory are the processor's as well.
void choose_device(int device) {
  setenv("PLANISH_CUDART", "cpu", 1);
  int count = 0;
  check(cudaGetDeviceCount(&count), "the number of devices");
  if (device >= count) fail("Cannot find device ID {}! {} device(s) are here; -1 is the processor", device, count);
  cudaDeviceProp properties{};
  check(cudaSetDevice(device < 0 ? 0 : device), "the device");
  check(cudaGetDeviceProperties(&properties, device < 0 ? 0 : device), "the device's properties");
  info("=== Device Information ===");
  info("Running on the CPU: {}", device < 0 ? "--device=-1 asks for it" : "engines of this build run on the processor");
  info("Available Devices: ");
  info("  Device 0: \"{}\" (CPU)", properties.name);
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

}  // namespace planish::trtexec
