// Networks that a parser read: their inputs and nodes become tensors and layers.

#include <algorithm>
#include <utility>

#include "tensorrt/build/imported.h"
#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

bool is_shown_so(const Network& model, Value value) { return shown_type(model.dtype(value)) == model.dtype(value); }

bool has_wide_input(const Network& model) {
  for (Value input : model.inputs())
    if (!is_shown_so(model, input)) return true;
  return false;
}

void warn_of_doubles(const Network& model, const Reporter& reporter) {
  for (const auto& values : {model.inputs(), model.outputs()})
    for (Value value : values)
      if (model.dtype(value) == DataType::f64)
        reporter.warn("'" + model.name(value) + "' is of f64, which the interface does not know: it is taken as FLOAT");
}

// Majors below 10 know no integers of 64 bits: what a model has of them is brought into the range of 32 (the ends of
// slices, say, that mean "all"). It is still computed in 64.
void clamp_integers(Network& model, const Reporter& reporter) {
  bool any = false;
  std::set<planish_value> seen;
  for (Node node : model.nodes())
    for (Value value : model.operands(node)) {
      if (!value.present() || !model.is_constant(value) || model.dtype(value) != DataType::i64) continue;
      if (!seen.insert(value.id).second) continue;
      any = true;
      const auto* begin = static_cast<const int64_t*>(model.constant_data(value));
      std::vector<int64_t> values(begin, begin + element_count(model.extents(value)));
      const std::vector<int64_t> given = values;
      for (int64_t& number : values) number = std::clamp<int64_t>(number, INT32_MIN, INT32_MAX);
      if (values == given) continue;
      reporter.warn("'" + model.name(value) + "': weights outside the range of INT32 were clamped");
      model.set_constant(value, values.data());
    }
  if (any)
    reporter.warn("the model has INT64 weights, which this version's interface does not know: they are taken as INT32");
}

}  // namespace

void NetworkImpl::adopt(Network imported) {
  const PluginSession::Scope scope(*plugins);
  if (implicit_) imported = with_hidden_batch(std::move(imported), batch_symbol());
  if (PLANISH_TENSORRT_LAYOUT < 10) clamp_integers(imported, reporter_);
  warn_of_doubles(imported, reporter_);
  const bool narrows = has_wide_input(imported);
  const bool whole = inputs_.empty() && layers_.empty() && !narrows;
  if (name_.empty()) name_ = imported.name();
  std::map<planish_value, TensorImpl*> tensors;
  std::vector<Value> outputs;
  std::vector<Node> added;
  if (whole) {
    nodes_ = std::make_unique<Network>(std::move(imported));
    for (Value value : nodes_->inputs()) tensors[value.id] = &add_input_of(*nodes_, value, value);
    added = nodes_->nodes();
    outputs = nodes_->outputs();
    for (Value value : outputs) nodes_->unmark_output(value);
  } else {
    std::vector<Value> operands;
    for (Value value : imported.inputs()) {
      TensorImpl& input = add_input_of(imported, value, {});
      Value given = value_of(input);
      tensors[given.id] = &input;
      if (nodes_->dtype(given) != imported.dtype(value))
        given = nodes_->add("cast", {given}, {{"to", Attribute::Value(imported.dtype(value))}});
      tensors[given.id] = &input;
      operands.push_back(given);
    }
    std::set<planish_node> before;
    for (Node node : nodes_->nodes()) before.insert(node.id);
    outputs = nodes_->append(imported, operands);
    for (Node node : nodes_->nodes())
      if (before.count(node.id) == 0) added.push_back(node);
  }
  for (Node node : added) {
    node_names_.insert(nodes_->name(node));
    add(import_layer(*this, node, tensors));
  }
  for (Value value : outputs) {
    const auto at = tensors.find(value.id);
    if (at == tensors.end()) continue;
    TensorImpl& output = *at->second;
    outputs_.push_back(&output);
    if (!is_shown_so(*nodes_, value)) {
      output.type = type_of(shown_type(nodes_->dtype(value)));
      output.type_set = true;
    }
  }
}

