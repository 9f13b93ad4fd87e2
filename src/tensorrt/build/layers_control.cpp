#include "tensorrt/build/layers_control.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace planish::tensorrt {
namespace {

using nvinfer1::LayerType;
using nvinfer1::LoopOutput;
using nvinfer1::TripLimit;

constexpr int64_t kMostWrittenOut = 64;  // turns; each is a copy of the body

size_t place_of(const auto& layers, const LayerCore& layer) {
  for (size_t i = 0; i < layers.size(); ++i)
    if (static_cast<const LayerCore*>(layers[i]) == &layer) return i;
  refuse("an output of another loop or conditional");
}

// Appends those that `all` has not.
void add_missing(std::vector<Value>& all, const std::vector<Value>& more) {
  for (Value value : more)
    if (std::find(all.begin(), all.end(), value) == all.end()) all.push_back(value);
}

// The number that a constant holds, through what does not change it; nothing where it is computed.
std::optional<int64_t> known_integer(const Network& net, Value value) {
  for (auto node = net.producer(value); node; node = net.producer(value)) {
    const std::string op = net.op(*node);
    if (op != "identity" && op != "cast" && op != "reshape") return std::nullopt;
    value = net.operands(*node).at(0);
  }
  if (!net.is_constant(value) || element_count(net.extents(value)) != 1) return std::nullopt;
  const void* data = net.constant_data(value);
  if (net.dtype(value) == DataType::i32) return *static_cast<const int32_t*>(data);
  if (net.dtype(value) == DataType::i64) return *static_cast<const int64_t*>(data);
  return std::nullopt;
}

std::vector<Value> joined(std::vector<Value> a, const std::vector<Value>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

// --- layers of loops

RecurrenceLayer::RecurrenceLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& first)
    : LoopLayer(network, LayerType::kRECURRENCE, loop, 1) {
  first_operands = 1;  // the next value follows from the result
  add_operand(first);
}

TripLimitLayer::TripLimitLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, TripLimit kind)
    : LoopLayer(network, LayerType::kTRIP_LIMIT, loop, 0), limit(kind) {
  add_operand(tensor);
}

IteratorLayer::IteratorLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, int32_t along,
                             bool backwards)
    : LoopLayer(network, LayerType::kITERATOR, loop, 1), axis(along), reverse(backwards) {
  add_operand(tensor);
}

// A condition is asked for one turn more than there are.
void IteratorLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  Value at = emit.value_of(*whole.turn.getOutput(0));
  if (reverse || whole.limit(TripLimit::kWHILE) != nullptr) {
    const Value last = emit.op("sub", {emit.extent(x, axis), emit.net.scalar(int64_t{1})});
    at = reverse ? emit.op("max", {emit.op("sub", {last, at}), emit.net.scalar(int64_t{0})})
                 : emit.op("min", {at, last});
  }
  emit.out(0, emit.op("gather", {x, at}, {{"axis", int64_t{axis}}}));
}

void TurnLayer::lower(Emit& emit) {
  emit.out(0, emit.unknown(emit.net.scalar(int64_t{0})));
  emit.out(1, emit.unknown(emit.cast(emit.net.scalar(int32_t{1}), DataType::boolean)));
}

LoopOutputLayer::LoopOutputLayer(NetworkImpl& network, LoopImpl& loop, nvinfer1::ITensor& tensor, LoopOutput kind,
                                 int32_t along)
    : LoopLayer(network, LayerType::kLOOP_OUTPUT, loop, 1), axis(along), output(kind) {
  first_operands = 0;
  add_operand(tensor);
}

void LoopOutputLayer::lower(Emit& emit) {
  const Value result = whole.result_of(emit, *this);
  emit.out(0, output == LoopOutput::kLAST_VALUE ? result : placed(emit, result));
}

