#include "tensorrt/build/network.h"

#include <algorithm>
#include <utility>

#include "tensorrt/build/imported.h"
#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

// Extents as an interface without a formula of the caller's counts them.
class FloorFormula final : public nvinfer1::IOutputDimensionsFormula {
 public:
  explicit FloorFormula(bool backwards) : backwards_(backwards) {}
  nvinfer1::DimsHW compute(nvinfer1::DimsHW in, nvinfer1::DimsHW kernel, nvinfer1::DimsHW stride,
                           nvinfer1::DimsHW padding, nvinfer1::DimsHW dilation, char const*) const override {
    nvinfer1::DimsHW out;
    for (int i = 0; i < 2; ++i) {
      const auto reach = dilation.d[i] * (kernel.d[i] - 1) + 1;
      out.d[i] = backwards_
                     ? (in.d[i] - 1) * stride.d[i] + reach - 2 * padding.d[i]
                     : (in.d[i] + 2 * padding.d[i] - reach) / std::max<nvinfer1::door::Extent>(stride.d[i], 1) + 1;
    }
    return out;
  }

 private:
  bool backwards_;
};

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

NetworkImpl::NetworkImpl(nvinfer1::IBuilder& builder, const Reporter& reporter,
                         nvinfer1::NetworkDefinitionCreationFlags flags, bool implicit)
    : plugins(std::make_shared<PluginSession>(reporter.logger())),
      builder_(builder),
      reporter_(reporter),
      flags_(flags),
      implicit_(implicit),
      nodes_(std::make_unique<Network>("network")) {}

NetworkImpl::~NetworkImpl() = default;

bool NetworkImpl::markDebug(nvinfer1::ITensor&) {
  say_once(reporter_.logger(), Severity::kWARNING, "values are not shown to debug listeners: no tensor is marked");
  return false;
}

// --- inputs and outputs

nvinfer1::ITensor* NetworkImpl::addInput(char const* name, nvinfer1::DataType type, nvinfer1::Dims const& dims) {
  return reporter_.guard("addInput", static_cast<nvinfer1::ITensor*>(nullptr), [&]() -> nvinfer1::ITensor* {
    if (name == nullptr || *name == '\0') refuse("an input needs a name");
    for (const auto& other : inputs_)
      if (other->name == name) refuse("there is an input '" + std::string(name) + "' already");
    auto input = std::make_unique<TensorImpl>(*this, nullptr, getNbInputs());
    input->name = name;
    input->is_input = true;
    type_of(type);
    input->type = type;
    input->extents = extents_of(dims);
    for (int64_t extent : input->extents)
      if (extent < -1) refuse("input '" + std::string(name) + "' is given the extent " + std::to_string(extent));
    inputs_.push_back(std::move(input));
    return inputs_.back().get();
  });
}

TensorImpl& NetworkImpl::own(nvinfer1::ITensor& tensor) const {
  auto& mine = static_cast<TensorImpl&>(tensor);
  if (&mine.network != this) refuse("tensor '" + mine.name + "' belongs to another network");
  return mine;
}

void NetworkImpl::markOutput(nvinfer1::ITensor& tensor) {
  reporter_.guard("markOutput", [&] {
    TensorImpl& mine = own(tensor);
    if (std::find(outputs_.begin(), outputs_.end(), &mine) == outputs_.end()) outputs_.push_back(&mine);
  });
}

void NetworkImpl::unmarkOutput(nvinfer1::ITensor& tensor) {
  reporter_.guard("unmarkOutput", [&] { std::erase(outputs_, &own(tensor)); });
}

bool NetworkImpl::markOutputForShapes(nvinfer1::ITensor& tensor) {
  return reporter_.guard("markOutputForShapes", false, [&] {
    TensorImpl& mine = own(tensor);
    if (std::find(outputs_.begin(), outputs_.end(), &mine) == outputs_.end()) outputs_.push_back(&mine);
    return true;
  });
}

