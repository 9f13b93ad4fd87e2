// Networks of a layer or a few, run and compared with answers that are known: x is 1x2x2x3, 0 to 11.
#ifndef PLANISH_TESTS_LAYER_CHECK_H
#define PLANISH_TESTS_LAYER_CHECK_H

#include <functional>

#include "program.h"

namespace layer_check {

using Add = std::function<ITensor*(INetworkDefinition&, ITensor&)>;

inline std::vector<float> run(const Add& add) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const std::unique_ptr<INetworkDefinition> network = explicit_network(*builder);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setBuilderOptimizationLevel(0);
  config->clearFlag(BuilderFlag::kTF32);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 2, 3});
  ITensor* y = add(*network, *x);
  if (y == nullptr) return {};
  y->setName("y");
  y->setType(DataType::kFLOAT);
  network->markOutput(*y);
  std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  if (engine == nullptr) return {};
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> in(12), out(4096, -77);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  void* bindings[2] = {in.data(), out.data()};
  if (!context->executeV2(bindings)) return {};
  const Dims dims = context->getBindingDimensions(1);
  size_t count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= static_cast<size_t>(dims.d[i]);
  out.resize(count);
  return out;
}

inline void expect(const char* what, const Add& add, const std::vector<float>& right) {
  const size_t before = logger.lines.size();
  const std::vector<float> found = run(add);
  bool same = found.size() == right.size();
  for (size_t i = 0; same && i < right.size(); ++i)
    same = std::fabs(found[i] - right[i]) <= 1e-4F * (1 + std::fabs(right[i]));
  if (same) return;
  ++failures;
  std::printf("%s: %zu values:", what, found.size());
  for (float value : found) std::printf(" %g", static_cast<double>(value));
  std::printf("\n");
  for (size_t i = before; i < logger.lines.size(); ++i) std::printf("  log: %s\n", logger.lines[i].c_str());
}

inline ITensor* constant(INetworkDefinition& net, const Dims& dims, const std::vector<float>& values) {
  return net.addConstant(dims, weights_of(values))->getOutput(0);
}
inline ITensor* integers(INetworkDefinition& net, const Dims& dims, const std::vector<int32_t>& values) {
  return net.addConstant(dims, Weights{DataType::kINT32, values.data(), static_cast<int64_t>(values.size())})
      ->getOutput(0);
}
inline Dims one(int extent) {
  Dims dims = Dims2();
  dims.nbDims = 1;
  dims.d[0] = extent;
  return dims;
}
inline Dims scalar() {
  Dims dims = Dims2();
  dims.nbDims = 0;
  return dims;
}

}  // namespace layer_check

#endif
