#pragma once
// Inputs and outputs of one context: their memory on host and device, and what is in it.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "NvInferRuntime.h"
#include "trtexec/cuda.h"
#include "trtexec/options.h"

namespace planish::trtexec {

class Tensors {
 public:
  // The context's shapes are set. Inputs are filled from files or with random values.
  Tensors(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext& context);
  ~Tensors();

  void copy_inputs(cudaStream_t stream) const;
  void copy_outputs(cudaStream_t stream) const;
  // Waits. Outputs whose extents data decides come to the host here alone.
  void fetch_outputs() const;

  std::string text_of_outputs() const;
  std::string json_of_outputs() const;
  void write_raw() const;  // a file a tensor

 private:
  class LateOutput;
  struct Tensor {
    std::string name;
    nvinfer1::DataType type;
    bool is_input = false;
    nvinfer1::Dims dims;
    size_t bytes = 0;
    HostMemory own_host;
    DeviceMemory own_device;
    void* host = nullptr;
    void* device = nullptr;
    std::unique_ptr<LateOutput> late;
  };

  Tensor make(const char* name, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext& context) const;
  static std::string values_of(const Tensor& tensor, const char* separator);

  const Options& options_;
  std::vector<Tensor> tensors_;
};

// Of the context's inputs, from --shapes; where that names none, dynamic extents are 1. Throws Failure for names that
// the engine has not.
void set_shapes(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext& context,
                std::map<std::string, std::vector<int64_t>>& shape_values);

}  // namespace planish::trtexec