bool NetworkImpl::unmarkOutputForShapes(nvinfer1::ITensor& tensor) {
  return reporter_.guard("unmarkOutputForShapes", false, [&] { return std::erase(outputs_, &own(tensor)) > 0; });
}

// An input that no layer reads leaves the network.
void NetworkImpl::removeTensor(nvinfer1::ITensor& tensor) {
  reporter_.guard("removeTensor", [&] {
    TensorImpl& mine = own(tensor);
    std::erase(outputs_, &mine);
  });
}

nvinfer1::ILayer* NetworkImpl::getLayer(int32_t index) const {
  return index < 0 || index >= getNbLayers() ? nullptr : &layers_[static_cast<size_t>(index)]->layer();
}

nvinfer1::ITensor* NetworkImpl::getInput(int32_t index) const {
  return index < 0 || index >= getNbInputs() ? nullptr : inputs_[static_cast<size_t>(index)].get();
}

nvinfer1::ITensor* NetworkImpl::getOutput(int32_t index) const {
  return index < 0 || index >= getNbOutputs() ? nullptr : outputs_[static_cast<size_t>(index)];
}

bool NetworkImpl::setWeightsName(nvinfer1::Weights weights, char const* name) {
  if (weights.values == nullptr || name == nullptr) return false;
  weight_names_[weights.values] = name;
  return true;
}

