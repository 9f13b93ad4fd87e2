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

namespace {

std::string printable(std::string text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f'; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

}  // namespace

Error::Error(Code code, std::string message) : code_(code), message_(printable(std::move(message))), text_(message_) {}

void Error::add_context(std::string frame) {
  frame = printable(std::move(frame));
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
