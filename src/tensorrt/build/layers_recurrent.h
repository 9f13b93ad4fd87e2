#pragma once
// Recurrent layers of majors 3 to 9.

#include <map>
#include <tuple>
#include <vector>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// Operands: x, sequence lengths, hidden state, cell state.
template <class Interface>
class RecurrentLayer : public LayerOf<Interface> {
 public:
  RecurrentLayer(NetworkImpl& network, nvinfer1::LayerType type, nvinfer1::ITensor& x, int64_t layer_count,
                 int64_t hidden_size, int64_t length, nvinfer1::RNNOperation op)
      : LayerOf<Interface>(network, type, op == nvinfer1::RNNOperation::kLSTM ? 3 : 2),
        layers(layer_count),
        hidden(hidden_size),
        max_length(length),
        operation(op) {
    this->add_operand(x);
  }
  void setHiddenState(nvinfer1::ITensor& tensor) override { this->set_operand(2, &tensor); }
  nvinfer1::ITensor* getHiddenState() const override { return this->operand(2); }
  void setCellState(nvinfer1::ITensor& tensor) override { this->set_operand(3, &tensor); }
  nvinfer1::ITensor* getCellState() const override { return this->operand(3); }
  void setOperation(nvinfer1::RNNOperation op) override {
    if ((op == nvinfer1::RNNOperation::kLSTM) != (this->results.size() == 3)) {
      this->network.reporter().error(nvinfer1::ErrorCode::kUNSUPPORTED_STATE,
                                     "setOperation: '" + this->name + "' has results of another operation");
      return;
    }
    this->set(operation, op);
  }
  nvinfer1::RNNOperation getOperation() const override { return operation; }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::RNNInputMode, InputMode, input_mode, nvinfer1::RNNInputMode::kLINEAR)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::RNNDirection, Direction, direction, nvinfer1::RNNDirection::kUNIDIRECTION)

 protected:
  // How many elements a step has.
  int32_t data_length() const {
    const nvinfer1::Dims dims = this->operands[0]->getDimensions();
    return dims.nbDims < 1 ? 0 : static_cast<int32_t>(dims.d[dims.nbDims - 1]);
  }
  int64_t layers, hidden, max_length;
  nvinfer1::RNNOperation operation;
};

class RnnV2Layer final : public RecurrentLayer<nvinfer1::IRNNv2Layer> {
 public:
  RnnV2Layer(NetworkImpl& network, nvinfer1::ITensor& x, int32_t layer_count, int32_t hidden_size, int32_t length,
             nvinfer1::RNNOperation op)
      : RecurrentLayer(network, nvinfer1::LayerType::kRNN_V2, x, layer_count, hidden_size, length, op) {}
  void lower(Emit& emit) override;
  int32_t getLayerCount() const override { return static_cast<int32_t>(layers); }
  int32_t getHiddenSize() const override { return static_cast<int32_t>(hidden); }
  int32_t getMaxSeqLength() const override { return static_cast<int32_t>(max_length); }
  int32_t getDataLength() const override { return data_length(); }
  void setSequenceLengths(nvinfer1::ITensor& tensor) override { set_operand(1, &tensor); }
  nvinfer1::ITensor* getSequenceLengths() const override { return operand(1); }
  void setWeightsForGate(int32_t layer, nvinfer1::RNNGateType gate, bool of_input, nvinfer1::Weights given) override {
    keep(weights, layer, gate, of_input, given);
  }
  nvinfer1::Weights getWeightsForGate(int32_t layer, nvinfer1::RNNGateType gate, bool of_input) const override {
    return find(weights, layer, gate, of_input);
  }
  void setBiasForGate(int32_t layer, nvinfer1::RNNGateType gate, bool of_input, nvinfer1::Weights given) override {
    keep(biases, layer, gate, of_input, given);
  }
  nvinfer1::Weights getBiasForGate(int32_t layer, nvinfer1::RNNGateType gate, bool of_input) const override {
    return find(biases, layer, gate, of_input);
  }

 private:
  using ByGate = std::map<std::tuple<int32_t, nvinfer1::RNNGateType, bool>, nvinfer1::Weights>;
  void keep(ByGate& all, int32_t layer, nvinfer1::RNNGateType gate, bool of_input, nvinfer1::Weights given) {
    if (!network.takes("IRNNv2Layer", gate)) return;
    changed();
    all[{layer, gate, of_input}] = given;
  }
  static nvinfer1::Weights find(const ByGate& all, int32_t layer, nvinfer1::RNNGateType gate, bool of_input) {
    const auto at = all.find({layer, gate, of_input});
    return at == all.end() ? nvinfer1::Weights{} : at->second;
  }
  ByGate weights, biases;
};

// x is [.., S, N, E]; all weights are in one list.
class RnnLayer final : public RecurrentLayer<nvinfer1::IRNNLayer> {
 public:
  RnnLayer(NetworkImpl& network, nvinfer1::ITensor& x, int layer_count, size_t hidden_size, int length,
           nvinfer1::RNNOperation op, nvinfer1::RNNInputMode mode, nvinfer1::RNNDirection both, nvinfer1::Weights given,
           nvinfer1::Weights bias)
      : RecurrentLayer(network, nvinfer1::LayerType::kRNN, x, layer_count, static_cast<int64_t>(hidden_size), length,
                       op),
        weights(given),
        biases(bias) {
    input_mode = mode;
    direction = both;
  }
  void lower(Emit& emit) override;
  unsigned getLayerCount() const override { return static_cast<unsigned>(layers); }
  size_t getHiddenSize() const override { return static_cast<size_t>(hidden); }
  int getSeqLength() const override { return static_cast<int>(max_length); }
  int getDataLength() const override { return data_length(); }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Weights, weights, {})
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Bias, biases, {})
};

}  // namespace planish::tensorrt