// As many rows as input 1 says, those that no turn gave are 0; backwards where asked; along the axis.
Value LoopOutputLayer::placed(Emit& emit, Value rows) const {
  const Value first = emit.net.ints({0});
  if (output == LoopOutput::kREVERSE)
    rows = emit.op("slice", {rows, emit.net.ints({-1}), emit.net.ints({INT64_MIN / 2}), first, emit.net.ints({-1})});
  if (operand(1) != nullptr) {
    const Value length = emit.op("reshape", {emit.integers(emit.in(1)), emit.net.ints({1})});
    const Value shape = emit.op("shape", {rows});
    const Value one_row = emit.op("slice", {shape, emit.net.ints({1}), emit.net.ints({INT64_MAX}), first});
    const Value wanted = emit.op("concat", {length, one_row}, {{"axis", 0}});
    if (known_integer(emit.net, emit.in(1)) != emit.extents(rows)[0]) {
      const Value blank = emit.op("expand", {emit.number(rows, 0), wanted});
      rows = emit.op("slice", {emit.op("concat", {rows, blank}, {{"axis", 0}}), first, length, first});
      rows = emit.op("reshape", {rows, wanted}, {{"allowzero", 1}});
    }
  }
  Extents order(static_cast<size_t>(emit.rank(rows)));
  std::iota(order.begin(), order.end(), 0);
  if (axis < 0 || axis >= emit.rank(rows)) refuse("axis " + std::to_string(axis) + " of the stacked rows");
  std::rotate(order.begin(), order.begin() + 1, order.begin() + axis + 1);
  return axis == 0 ? rows : emit.op("transpose", {rows}, {{"perm", Attribute::Value(order)}});
}

// --- loops

nvinfer1::IRecurrenceLayer* LoopImpl::addRecurrence(nvinfer1::ITensor& first) {
  changed();
  auto* layer = network.make<RecurrenceLayer>("addRecurrence", *this, first);
  if (layer != nullptr) recurrences.push_back(layer);
  return layer;
}

nvinfer1::ITripLimitLayer* LoopImpl::addTripLimit(nvinfer1::ITensor& tensor, TripLimit kind) {
  if (limit(kind) != nullptr) {
    network.reporter().error(nvinfer1::ErrorCode::kINVALID_ARGUMENT,
                             "addTripLimit: loop '" + name + "' has such a limit already");
    return nullptr;
  }
  changed();
  network.take_back(turn);
  auto* layer = network.make<TripLimitLayer>("addTripLimit", *this, tensor, kind);
  if (layer != nullptr) limits.push_back(layer);
  return layer;
}

nvinfer1::IIteratorLayer* LoopImpl::addIterator(nvinfer1::ITensor& tensor, int32_t axis, bool reverse) {
  return network.make<IteratorLayer>("addIterator", *this, tensor, axis, reverse);
}

nvinfer1::ILoopOutputLayer* LoopImpl::addLoopOutput(nvinfer1::ITensor& tensor, LoopOutput kind, int32_t axis) {
  changed();
  auto* layer = network.make<LoopOutputLayer>("addLoopOutput", *this, tensor, kind, axis);
  if (layer != nullptr) outputs.push_back(layer);
  return layer;
}

void LoopImpl::changed() {
  if (maker != nullptr) network.take_back(*maker);
  maker = nullptr;
}

TripLimitLayer* LoopImpl::limit(TripLimit kind) const {
  for (TripLimitLayer* layer : limits)
    if (layer->getTripLimit() == kind) return layer;
  return nullptr;
}

Value LoopImpl::result_of(Emit& emit, LoopOutputLayer& layer) {
  if (maker == nullptr || maker == &layer || maker->nodes.empty()) make(emit, layer);
  return results.at(place_of(outputs, layer));
}

// `any` are the turn and the state of any turn. The condition of the next turn, as it follows from the next state.
Value LoopImpl::condition(Emit& emit, const std::vector<Value>& any, const std::vector<Value>& first,
                          const std::vector<Value>& next, Value& begins) const {
  const TripLimitLayer* goes_on = limit(TripLimit::kWHILE);
  if (goes_on == nullptr) return emit.value_of(*const_cast<TurnLayer&>(turn).getOutput(1));
  std::vector<Value> captured;
  const Value asked = emit.value_of(*goes_on->operand(0));
  const Network part = emit.net.extract(any, {asked}, captured);
  const auto holds = [&](Value at, const std::vector<Value>& state) {
    const Value answer = emit.record([&] { return emit.net.append(part, joined(joined({at}, state), captured)); })[0];
    return emit.rank(answer) == 0 ? answer : emit.op("reshape", {answer, emit.net.ints({})});
  };
  begins = holds(emit.net.scalar(int64_t{0}), first);
  return holds(emit.op("add", {any[0], emit.net.scalar(int64_t{1})}), next);
}

