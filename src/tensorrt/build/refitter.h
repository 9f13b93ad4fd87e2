#pragma once
// IRefitter: the network that a plan carries is given other constants and built again, by the same timings.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "planish/planish.hpp"
#include "tensorrt/runtime/engine.h"

namespace planish::tensorrt {

class RefitterImpl final : public nvinfer1::IRefitter {
 public:
  // Error where the engine cannot be refitted.
  RefitterImpl(EngineImpl& engine, nvinfer1::ILogger* logger);

  bool setWeights(char const* layer, nvinfer1::WeightsRole role, nvinfer1::Weights weights) override;
  bool refitCudaEngine() override;
  bool refitCudaEngineAsync(cudaStream_t) override { return refitCudaEngine(); }
  // Weights that were not set keep their values; of a plan without weights all are missing.
  int32_t getMissing(int32_t size, char const** layers, nvinfer1::WeightsRole* roles) override;
  int32_t getAll(int32_t size, char const** layers, nvinfer1::WeightsRole* roles) override;
  bool setNamedWeights(char const* name, nvinfer1::Weights weights) override;
  bool setNamedWeights(char const* name, nvinfer1::Weights weights, nvinfer1::TensorLocation) override {
    return setNamedWeights(name, weights);
  }
  nvinfer1::Weights getNamedWeights(char const* name) const override;
  nvinfer1::TensorLocation getWeightsLocation(char const*) const override { return nvinfer1::TensorLocation::kHOST; }
  bool unsetNamedWeights(char const* name) override;
  nvinfer1::Weights getWeightsPrototype(char const* name) const override;
  int32_t getMissingWeights(int32_t size, char const** names) override;
  int32_t getAllWeights(int32_t size, char const** names) override;
  void setWeightsValidation(bool on) override { validation_ = on; }
  bool getWeightsValidation() const override { return validation_; }
  // Ranges of tensors take no part in what is built here.
  bool setDynamicRange(char const*, float, float) override { return false; }
  float getDynamicRangeMin(char const*) const override;
  float getDynamicRangeMax(char const* name) const override { return getDynamicRangeMin(name); }
  int32_t getTensorsWithDynamicRange(int32_t, char const**) const override { return 0; }
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  nvinfer1::ILogger* getLogger() const override { return reporter_.logger(); }
  bool setMaxThreads(int32_t threads) override;
  int32_t getMaxThreads() const override { return threads_; }
  void destroy() override { delete this; }

  // Takes all constants of these names from a model's network, which is kept; false: it lacks some.
  bool take(Network model);
  const Reporter& reporter() const { return reporter_; }

 private:
  void give(const std::string& constant, nvinfer1::Weights weights);
  const RefitRecord::Weights* find(const std::string& name) const;  // by the caller's name; null: none
  bool is_missing(const RefitRecord::Weights& known) const;

  std::shared_ptr<SharedPlan> shared_;  // the engine may be gone
  std::shared_ptr<EngineDevice> device_;
  Reporter reporter_;
  RefitRecord record_;
  Network network_;
  std::map<std::string, nvinfer1::Weights> given_;  // by constant
  std::vector<Network> models_;
  int32_t threads_ = 1;
  bool validation_ = true;
};

}  // namespace planish::tensorrt
