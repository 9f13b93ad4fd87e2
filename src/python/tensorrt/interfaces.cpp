// Interfaces that Python programs implement: logger, profiler, error recorder, allocators, streams of bytes, monitors.
#include <cstdio>
#include <ctime>
#include <mutex>

#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

class PyLogger : public ILogger {
 public:
  using ILogger::ILogger;
  PyLogger() = default;
  void log(Severity severity, AsciiChar const* msg) override {
    told("ILogger.log", [&] { method<ILogger>(this, "log")(severity, py::str(msg)); });
  }
};

// Writes what is at least as bad as the severity asked for, errors and warnings to stderr's side of the terminal.
class Logger : public ILogger {
 public:
  explicit Logger(Severity least) : least_(least) {}
  void log(Severity severity, AsciiChar const* msg) override {
    if (severity > least_) return;
    static char const* const names[] = {"F", "E", "W", "I", "V"};
    char when[32] = "";
    std::time_t const now = std::time(nullptr);
    std::tm parts{};
    if (localtime_r(&now, &parts)) std::strftime(when, sizeof when, "%m/%d/%Y-%H:%M:%S", &parts);
    std::fprintf(severity <= Severity::kWARNING ? stderr : stdout, "[%s] [TRT] [%s] %s\n", when,
                 names[static_cast<int>(severity)], msg);
    std::fflush(severity <= Severity::kWARNING ? stderr : stdout);
  }
  Severity least() const { return least_; }
  void set_least(Severity severity) { least_ = severity; }

 private:
  Severity least_;
};

class PyProfiler : public IProfiler {
 public:
  void reportLayerTime(char const* layerName, float ms) override {
    told("IProfiler.report_layer_time", [&] { method<IProfiler>(this, "report_layer_time")(layerName, ms); });
  }
};

class PrintingProfiler : public IProfiler {
 public:
  void reportLayerTime(char const* layerName, float ms) override {
    std::printf("%s: %g ms\n", layerName, static_cast<double>(ms));
    std::fflush(stdout);
  }
};

class PyErrorRecorder : public IErrorRecorder {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int32_t getNbErrors() const override {
    return answered(0, "IErrorRecorder.num_errors", [&] { return attribute("num_errors").cast<int32_t>(); });
  }
  ErrorCode getErrorCode(int32_t i) const override {
    return answered(ErrorCode::kUNSPECIFIED_ERROR, "IErrorRecorder.get_error_code",
                    [&] { return method<IErrorRecorder>(this, "get_error_code")(i).cast<ErrorCode>(); });
  }
  ErrorDesc getErrorDesc(int32_t i) const override {
    text_ = answered(std::string(), "IErrorRecorder.get_error_desc",
                     [&] { return method<IErrorRecorder>(this, "get_error_desc")(i).cast<std::string>(); });
    return text_.c_str();
  }
  bool hasOverflowed() const override {
    return answered(false, "IErrorRecorder.has_overflowed",
                    [&] { return method<IErrorRecorder>(this, "has_overflowed")().cast<bool>(); });
  }
  void clear() override {
    told("IErrorRecorder.clear", [&] { method<IErrorRecorder>(this, "clear")(); });
  }
  bool reportError(ErrorCode code, ErrorDesc text) override {
    return answered(false, "IErrorRecorder.report_error", [&] {
      py::object result = method<IErrorRecorder>(this, "report_error")(code, text);
      return !result.is_none() && result.cast<bool>();
    });
  }
  // The Python object lives as long as Python refers to it.
  RefCount incRefCount() override { return ++references_; }
  RefCount decRefCount() override { return --references_; }

 private:
  py::object attribute(char const* name) const {
    return py::cast(static_cast<IErrorRecorder const*>(this), py::return_value_policy::reference).attr(name);
  }
  mutable std::string text_;
  RefCount references_ = 0;
};

class PyGpuAllocator : public IGpuAllocator {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  void* allocate(uint64_t size, uint64_t alignment, AllocatorFlags flags) override {
    return taken("allocate", size, alignment, flags);
  }
  void* reallocate(void* memory, uint64_t alignment, uint64_t size) override {
    return answered<void*>(nullptr, "IGpuAllocator.reallocate", [&]() -> void* {
      py::function call = py::get_override(static_cast<IGpuAllocator const*>(this), "reallocate");
      return call ? memory_of(call(address(memory), alignment, size)) : nullptr;
    });
  }
  bool deallocate(void* memory) override {
    return answered(false, "IGpuAllocator.deallocate", [&] {
      py::object result = method<IGpuAllocator>(this, "deallocate")(address(memory));
      return result.is_none() || result.cast<bool>();
    });
  }

 private:
  static void* memory_of(py::object const& result) {
    return result.is_none() ? nullptr : pointer(py::int_(result).cast<Address>());
  }
  template <typename... Args>
  void* taken(char const* name, Args... args) {
    return answered<void*>(nullptr, "IGpuAllocator.allocate",
                           [&] { return memory_of(method<IGpuAllocator>(this, name)(args...)); });
  }
};

