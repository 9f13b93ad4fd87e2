// What programs share that go wrong on purpose: calls that must fail, a network to fail with.
#ifndef PLANISH_TESTS_REFUSED_H
#define PLANISH_TESTS_REFUSED_H

#include "program.h"

static Recorder recorder;

// A result that means failure, a line of an error and a report of it.
#define REFUSED(call)                                                        \
  do {                                                                       \
    const size_t lines = logger.lines.size(), told = recorder.errors.size(); \
    EXPECT(!(call));                                                         \
    EXPECT(logger.lines.size() > lines);                                     \
    EXPECT(recorder.errors.size() == told + 1);                              \
  } while (false)

inline Dims dims_of(std::initializer_list<int> extents, int rank = -1) {
  Dims dims = Dims2();
  int i = 0;
  for (int extent : extents) dims.d[i++] = extent;
  dims.nbDims = rank == -1 ? i : rank;
  return dims;
}

struct Built {
  std::unique_ptr<IBuilder> builder{createInferBuilder(logger)};
  std::unique_ptr<INetworkDefinition> network{explicit_network(*builder)};
  std::unique_ptr<IBuilderConfig> config;
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 3, 4});
  Built() {
    builder->setErrorRecorder(&recorder);
    network->setErrorRecorder(&recorder);
    config.reset(builder->createBuilderConfig());  // which tells the builder's recorder
    config->setBuilderOptimizationLevel(0);
  }
  IHostMemory* build(ITensor* output) {
    if (output == nullptr) return nullptr;
    output->setName("y");
    network->markOutput(*output);
#if NV_TENSORRT_MAJOR >= 8
    return builder->buildSerializedNetwork(*network, *config);
#else
    std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
    return engine == nullptr ? nullptr : engine->serialize();
#endif
  }
};

#endif
