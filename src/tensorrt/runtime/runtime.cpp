#include "tensorrt/runtime/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "tensorrt/runtime/plugin_adapter.h"
#include "tensorrt/runtime/registry.h"

namespace planish::tensorrt {

nvinfer1::ICudaEngine* RuntimeImpl::load(Blob blob, std::shared_ptr<PluginSession> session) {
  if (device_ == nullptr || device_->kind() != preferred_device())
    device_ = make_device(reporter_, allocator_, threads_);
  session->allocator = allocator_;
  auto plan = std::make_shared<const LoadedPlan>(std::move(blob), device_->handle(), std::move(session));
  return new EngineImpl(std::move(plan), device_, reporter_);
}

nvinfer1::ICudaEngine* RuntimeImpl::deserializeCudaEngine(void const* blob, size_t size) {
  return deserializeCudaEngine(blob, size, nullptr);
}

nvinfer1::ICudaEngine* RuntimeImpl::deserializeCudaEngine(void const* blob, size_t size,
                                                          nvinfer1::IPluginFactory* factory) {
  return reporter_.guard("deserializeCudaEngine", static_cast<nvinfer1::ICudaEngine*>(nullptr), [&] {
    if (blob == nullptr || size == 0) refuse("the plan is empty");
    return load(copy_of(blob, size), std::make_shared<PluginSession>(reporter_.logger(), factory));
  });
}

// Until the reader has no more: it need not know how long the plan is.
template <class Reader, class Read>
nvinfer1::ICudaEngine* RuntimeImpl::read_all(Reader&, Read read) {
  return reporter_.guard("deserializeCudaEngine", static_cast<nvinfer1::ICudaEngine*>(nullptr), [&] {
    constexpr size_t kPiece = size_t{1} << 20;
    std::string bytes;
    for (;;) {
      const size_t before = bytes.size();
      bytes.resize(before + kPiece);
      const int64_t got = read(bytes.data() + before, static_cast<int64_t>(kPiece));
      if (got < 0 || got > static_cast<int64_t>(kPiece)) throw Error(Code::io, "the reader of the plan failed");
      bytes.resize(before + static_cast<size_t>(got));
      if (got == 0) break;
    }
    if (bytes.empty()) refuse("the plan is empty");
    return load(copy_of(bytes.data(), bytes.size()), std::make_shared<PluginSession>(reporter_.logger()));
  });
}

nvinfer1::ICudaEngine* RuntimeImpl::deserializeCudaEngine(nvinfer1::IStreamReader& reader) {
  return read_all(reader, [&](void* to, int64_t bytes) { return reader.read(to, bytes); });
}

nvinfer1::ICudaEngine* RuntimeImpl::deserializeCudaEngine(nvinfer1::IStreamReaderV2& reader) {
  return read_all(reader, [&](void* to, int64_t bytes) { return reader.read(to, bytes, nullptr); });
}

void RuntimeImpl::setDLACore(int32_t core) {
  if (core >= 0)
    reporter_.error(nvinfer1::ErrorCode::kINVALID_ARGUMENT,
                    "setDLACore: there is no DLA core " + std::to_string(core) + " here; there are 0");
}

void RuntimeImpl::setGpuAllocator(nvinfer1::IGpuAllocator* allocator) {
  allocator_ = allocator;
  device_.reset();
}

bool RuntimeImpl::setMaxThreads(int32_t threads) {
  if (threads < 1) return false;
  threads_ = threads;
  device_.reset();
  return true;
}

int32_t RuntimeImpl::getMaxThreads() const {
  return threads_ > 0 ? threads_ : static_cast<int32_t>(std::max(1U, std::thread::hardware_concurrency()));
}

nvinfer1::IPluginRegistry& RuntimeImpl::getPluginRegistry() { return plugin_registry(); }

nvinfer1::IRuntime* RuntimeImpl::loadRuntime(char const*) {
  reporter_.error(nvinfer1::ErrorCode::kUNSUPPORTED_STATE,
                  "loadRuntime: plans of this library need no runtime of another version");
  return nullptr;
}

bool serves(nvinfer1::ILogger* logger, int32_t version, const char* call) noexcept {
  const int32_t major = version >= 100000 ? version / 10000 : version / 1000;
  const int layout = major >= 10 ? 10 : major >= 8 ? 8 : 7;
  if (version > 0 && layout == PLANISH_TENSORRT_LAYOUT) return true;
  say(logger, Severity::kERROR,
      std::string(call) + ": the program was compiled for version " + std::to_string(major) +
          " (NV_TENSORRT_MAJOR), this library serves " +
          (PLANISH_TENSORRT_LAYOUT == 10  ? "10"
           : PLANISH_TENSORRT_LAYOUT == 8 ? "8 and 9"
                                          : "3 to 7") +
          "; link the libraries of that version");
  return false;
}

}  // namespace planish::tensorrt

extern "C" {

void* createInferRuntime_INTERNAL(void* logger, int32_t version) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  if (!serves(given, version, "createInferRuntime")) return nullptr;
  remember_logger(given);
  Reporter(given).guard("createInferRuntime", [] { register_adapters(); });
  return Reporter(given).guard("createInferRuntime", static_cast<nvinfer1::IRuntime*>(nullptr),
                               [&]() -> nvinfer1::IRuntime* { return new RuntimeImpl(given); });
}

nvinfer1::ILogger* getLogger() { return planish::tensorrt::first_logger(); }
int32_t getInferLibVersion() { return NV_TENSORRT_VERSION; }
int32_t getInferLibMajorVersion() { return NV_TENSORRT_MAJOR; }
int32_t getInferLibMinorVersion() { return NV_TENSORRT_MINOR; }
int32_t getInferLibPatchVersion() { return NV_TENSORRT_PATCH; }
int32_t getInferLibBuildVersion() { return NV_TENSORRT_BUILD; }

}  // extern "C"