void NetworkImpl::setPoolingOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[2] = formula;
}
void NetworkImpl::setConvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[0] = formula;
}
void NetworkImpl::setDeconvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[1] = formula;
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getPoolingOutputDimensionsFormula() const {
  static FloorFormula usual(false);
  return formulas_[2] == nullptr ? usual : *formulas_[2];
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getConvolutionOutputDimensionsFormula() const {
  static FloorFormula usual(false);
  return formulas_[0] == nullptr ? usual : *formulas_[0];
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getDeconvolutionOutputDimensionsFormula() const {
  static FloorFormula usual(true);
  return formulas_[1] == nullptr ? usual : *formulas_[1];
}

// --- nodes

void NetworkImpl::add(std::unique_ptr<LayerCore> layer) { layers_.push_back(std::move(layer)); }

void NetworkImpl::make_input(TensorImpl& input) {
  std::vector<Dim> dims;
  if (implicit_) dims.emplace_back(batch_symbol());
  for (size_t axis = 0; axis < input.extents.size(); ++axis) {
    const auto named = input.dimension_names.find(static_cast<int32_t>(axis));
    if (input.extents[axis] >= 0)
      dims.emplace_back(input.extents[axis]);
    else if (named != input.dimension_names.end())
      dims.emplace_back(named->second);
    else
      dims.emplace_back("-1");
  }
  input.value = nodes_->input(input.name, type_of(input.type), dims);
}

Value NetworkImpl::value_of(TensorImpl& tensor) {
  if (tensor.value.present()) return tensor.value;
  if (tensor.is_input) {
    make_input(tensor);
    return tensor.value;
  }
  make_nodes(*tensor.producer);
  if (!tensor.value.present()) throw Error(Code::unsupported, "'" + tensor.name + "' has no value outside of its loop");
  return tensor.value;
}

void NetworkImpl::make_nodes(LayerCore& layer) {
  if (layer.made) return;
  if (layer.making) throw Error(Code::invalid_model, "layer '" + layer.name + "' depends on itself");
  layer.making = true;
  try {
    for (size_t i = 0; i < std::min(layer.operands.size(), layer.first_operands); ++i)
      if (layer.operands[i] != nullptr) value_of(*layer.operands[i]);
    Emit emit(*this, layer);
    layer.lower(emit);
    for (const auto& result : layer.results) {
      if (!result->type_set || !result->value.present()) continue;
      const DataType wanted = type_of(result->type), found = nodes_->dtype(result->value);
      if (wanted != found && !result->is_wish(found) && !(is_float(wanted) && is_float(found)))
        result->value = emit.cast(result->value, wanted);
    }
  } catch (const Error& error) {
    layer.making = false;
    drop_nodes(layer);
    throw Error(error.code(), "layer '" + layer.name + "': " + error.what());
  }
  layer.making = false;
  layer.made = true;
  made_.push_back(&layer);
}

void NetworkImpl::drop_nodes(LayerCore& layer) {
  const PluginSession::Scope scope(*plugins);
  for (size_t i = layer.nodes.size(); i-- > 0;) {
    node_names_.erase(nodes_->name(layer.nodes[i]));
    nodes_->remove(layer.nodes[i]);
  }
  layer.nodes.clear();
  layer.own_weights.clear();
  for (const auto& result : layer.results) result->value = {};
  layer.made = false;
}

void NetworkImpl::take_back(LayerCore& layer) {
  if (!layer.made) return;
  while (!made_.empty()) {
    LayerCore* last = made_.back();
    made_.pop_back();
    drop_nodes(*last);
    if (last == &layer) return;
  }
}

void NetworkImpl::take_back_all() {
  while (!made_.empty()) {
    drop_nodes(*made_.back());
    made_.pop_back();
  }
}

// Nodes of an ONNX model stay and are given the new type; those of a file that can be read again are read again; all
// others are made again.
void NetworkImpl::input_changed(TensorImpl& input) {
  const PluginSession::Scope scope(*plugins);
  if (!input.value.present() || read_with_extents(input)) return;
  take_back_all();
  set_input_type(input);
}

void NetworkImpl::set_input_type(TensorImpl& input) {
  std::vector<const char*> symbols;
  for (size_t axis = 0; axis < input.extents.size(); ++axis) {
    const char* text = input.getDimensionName(static_cast<int32_t>(axis));
    symbols.push_back(input.extents[axis] < 0 ? text : nullptr);
  }
  Extents extents = input.extents;
  if (implicit_) {
    extents.insert(extents.begin(), -1);
    symbols.insert(symbols.begin(), batch_symbol());
  }
  detail::check(planish_network_set_input_type(nodes_->handle(), input.value.id,
                                               static_cast<planish_dtype>(type_of(input.type)), extents.data(),
                                               symbols.data(), static_cast<int32_t>(extents.size())));
  nodes_->set_name(input.value, input.name);
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

std::string NetworkImpl::fresh_node_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !node_names_.insert(name).second; ++i) name = wanted + "." + std::to_string(i);
  return name;
}

int64_t NetworkImpl::fixed_batch() const {
  for (const auto& input : inputs_) {
    if (!implicit_ || !input->value.present()) continue;
    const Extents extents = nodes_->extents(input->value);
    if (!extents.empty() && extents[0] > 0) return extents[0];
  }
  return 0;
}

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

Network NetworkImpl::finish() {
  if (outputs_.empty()) throw Error(Code::invalid_argument, "the network has no outputs; markOutput makes some");
  if (plugin_batch != 0 && plugin_batch != max_batch()) take_back_all();  // they are configured again
  for (const auto& input : inputs_) value_of(*input);
  std::vector<Value> values;
  for (TensorImpl* output : outputs_) values.push_back(value_of(*output));
  Network whole = nodes_->clone();
  std::set<planish_value> marked;
  for (size_t i = 0; i < values.size(); ++i) {
    const TensorImpl& output = *outputs_[i];
    Value value = values[i];
    if (output.type_set && whole.dtype(value) != type_of(output.type) && !output.is_wish(whole.dtype(value)))
      value = whole.add("cast", {value}, {{"to", Attribute::Value(type_of(output.type))}});
    if (!output.type_set && whole.dtype(value) == DataType::f64)
      value = whole.add("cast", {value}, {{"to", Attribute::Value(DataType::f32)}});
    static_cast<void>(type_of(whole.dtype(value)));  // Error: the interface has no such type
    if (!marked.insert(value.id).second) value = whole.add("identity", {value});
    const auto other = whole.find(output.name);
    if (other && *other != value && !whole.is_input(*other)) whole.set_name(*other, output.name + ".inner");
    whole.mark_output(value, output.name);
  }
  return whole;
}

}  // namespace planish::tensorrt
