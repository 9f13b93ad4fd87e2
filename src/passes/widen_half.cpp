// Arithmetic on f16 and bf16 becomes arithmetic on f32. With w(v) for the value of v in f32:
//   y = f(x, c)     ->  w(y) = f(w(x), w(c))
//   w(constant) is a constant of the same numbers, w(anything else that stays) = cast(it)
//   an output y, or an operand of what takes its operands as they are: cast(w(y))
// What is stored is wider than the model says, so that nothing is rounded between two nodes: results are at least as
// exact, and sums beyond 65504 stay finite. A cast to f16 that the model itself states rounds as before.
//
// Inputs and outputs of the network, casts, and operators whose results are not numbers computed from numbers keep
// their types. Regions are widened with the values around them, bounds included.

#include <map>

#include "ops/builder.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_half(DataType type) { return type == DataType::f16 || type == DataType::bf16; }

template <class Narrow>
void widen_elements(const Tensor& from, std::byte* to) {
  std::ranges::transform(from.as<Narrow>(), reinterpret_cast<float*>(to), [](Narrow value) { return to_float(value); });
}

Tensor widened_tensor(const Tensor& tensor) {
  const auto fill = tensor.dtype() == DataType::f16 ? widen_elements<Half> : widen_elements<BFloat16>;
  return Tensor::make(DataType::f32, tensor.extents(), [&](std::byte* to) { fill(tensor, to); });
}

AttrValue widened_attr(const AttrValue& value) {
  if (const auto* type = std::get_if<DataType>(&value); type != nullptr && is_half(*type)) return DataType::f32;
  if (const auto* tensor = std::get_if<Tensor>(&value); tensor != nullptr && is_half(tensor->dtype()))
    return widened_tensor(*tensor);
  return value;
}

// Operands must have the types that the model states.
bool takes_as_is(const Node& node) {
  return node.op == "bit_cast" || node.op == "custom" || node.op == "refuse" || node.op == "sequence";
}

class Widening {
 public:
  Widening(Graph& graph, bool is_region) : graph_(graph), is_region_(is_region) {}

  bool run() {
    if (is_region_)
      for (ValueId input : graph_.inputs()) retype(input);
    for (NodeId id : graph_.nodes()) widen_node(id);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId output = graph_.outputs()[i];
      if (is_region_)
        graph_.set_output(i, widened(output));
      else
        graph_.set_output(i, as_stated(output));
    }
    return changed_;
  }

 private:
  void widen_node(NodeId id) {
    if (graph_.node(id).op == "cast") return;  // its operand may be of any type, its result is what it states
    const bool as_is = takes_as_is(graph_.node(id));
    for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) {
      const ValueId input = graph_.node(id).inputs[i];
      if (!input.valid()) continue;
      const ValueId wanted = as_is ? as_stated(input) : widened(input);
      if (wanted != input) graph_.set_input(id, i, wanted);
    }
    if (as_is) return;
    Node& node = graph_.mutable_node(id);
    const Attrs stated = node.attrs;
    for (const auto& [name, value] : stated.entries()) node.attrs.set(name, widened_attr(value));
    for (const auto& region : node.regions) {
      share_symbols(graph_, *region);
      changed_ |= Widening(*region, true).run();
    }
    for (ValueId output : node.outputs) retype(output);
  }

  // The value itself is in f32 from here on.
  void retype(ValueId id) {
    DataType& type = graph_.mutable_value(id).type.dtype;
    if (!is_half(type)) return;
    stated_[id] = std::exchange(type, DataType::f32);
    changed_ = true;
  }

  // The value in f32.
  ValueId widened(ValueId id) {
    const Value& value = graph_.value(id);
    if (!is_half(value.type.dtype)) return id;
    ValueId& wide = widened_[id];
    if (wide.valid()) return wide;
    const std::string name = value.name + ".f32";
    changed_ = true;
    return wide = value.is_constant() ? graph_.add_constant(widened_tensor(value.constant), name)
                                      : add_cast(id, DataType::f32, name);
  }

  // The value in the type that the model states, under the name that it has there.
  ValueId as_stated(ValueId id) {
    const auto type = stated_.find(id);
    if (type == stated_.end()) return id;
    ValueId& narrow = narrowed_[id];
    if (narrow.valid()) return narrow;
    const std::string name = graph_.value(id).name;
    graph_.rename(id, graph_.fresh_name(name + ".f32"));
    return narrow = add_cast(id, type->second, name);
  }

  ValueId add_cast(ValueId id, DataType to, const std::string& name) {
    return graph_.node(add_node(graph_, "cast", {id}, {{"to", to}}, {}, 1, {name})).outputs[0];
  }

  Graph& graph_;
  const bool is_region_;
  bool changed_ = false;
  std::map<ValueId, DataType> stated_;  // of the values that were retyped
  std::map<ValueId, ValueId> widened_, narrowed_;
};

}  // namespace

Pass widen_half() {
  return {"widen_half", [](Graph& graph) { return Widening(graph, false).run(); }, true};
}

}  // namespace planish::passes