// The states after the last turn, and rows. Few turns whose number is known are written out.
std::vector<Value> LoopImpl::turns(Emit& emit, std::vector<Value> state, Value begins,
                                   const std::vector<Value>& captured, const Network& body) const {
  const TripLimitLayer* count = limit(TripLimit::kCOUNT);
  const Value given = count == nullptr ? Value{} : emit.value_of(*count->operand(0));
  const auto known = given.present() && !begins.present() ? known_integer(emit.net, given) : std::nullopt;
  if (!known || *known < 1 || *known > kMostWrittenOut) {
    const Value trips = given.present() ? emit.integer_scalar(given) : Value{};
    return emit.record([&] {
      return emit.net.outputs(emit.net.add_loop(trips, begins, state, captured, body, network.fresh_node_name(name)));
    });
  }
  const Value yes = emit.cast(emit.net.scalar(int32_t{1}), DataType::boolean);
  std::vector<std::vector<Value>> rows(body.outputs().size() - state.size() - 1);
  for (int64_t i = 0; i < *known; ++i) {
    const std::vector<Value> operands = joined(joined({emit.net.scalar(i), yes}, state), captured);
    const std::vector<Value> next = emit.record([&] { return emit.net.append(body, operands); });
    std::copy_n(next.begin() + 1, state.size(), state.begin());
    for (size_t k = 0; k < rows.size(); ++k)
      rows[k].push_back(emit.op("unsqueeze", {next[state.size() + 1 + k], emit.net.ints({0})}));
  }
  for (const auto& parts : rows) state.push_back(emit.op("concat", parts, {{"axis", 0}}));
  return state;
}

void LoopImpl::make(Emit& emit, LoopOutputLayer& layer) {
  if (limits.empty()) refuse("loop '" + name + "' has no trip limit");
  std::vector<Value> any = {emit.value_of(*turn.getOutput(0))}, first, next, rows;
  for (RecurrenceLayer* state : recurrences) {
    if (state->operand(1) == nullptr) refuse("recurrence '" + state->name + "' has no next value (setInput(1, ..))");
    first.push_back(emit.value_of(*state->operand(0)));
    any.push_back(emit.value_of(*state->getOutput(0)));
    next.push_back(emit.value_of(*state->operand(1)));
  }
  for (const LoopOutputLayer* output : outputs)
    if (output->getLoopOutput() != LoopOutput::kLAST_VALUE) rows.push_back(emit.value_of(*output->operand(0)));
  Value begins;
  const Value goes_on = condition(emit, any, first, next, begins);
  any.insert(any.begin() + 1, emit.value_of(*turn.getOutput(1)));
  std::vector<Value> captured;
  const Network body = emit.net.extract(any, joined(joined({goes_on}, next), rows), captured);
  const std::vector<Value> made = turns(emit, first, begins, captured, body);
  results.clear();
  size_t row = recurrences.size();
  for (const LoopOutputLayer* output : outputs) {
    if (output->getLoopOutput() != LoopOutput::kLAST_VALUE) {
      results.push_back(made.at(row++));
      continue;
    }
    const TensorImpl* state = output->operand(0);
    const auto same = std::find_if(recurrences.begin(), recurrences.end(),
                                   [&](RecurrenceLayer* one) { return one == state->producer; });
    if (same == recurrences.end()) refuse("the last value of '" + state->name + "', which is no recurrence");
    results.push_back(made.at(static_cast<size_t>(same - recurrences.begin())));
  }
  maker = &layer;
}

// --- branches

ConditionLayer::ConditionLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& tensor)
    : ConditionalLayer(network, LayerType::kCONDITION, owner, 0) {
  add_operand(tensor);
}

