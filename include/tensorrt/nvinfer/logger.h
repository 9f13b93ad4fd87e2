// Where messages and errors go.
#ifndef PLANISH_TENSORRT_LOGGER_H
#define PLANISH_TENSORRT_LOGGER_H

#include "nvinfer/base.h"

namespace nvinfer1 {

// Implemented by the caller; any thread may call it.
class ILogger {
 public:
  enum class Severity : int32_t { kINTERNAL_ERROR = 0, kERROR = 1, kWARNING = 2, kINFO = 3, kVERBOSE = 4 };
  virtual ~ILogger() = default;
  virtual void log(Severity severity, AsciiChar const* msg) = 0;

 protected:
  ILogger() = default;
  ILogger(ILogger const&) = default;
  ILogger(ILogger&&) = default;
  ILogger& operator=(ILogger const&) = default;
  ILogger& operator=(ILogger&&) = default;
};
template <>
constexpr int32_t EnumMax<ILogger::Severity>() {
  return 5;
}

// Gives a plugin library the logger of whoever loads it.
class ILoggerFinder {
 public:
  virtual ~ILoggerFinder() = default;
  virtual ILogger* findLogger() = 0;
};

// Implemented by the caller: collects errors. Counted references; any thread may call it.
class IErrorRecorder : public IVersionedInterface {
 public:
  using ErrorDesc = char const*;
  using RefCount = int32_t;
  static constexpr size_t kMAX_DESC_LENGTH = 127U;

  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"IErrorRecorder", 1, 0}; }
  virtual int32_t getNbErrors() const = 0;
  virtual ErrorCode getErrorCode(int32_t errorIdx) const = 0;
  virtual ErrorDesc getErrorDesc(int32_t errorIdx) const = 0;
  virtual bool hasOverflowed() const = 0;
  virtual void clear() = 0;
  // True: the error is fatal and the call ends.
  virtual bool reportError(ErrorCode val, ErrorDesc desc) = 0;
  virtual RefCount incRefCount() = 0;
  virtual RefCount decRefCount() = 0;
};

// Implemented by the caller: takes the time of each layer after an execution.
class IProfiler {
 public:
  virtual ~IProfiler() = default;
  virtual void reportLayerTime(char const* layerName, float ms) = 0;
};

}  // namespace nvinfer1

// The logger that was given first to this process; nullptr before.
extern "C" TENSORRTAPI nvinfer1::ILogger* getLogger();

#endif
