#pragma once
// A Caffe network read into a network of the interface: its layers, those that plugins make, and its blobs.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "NvCaffeParser.h"
#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// Who makes plugins of layers.
struct CaffePlugins {
  nvcaffeparser1::IPluginFactory* first = nullptr;
  nvcaffeparser1::IPluginFactoryExt* first_ext = nullptr;
  nvcaffeparser1::IPluginFactoryV2* second = nullptr;
  std::string space;

  bool any() const { return first != nullptr || first_ext != nullptr || second != nullptr; }
};

// Values of plugins' layers; plugins may point to them as long as the parser lives.
using CaffeWeights = std::deque<std::vector<float>>;

// The tensors of one network's blobs. A vector of an implicit batch has three axes, [values, 1, 1], as full connections
// give it.
class CaffeBlobs final : public nvcaffeparser1::IBlobNameToTensor {
 public:
  explicit CaffeBlobs(NetworkImpl& network) : network_(network) {}
  nvinfer1::ITensor* find(char const* name) const override;
  // Takes the tensors that the network has since then, and calls them as their values are called.
  void take_since(const NetworkImpl::Mark& mark);

 private:
  nvinfer1::ITensor* constant(const std::string& name) const;
  nvinfer1::ITensor* shown(TensorImpl& tensor) const;
  NetworkImpl& network_;
  std::map<std::string, TensorImpl*> tensors_;
  mutable std::map<std::string, nvinfer1::ITensor*> found_;
};

// Text, or the path of a file where `bytes` is null.
struct CaffeText {
  const char* name;
  const void* bytes;
  size_t size;
};

struct CaffeModel {
  CaffeText text;
  const CaffeText* weights;  // null: random values
  bool half_weights;
};

// Throws Error, or what a factory threw; then the network is as it was.
std::unique_ptr<CaffeBlobs> read_caffe(NetworkImpl& network, const CaffeModel& model, const CaffePlugins& plugins,
                                       CaffeWeights& kept);

}  // namespace planish::tensorrt
