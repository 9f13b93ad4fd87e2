#include "device/cuda/driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>

#include "base/log.h"

namespace planish::cuda {
namespace {

constexpr int kOldestDriver = 12000;  // CUDA 12.0: cuLaunchKernelEx and tensor maps

std::string missing_symbol(void* library, Driver& table) {
#define PLANISH_CUDA_ENTRY(name, symbol, arguments)                            \
  table.name = reinterpret_cast<decltype(table.name)>(dlsym(library, symbol)); \
  if (table.name == nullptr) return symbol;
  PLANISH_CUDA_DRIVER(PLANISH_CUDA_ENTRY)
#undef PLANISH_CUDA_ENTRY
  return "";
}

constexpr const char* kLost =
    "; an earlier kernel of this process has failed, or the device is lost: this process cannot use the GPU any more, "
    "the CPU it can";

// After these every call of the process returns the same: illegal addresses and instructions, traps, memory
// that cannot be corrected, lost devices and contexts.
bool is_sticky(Result result) {
  return result == 214 || result == 700 || result == 702 || result == 709 || (result >= 714 && result <= 719) ||
         result == 721;
}

// Once: what follows fails alike.
void say_lost(std::string_view message) noexcept {
  static std::atomic<bool> said{false};
  if (!said.exchange(true) && log_enabled(Severity::error)) log_text(Severity::error, message);
}

// Why the driver is of no use; empty: it has a device.
std::string unusable(const Driver& table) {
  if (const Result result = table.init(0); result != kSuccess)
    return fmt::format("no CUDA device: {}", table.status(result, "cuInit").message());
  int version = 0, count = 0;
  if (table.driver_version(&version) == kSuccess && version < kOldestDriver)
    return fmt::format("the CUDA driver is for version {}.{}, {}.{} or later is needed", version / 1000,
                       version % 1000 / 10, kOldestDriver / 1000, kOldestDriver % 1000 / 10);
  const Result result = table.device_count(&count);
  if (result != kSuccess) return fmt::format("no CUDA device: {}", table.status(result, "cuDeviceGetCount").message());
  return count > 0 ? "" : "no CUDA device: the driver finds none";
}

}  // namespace

Status Driver::status(Result result, const char* call) const noexcept {
  if (result == kSuccess) return {};
  const char *name = nullptr, *text = nullptr;
  if (error_name(result, &name) != kSuccess || name == nullptr) name = "an error without a name";
  if (error_text(result, &text) != kSuccess || text == nullptr) text = "";
  char message[400];
  const auto end = fmt::format_to_n(message, sizeof message, "{}: {} ({}, {}){}", call, name, result, text,
                                    is_sticky(result) ? kLost : "");
  const std::string_view text_of_all(message, std::min(end.size, sizeof message));
  if (is_sticky(result)) say_lost(text_of_all);
  return {result == kOutOfMemory ? Code::out_of_memory : Code::internal, text_of_all};
}

void Driver::check(Result result, const char* call) const {
  if (result != kSuccess) status(result, call).raise();
}

DriverOrReason open_driver(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, fmt::format("no CUDA driver: {}", dlerror())};
  auto table = std::make_unique<Driver>();
  if (const std::string symbol = missing_symbol(handle, *table); !symbol.empty())
    return {nullptr, fmt::format("the CUDA driver is too old: it lacks {}", symbol)};
  if (std::string why = unusable(*table); !why.empty()) return {nullptr, std::move(why)};
  return {table.release(), ""};  // for the life of the process, as the library
}

const DriverOrReason& driver() {
  static const DriverOrReason found = [] {
    const char* const named = std::getenv("PLANISH_CUDA_DRIVER");
    return open_driver(named == nullptr ? "libcuda.so.1" : named);
  }();
  return found;
}

}  // namespace planish::cuda
