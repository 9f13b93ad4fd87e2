#include "tensorrt/build/layers_recurrent.h"

#include <algorithm>
#include <functional>

namespace planish::tensorrt {
namespace {

using nvinfer1::RNNGateType;
using nvinfer1::RNNOperation;

struct Gates {
  const char* op;
  std::vector<RNNGateType> ours, listed;  // the order in our operator's weights, and in one list of all
};

Gates gates_of(RNNOperation operation) {
  using G = RNNGateType;
  switch (operation) {
    case RNNOperation::kLSTM:
      return {"lstm", {G::kINPUT, G::kOUTPUT, G::kFORGET, G::kCELL}, {G::kFORGET, G::kINPUT, G::kCELL, G::kOUTPUT}};
    case RNNOperation::kGRU:
      return {"gru", {G::kUPDATE, G::kRESET, G::kHIDDEN}, {G::kUPDATE, G::kRESET, G::kHIDDEN}};
    default:
      return {"rnn", {G::kINPUT}, {G::kINPUT}};
  }
}

// Weights of a sub-layer: extents [H, width]; biases: [H].
using GateWeights = std::function<std::vector<float>(int32_t layer, RNNGateType gate, bool of_input, const Extents&)>;

struct Recurrence {
  RNNOperation operation;
  int64_t layers, hidden;
  bool both_ways, skip;
  GateWeights weights, biases;
  Value lengths, h, c;  // [M], [L, M, H]; may be absent
};

std::vector<float> identity_matrix(int64_t size) {
  std::vector<float> all(static_cast<size_t>(size * size));
  for (int64_t i = 0; i < size; ++i) all[static_cast<size_t>(i * size + i)] = 1;
  return all;
}

class Stack {
 public:
  Stack(Emit& emit, const Recurrence& what) : emit_(emit), r_(what), gates_(gates_of(what.operation)) {}

  // x [S, M, E] -> [S, M, K * H], and the last states [L, M, H].
  std::vector<Value> run(Value x) {
    std::vector<Value> hs, cs;
    for (int64_t layer = 0; layer < r_.layers; ++layer) {
      const auto results = one(x, layer);
      const Value turned = emit_.op("transpose", {results[0]}, {{"perm", Attribute::Value(Extents{0, 2, 1, 3})}});
      x = emit_.op("reshape", {turned, emit_.net.ints({0, 0, ways() * r_.hidden})});
      hs.push_back(results[1]);
      if (results.size() > 2) cs.push_back(results[2]);
    }
    std::vector<Value> all = {x, emit_.op("concat", hs, {{"axis", 0}})};
    if (!cs.empty()) all.push_back(emit_.op("concat", cs, {{"axis", 0}}));
    return all;
  }

 private:
  int64_t ways() const { return r_.both_ways ? 2 : 1; }

  // [ways, gates * H, width]
  Value matrices(int64_t layer, bool of_input, int64_t width) {
    std::vector<float> all;
    for (int64_t way = 0; way < ways(); ++way)
      for (RNNGateType gate : gates_.ours) {
        const bool skipped = of_input && layer == 0 && r_.skip;
        const auto part =
            skipped ? identity_matrix(r_.hidden)
                    : r_.weights(static_cast<int32_t>(layer * ways() + way), gate, of_input, {r_.hidden, width});
        all.insert(all.end(), part.begin(), part.end());
      }
    return emit_.net.constant({ways(), rows(), width}, all);
  }

  // [ways, 2 * gates * H]: those of the input, then those of the state
  Value bias(int64_t layer) {
    std::vector<float> all;
    for (int64_t way = 0; way < ways(); ++way)
      for (bool of_input : {true, false})
        for (RNNGateType gate : gates_.ours) {
          const auto part = r_.biases(static_cast<int32_t>(layer * ways() + way), gate, of_input, {r_.hidden});
          all.insert(all.end(), part.begin(), part.end());
        }
    return emit_.net.constant({ways(), 2 * rows()}, all);
  }

  int64_t rows() const { return static_cast<int64_t>(gates_.ours.size()) * r_.hidden; }

  Value state(Value all, int64_t layer) {
    if (!all.present()) return {};
    return emit_.op(
        "slice", {all, emit_.net.ints({layer * ways()}), emit_.net.ints({(layer + 1) * ways()}), emit_.net.ints({0})});
  }

