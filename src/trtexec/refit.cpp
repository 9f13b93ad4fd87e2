// Weights from another file than the engine's.

#include <chrono>
#include <vector>

#include "NvOnnxParser.h"
#include "trtexec/engine.h"
#include "trtexec/logger.h"

namespace planish::trtexec {
namespace {

void print_weights(nvinfer1::IRefitter& refitter) {
  static constexpr const char* kRoles[] = {"Kernel", "Bias", "Shift", "Scale", "Constant", "Any"};
  const int count = refitter.getAll(0, nullptr, nullptr);
  std::vector<const char*> layers(static_cast<size_t>(count));
  std::vector<nvinfer1::WeightsRole> roles(layers.size());
  refitter.getAll(count, layers.data(), roles.data());
  for (size_t i = 0; i < layers.size(); ++i) info("{} {}", layers[i], kRoles[static_cast<size_t>(roles[i])]);
}

void refit_from(const std::string& path, nvinfer1::IRefitter& refitter) {
  info("Refitting engine from ONNX model {}", path);
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<nvonnxparser::IParserRefitter> parser(nvonnxparser::createParserRefitter(refitter, logger()));
  require(parser != nullptr && parser->refitFromFile(path.c_str()) && refitter.refitCudaEngine(),
          "{}: the engine does not take its weights", path);
  info("Engine successfully refitted from ONNX model {} in {:g} sec.", path,
       std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

void refit(const Options& options, nvinfer1::ICudaEngine& engine) {
  if (!options.dump_refit && options.refit_model.empty()) return;
  require(engine.isRefittable(), "weights of this engine cannot be exchanged; --refit builds one that lets them");
  const std::unique_ptr<nvinfer1::IRefitter> refitter(nvinfer1::createInferRefitter(engine, logger()));
  require(refitter != nullptr, "the refitter cannot be made");
  if (options.dump_refit) print_weights(*refitter);
  if (!options.refit_model.empty()) refit_from(options.refit_model, *refitter);
}

}  // namespace planish::trtexec
