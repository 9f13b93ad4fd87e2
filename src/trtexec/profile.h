#pragma once
// Times of layers: --dumpProfile and --exportProfile.

#include <string>
#include <vector>

#include "NvInferRuntime.h"

namespace planish::trtexec {

// Layers come in the same order at every execution; equal names are layers of their own.
class Profiler final : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(char const* name, float milliseconds) override;
  std::string table() const;
  std::string json() const;

 private:
  struct Layer {
    std::string name;
    std::vector<double> times;
    double total() const;
    double median() const;
  };
  double total() const;

  std::vector<Layer> layers_;
  size_t next_ = 0;  // the layer that is expected; the first ends an execution
  size_t runs_ = 0;
};

}  // namespace planish::trtexec
