#pragma once
// The memory for intermediate values of one context.

#include <cstddef>
#include <memory>

#include "runtime/engine.h"

namespace planish {

struct Arenas {
  std::shared_ptr<std::byte> host, device;  // device: null where the plan has no values there
};

// The caller's memory where the options give some that the steps can reach, else the device's. Error(invalid_argument)
// says what the caller's lacks; Error(out_of_memory).
Arenas make_arenas(const Engine& engine, const Profile& profile, const ContextOptions& options);

}  // namespace planish
