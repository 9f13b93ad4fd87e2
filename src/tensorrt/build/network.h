#pragma once
// INetworkDefinition. Layers are records; they become nodes of a planish::Network when something asks for extents or
// types, and at the build. A setter takes back what was made of its layer and of all that was made later.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "tensorrt/runtime/enums.h"
#include "tensorrt/runtime/plugin_session.h"
#include "tensorrt/runtime/refit_record.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {

class BuilderImpl;
class LayerCore;
class NetworkImpl;

class TensorImpl final : public nvinfer1::ITensor {
 public:
  TensorImpl(NetworkImpl& network, LayerCore* producer, int index)
      : network(network), producer(producer), index(index) {}

  void setName(char const* text) override;
  char const* getName() const override;
  void setDimensions(nvinfer1::Dims const& dims) override;
  nvinfer1::Dims getDimensions() const override;
  void setType(nvinfer1::DataType type) override;
  nvinfer1::DataType getType() const override;
  bool setDynamicRange(float min, float max) override;
  float getDynamicRange() const override;
  bool dynamicRangeIsSet() const override { return range_set; }
  void resetDynamicRange() override { range_set = false; }
  float getDynamicRangeMin() const override { return range_set ? range_min : no_range(); }
  float getDynamicRangeMax() const override { return range_set ? range_max : no_range(); }
  bool isNetworkInput() const override { return is_input; }
  bool isNetworkOutput() const override;
  void setBroadcastAcrossBatch(bool on) override { broadcast = on; }
  bool getBroadcastAcrossBatch() const override { return broadcast; }
  nvinfer1::TensorLocation getLocation() const override { return location; }
  void setLocation(nvinfer1::TensorLocation where) override;
  void setAllowedFormats(nvinfer1::TensorFormats allowed) override;
  nvinfer1::TensorFormats getAllowedFormats() const override { return formats; }
  bool isShapeTensor() const override;
  bool isExecutionTensor() const override { return !isShapeTensor(); }
  void setDimensionName(int32_t axis, char const* text) override;
  char const* getDimensionName(int32_t axis) const override;

  NetworkImpl& network;
  LayerCore* producer;  // null: an input
  int index;            // of the producer's results, of the network's inputs
  std::string name;
  Value value;  // once there are nodes
  bool is_input = false;
  Extents extents;  // of an input, as given
  nvinfer1::DataType type = nvinfer1::DataType::kFLOAT;
  bool type_set = false;
  bool type_by_layer = false;  // it was ILayer::setOutputType that set it
  // Storage that the caller would have for floats, which no result depends on: inside, the tuner decides; outside of
  // the network they are kFLOAT unless ITensor::setType says so.
  bool is_wish(DataType found) const;
  std::map<int32_t, std::string> dimension_names;
  float range_min = 0, range_max = 0;
  bool range_set = false, broadcast = false;
  nvinfer1::TensorLocation location = nvinfer1::TensorLocation::kDEVICE;
  nvinfer1::TensorFormats formats = 1;

 private:
  static float no_range();
};

// network.cpp has the interface, network_nodes.cpp makes nodes of layers, network_import.cpp layers of nodes; add*
// stand with the layers that they add (layers_*.cpp).
class NetworkImpl final : public nvinfer1::INetworkDefinition {
 public:
  NetworkImpl(nvinfer1::IBuilder& builder, const Reporter& reporter, nvinfer1::NetworkDefinitionCreationFlags flags,
              bool implicit);
  ~NetworkImpl() override;

  nvinfer1::ITensor* addInput(char const* name, nvinfer1::DataType type, nvinfer1::Dims const& dims) override;
  void markOutput(nvinfer1::ITensor& tensor) override;
  void unmarkOutput(nvinfer1::ITensor& tensor) override;
  bool markOutputForShapes(nvinfer1::ITensor& tensor) override;
  bool unmarkOutputForShapes(nvinfer1::ITensor& tensor) override;
  void removeTensor(nvinfer1::ITensor& tensor) override;
  bool markDebug(nvinfer1::ITensor&) override;  // there are no debug tensors
  bool unmarkDebug(nvinfer1::ITensor&) override { return true; }
  bool isDebugTensor(nvinfer1::ITensor const&) const override { return false; }
  bool markUnfusedTensorsAsDebugTensors() override { return false; }
  bool unmarkUnfusedTensorsAsDebugTensors() override { return true; }

#include "tensorrt/build/network_add.inc"

