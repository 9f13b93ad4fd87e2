// What callers hand in: memory for everything, plans through streams of theirs, monitors that end a build. What there
// is none of says so: DLA cores, other capabilities, streamed weights, debug tensors. Recorders hear of a failure once.

#include <algorithm>
#include <map>

#include "refused.h"

namespace {

// Memory that is counted; a block that is given back twice, or never was given, is a failure.
class Counting : public IGpuAllocator {
 public:
  void* allocate(uint64_t size, uint64_t alignment, uint32_t) NX override {
    void* memory = ::operator new(size, std::align_val_t(std::max<uint64_t>(alignment, 256)));
    held_[memory] = size;
    bytes += size;
    return memory;
  }
  bool deallocate(void* memory) NX override {
    if (memory == nullptr) return true;
    EXPECT(held_.erase(memory) == 1);
    ::operator delete(memory, std::align_val_t(256));
    return true;
  }
  size_t held() const { return held_.size(); }
  uint64_t bytes = 0;

 private:
  std::map<void*, uint64_t> held_;
};

// y = relu(conv(x)), wide enough for intermediate values.
ITensor* two_layers(Built& built) {
  static const std::vector<float> kernel(16 * 2 * 9, 0.25F), second(1 * 16 * 9, 0.5F);
  const auto conv = [&](ITensor& in, int maps, const std::vector<float>& weights) {
    IConvolutionLayer* layer = built.network->addConvolutionNd(in, maps, Dims2{3, 3}, weights_of(weights), kNone);
    layer->setPaddingNd(Dims2{1, 1});
    return layer->getOutput(0);
  };
  ITensor* x = built.network->addActivation(*conv(*built.x, 16, kernel), ActivationType::kTANH)->getOutput(0);
  return conv(*x, 1, second);
}

float first_result(ICudaEngine& engine) {
  std::unique_ptr<IExecutionContext> context(engine.createExecutionContext());
  std::vector<float> x(24, 1), y(12, -1);
  void* bindings[] = {x.data(), y.data()};
  return context != nullptr && context->executeV2(bindings) ? y[0] : -1;
}

void allocators(const IHostMemory& plan, float right) {
  Counting memory;
  {
    std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
    runtime->setGpuAllocator(&memory);
    std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan.data(), plan.size()));
    EXPECT(engine->getDeviceMemorySizeV2() > 0);
    std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
    EXPECT(memory.held() > 0 && memory.bytes >= static_cast<uint64_t>(engine->getDeviceMemorySizeV2()));
    const uint64_t before = memory.bytes;
    EXPECT(first_result(*engine) == right && memory.bytes > before);  // a context more
  }
  EXPECT(memory.held() == 0);
}

class Written : public IStreamWriter {
 public:
  int64_t write(const void* data, int64_t count) override {
    if (failing && !bytes.empty()) return -1;
    const int64_t part = std::min<int64_t>(count, 1000);  // a piece is enough
    bytes.append(static_cast<const char*>(data), static_cast<size_t>(part));
    return part;
  }
  std::string bytes;
  bool failing = false;
};

class Reading : public IStreamReaderV2 {
 public:
  explicit Reading(const std::string& bytes) : bytes_(bytes) {}
  int64_t read(void* to, int64_t count, cudaStream_t) override {
    if (fails) return -1;
    const size_t part = std::min({static_cast<size_t>(count), bytes_.size() - at_, size_t{777}});
    std::memcpy(to, bytes_.data() + at_, part);
    at_ += part;
    return static_cast<int64_t>(part);
  }
  bool seek(int64_t offset, SeekPosition) override { return at_ = static_cast<size_t>(offset), true; }
  bool fails = false;

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

void streams(float right) {
  Built built;
  Written plan;
  ITensor* y = two_layers(built);
  built.network->markOutput(*y);
  EXPECT(built.builder->buildSerializedNetworkToStream(*built.network, *built.config, plan));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setErrorRecorder(&recorder);
  Reading reader(plan.bytes);
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(reader));
  EXPECT(engine != nullptr && first_result(*engine) == right);
  Reading broken(plan.bytes);
  broken.fails = true;
  REFUSED(runtime->deserializeCudaEngine(broken));
  Written full;
  full.failing = true;
  REFUSED(built.builder->buildSerializedNetworkToStream(*built.network, *built.config, full));
  runtime->setErrorRecorder(nullptr);
}

