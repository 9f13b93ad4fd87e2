#pragma once
// IAlgorithmSelector: the program chooses among the candidates that a build has timed.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "tensorrt/build/timing_cache.h"
#include "tensorrt/runtime/loaded_plan.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

// An operand or result as the network has it: dense. How it lies in memory is decided between the candidates of all
// nodes.
struct AlgorithmIo final : nvinfer1::IAlgorithmIOInfo {
  AlgorithmIo(nvinfer1::DataType type, const Extents& extents);
  nvinfer1::TensorFormat getTensorFormat() const override { return nvinfer1::TensorFormat::kLINEAR; }
  nvinfer1::DataType getDataType() const override { return type; }
  nvinfer1::Dims getStrides() const override { return strides; }
  int64_t getVectorizedDim() const override { return -1; }
  int64_t getComponentsPerElement() const override { return 1; }

  nvinfer1::DataType type;
  nvinfer1::Dims dims, strides;
};

// A node of the plan: operands but for constants, then results, with the extents that it is tuned for.
struct AlgorithmNode final : nvinfer1::IAlgorithmContext {
  char const* getName() const override { return name.c_str(); }
  nvinfer1::Dims getDimensions(int32_t index, nvinfer1::OptProfileSelector) const override;
  int32_t getNbInputs() const override { return inputs; }
  int32_t getNbOutputs() const override { return static_cast<int32_t>(ios.size()) - inputs; }
  const AlgorithmIo* at(int32_t index) const;

  std::string name, key;
  int32_t inputs = 0;
  std::deque<AlgorithmIo> ios;
};

// A candidate: implementation is its kernel, tactic how it is used. Its workspace is a part of the plan's arena.
struct Algorithm final : nvinfer1::IAlgorithm, nvinfer1::IAlgorithmVariant {
  Algorithm(const AlgorithmNode& node, const CandidateReport& report)
      : node(&node), candidate(report.candidate), microseconds(report.microseconds) {}
  nvinfer1::IAlgorithmIOInfo const& getAlgorithmIOInfo(int32_t index) const override;
  nvinfer1::IAlgorithmIOInfo const* getAlgorithmIOInfoByIndex(int32_t index) const override { return node->at(index); }
  nvinfer1::IAlgorithmVariant const& getAlgorithmVariant() const override { return *this; }
  float getTimingMSec() const override { return static_cast<float>(microseconds / 1e3); }
  size_t getWorkspaceSize() const override { return 0; }
  int64_t getImplementation() const override;
  int64_t getTactic() const override;

  const AlgorithmNode* node;
  std::string candidate;
  double microseconds;
};

class Selection {
 public:
  Selection(nvinfer1::IAlgorithmSelector& selector, bool empty_is_error)
      : selector_(selector), empty_is_error_(empty_is_error) {}
  // Asks about every node of the plan that was timed, and has `timings` choose. False: nothing was narrowed.
  bool choose(const std::vector<TunedNode>& tuned, const LoadedPlan& plan, Timings& timings) const;
  // Says what computes the nodes of the plan.
  void report(const std::vector<TunedNode>& tuned, const LoadedPlan& plan) const;

 private:
  nvinfer1::IAlgorithmSelector& selector_;
  bool empty_is_error_;
};

}  // namespace planish::tensorrt
