#pragma once
// Reading ONNX models for a parser, and what it says of failures.

#include <string>
#include <vector>

#include "NvOnnxParser.h"
#include "planish/planish.hpp"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

class ParserError final : public nvonnxparser::IParserError {
 public:
  ParserError(nvonnxparser::ErrorCode code, std::string text) : code_(code), text_(std::move(text)) {}
  nvonnxparser::ErrorCode code() const override { return code_; }
  char const* desc() const override { return text_.c_str(); }
  char const* file() const override { return ""; }
  int line() const override { return 0; }
  char const* func() const override { return ""; }
  int node() const override { return -1; }
  char const* nodeName() const override { return ""; }
  char const* nodeOperator() const override { return ""; }
  char const* const* localFunctionStack() const override { return nullptr; }
  int32_t localFunctionStackSize() const override { return 0; }

 private:
  nvonnxparser::ErrorCode code_;
  std::string text_;
};

// Runs calls; what they throw becomes an entry and a line in the log.
class ParserErrors {
 public:
  explicit ParserErrors(nvinfer1::ILogger* logger) : reporter_(logger) {}
  template <class Body>
  bool attempt(const char* call, Body body) {
    try {
      body();
      return true;
    } catch (const std::exception& error) {
      keep(call, error);
    }
    return false;
  }
  int count() const { return static_cast<int>(errors_.size()); }
  nvonnxparser::IParserError const* at(int index) const {
    return index < 0 || index >= count() ? nullptr : &errors_[static_cast<size_t>(index)];
  }
  void clear() { errors_.clear(); }

 private:
  void keep(const char* call, const std::exception& error);
  Reporter reporter_;
  std::vector<ParserError> errors_;
};

// A model with its dynamic axes, whose ranges profiles give later.
Network read_model(const char* path, const void* bytes, size_t size);

}  // namespace planish::tensorrt
