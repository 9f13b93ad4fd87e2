#include "base/error.h"

#include <algorithm>
#include <cstring>

namespace planish {

std::string_view code_name(Code code) {
  static constexpr std::string_view kNames[] = {
      "ok",      "invalid_argument", "invalid_model", "invalid_plan", "unsupported", "not_found",
      "io",      "out_of_memory",    "invalid_state", "busy",         "mismatch",    "cancelled",
      "internal"};
  return kNames[static_cast<size_t>(code)];
}

void Error::add_context(std::string frame) {
  text_ = frame + ": " + text_;
  frames_.push_back(std::move(frame));
}

Status::Status(Code code, std::string_view text) noexcept : code_(code) {
  const size_t length = std::min(text.size(), text_.size() - 1);
  std::memcpy(text_.data(), text.data(), length);
}

void Status::raise() const {
  if (!ok()) throw Error(code_, text_.data());
}

}  // namespace planish
