// Memory for intermediate values that the caller gives: how much each profile needs, what is used after the profile
// has changed.

#include <algorithm>

#include "program.h"

namespace {

constexpr int kChannels = 8, kSide = 12, kLargeBatch = 5;
constexpr size_t kImage = kChannels * kSide * kSide;
constexpr unsigned char kUntouched = 0xa5;

// y = conv(relu(conv(x))) of a batch of 1 in profile 0, of up to 5 in profile 1.
std::unique_ptr<IHostMemory> two_profiles() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network = explicit_network(*builder);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setBuilderOptimizationLevel(0);
  std::vector<float> kernel(kChannels * kChannels * 9);
  for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i % 5) - 2;
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{-1, kChannels, kSide, kSide});
  const auto conv = [&](ITensor* in) {
    IConvolutionLayer* layer = network->addConvolutionNd(*in, kChannels, Dims2{3, 3}, weights_of(kernel), kNone);
    layer->setPaddingNd(Dims2{1, 1});
    return layer->getOutput(0);
  };
  ITensor* y = conv(network->addActivation(*conv(x), ActivationType::kRELU)->getOutput(0));
  y->setName("y");
  network->markOutput(*y);
  for (int batch : {1, kLargeBatch}) {
    IOptimizationProfile* profile = builder->createOptimizationProfile();
    for (auto select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
      profile->setDimensions("x", select,
                             Dims4{select == OptProfileSelector::kMIN ? 1 : batch, kChannels, kSide, kSide});
    config->addOptimizationProfile(profile);
  }
  return std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config));
}

// 64-byte aligned, and whether something was written there.
class Memory {
 public:
  explicit Memory(int64_t bytes) : bytes_(static_cast<size_t>(bytes)), storage_(bytes_ + 64, kUntouched) {}
  void* data() { return storage_.data() + (64 - reinterpret_cast<uintptr_t>(storage_.data()) % 64) % 64; }
  int64_t bytes() const { return static_cast<int64_t>(bytes_); }
  bool was_written() {
    const bool written = std::any_of(storage_.begin(), storage_.end(), [](unsigned char c) { return c != kUntouched; });
    std::fill(storage_.begin(), storage_.end(), kUntouched);
    return written;
  }

 private:
  size_t bytes_;
  std::vector<unsigned char> storage_;
};

// Empty: it was refused.
std::vector<float> scores(IExecutionContext& context, int batch) {
  std::vector<float> x(static_cast<size_t>(batch) * kImage), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
  const bool done = context.setInputShape("x", Dims4{batch, kChannels, kSide, kSide}) &&
                    context.setTensorAddress("x", x.data()) && context.setTensorAddress("y", y.data()) &&
                    context.enqueueV3(nullptr);
  return done ? y : std::vector<float>{};
}

void profiles_and_memory(ICudaEngine& engine) {
  std::unique_ptr<IExecutionContext> usual(engine.createExecutionContext());
  const std::vector<float> one = scores(*usual, 1);
  EXPECT(usual->setOptimizationProfileAsync(1, nullptr));
  const std::vector<float> five = scores(*usual, kLargeBatch);
  EXPECT(one.size() == kImage && five.size() == kLargeBatch * kImage);

  Memory small(engine.getDeviceMemorySizeForProfileV2(0)), large(engine.getDeviceMemorySizeForProfileV2(1));
  EXPECT(small.bytes() > 0 && small.bytes() < large.bytes() && engine.getDeviceMemorySizeV2() == large.bytes());
  std::unique_ptr<IExecutionContext> context(
      engine.createExecutionContext(ExecutionContextAllocationStrategy::kUSER_MANAGED));
  EXPECT(scores(*context, 1).empty() && logged("setDeviceMemory"));  // none yet

  context->setDeviceMemoryV2(small.data(), small.bytes());
  EXPECT(scores(*context, 1) == one && small.was_written());
  EXPECT(context->setOptimizationProfileAsync(1, nullptr));  // which needs more than there is
  EXPECT(scores(*context, kLargeBatch).empty() && logged("setDeviceMemory") && !small.was_written());
  context->setDeviceMemoryV2(small.data(), small.bytes());
  EXPECT(logged("bytes") && scores(*context, kLargeBatch).empty() && !small.was_written());

  context->setDeviceMemoryV2(large.data(), large.bytes());
  EXPECT(scores(*context, kLargeBatch) == five && large.was_written() && !small.was_written());
  EXPECT(context->setOptimizationProfileAsync(0, nullptr));  // which needs less
  EXPECT(scores(*context, 1) == one && large.was_written() && !small.was_written());
  EXPECT(scores(*context, kLargeBatch).empty() && logged("profile 0 accepts"));

  context->setDeviceMemory(large.data());  // of a size that the caller answers for
  EXPECT(context->setOptimizationProfileAsync(1, nullptr));
  EXPECT(scores(*context, kLargeBatch) == five && large.was_written());
}

}  // namespace

int main() {
  const std::unique_ptr<IHostMemory> plan = two_profiles();
  EXPECT(plan != nullptr);
  if (plan != nullptr) {
    std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
    std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
    profiles_and_memory(*engine);
  }
  if (failures > 0)
    for (const std::string& line : logger.lines) std::printf("log: %s\n", line.c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
