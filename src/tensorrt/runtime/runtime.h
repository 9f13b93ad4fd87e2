#pragma once
// IRuntime: plans become engines.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tensorrt/runtime/engine.h"

namespace planish::tensorrt {

class RuntimeImpl final : public nvinfer1::IRuntime {
 public:
  explicit RuntimeImpl(nvinfer1::ILogger* logger) : reporter_(logger) {}

  nvinfer1::ICudaEngine* deserializeCudaEngine(void const* blob, size_t size) override;
  nvinfer1::ICudaEngine* deserializeCudaEngine(void const* blob, size_t size,
                                               nvinfer1::IPluginFactory* factory) override;
  nvinfer1::ICudaEngine* deserializeCudaEngine(nvinfer1::IStreamReader& reader) override;
  nvinfer1::ICudaEngine* deserializeCudaEngine(nvinfer1::IStreamReaderV2& reader) override;

  void setDLACore(int32_t core) override;
  int32_t getDLACore() const override { return -1; }
  int32_t getNbDLACores() const override { return 0; }
  void setGpuAllocator(nvinfer1::IGpuAllocator* allocator) override;
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  nvinfer1::ILogger* getLogger() const override { return reporter_.logger(); }
  bool setMaxThreads(int32_t threads) override;
  int32_t getMaxThreads() const override;
  void setTemporaryDirectory(char const* path) override { folder_ = path == nullptr ? "" : path; }
  char const* getTemporaryDirectory() const override { return folder_.c_str(); }
  void setTempfileControlFlags(nvinfer1::TempfileControlFlags flags) override { tempfile_flags_ = flags; }
  nvinfer1::TempfileControlFlags getTempfileControlFlags() const override { return tempfile_flags_; }
  nvinfer1::IPluginRegistry& getPluginRegistry() override;
  nvinfer1::IRuntime* loadRuntime(char const* path) override;
  void setEngineHostCodeAllowed(bool allowed) override { host_code_ = allowed; }
  bool getEngineHostCodeAllowed() const override { return host_code_; }
  void destroy() override { delete this; }

  // An engine of these bytes, which are shared.
  nvinfer1::ICudaEngine* load(Blob blob, std::shared_ptr<PluginSession> session);

 private:
  template <class Reader, class Read>
  nvinfer1::ICudaEngine* read_all(Reader& reader, Read read);

  Reporter reporter_;
  std::shared_ptr<EngineDevice> device_;
  nvinfer1::IGpuAllocator* allocator_ = nullptr;
  std::string folder_;
  nvinfer1::TempfileControlFlags tempfile_flags_ = 3;
  int32_t threads_ = 0;  // 0: one per usable core
  bool host_code_ = false;
};

// Whether this library serves programs compiled for `version` (NV_TENSORRT_VERSION); an error in the log when not.
bool serves(nvinfer1::ILogger* logger, int32_t version, const char* call) noexcept;

}  // namespace planish::tensorrt
