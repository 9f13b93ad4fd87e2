#include "tensorrt/runtime/report.h"

#include <atomic>
#include <new>

#include "planish/planish.h"

namespace planish::tensorrt {
namespace {

std::atomic<nvinfer1::ILogger*> shared_logger{nullptr};

nvinfer1::ErrorCode code_of(Code code) {
  using nvinfer1::ErrorCode;
  switch (code) {
    case Code::invalid_argument:
    case Code::invalid_model:
    case Code::not_found:
      return ErrorCode::kINVALID_ARGUMENT;
    case Code::out_of_memory:
      return ErrorCode::kFAILED_ALLOCATION;
    case Code::invalid_state:
    case Code::busy:
      return ErrorCode::kINVALID_STATE;
    case Code::unsupported:
      return ErrorCode::kUNSUPPORTED_STATE;
    case Code::invalid_plan:
    case Code::mismatch:
      return ErrorCode::kFAILED_INITIALIZATION;
    case Code::internal:
      return ErrorCode::kINTERNAL_ERROR;
    default:
      return ErrorCode::kUNSPECIFIED_ERROR;
  }
}

void forward_line(void*, planish_severity severity, const char* text) {
  static constexpr Severity kLevels[] = {Severity::kERROR, Severity::kWARNING, Severity::kINFO, Severity::kVERBOSE};
  say(shared_logger.load(), kLevels[severity], text);
}

}  // namespace

void say(nvinfer1::ILogger* logger, Severity severity, const std::string& text) noexcept {
  if (logger == nullptr) return;
  try {
    logger->log(severity, text.c_str());
  } catch (...) {  // the caller's logger; there is nobody else to tell
  }
}

nvinfer1::ILogger* first_logger() noexcept { return shared_logger.load(); }

void remember_logger(nvinfer1::ILogger* logger) noexcept {
  nvinfer1::ILogger* none = nullptr;
  if (!shared_logger.compare_exchange_strong(none, logger)) return;
  planish_set_log(forward_line, nullptr, PLANISH_LOG_INFO);
}

Reporter::Reporter(nvinfer1::ILogger* logger, nvinfer1::IErrorRecorder* recorder)
    : logger_(logger), said_(std::make_shared<Said>()) {
  set_recorder(recorder);
}

Reporter::~Reporter() { set_recorder(nullptr); }

void Reporter::set_recorder(nvinfer1::IErrorRecorder* recorder) {
  try {
    if (recorder != nullptr) recorder->incRefCount();
    if (recorder_ != nullptr) recorder_->decRefCount();
  } catch (...) {
    say(logger_, Severity::kERROR, "the error recorder threw an exception");
  }
  recorder_ = recorder;
}

void Reporter::error(nvinfer1::ErrorCode code, const std::string& text) const noexcept {
  say(logger_, code == nvinfer1::ErrorCode::kINTERNAL_ERROR ? Severity::kINTERNAL_ERROR : Severity::kERROR, text);
  if (recorder_ == nullptr) return;
  try {
    recorder_->reportError(code, text.c_str());
  } catch (...) {
    say(logger_, Severity::kERROR, "the error recorder threw an exception");
  }
}

void Reporter::say_once(Severity severity, const std::string& text) const noexcept {
  try {
    const std::lock_guard lock(said_->mutex);
    if (!said_->lines.insert(text).second) return;
  } catch (const std::bad_alloc&) {  // then it is said again
  }
  say(logger_, severity, text);
}

void Reporter::exception(const char* call) const noexcept {
  try {
    throw;
  } catch (const Error& e) {
    error(code_of(e.code()), std::string(call) + ": " + e.what());
  } catch (const std::bad_alloc&) {
    error(nvinfer1::ErrorCode::kFAILED_ALLOCATION, std::string(call) + ": out of memory");
  } catch (const std::exception& e) {
    error(nvinfer1::ErrorCode::kUNSPECIFIED_ERROR, std::string(call) + ": " + e.what());
  } catch (...) {
    error(nvinfer1::ErrorCode::kUNSPECIFIED_ERROR, std::string(call) + ": an exception of unknown type");
  }
}

void refuse(const std::string& sentence) { throw Error(Code::invalid_argument, sentence); }

}  // namespace planish::tensorrt
