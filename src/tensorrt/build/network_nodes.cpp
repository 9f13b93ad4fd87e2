// Records of layers become nodes of a planish::Network when something asks for a value, and are taken back when a
// setter changes what they were made of.

#include <algorithm>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

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

// A layer behind those that its operands come from, without recursion: chains are as long as callers make them.
void NetworkImpl::make_nodes(LayerCore& last) {
  struct Open {
    LayerCore* layer;
    size_t operands = 0;  // that have values
  };
  std::vector<Open> open;
  const auto begin = [&](LayerCore& layer) {
    if (layer.making) throw Error(Code::invalid_model, "layer '" + layer.name + "' depends on itself");
    open.push_back({&layer});
    layer.making = true;
  };
  if (last.made) return;
  begin(last);
  try {
    while (!open.empty()) {
      auto& [layer, done] = open.back();
      if (done < std::min(layer->operands.size(), layer->first_operands)) {
        TensorImpl* operand = layer->operands[done];
        if (operand != nullptr && !operand->value.present() && !operand->is_input && !operand->producer->made) {
          begin(*operand->producer);
          continue;
        }
        if (operand != nullptr) value_of(*operand);
        ++done;
        continue;
      }
      lower(*layer);
      layer->making = false;
      open.pop_back();
    }
  } catch (...) {
    for (const Open& one : open) one.layer->making = false;
    drop_nodes(*open.back().layer);
    try {
      throw;
    } catch (const Error& error) {
      throw Error(error.code(), "layer '" + open.back().layer->name + "': " + error.what());
    }
  }
}

void NetworkImpl::lower(LayerCore& layer) {
  Emit emit(*this, layer);
  layer.lower(emit);
  for (const auto& result : layer.results) {
    if (!result->type_set || !result->value.present()) continue;
    const DataType wanted = type_of(result->type), found = nodes_->dtype(result->value);
    if (wanted != found && !result->is_wish(found) && !(is_float(wanted) && is_float(found)))
      result->value = emit.cast(result->value, wanted);
  }
  layer.made = true;
  made_.push_back(&layer);
}

void NetworkImpl::drop_nodes(LayerCore& layer) {
  const PluginSession::Scope scope(*plugins);
  for (size_t i = layer.nodes.size(); i-- > 0;) {
    node_names_.erase(nodes_->name(layer.nodes[i]));
    names_taken_.clear();
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

std::string NetworkImpl::fresh_node_name(const std::string& wanted) {
  for (int& taken = names_taken_[wanted];;) {
    std::string name = taken == 0 ? wanted : wanted + "." + std::to_string(taken + 1);
    ++taken;
    if (node_names_.insert(name).second) return name;
  }
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