ConditionalInputLayer::ConditionalInputLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& tensor)
    : ConditionalLayer(network, LayerType::kCONDITIONAL_INPUT, owner, 1) {
  add_operand(tensor);
}

ConditionalOutputLayer::ConditionalOutputLayer(NetworkImpl& network, ConditionalImpl& owner, nvinfer1::ITensor& then,
                                               nvinfer1::ITensor& otherwise)
    : ConditionalLayer(network, LayerType::kCONDITIONAL_OUTPUT, owner, 1) {
  add_operand(then);
  add_operand(otherwise);
}

void ConditionalOutputLayer::lower(Emit& emit) { emit.out(0, whole.result_of(emit, *this)); }

nvinfer1::IConditionLayer* ConditionalImpl::setCondition(nvinfer1::ITensor& tensor) {
  changed();
  if (condition == nullptr)
    condition = network.make<ConditionLayer>("setCondition", *this, tensor);
  else
    condition->setInput(0, tensor);
  return condition;
}

nvinfer1::IIfConditionalInputLayer* ConditionalImpl::addInput(nvinfer1::ITensor& tensor) {
  changed();
  auto* layer = network.make<ConditionalInputLayer>("addInput", *this, tensor);
  if (layer != nullptr) inputs.push_back(layer);
  return layer;
}

nvinfer1::IIfConditionalOutputLayer* ConditionalImpl::addOutput(nvinfer1::ITensor& then, nvinfer1::ITensor& otherwise) {
  changed();
  auto* layer = network.make<ConditionalOutputLayer>("addOutput", *this, then, otherwise);
  if (layer != nullptr) outputs.push_back(layer);
  return layer;
}

void ConditionalImpl::changed() {
  if (maker != nullptr) network.take_back(*maker);
  maker = nullptr;
}

Value ConditionalImpl::result_of(Emit& emit, ConditionalOutputLayer& layer) {
  if (maker == nullptr || maker == &layer || maker->nodes.empty()) make(emit, layer);
  return results.at(place_of(outputs, layer));
}

// Both bodies take the same values: the inputs, and what either needs from around it.
void ConditionalImpl::make(Emit& emit, ConditionalOutputLayer& layer) {
  if (condition == nullptr) refuse("conditional '" + name + "' has no condition");
  std::vector<Value> any, given, results_of_branch[2];
  for (ConditionalInputLayer* input : inputs) {
    given.push_back(emit.value_of(*input->operand(0)));
    any.push_back(emit.value_of(*input->getOutput(0)));
  }
  for (ConditionalOutputLayer* output : outputs)
    for (size_t branch : {0, 1}) results_of_branch[branch].push_back(emit.value_of(*output->operand(branch)));
  const size_t own = any.size();
  for (const auto& values : results_of_branch) {
    std::vector<Value> captured;
    static_cast<void>(
        emit.net.extract(std::vector<Value>(any.begin(), any.begin() + static_cast<long>(own)), values, captured));
    add_missing(any, captured);
  }
  given.insert(given.end(), any.begin() + static_cast<long>(own), any.end());
  std::vector<Value> none;
  const Network then = emit.net.extract(any, results_of_branch[0], none),
                otherwise = emit.net.extract(any, results_of_branch[1], none);
  const Value chosen = emit.value_of(*condition->operand(0));
  results = emit.record(
      [&] { return emit.net.outputs(emit.net.add_if(chosen, given, then, otherwise, network.fresh_node_name(name))); });
  maker = &layer;
}

// --- add*

nvinfer1::ILoop* NetworkImpl::addLoop() {
  auto loop = std::make_unique<LoopImpl>(*this, "(Unnamed Loop " + std::to_string(others_.size()) + ")");
  LoopImpl* made = loop.get();
  others_.push_back(std::move(loop));
  return made;
}

nvinfer1::IIfConditional* NetworkImpl::addIfConditional() {
  auto branches =
      std::make_unique<ConditionalImpl>(*this, "(Unnamed Conditional " + std::to_string(others_.size()) + ")");
  ConditionalImpl* made = branches.get();
  others_.push_back(std::move(branches));
  return made;
}

}  // namespace planish::tensorrt
