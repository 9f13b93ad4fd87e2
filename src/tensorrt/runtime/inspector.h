#pragma once
// IEngineInspector: what the steps of a plan are.

#include <memory>
#include <string>

#include "tensorrt/runtime/loaded_plan.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

class InspectorImpl final : public nvinfer1::IEngineInspector {
 public:
  InspectorImpl(std::shared_ptr<const LoadedPlan> plan, const Reporter& reporter)
      : plan_(std::move(plan)), reporter_(reporter) {}
  bool setExecutionContext(nvinfer1::IExecutionContext const* context) override { return context_ = context, true; }
  nvinfer1::IExecutionContext const* getExecutionContext() const override { return context_; }
  char const* getLayerInformation(int32_t index, nvinfer1::LayerInformationFormat format) const override;
  char const* getEngineInformation(nvinfer1::LayerInformationFormat format) const override;
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  void destroy() override { delete this; }

 private:
  int32_t profile() const { return context_ == nullptr ? 0 : context_->getOptimizationProfile(); }
  std::string layer(int32_t index, bool json) const;
  std::string bindings(bool json) const;

  std::shared_ptr<const LoadedPlan> plan_;
  Reporter reporter_;
  nvinfer1::IExecutionContext const* context_ = nullptr;
  mutable std::string text_;
};

}  // namespace planish::tensorrt
