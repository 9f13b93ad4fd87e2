// Error: the one exception of the C++ interface.
#pragma once

#include <stdexcept>
#include <string>

#include "planish/planish.h"

namespace planish {
inline namespace v0 {

enum class Code : planish_status {
  ok = PLANISH_OK,
  invalid_argument = PLANISH_INVALID_ARGUMENT,  // the caller's value is wrong
  invalid_model = PLANISH_INVALID_MODEL,        // a model contradicts itself or its format
  invalid_plan = PLANISH_INVALID_PLAN,          // a plan is damaged, or of another version
  unsupported = PLANISH_UNSUPPORTED,            // well formed, but nothing here does it
  not_found = PLANISH_NOT_FOUND,                // a file or a name does not exist
  io = PLANISH_IO,                              // the operating system refused
  out_of_memory = PLANISH_OUT_OF_MEMORY,
  invalid_state = PLANISH_INVALID_STATE,  // calls in the wrong order
  busy = PLANISH_BUSY,                    // in use by another thread, or by work on a stream
  mismatch = PLANISH_MISMATCH,            // built for another machine, or a plugin or kernel is missing
  cancelled = PLANISH_CANCELLED,
  internal = PLANISH_INTERNAL,
};

// what(): one sentence that names what was found and what is accepted.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

namespace detail {

inline void check(planish_status status) {
  if (status != PLANISH_OK) throw Error(static_cast<Code>(status), planish_last_error());
}

// A path for the C interface, where it would end at a NUL.
inline const char* c_path(const std::string& path) {
  if (path.find('\0') != std::string::npos)
    throw Error(Code::invalid_argument,
                "the path '" + std::string(path.c_str()) + "' goes on behind a NUL; files have none");
  return path.c_str();
}

// A struct of the C interface, all zero, with its size.
template <class T>
T sized() {
  T value{};
  value.struct_size = sizeof(T);
  return value;
}

}  // namespace detail
}  // namespace v0
}  // namespace planish