  std::vector<Value> one(Value x, int64_t layer) {
    const int64_t width = emit_.extents(x).back();
    if (width < 0) throw Error(Code::unsupported, "steps of a dynamic width; fixed ones are accepted");
    if (layer == 0 && r_.skip && width != r_.hidden)
      refuse("kSKIP with steps of " + std::to_string(width) + " elements; " + std::to_string(r_.hidden) +
             " are accepted");
    std::vector<Value> operands = {x,
                                   matrices(layer, true, width),
                                   matrices(layer, false, r_.hidden),
                                   bias(layer),
                                   r_.lengths,
                                   state(r_.h, layer)};
    Attributes attributes;
    attributes.add({"hidden_size", r_.hidden});
    attributes.add({"direction", std::string(r_.both_ways ? "bidirectional" : "forward")});
    if (r_.operation == RNNOperation::kLSTM) operands.push_back(state(r_.c, layer));
    if (r_.operation == RNNOperation::kGRU) attributes.add({"linear_before_reset", 1});
    if (r_.operation == RNNOperation::kRELU)
      attributes.add({"activations", std::vector<std::string>(static_cast<size_t>(ways()), "Relu")});
    return emit_.ops(gates_.op, detail::without_absent_tail(operands), attributes,
                     r_.operation == RNNOperation::kLSTM ? 3 : 2);
  }

  Emit& emit_;
  const Recurrence& r_;
  Gates gates_;
};

// Extents of x but for its last `behind`, and then these.
Value extents_with(Emit& emit, Value x, int64_t behind, const Extents& tail) {
  const Value lead =
      emit.op("slice", {emit.op("shape", {x}), emit.net.ints({0}), emit.net.ints({-behind}), emit.net.ints({0})});
  return emit.op("concat", {lead, emit.net.ints(tail)}, {{"axis", 0}});
}

int64_t fixed(Emit& emit, Value x, int64_t from_last, const char* what) {
  const Extents extents = emit.extents(x);
  if (static_cast<int64_t>(extents.size()) < from_last) refuse(std::string(what) + " is missing: too few dimensions");
  const int64_t found = extents[extents.size() - static_cast<size_t>(from_last)];
  if (found < 0) throw Error(Code::unsupported, std::string(what) + " is dynamic; a fixed one is accepted");
  return found;
}

}  // namespace

// x [.., S, E] -> [.., S, K * H], states [.., L, H]
void RnnV2Layer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const bool both = direction == nvinfer1::RNNDirection::kBIDIRECTION;
  const int64_t length = fixed(emit, x, 2, "the sequence"), width = fixed(emit, x, 1, "a step");
  const int64_t ways = both ? 2 : 1, states = layers * ways;
  if (length != max_length)
    refuse("sequences of " + std::to_string(length) + " steps; " + std::to_string(max_length) + " are accepted");
  const auto steps_first = [&](Value v, int64_t rows, int64_t columns) {
    return emit.op("transpose", {emit.op("reshape", {v, emit.net.ints({-1, rows, columns})})},
                   {{"perm", Attribute::Value(Extents{1, 0, 2})}});
  };
  Recurrence what{operation, layers, hidden, both, input_mode == nvinfer1::RNNInputMode::kSKIP, {}, {}, {}, {}, {}};
  what.weights = [&](int32_t layer, RNNGateType gate, bool of_input, const Extents& extents) {
    return floats_of(find(weights, layer, gate, of_input), extents,
                     of_input ? "weights of a gate" : "recurrent weights");
  };
  what.biases = [&](int32_t layer, RNNGateType gate, bool of_input, const Extents& extents) {
    const nvinfer1::Weights given = find(biases, layer, gate, of_input);
    return given.count == 0 ? std::vector<float>(static_cast<size_t>(hidden)) : floats_of(given, extents, "a bias");
  };
  if (emit.has(1)) what.lengths = emit.op("reshape", {emit.in(1), emit.net.ints({-1})});
  if (emit.has(2)) what.h = steps_first(emit.in(2), states, hidden);
  if (emit.has(3)) what.c = steps_first(emit.in(3), states, hidden);
  const auto results_of_stack = Stack(emit, what).run(steps_first(x, length, width));
  for (size_t i = 0; i < results_of_stack.size(); ++i) {
    const Value turned = emit.op("transpose", {results_of_stack[i]}, {{"perm", Attribute::Value(Extents{1, 0, 2})}});
    const Extents tail = i == 0 ? Extents{length, ways * hidden} : Extents{states, hidden};
    emit.out(i, emit.op("reshape", {turned, extents_with(emit, x, 2, tail)}));
  }
}

