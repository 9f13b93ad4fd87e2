#pragma once
// The one exception of the builder side, and the status of the running side.
//
// An Error carries a code, one sentence, and context frames that are added as it travels outwards
// ("importing node conv1 (Conv, opset 13)", "of resnet50.onnx"). It never crosses an ABI and is never
// thrown by `enqueue`, which returns a Status.

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.h"

namespace planish {

enum class Code {
  ok,
  invalid_argument,  // the caller's value is wrong
  invalid_model,     // a model file contradicts itself or its format
  invalid_plan,      // a plan file is damaged, or of another version
  unsupported,       // well formed, but nothing here does it
  not_found,         // a file or a name does not exist
  io,                // the operating system refused
  out_of_memory,
  invalid_state,  // calls in the wrong order
  busy,           // a second thread used an object that one thread may use
  mismatch,       // built for another machine, or results differ
  cancelled,
  internal,
};

std::string_view code_name(Code code);

class Error : public std::exception {
 public:
  // Control characters but line feeds and tabs become '?': messages quote files, and are shown on terminals.
  Error(Code code, std::string message);

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::vector<std::string>& frames() const { return frames_; }

  // Adds the next outer frame. what() reads "outer: inner: message".
  void add_context(std::string frame);

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Code code_;
  std::string message_;
  std::vector<std::string> frames_;  // innermost first
  std::string text_;
};

template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(code, fmt::format(text, std::forward<Args>(args)...));
}

// Runs `body`; an Error that leaves it gets the frame that `frame()` returns.
template <class Frame, class Body>
decltype(auto) with_context(Frame&& frame, Body&& body) {
  try {
    return body();
  } catch (Error& error) {
    error.add_context(frame());
    throw;
  }
}

// Result of a call that must not throw or allocate. The text is truncated to fit.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string_view text) noexcept;

  bool ok() const noexcept { return code_ == Code::ok; }
  Code code() const noexcept { return code_; }
  const char* message() const noexcept { return text_.data(); }

  // Throws the Error that this status describes; does nothing when ok.
  void raise() const;

 private:
  Code code_ = Code::ok;
  std::array<char, 500> text_{};
};

}  // namespace planish
