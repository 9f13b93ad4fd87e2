#include <charconv>

#include "base/affinity.h"
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

std::shared_ptr<Device> create_device(std::string_view kind, int threads, Allocator allocator,
                                      std::span<const int> processors) {
  if (kind == "auto") kind = cuda::driver().driver != nullptr ? "cuda" : "cpu";
  if (kind == "cpu") return create_cpu_device(threads, std::move(allocator), processors);
  const int index = cuda_index(kind);
  if (index < 0) fail(Code::invalid_argument, "device '{}': cpu, cuda, cuda:NUMBER and auto are accepted", kind);
  const Confined confined(processors);
  return create_cuda_device(index, threads);
}

}  // namespace planish
