#include "runtime/arena.h"

#include "base/checked.h"
#include "device/accelerator.h"

namespace planish {
namespace {

// The caller's memory, not owned.
std::shared_ptr<std::byte> given_arena(const ContextOptions& options, int64_t needed, int64_t alignment) {
  if (reinterpret_cast<uintptr_t>(options.arena) % static_cast<uintptr_t>(alignment) != 0)
    fail(Code::invalid_argument, "an arena that is not aligned to {} bytes", alignment);
  if (options.arena_bytes < needed)
    fail(Code::invalid_argument, "an arena of {} bytes, {} are needed", options.arena_bytes, needed);
  return {options.arena, [](std::byte*) {}};
}

// A plan for the processor may run beside a GPU: memory of that one is of no use to it.
std::shared_ptr<std::byte> host_arena(const Engine& engine, const Profile& profile, const ContextOptions& options) {
  Device& device = engine.device();
  const bool reached =
      options.arena != nullptr && !engine.on_device() &&
      (device.accelerator() == nullptr || device.accelerator()->owner_of(options.arena) == MemoryOwner::host);
  return reached ? given_arena(options, profile.arena_bytes, kAlignment) : device.allocate(profile.arena_bytes);
}

std::shared_ptr<std::byte> device_arena(const Engine& engine, const Profile& profile, const ContextOptions& options) {
  constexpr int64_t kDeviceAlignment = 256;
  if (options.arena != nullptr) {
    if (engine.device().accelerator()->owner_of(options.arena) != MemoryOwner::own)
      fail(Code::invalid_argument, "the arena is not memory of this GPU");
    return given_arena(options, profile.device_arena_bytes, kDeviceAlignment);
  }
  return with_context(
      [&] { return fmt::format("creating a context, intermediate values of '{}'", engine.plan().model); },
      [&] { return engine.device().accelerator()->allocate(profile.device_arena_bytes); });
}

}  // namespace

Arenas make_arenas(const Engine& engine, const Profile& profile, const ContextOptions& options) {
  Arenas arenas{host_arena(engine, profile, options), nullptr};
  if (engine.on_device()) arenas.device = device_arena(engine, profile, options);
  return arenas;
}

}  // namespace planish
