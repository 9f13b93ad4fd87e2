#pragma once
// Graph: an SSA DAG of nodes and values with stable ids.
//
// Regions (bodies of if, loop, scan and of fused nodes) are graphs of their own and isolated: outer values
// enter as operands of the node and appear as inputs of the body, results leave as its outputs.
// Passes change a graph through Patch (patch.h) only.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/attrs.h"
#include "tensor/tensor.h"
#include "tensor/type.h"

namespace planish {

// Interned operator name: equality is one comparison.
class OpName {
 public:
  OpName() = default;
  OpName(std::string_view name);  // NOLINT: implicit, so that node.op == "conv" reads well (one lookup)
  OpName(const char* name) : OpName(std::string_view(name)) {}
  const std::string& str() const { return *name_; }
  friend bool operator==(OpName a, OpName b) { return a.name_ == b.name_; }

 private:
  const std::string* name_ = nullptr;
};

template <class Tag>
struct Id {
  int32_t index = -1;
  bool valid() const { return index >= 0; }
  friend bool operator==(Id, Id) = default;
  friend auto operator<=>(Id, Id) = default;
};
using NodeId = Id<struct NodeTag>;
using ValueId = Id<struct ValueTag>;  // invalid: an optional operand that is absent

class Graph;

struct Value {
  std::string name;  // unique in its graph; survives to the plan
  TensorType type;
  NodeId producer;  // invalid for inputs and constants
  int result = 0;   // which output of the producer
  Tensor constant;  // present() for constants
  // Contents known as expressions (shape arithmetic): one Dim an element, row-major.
  std::optional<std::vector<Dim>> contents;

  bool is_constant() const { return constant.present(); }
};

struct Node {
  OpName op;
  std::string name;
  std::vector<std::string> origins;  // names of the model's nodes that this one stands for
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  Attrs attrs;
  std::vector<std::string> binds;  // symbols of kind `step` that its operands' elements give values to
  std::vector<std::unique_ptr<Graph>> regions;
  std::string note;  // "Conv, opset 13": for messages
};

class Graph {
 public:
  Graph();
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  Graph clone() const;  // ids are kept

  std::string name;
  SymbolTable symbols;        // of the whole model; regions use their outermost graph's names
  std::vector<Guard> guards;  // of the model, or of a branch: what is assumed only where it runs

  // --- reading. References stay valid until the node or value is removed.
  const Node& node(NodeId id) const;
  const Value& value(ValueId id) const;
  bool alive(NodeId id) const;
  bool alive(ValueId id) const;
  std::span<const ValueId> inputs() const;
  std::span<const ValueId> outputs() const;
  std::vector<NodeId> nodes() const;            // topological order, stable: a node after its operands' producers
  std::vector<NodeId> users(ValueId id) const;  // each once, in node order
  bool is_output(ValueId id) const;
  bool is_used(ValueId id) const;  // by a node, or as an output
  size_t node_count() const;
  std::optional<ValueId> find_value(std::string_view name) const;

  // --- building
  ValueId add_input(std::string name, TensorType type);
  ValueId add_constant(Tensor tensor, std::string name = {});
  // Types must be known: ops/builder.h adds nodes with inference. An empty name gets a fresh one.
  NodeId add_node(OpName op, std::vector<ValueId> inputs, Attrs attrs, std::vector<TensorType> output_types,
                  std::string name = {}, std::vector<std::string> output_names = {});
  void add_region(NodeId node, std::unique_ptr<Graph> body);
  void add_output(ValueId value);
  std::string fresh_name(std::string_view hint);
  std::string fresh_symbol(std::string_view hint, SymbolInfo info);

  // --- changing; for Patch and for inference
  Node& mutable_node(NodeId id);
  Value& mutable_value(ValueId id);
  void rename(ValueId id, std::string name);
  void rename(NodeId id, const std::string& name);           // Error(invalid_argument): another node has it
  void set_input(NodeId node, size_t index, ValueId value);  // must not close a circle
  void replace_uses(ValueId from, ValueId to);               // in nodes and outputs
  void set_output(size_t index, ValueId value);
  void remove_output(size_t index);  // the value stays
  void remove_node(NodeId id);       // its outputs must be unused
  void remove_constant(ValueId id);  // must be unused
  int remove_dead();                 // nodes and constants that no output needs; returns how many nodes
  // The node binds a symbol that the type or contents of another value need.
  bool is_binding(const Node& node) const;

 private:
  // A type, contents or attribute, here or in a region, names one of the symbols; those of `except` do not count.
  bool needs(const std::vector<std::string>& symbols, const Node* except) const;

  struct State;
  std::unique_ptr<State> state_;
};

// Symbols are the model's: a region gets them before its inference and hands them back after it. What it assumes
// holds for the whole model too, but for the guards of a branch, which are checked where it runs.
inline void share_symbols(const Graph& from, Graph& to) { to.symbols = from.symbols; }
void hand_back(const Graph& region, const Node& node, Graph& graph);
void add_guards(const std::vector<Guard>& from, Graph& to);  // those that it has not

// Structural invariants: ids valid, acyclic, names unique, region signatures fit, outputs defined.
// Error(internal) names the node, Error(invalid_model) one whose regions do not fit. verify() of ops/builder.h adds
// what operators demand.
void verify_structure(const Graph& graph);

// Same nodes, types, attributes, names and constants (by content), whatever the ids.
bool equal(const Graph& a, const Graph& b);

}  // namespace planish
