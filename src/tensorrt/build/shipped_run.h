#pragma once
// A plugin of the library run by itself: callers put one into a plugin of their own, and call it as their own.

#include <memory>
#include <mutex>

#include "tensorrt/build/shipped_plugin.h"

namespace planish::tensorrt {

class ShippedRun {
 public:
  // Behind what the stream has, for operands of these extents; 0, or 1 and a line in the log. Memory is that of the
  // device on which engines of this process run. Its results have the extents that `infer` tells.
  int32_t enqueue(const ShippedKind& kind, const nvinfer1::PluginTensorDesc* operands, size_t count,
                  const void* const* inputs, void* const* outputs, cudaStream_t stream) noexcept;

 private:
  struct Made;
  void run(const ShippedKind& kind, const std::vector<TensorType>& types, const void* const* inputs,
           void* const* outputs, cudaStream_t stream);

  std::mutex mutex_;
  std::string types_;  // that it was made for
  std::shared_ptr<Made> made_;
};

}  // namespace planish::tensorrt
