#pragma once
// How one ONNX node becomes nodes of the graph. A file `pad.cpp` defines `register_pad(ImporterTable&)`.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common/expansion.h"
#include "importers/onnx/wire/model.h"
#include "ir/graph.h"
#include "ops/builder.h"

namespace planish::onnx {

class NodeContext : public importers::Expansion {
 public:
  NodeContext(Graph& graph, const wire::Node& node, int64_t opset, std::vector<ValueId> inputs)
      : Expansion(graph, node.name.empty() ? node.op_type + "_" + node.outputs.at(0) : node.name, node.outputs.at(0)),
        node_(node),
        opset_(opset),
        inputs_(std::move(inputs)) {}

  int64_t opset() const { return opset_; }
  const wire::Node& proto() const { return node_; }
  std::vector<ValueId>& inputs() { return inputs_; }
  ValueId input(size_t i) const { return i < inputs_.size() ? inputs_[i] : ValueId{}; }
  bool has_input(size_t i) const { return input(i).valid(); }
  const TensorType& type(size_t i) const {
    if (!has_input(i)) fail(Code::invalid_model, "operand {} is missing", i);
    return value(inputs_[i]).type;
  }

  const wire::Attribute* attribute(std::string_view name) const;
  template <class T>
  T get_or(std::string_view name, T fallback) const {
    const wire::Attribute* found = attribute(name);
    if (found == nullptr) return fallback;
    return Attrs{{found->name, found->value}}.get<T>(found->name);
  }
  // The node's attributes; those of kind graph are left out.
  Attrs attrs() const { return attrs_of(node_); }
  static Attrs attrs_of(const wire::Node& node);

  // Adds the last node: it has the ONNX node's outputs.
  void emit(OpName op, std::vector<ValueId> inputs, Attrs attrs = {});
  // The node's (first) output is this value.
  void alias(ValueId value) { results = {value}; }

  // The body once more among the nodes of this graph; the values of its outputs.
  std::function<std::vector<ValueId>(const wire::GraphProto& body, const std::vector<ValueId>& arguments)> inline_body;

  std::vector<ValueId> results;

 private:
  const wire::Node& node_;
  int64_t opset_;
  std::vector<ValueId> inputs_;
};

void import_scan_of_opset_8(NodeContext& context);

using ImportFn = void (*)(NodeContext&);

class ImporterTable {
 public:
  struct Row {
    ImportFn import = nullptr;
    int most_operands = -1;  // -1: the operator that it becomes counts them
  };
  void add(std::string_view op_type, ImportFn fn, int most_operands = -1) {
    if (!rows_.emplace(op_type, Row{fn, most_operands}).second) fail(Code::internal, "two importers of '{}'", op_type);
  }
  const Row* find(std::string_view op_type) const {
    auto at = rows_.find(op_type);
    return at == rows_.end() ? nullptr : &at->second;
  }

 private:
  std::map<std::string, Row, std::less<>> rows_;
};

const ImporterTable& importer_table();

}  // namespace planish::onnx