  int32_t getNbLayers() const override { return static_cast<int32_t>(layers_.size()); }
  nvinfer1::ILayer* getLayer(int32_t index) const override;
  int32_t getNbInputs() const override { return static_cast<int32_t>(inputs_.size()); }
  nvinfer1::ITensor* getInput(int32_t index) const override;
  int32_t getNbOutputs() const override { return static_cast<int32_t>(outputs_.size()); }
  nvinfer1::ITensor* getOutput(int32_t index) const override;
  void setName(char const* name) override { name_ = name == nullptr ? "" : name; }
  char const* getName() const override { return name_.c_str(); }
  bool hasImplicitBatchDimension() const override { return implicit_; }
  bool hasExplicitPrecision() const override {
    return getFlag(nvinfer1::NetworkDefinitionCreationFlag::kEXPLICIT_PRECISION);
  }
  nvinfer1::NetworkDefinitionCreationFlags getFlags() const override { return flags_; }
  bool getFlag(nvinfer1::NetworkDefinitionCreationFlag flag) const override {
    return reporter_.guard("INetworkDefinition::getFlag", false, [&] { return (flags_ & bit_of(flag)) != 0; });
  }
  bool setWeightsName(nvinfer1::Weights weights, char const* name) override;
  bool markWeightsRefittable(char const* name) override { return name != nullptr && refittable_.insert(name).second; }
  bool unmarkWeightsRefittable(char const* name) override { return name != nullptr && refittable_.erase(name) > 0; }
  bool areWeightsMarkedRefittable(char const* name) const override {
    return name != nullptr && refittable_.count(name) > 0;
  }
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  nvinfer1::IBuilder& getBuilder() const override { return builder_; }
  void setPoolingOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) override;
  nvinfer1::IOutputDimensionsFormula& getPoolingOutputDimensionsFormula() const override;
  void setConvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) override;
  nvinfer1::IOutputDimensionsFormula& getConvolutionOutputDimensionsFormula() const override;
  void setDeconvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) override;
  nvinfer1::IOutputDimensionsFormula& getDeconvolutionOutputDimensionsFormula() const override;
  void destroy() override { delete this; }

  // --- for layers, parsers and the builder

  const Reporter& reporter() const { return reporter_; }
  bool implicit() const { return implicit_; }
  int64_t max_batch() const { return builder_.getMaxBatchSize(); }
  // Of a hidden batch that a model fixes; 0: it is not fixed.
  int64_t fixed_batch() const;
  Network& nodes() { return *nodes_; }
  TensorImpl& own(nvinfer1::ITensor& tensor) const;  // Error: it belongs to another network
  Value value_of(TensorImpl& tensor);                // makes nodes of all that it needs
  void take_back(LayerCore& layer);                  // the nodes of this layer and of all made later
  void take_back_all();
  void input_changed(TensorImpl& input);
  void add(std::unique_ptr<LayerCore> layer);
  template <class... Enums>
  bool takes(const char* call, Enums... values) const;  // false and a line in the log: one is none of its enumeration's
  template <class Layer, class... Args>
  Layer* make(const char* call, Args&&... args);  // a layer of the caller's kind, or null and a line in the log
  TensorImpl& add_input_of(const Network& model, Value of_model, Value value);
  // Takes a network that a parser read; its nodes become layers behind those that are there.
  void adopt(Network imported);

  // A parser that adds to what is there reads into a copy of the nodes, which takes their place; absorb() makes layers
  // and inputs of what is new. What it has made since a mark can be forgotten again.
  struct Mark {
    size_t inputs, layers, made;
  };
  Mark mark() const { return {inputs_.size(), layers_.size(), made_.size()}; }
  void forget_since(const Mark& mark);
  Network exchange_nodes(Network nodes);
  void absorb();
  // Layers of a file follow its inputs' extents when they are read again with others; `read` does it. Of one file, and
  // where all layers are the file's own.
  void may_read_again(std::function<Network(const InputRanges&)> read) { read_again_ = std::move(read); }
  // The tensors that have values, by value.
  std::map<planish_value, TensorImpl*> tensors_by_value() const;
  // The symbol of the axis that an implicit batch hides.
  static const char* batch_symbol() { return "implicit_batch"; }
  // All nodes, with the outputs marked: what is built.
  Network finish();
  const std::vector<std::unique_ptr<TensorImpl>>& inputs() const { return inputs_; }
  const std::vector<std::unique_ptr<LayerCore>>& layers() const { return layers_; }
  // 0 convolution, 1 deconvolution, 2 pooling; null: none was set.
  nvinfer1::IOutputDimensionsFormula* formula(int kind) const { return formulas_[kind]; }
  // Which constants of finish() are weights that callers know by layer or by name.
  std::vector<RefitRecord::Weights> named_weights();
  std::string fresh_node_name(const std::string& wanted);
  // The largest batch that a plugin was configured for; 0: none was.
  int64_t plugin_batch = 0;
  // Live plugins by layer, for an engine of this process.
  std::shared_ptr<PluginSession> plugins;

 private:
  void make_input(TensorImpl& input);
  void set_input_type(TensorImpl& input);
  bool read_with_extents(TensorImpl& input);
  void make_nodes(LayerCore& last);
  void lower(LayerCore& layer);  // whose operands have values
  void drop_nodes(LayerCore& layer);

  nvinfer1::IBuilder& builder_;
  Reporter reporter_;
  nvinfer1::NetworkDefinitionCreationFlags flags_;
  bool implicit_;
  std::string name_;
  std::unique_ptr<Network> nodes_;
  std::vector<std::unique_ptr<TensorImpl>> inputs_;
  std::vector<std::unique_ptr<LayerCore>> layers_;
  std::vector<TensorImpl*> outputs_;
  std::vector<LayerCore*> made_;  // layers that have nodes, in the order in which they were made
  std::vector<std::unique_ptr<nvinfer1::INoCopy>> others_;  // loops, conditionals
  std::set<std::string> node_names_, refittable_;
  std::map<std::string, int> names_taken_;  // of layers of one name: the first so many are not free
  std::map<const void*, std::string> weight_names_;
  std::function<Network(const InputRanges&)> read_again_;
  nvinfer1::IOutputDimensionsFormula* formulas_[3] = {};
};

}  // namespace planish::tensorrt