class PyGpuAsyncAllocator : public IGpuAsyncAllocator {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  void* allocateAsync(uint64_t size, uint64_t alignment, AllocatorFlags flags, cudaStream_t stream) override {
    return answered<void*>(nullptr, "IGpuAsyncAllocator.allocate_async", [&]() -> void* {
      py::object const result =
          method<IGpuAsyncAllocator>(this, "allocate_async")(size, alignment, flags, reinterpret_cast<Address>(stream));
      return result.is_none() ? nullptr : pointer(py::int_(result).cast<Address>());
    });
  }
  bool deallocateAsync(void* memory, cudaStream_t stream) override {
    return answered(false, "IGpuAsyncAllocator.deallocate_async", [&] {
      py::object const result =
          method<IGpuAsyncAllocator>(this, "deallocate_async")(address(memory), reinterpret_cast<Address>(stream));
      return result.is_none() || result.cast<bool>();
    });
  }
};

class PyOutputAllocator : public IOutputAllocator {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  void* reallocateOutput(char const* name, void* memory, uint64_t size, uint64_t alignment) override {
    return answered<void*>(nullptr, "IOutputAllocator.reallocate_output", [&] {
      return memory_of(method<IOutputAllocator>(this, "reallocate_output")(name, address(memory), size, alignment));
    });
  }
  void* reallocateOutputAsync(char const* name, void* memory, uint64_t size, uint64_t alignment,
                              cudaStream_t stream) override {
    return answered<void*>(nullptr, "IOutputAllocator.reallocate_output_async", [&] {
      py::function call = py::get_override(static_cast<IOutputAllocator const*>(this), "reallocate_output_async");
      return call ? memory_of(call(name, address(memory), size, alignment, reinterpret_cast<Address>(stream)))
                  : reallocateOutput(name, memory, size, alignment);
    });
  }
  void notifyShape(char const* name, Dims const& dims) override {
    told("IOutputAllocator.notify_shape", [&] { method<IOutputAllocator>(this, "notify_shape")(name, dims); });
  }

 private:
  static void* memory_of(py::object const& result) {
    return result.is_none() ? nullptr : pointer(py::int_(result).cast<Address>());
  }
};

class PyStreamReader : public IStreamReader {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int64_t read(void* destination, int64_t bytes) override {
    return answered(int64_t{-1}, "IStreamReader.read", [&] {
      py::buffer const got = method<IStreamReader>(this, "read")(bytes);
      py::buffer_info const info = got.request();
      int64_t const count = std::min<int64_t>(bytes, info.size * info.itemsize);
      std::copy_n(static_cast<char const*>(info.ptr), count, static_cast<char*>(destination));
      return count;
    });
  }
};

class PyStreamReaderV2 : public IStreamReaderV2 {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int64_t read(void* destination, int64_t bytes, cudaStream_t stream) override {
    return answered(int64_t{-1}, "IStreamReaderV2.read", [&] {
      py::buffer const got = method<IStreamReaderV2>(this, "read")(bytes, reinterpret_cast<Address>(stream));
      py::buffer_info const info = got.request();
      int64_t const count = std::min<int64_t>(bytes, info.size * info.itemsize);
      std::copy_n(static_cast<char const*>(info.ptr), count, static_cast<char*>(destination));
      return count;
    });
  }
  bool seek(int64_t offset, SeekPosition where) override {
    return answered(false, "IStreamReaderV2.seek", [&] {
      py::object result = method<IStreamReaderV2>(this, "seek")(offset, where);
      return result.is_none() || result.cast<bool>();
    });
  }
};

class PyStreamWriter : public IStreamWriter {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  int64_t write(void const* data, int64_t bytes) override {
    return answered(int64_t{-1}, "IStreamWriter.write", [&] {
      return method<IStreamWriter>(this, "write")(py::bytes(static_cast<char const*>(data), bytes)).cast<int64_t>();
    });
  }
};

class PyProgressMonitor : public IProgressMonitor {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  void phaseStart(char const* phase, char const* parent, int32_t steps) override {
    told("IProgressMonitor.phase_start", [&] { method<IProgressMonitor>(this, "phase_start")(phase, parent, steps); });
  }
  bool stepComplete(char const* phase, int32_t step) override {
    return answered(true, "IProgressMonitor.step_complete", [&] {
      py::object result = method<IProgressMonitor>(this, "step_complete")(phase, step);
      return result.is_none() || result.cast<bool>();
    });
  }
  void phaseFinish(char const* phase) override {
    told("IProgressMonitor.phase_finish", [&] { method<IProgressMonitor>(this, "phase_finish")(phase); });
  }
};

class PyDebugListener : public IDebugListener {
 public:
  APILanguage getAPILanguage() const override { return APILanguage::kPYTHON; }
  bool processDebugTensor(void const* data, TensorLocation location, DataType type, Dims const& shape, char const* name,
                          cudaStream_t stream) override {
    return answered(false, "IDebugListener.process_debug_tensor", [&] {
      py::object result = method<IDebugListener>(this, "process_debug_tensor")(address(data), location, type, shape,
                                                                               name, reinterpret_cast<Address>(stream));
      return result.is_none() || result.cast<bool>();
    });
  }
};