// x [.., S, N, E] -> [.., S, N, K * H], states [.., L, N, H]
void RnnLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const bool both = direction == nvinfer1::RNNDirection::kBIDIRECTION;
  const int64_t length = fixed(emit, x, 3, "the sequence"), batch = fixed(emit, x, 2, "the batch"),
                width = fixed(emit, x, 1, "a step"), ways = both ? 2 : 1, states = layers * ways;
  // [.., A, N, B] -> [A, M, B]
  const auto inner = [&](Value v, int64_t rows, int64_t columns) {
    const Value apart = emit.op("reshape", {v, emit.net.ints({-1, rows, batch, columns})});
    return emit.op("reshape", {emit.op("transpose", {apart}, {{"perm", Attribute::Value(Extents{1, 0, 2, 3})}}),
                               emit.net.ints({rows, -1, columns})});
  };
  const Gates gates = gates_of(operation);
  const bool skip = input_mode == nvinfer1::RNNInputMode::kSKIP;
  // Where a matrix stands in the list: sub-layers in order, of each all of the input, then all of the state.
  const auto taken = [&](const nvinfer1::Weights& list, bool matrices, int32_t layer, RNNGateType gate, bool of_input) {
    const auto elements = [&](int64_t l, bool input) -> int64_t {
      if (!matrices) return hidden;
      if (!input) return hidden * hidden;
      return l < ways ? (skip ? 0 : hidden * width) : hidden * ways * hidden;
    };
    const auto count = static_cast<int64_t>(gates.listed.size());
    int64_t at = 0, total = 0;
    for (int64_t l = 0; l < states; ++l) {
      if (l == layer) at = total;
      total += count * (elements(l, true) + elements(l, false));
    }
    if (list.count != total)
      refuse(std::to_string(list.count) + (matrices ? " weights, " : " biases, ") + std::to_string(total) +
             " are needed");
    const auto place = std::find(gates.listed.begin(), gates.listed.end(), gate) - gates.listed.begin();
    at += (of_input ? 0 : count * elements(layer, true)) + place * elements(layer, of_input);
    const std::vector<float> all = floats_of(list, {total}, "weights");
    return std::vector<float>(all.begin() + at, all.begin() + at + elements(layer, of_input));
  };
  Recurrence what{operation, layers, hidden, both, skip, {}, {}, {}, {}, {}};
  what.weights = [&](int32_t layer, RNNGateType gate, bool of_input, const Extents&) {
    return taken(weights, true, layer, gate, of_input);
  };
  what.biases = [&](int32_t layer, RNNGateType gate, bool of_input, const Extents&) {
    return taken(biases, false, layer, gate, of_input);
  };
  if (emit.has(2)) what.h = inner(emit.in(2), states, hidden);
  if (emit.has(3)) what.c = inner(emit.in(3), states, hidden);
  const auto results_of_stack = Stack(emit, what).run(inner(x, length, width));
  for (size_t i = 0; i < results_of_stack.size(); ++i) {
    const int64_t rows = i == 0 ? length : states, columns = i == 0 ? ways * hidden : hidden;
    const Value apart = emit.op("reshape", {results_of_stack[i], emit.net.ints({rows, -1, batch, columns})});
    const Value turned = emit.op("transpose", {apart}, {{"perm", Attribute::Value(Extents{1, 0, 2, 3})}});
    emit.out(i, emit.op("reshape", {turned, extents_with(emit, x, 3, {rows, batch, columns})}));
  }
}

// --- add*

nvinfer1::IRNNLayer* NetworkImpl::addRNN(nvinfer1::ITensor& x, int layers, size_t hidden, int length,
                                         nvinfer1::RNNOperation op, nvinfer1::RNNInputMode mode,
                                         nvinfer1::RNNDirection direction, nvinfer1::Weights weights,
                                         nvinfer1::Weights bias) {
  return make<RnnLayer>("addRNN", x, layers, hidden, length, op, mode, direction, weights, bias);
}
nvinfer1::IRNNv2Layer* NetworkImpl::addRNNv2(nvinfer1::ITensor& x, int32_t layers, int32_t hidden, int32_t length,
                                             nvinfer1::RNNOperation op) {
  return make<RnnV2Layer>("addRNNv2", x, layers, hidden, length, op);
}

}  // namespace planish::tensorrt
