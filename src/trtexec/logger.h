#pragma once
// Lines of the program and of the library: "[MM/DD/YYYY-HH:MM:SS] [I] text"; the library's have "[TRT] " before the
// text.

#include <fmt/format.h>

#include <mutex>
#include <string>

#include "NvInferRuntime.h"

namespace planish::trtexec {

class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* text) override { write(severity, std::string("[TRT] ") + text); }
  // Each line of the text is a line of the log. Errors and warnings go to stderr.
  void write(Severity severity, const std::string& text);
  void set_verbose(bool on) { most_ = on ? Severity::kVERBOSE : Severity::kINFO; }

 private:
  std::mutex mutex_;
  Severity most_ = Severity::kINFO;
};

Logger& logger();

template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  logger().write(Logger::Severity::kINFO, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
  logger().write(Logger::Severity::kWARNING, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  logger().write(Logger::Severity::kERROR, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void verbose(fmt::format_string<Args...> text, Args&&... args) {
  logger().write(Logger::Severity::kVERBOSE, fmt::format(text, std::forward<Args>(args)...));
}

// Ends the run: one sentence of what was found and what is accepted.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Failure(fmt::format(text, std::forward<Args>(args)...));
}
// The library said no; what it found stands in the line before.
template <class... Args>
void require(bool done, fmt::format_string<Args...> text, Args&&... args) {
  if (!done) fail(text, std::forward<Args>(args)...);
}

}  // namespace planish::trtexec
