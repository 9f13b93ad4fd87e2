// INT8 of a network by calls: a calibrator that is asked once and its cache from then on, dynamic ranges, and a layer
// that is kept in fp32.

#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "implementers.h"

using namespace nvinfer1;
using namespace implementers;

namespace {

constexpr int kCount = 3 * 8 * 8, kBatches = 12;
int failures = 0;
Logger logger;

void expect(bool condition, const char* what) {
  if (condition) return;
  ++failures;
  std::printf("not so: %s\n", what);
  for (const std::string& line : logger.lines) std::printf("  log: %s\n", line.c_str());
}

std::vector<float> drawn(int count, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(bits);
  return values;
}

class NormalBatches : public IInt8EntropyCalibrator2 {
 public:
  int32_t getBatchSize() const noexcept override { return 1; }
  bool getBatch(void* bindings[], char const* names[], int32_t count) noexcept override {
    if (count != 1 || std::string(names[0]) != "x" || batches == kBatches) return false;
    batch_ = drawn(kCount, static_cast<unsigned>(++batches));
    bindings[0] = batch_.data();
    return true;
  }
  void const* readCalibrationCache(size_t& length) noexcept override {
    length = cache.size();
    return cache.empty() ? nullptr : cache.data();
  }
  void writeCalibrationCache(void const* bytes, size_t length) noexcept override {
    cache.assign(static_cast<const char*>(bytes), length);
  }

  int batches = 0;
  std::string cache;

 private:
  std::vector<float> batch_;
};

Weights weights_of(const std::vector<float>& values) {
  return Weights{DataType::kFLOAT, values.data(), static_cast<int64_t>(values.size())};
}

struct Settings {
  NormalBatches* calibrator = nullptr;
  bool int8 = false, ranges = false, first_fp32 = false;
};

std::vector<float> run(const Settings& settings) {
  static const std::vector<float> w1 = drawn(8 * 3 * 9, 100), b1 = drawn(8, 101), w2 = drawn(4 * 8, 102), none;
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(NV_TENSORRT_MAJOR >= 10 ? 0 : 1U));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setBuilderOptimizationLevel(0);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 3, 8, 8});
  IConvolutionLayer* first = network->addConvolutionNd(*x, 8, Dims2{3, 3}, weights_of(w1), weights_of(b1));
  ITensor* relu = network->addActivation(*first->getOutput(0), ActivationType::kRELU)->getOutput(0);
  relu->setName("relu");
  ITensor* y = network->addConvolutionNd(*relu, 4, Dims2{1, 1}, weights_of(w2), weights_of(none))->getOutput(0);
  y->setName("y");
  network->markOutput(*y);
  if (settings.int8) config->setFlag(BuilderFlag::kINT8);
  config->setInt8Calibrator(settings.calibrator);
  if (settings.ranges) expect(x->setDynamicRange(-4, 4) && relu->setDynamicRange(-20, 20), "ranges are taken");
  if (settings.first_fp32) first->setPrecision(DataType::kFLOAT);
  std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  if (engine == nullptr) return {};
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> in = drawn(kCount, 7), out(4 * 6 * 6);
  void* bindings[2] = {in.data(), out.data()};
  return context->executeV2(bindings) ? out : std::vector<float>();
}

// |a - b| / |b|; 1 where one is missing.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size() || a.empty()) return 1;
  double off = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    off += std::pow(double{a[i]} - double{b[i]}, 2);
    all += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(off / all);
}

}  // namespace

int main() {
  const std::vector<float> exact = run({});
  const auto is_int8 = [&](const std::vector<float>& found) {
    return distance(found, exact) > 1e-4 && distance(found, exact) < 0.1;
  };
  NormalBatches calibrator;
  const std::vector<float> first = run({&calibrator, true, false, false});
  expect(calibrator.batches == kBatches, "every batch is asked for");
  expect(calibrator.cache.rfind("TRT-8601-EntropyCalibration2\n", 0) == 0, "the cache has its header");
  expect(calibrator.cache.find("\nx: ") != std::string::npos && calibrator.cache.find("\nrelu: ") != std::string::npos,
         "the cache has the tensors");
  expect(is_int8(first), "calibrated: close to fp32, and not the same");
  expect(run({&calibrator, true, false, false}) == first && calibrator.batches == kBatches, "the cache serves");
  expect(is_int8(run({nullptr, true, true, false})), "dynamic ranges");
  const double wider = distance(run({&calibrator, true, false, true}), exact);
  expect(wider < distance(first, exact), "a layer in fp32 loses less");
  NormalBatches other;
  other.cache = "TRT-8601-EntropyCalibration2\nimage: 3c010a14\n";
  logger.lines.clear();
  expect(run({&other, true, false, false}).empty() && other.batches == 0, "a cache of another network is refused");
  bool named = false;
  for (const std::string& line : logger.lines)
    named = named || (line.find("'x'") != std::string::npos && line.find("'image'") != std::string::npos);
  expect(named, "the names that differ are named");
  other.cache = "TRT-8601-MinMaxCalibration\nx: 3c010a14\n";
  expect(is_int8(run({&other, true, false, false})) && other.batches == kBatches,
         "a cache of another method is not used");
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