std::map<planish_value, TensorImpl*> NetworkImpl::tensors_by_value() const {
  std::map<planish_value, TensorImpl*> tensors;
  for (const auto& input : inputs_)
    if (input->value.present()) tensors[input->value.id] = input.get();
  for (const auto& layer : layers_)
    for (const auto& result : layer->results)
      if (result->value.present()) tensors.emplace(result->value.id, result.get());
  return tensors;
}

void NetworkImpl::forget_since(const Mark& mark) {
  made_.resize(mark.made);
  layers_.resize(mark.layers);
  inputs_.resize(mark.inputs);
}

Network NetworkImpl::exchange_nodes(Network nodes) { return std::exchange(*nodes_, std::move(nodes)); }

void NetworkImpl::absorb() {
  auto tensors = tensors_by_value();
  std::set<planish_node> known;
  for (const auto& layer : layers_)
    for (Node node : layer->nodes) known.insert(node.id);
  std::shared_ptr<const Network> copy;
  for (Value value : nodes_->inputs())
    if (tensors.count(value.id) == 0) tensors[value.id] = &add_input_of(*nodes_, value, value);
  for (Node node : nodes_->nodes()) {
    if (known.count(node.id) > 0) continue;
    node_names_.insert(nodes_->name(node));
    if (copy == nullptr) copy = std::make_shared<const Network>(nodes_->clone());
    add(read_layer(*this, copy, node, tensors));
    made_.push_back(layers_.back().get());
  }
}

// An input as a model has it; `value` is absent where it has none among these nodes yet.
TensorImpl& NetworkImpl::add_input_of(const Network& model, Value of_model, Value value) {
  for (const auto& other : inputs_)
    if (other->name == model.name(of_model)) refuse("there is an input '" + other->name + "' already");
  auto input = std::make_unique<TensorImpl>(*this, nullptr, getNbInputs());
  input->is_input = true;
  input->name = model.name(of_model);
  input->value = value;
  input->type = type_of(shown_type(model.dtype(of_model)));
  const size_t hidden = implicit_ ? 1 : 0;
  input->extents = model.extents(of_model);
  if (implicit_) input->extents = without_first(input->extents);
  const TensorType type = model.type(of_model);
  for (size_t axis = hidden; axis < type.dims.size(); ++axis)
    if (!type.dims[axis].is_number())
      input->dimension_names[static_cast<int32_t>(axis - hidden)] = type.dims[axis].text();
  inputs_.push_back(std::move(input));
  return *inputs_.back();
}

// False where there is nothing to read again, or extents are as they were.
bool NetworkImpl::read_with_extents(TensorImpl& changed) {
  const Extents before = nodes_->extents(changed.value);
  if (!read_again_ || (implicit_ ? without_first(before) : before) == changed.extents) return false;
  InputRanges ranges;
  for (const auto& input : inputs_) {
    Extents extents = input->extents;
    if (implicit_) extents.insert(extents.begin(), 1);
    InputRange range = InputRange::fixed(nodes_->name(input->value), extents);
    for (size_t axis = 0; axis < extents.size(); ++axis)
      if (extents[axis] < 0) range.min[axis] = range.opt[axis] = 1, range.max[axis] = INT32_MAX;
    ranges.push_back(std::move(range));
  }
  Network fresh = read_again_(ranges);
  for (const auto& input : inputs_)
    if (!fresh.find(nodes_->name(input->value))) refuse("an input was renamed; its file cannot be read again");
  require_same_layers(fresh, layers_);
  take_back_all();
  for (const auto& input : inputs_) input->value = *fresh.find(nodes_->name(input->value));
  *nodes_ = std::move(fresh);
  LayerCore* other = bind_layers(*this, layers_);
  for (const auto& layer : layers_) {
    if (!layer->made) continue;
    made_.push_back(layer.get());
    for (Node node : layer->nodes) node_names_.insert(nodes_->name(node));
  }
  if (other != nullptr) take_back(*other);
  if (type_of(changed.type) != nodes_->dtype(changed.value)) set_input_type(changed);
  return true;
}

int64_t NetworkImpl::fixed_batch() const {
  for (const auto& input : inputs_) {
    if (!implicit_ || !input->value.present()) continue;
    const Extents extents = nodes_->extents(input->value);
    if (!extents.empty() && extents[0] > 0) return extents[0];
  }
  return 0;
}

}  // namespace planish::tensorrt
