#pragma once
// Running an engine for a while, on one or several streams.

#include <list>
#include <map>
#include <memory>
#include <vector>

#include "NvInferRuntime.h"
#include "trtexec/report.h"
#include "trtexec/tensors.h"

namespace planish::trtexec {

// Contexts with memory, ready to run.
class Inference {
 public:
  // The profiler, if any, is told of the first context's layers.
  Inference(const Options& options, nvinfer1::ICudaEngine& engine);

  // Warm-ups included, in the order of their starts.
  std::vector<Trace> run(nvinfer1::IProfiler* profiler);
  nvinfer1::IExecutionContext* first() const { return contexts_.front().get(); }
  const Tensors& outputs() const { return tensors_.front(); }

 private:
  void make_context();

  const Options& options_;
  nvinfer1::ICudaEngine& engine_;
  std::list<DeviceMemory> scratch_;
  std::vector<std::unique_ptr<nvinfer1::IExecutionContext>> contexts_;
  std::list<std::map<std::string, std::vector<int64_t>>> shape_values_;
  std::list<Tensors> tensors_;
};

}  // namespace planish::trtexec