class Ending : public IProgressMonitor {
 public:
  void phaseStart(char const*, char const*, int32_t) override { ++open; }
  bool stepComplete(char const*, int32_t) override { return false; }
  void phaseFinish(char const*) override { --open; }
  int open = 0;
};

void flags_and_monitors(float right) {
  Built built;
  ITensor* y = two_layers(built);
  built.config->setFlag(BuilderFlag::kVERSION_COMPATIBLE);
  built.config->setFlag(BuilderFlag::kEXCLUDE_LEAN_RUNTIME);
  std::unique_ptr<IHostMemory> plan(built.build(y));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setEngineHostCodeAllowed(true);
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT(engine != nullptr && first_result(*engine) == right);
  Ending monitor;
  built.config->setProgressMonitor(&monitor);
  REFUSED(std::unique_ptr<IHostMemory>(built.builder->buildSerializedNetwork(*built.network, *built.config)) !=
          nullptr);
  EXPECT(monitor.open == 0);
}

void what_is_not_there(const IHostMemory& plan) {
  Built built;
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan.data(), plan.size()));
  EXPECT(engine->getStreamableWeightsSize() == 0 && engine->getWeightStreamingBudgetV2() == 0 &&
         engine->getMinimumWeightStreamingBudget() == 0 && engine->getWeightStreamingAutomaticBudget() == 0 &&
         engine->getWeightStreamingScratchMemorySize() == 0 && !engine->setWeightStreamingBudgetV2(100));
  EXPECT(logged("not streamed"));
  EXPECT(built.builder->getNbDLACores() == 0 && runtime->getNbDLACores() == 0 && runtime->getDLACore() == -1);
  ILayer* relu = built.network->addActivation(*built.x, ActivationType::kRELU);
  EXPECT(!built.config->canRunOnDLA(relu));
  built.config->setDeviceType(relu, DeviceType::kDLA);
  EXPECT(logged("0 DLA cores") && built.config->getDeviceType(relu) == DeviceType::kGPU);
  runtime->setDLACore(0);
  EXPECT(logged("there are 0") && runtime->getDLACore() == -1);
  built.config->setEngineCapability(EngineCapability::kSAFETY);
  EXPECT(logged("standard capability") && engine->getEngineCapability() == EngineCapability::kSTANDARD);
  EXPECT(!built.network->markDebug(*built.x) && logged("debug") && !engine->isDebugTensor("x"));
}

// A recorder that keeps one error at a time.
void recorders() {
  Built built;
  recorder.clear();
  EXPECT(built.network->addInput(nullptr, DataType::kFLOAT, Dims2{1, 2}) == nullptr && recorder.getNbErrors() == 1);
  EXPECT(std::string(recorder.getErrorDesc(0)).find("name") != std::string::npos);
  EXPECT(built.network->getErrorRecorder() == &recorder);
  built.network->getErrorRecorder()->clear();
  EXPECT(recorder.getNbErrors() == 0);
  built.network->setErrorRecorder(nullptr);
  EXPECT(built.network->addInput(nullptr, DataType::kFLOAT, Dims2{1, 2}) == nullptr && recorder.getNbErrors() == 0);
}

}  // namespace

int main() {
  Built built;
  std::unique_ptr<IHostMemory> plan(built.build(two_layers(built)));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  const float right = first_result(*engine);
  EXPECT(right > 0);
  allocators(*plan, right);
  streams(right);
  flags_and_monitors(right);
  what_is_not_there(*plan);
  recorders();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