void bind_logger(py::module_& m) {
  py::class_<ILogger, PyLogger> base(m, "ILogger");
  base.def(py::init<>());
  py::enum_<ILogger::Severity>(base, "Severity", py::arithmetic())
      .value("INTERNAL_ERROR", ILogger::Severity::kINTERNAL_ERROR)
      .value("ERROR", ILogger::Severity::kERROR)
      .value("WARNING", ILogger::Severity::kWARNING)
      .value("INFO", ILogger::Severity::kINFO)
      .value("VERBOSE", ILogger::Severity::kVERBOSE)
      .export_values();
  base.def("log", &ILogger::log, py::arg("severity"), py::arg("msg"));
  py::class_<Logger, ILogger> logger(m, "Logger");
  logger.def(py::init<ILogger::Severity>(), py::arg("min_severity") = ILogger::Severity::kWARNING);
  logger.def_property("min_severity", &Logger::least, &Logger::set_least);
  logger.def("log", &Logger::log, py::arg("severity"), py::arg("msg"));
}

void bind_reports(py::module_& m) {
  py::class_<IProfiler, PyProfiler>(m, "IProfiler")
      .def(py::init<>())
      .def("report_layer_time", &IProfiler::reportLayerTime, py::arg("layer_name"), py::arg("ms"));
  py::class_<PrintingProfiler, IProfiler>(m, "Profiler")
      .def(py::init<>())
      .def("report_layer_time", &PrintingProfiler::reportLayerTime, py::arg("layer_name"), py::arg("ms"));
  py::enum_<ErrorCode>(m, "ErrorCodeTRT")
      .value("SUCCESS", ErrorCode::kSUCCESS)
      .value("UNSPECIFIED_ERROR", ErrorCode::kUNSPECIFIED_ERROR)
      .value("INTERNAL_ERROR", ErrorCode::kINTERNAL_ERROR)
      .value("INVALID_ARGUMENT", ErrorCode::kINVALID_ARGUMENT)
      .value("INVALID_CONFIG", ErrorCode::kINVALID_CONFIG)
      .value("FAILED_ALLOCATION", ErrorCode::kFAILED_ALLOCATION)
      .value("FAILED_INITIALIZATION", ErrorCode::kFAILED_INITIALIZATION)
      .value("FAILED_EXECUTION", ErrorCode::kFAILED_EXECUTION)
      .value("FAILED_COMPUTATION", ErrorCode::kFAILED_COMPUTATION)
      .value("INVALID_STATE", ErrorCode::kINVALID_STATE)
      .value("UNSUPPORTED_STATE", ErrorCode::kUNSUPPORTED_STATE);
  py::class_<IErrorRecorder, PyErrorRecorder> recorder(m, "IErrorRecorder");
  recorder.def(py::init<>());
  recorder.attr("MAX_DESC_LENGTH") = static_cast<int>(IErrorRecorder::kMAX_DESC_LENGTH);
  py::class_<IProgressMonitor, PyProgressMonitor>(m, "IProgressMonitor").def(py::init<>());
  py::class_<IDebugListener, PyDebugListener>(m, "IDebugListener").def(py::init<>());
}

void bind_memory(py::module_& m) {
  py::enum_<AllocatorFlag>(m, "AllocatorFlag").value("RESIZABLE", AllocatorFlag::kRESIZABLE);
  py::class_<IGpuAllocator, PyGpuAllocator>(m, "IGpuAllocator").def(py::init<>());
  py::class_<IGpuAsyncAllocator, IGpuAllocator, PyGpuAsyncAllocator>(m, "IGpuAsyncAllocator").def(py::init<>());
  py::class_<IOutputAllocator, PyOutputAllocator>(m, "IOutputAllocator").def(py::init<>());
  py::class_<IStreamReader, PyStreamReader>(m, "IStreamReader").def(py::init<>());
  py::enum_<SeekPosition>(m, "SeekPosition")
      .value("SET", SeekPosition::kSET)
      .value("CUR", SeekPosition::kCUR)
      .value("END", SeekPosition::kEND);
  py::class_<IStreamReaderV2, PyStreamReaderV2>(m, "IStreamReaderV2").def(py::init<>());
  py::class_<IStreamWriter, PyStreamWriter>(m, "IStreamWriter").def(py::init<>());
  py::class_<IHostMemory> memory(m, "IHostMemory", py::buffer_protocol());
  memory.def_property_readonly("dtype", [](IHostMemory const& h) { return h.type(); });
  memory.def_property_readonly("nbytes", [](IHostMemory const& h) { return h.size(); });
  memory.def("__len__", [](IHostMemory const& h) { return h.size(); });
  memory.def_buffer([](IHostMemory& h) {
    return py::buffer_info(h.data(), 1, py::format_descriptor<uint8_t>::format(), 1, {h.size()}, {size_t{1}}, true);
  });
  memory.def("__enter__", [](py::object self) { return self; });
  memory.def("__exit__", [](py::object const&, py::args const&) {});
}

}  // namespace

void bind_interfaces(py::module_& m) {
  bind_logger(m);
  bind_reports(m);
  bind_memory(m);
}

}  // namespace planish_python
