#pragma once
// Loops and branches. What lies between their boundary layers is made once among the network's nodes, from values that
// stand for those of any turn, so that its types can be asked for; the loop then takes these nodes out as its body.

#include <functional>
#include <string>
#include <vector>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

class LoopImpl;
class ConditionalImpl;

// A layer of a loop or conditional: what changes it changes the whole.
template <class Interface, class Whole>
class BoundaryLayer : public LayerOf<Interface> {
 public:
  BoundaryLayer(NetworkImpl& network, nvinfer1::LayerType type, Whole& owner, size_t outputs)
      : LayerOf<Interface>(network, type, outputs), whole(owner) {}
  void changed() override;

 protected:
  Whole& whole;
};

template <class Interface>
class LoopLayer : public BoundaryLayer<Interface, LoopImpl> {
 public:
  using BoundaryLayer<Interface, LoopImpl>::BoundaryLayer;
  nvinfer1::ILoop* getLoop() const override;
};

class RecurrenceLayer final : public LoopLayer<nvinfer1::IRecurrenceLayer> {
 public:
  RecurrenceLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& first);
  void lower(Emit& emit) override { emit.out(0, emit.unknown(emit.in(0))); }
};

class TripLimitLayer final : public LoopLayer<nvinfer1::ITripLimitLayer> {
 public:
  TripLimitLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, nvinfer1::TripLimit kind);
  void lower(Emit&) override {}
  nvinfer1::TripLimit getTripLimit() const override { return limit; }

 private:
  nvinfer1::TripLimit limit;
};

class IteratorLayer final : public LoopLayer<nvinfer1::IIteratorLayer> {
 public:
  IteratorLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, int32_t along, bool backwards);
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(int32_t, Axis, axis, 0)
  PLANISH_TENSORRT_PROPERTY(bool, Reverse, reverse, false)
};

class LoopOutputLayer final : public LoopLayer<nvinfer1::ILoopOutputLayer> {
 public:
  LoopOutputLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, nvinfer1::LoopOutput kind,
                  int32_t along);
  void lower(Emit& emit) override;
  nvinfer1::LoopOutput getLoopOutput() const override { return output; }
  PLANISH_TENSORRT_PROPERTY(int32_t, Axis, axis, 0)

 private:
  Value placed(Emit& emit, Value rows) const;
  nvinfer1::LoopOutput output;
};

// Makes the two values that stand for the turn (i64) and for the condition of any turn.
class TurnLayer final : public LayerOf<nvinfer1::IIdentityLayer> {
 public:
  explicit TurnLayer(NetworkImpl& network) : Base(network, nvinfer1::LayerType::kIDENTITY, 2) {}
  void lower(Emit& emit) override;
};

class LoopImpl final : public nvinfer1::ILoop {
 public:
  LoopImpl(NetworkImpl& owner, std::string text) : turn(owner), network(owner), name(std::move(text)) {}
  nvinfer1::IRecurrenceLayer* addRecurrence(nvinfer1::ITensor& first) override;
  nvinfer1::ITripLimitLayer* addTripLimit(nvinfer1::ITensor& tensor, nvinfer1::TripLimit limit) override;
  nvinfer1::IIteratorLayer* addIterator(nvinfer1::ITensor& tensor, int32_t axis, bool reverse) override;
  nvinfer1::ILoopOutputLayer* addLoopOutput(nvinfer1::ITensor& tensor, nvinfer1::LoopOutput kind,
                                            int32_t axis) override;
  void setName(char const* text) override { name = text == nullptr ? "" : text; }
  char const* getName() const override { return name.c_str(); }

  // The nodes of the loop are no longer those of its layers.
  void changed();
  TripLimitLayer* limit(nvinfer1::TripLimit kind) const;
  // What the loop gives for this output: the last state, or rows along a new first axis. Makes the loop.
  Value result_of(Emit& emit, LoopOutputLayer& layer);

  TurnLayer turn;

 private:
  void make(Emit& emit, LoopOutputLayer& layer);
  Value condition(Emit& emit, const std::vector<Value>& any, const std::vector<Value>& first,
                  const std::vector<Value>& next, Value& begins) const;

  std::vector<Value> turns(Emit& emit, std::vector<Value> state, Value begins, const std::vector<Value>& captured,
                           const Network& body) const;

  NetworkImpl& network;
  std::string name;
  std::vector<RecurrenceLayer*> recurrences;
  std::vector<TripLimitLayer*> limits;
  std::vector<LoopOutputLayer*> outputs;
  LoopOutputLayer* maker = nullptr;  // whose nodes the loop is
  std::vector<Value> results;        // of `outputs`, while the maker has nodes
};

template <class Interface>
nvinfer1::ILoop* LoopLayer<Interface>::getLoop() const {
  return &this->whole;
}

// --- branches

template <class Interface>
class ConditionalLayer : public BoundaryLayer<Interface, ConditionalImpl> {
 public:
  using BoundaryLayer<Interface, ConditionalImpl>::BoundaryLayer;
  nvinfer1::IIfConditional* getConditional() const override;
};

class ConditionLayer final : public ConditionalLayer<nvinfer1::IConditionLayer> {
 public:
  ConditionLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& condition);
  void lower(Emit&) override {}
};

class ConditionalInputLayer final : public ConditionalLayer<nvinfer1::IIfConditionalInputLayer> {
 public:
  ConditionalInputLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& tensor);
  void lower(Emit& emit) override { emit.out(0, emit.unknown(emit.in(0))); }
};

class ConditionalOutputLayer final : public ConditionalLayer<nvinfer1::IIfConditionalOutputLayer> {
 public:
  ConditionalOutputLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& then,
                         nvinfer1::ITensor& otherwise);
  void lower(Emit& emit) override;
};

class ConditionalImpl final : public nvinfer1::IIfConditional {
 public:
  ConditionalImpl(NetworkImpl& owner, std::string text) : network(owner), name(std::move(text)) {}
  nvinfer1::IConditionLayer* setCondition(nvinfer1::ITensor& tensor) override;
  nvinfer1::IIfConditionalInputLayer* addInput(nvinfer1::ITensor& tensor) override;
  nvinfer1::IIfConditionalOutputLayer* addOutput(nvinfer1::ITensor& then, nvinfer1::ITensor& otherwise) override;
  void setName(char const* text) override { name = text == nullptr ? "" : text; }
  char const* getName() const override { return name.c_str(); }

  void changed();
  Value result_of(Emit& emit, ConditionalOutputLayer& layer);

 private:
  void make(Emit& emit, ConditionalOutputLayer& layer);

  NetworkImpl& network;
  std::string name;
  ConditionLayer* condition = nullptr;
  std::vector<ConditionalInputLayer*> inputs;
  std::vector<ConditionalOutputLayer*> outputs;
  ConditionalOutputLayer* maker = nullptr;
  std::vector<Value> results;
};

template <class Interface>
nvinfer1::IIfConditional* ConditionalLayer<Interface>::getConditional() const {
  return &this->whole;
}

template <class Interface, class Whole>
void BoundaryLayer<Interface, Whole>::changed() {
  whole.changed();
  LayerCore::changed();
}

}  // namespace planish::tensorrt
