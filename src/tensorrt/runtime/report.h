#pragma once
// How calls of the interface fail: a line through the caller's logger, the error recorder told, a value that means
// failure. Nothing that is thrown, here or by the caller's classes, crosses the interface.

#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "NvInferRuntime.h"
#include "planish/error.hpp"

namespace planish::tensorrt {

using Severity = nvinfer1::ILogger::Severity;

// A line; what the logger throws is swallowed. Null: nowhere.
void say(nvinfer1::ILogger* logger, Severity severity, const std::string& text) noexcept;

// The logger that this process gave first; messages of the library go to it.
nvinfer1::ILogger* first_logger() noexcept;
void remember_logger(nvinfer1::ILogger* logger) noexcept;

// Logger and recorder of an object. Copies are for what it makes: together they say once what is said once.
class Reporter {
 public:
  explicit Reporter(nvinfer1::ILogger* logger, nvinfer1::IErrorRecorder* recorder = nullptr);
  Reporter(const Reporter& other) : logger_(other.logger_), said_(other.said_) { set_recorder(other.recorder_); }
  Reporter& operator=(const Reporter&) = delete;
  ~Reporter();

  nvinfer1::ILogger* logger() const { return logger_; }
  nvinfer1::IErrorRecorder* recorder() const { return recorder_; }
  void set_recorder(nvinfer1::IErrorRecorder* recorder);

  void error(nvinfer1::ErrorCode code, const std::string& text) const noexcept;
  void warn(const std::string& text) const noexcept { say(logger_, Severity::kWARNING, text); }
  void info(const std::string& text) const noexcept { say(logger_, Severity::kINFO, text); }
  void say_once(Severity severity, const std::string& text) const noexcept;
  // The exception in flight as an error; `call` is the function of the interface.
  void exception(const char* call) const noexcept;

  // The result of body(), or `fallback` when it throws.
  template <class Result, class Body>
  Result guard(const char* call, Result fallback, Body&& body) const noexcept {
    try {
      return body();
    } catch (...) {
      exception(call);
      return fallback;
    }
  }
  template <class Body>
  void guard(const char* call, Body&& body) const noexcept {
    try {
      body();
    } catch (...) {
      exception(call);
    }
  }

 private:
  struct Said {
    std::mutex mutex;
    std::set<std::string> lines;
  };
  nvinfer1::ILogger* logger_;
  nvinfer1::IErrorRecorder* recorder_ = nullptr;
  std::shared_ptr<Said> said_;
};

// Throws planish::Error(invalid_argument).
[[noreturn]] void refuse(const std::string& sentence);

// What a caller's class answered; Error for null.
inline std::string answered(const char* text, const char* call) {
  if (text == nullptr) refuse(std::string(call) + " of a plugin gives null");
  return text;
}

}  // namespace planish::tensorrt
