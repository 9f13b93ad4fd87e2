#include <charconv>
#include <cstdlib>
#include <mutex>

#include "base/affinity.h"
#include "base/log.h"
#include "device/cuda/driver.h"
#include "device/device.h"

namespace planish {
namespace {

// "cuda:1" -> 1, "cuda" -> 0; -1: something else.
int cuda_index(std::string_view kind) {
  if (kind == "cuda") return 0;
  if (!kind.starts_with("cuda:")) return -1;
  kind.remove_prefix(5);
  int index = -1;
  const auto [stop, error] = std::from_chars(kind.data(), kind.data() + kind.size(), index);
  return error == std::errc() && stop == kind.data() + kind.size() ? index : -1;
}

}  // namespace

bool is_device_name(std::string_view name) { return name == "auto" || name == "cpu" || cuda_index(name) >= 0; }

namespace {

// What "auto" stands for in this process.
std::string_view preferred_kind() {
  const char* const named = std::getenv("PLANISH_DEVICE");
  if (named != nullptr && *named != 0 && std::string_view(named) != "auto") {
    if (!is_device_name(named))
      fail(Code::invalid_argument, "PLANISH_DEVICE={}: auto, cpu, cuda and cuda:NUMBER are accepted", named);
    return named;
  }
  if (const char* const library = std::getenv("PLANISH_CUDA_DRIVER");
      library != nullptr && cuda::driver().driver == nullptr) {
    static std::once_flag once;
    std::call_once(once, [&] {
      log(Severity::warning, "PLANISH_CUDA_DRIVER={}: {}; the processor is used", library, cuda::driver().reason);
    });
  }
  return cuda::driver().driver != nullptr ? "cuda" : "cpu";
}

}  // namespace

void check_device(std::string_view kind) {
  if (kind == "auto") kind = preferred_kind();
  if (kind == "cpu") return;
  if (cuda_index(kind) < 0)
    fail(Code::invalid_argument, "device '{}': cpu, cuda, cuda:NUMBER and auto are accepted", kind);
  if (cuda::driver().driver == nullptr) fail(Code::unsupported, "{}", cuda::driver().reason);
  int count = 0;
  cuda::driver().driver->check(cuda::driver().driver->device_count(&count), "cuDeviceGetCount");
  if (cuda_index(kind) >= count) fail(Code::unsupported, "there is no GPU {}; there are {}", cuda_index(kind), count);
}

std::shared_ptr<Device> create_device(std::string_view kind, int threads, Allocator allocator,
                                      std::span<const int> processors) {
  if (kind == "auto") kind = preferred_kind();
  check_device(kind);
  if (kind == "cpu") return create_cpu_device(threads, std::move(allocator), processors);
  const Confined confined(processors);
  return create_cuda_device(cuda_index(kind), threads, std::move(allocator));
}

}  // namespace planish
