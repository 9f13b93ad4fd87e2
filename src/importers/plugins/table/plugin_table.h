#pragma once
// Plugins that ship with the library: for each name its versions and fields, and how a node of it becomes nodes of the
// graph. They vanish there: the plan knows operators alone. A file `nms.cpp` defines `register_nms(PluginTable&)`.
//
// Names, fields and shapes are those that TensorRT's documentation gives for its own plugins of the same names. The
// first axis of every operand and result is the batch.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "importers/common/expansion.h"
#include "tensor/attrs.h"

namespace planish::plugins {

// A field's kind is that of its fallback: integer, number, text, list of integers or of numbers. A Tensor takes
// weights: as f32, from numbers in any form.
struct Field {
  std::string name;
  AttrValue fallback;
  bool required = false;
};
inline Tensor no_weights() { return Tensor::zeros(DataType::f32, {0}); }
inline Field required(std::string name, AttrValue kind) { return {std::move(name), std::move(kind), true}; }

class PluginContext;

struct Version {
  Version(const char* name, int generation = 2) : name(name), generation(generation) {}
  std::string name;
  int generation;  // of TensorRT's plugin interface
};

struct PluginRow {
  std::string name;
  std::vector<Version> versions;  // all mean the same here
  std::vector<Field> fields;
  int least = 1, most = 1;  // operands; most -1: any number
  // Results: of most plugins one number; of others the fields tell.
  int (*outputs)(const Attrs& fields) = nullptr;
  void (*expand)(PluginContext&) = nullptr;
};

template <int count>
int results(const Attrs&) {
  return count;
}

class PluginTable {
 public:
  void add(PluginRow row);
  const PluginRow* find(std::string_view name) const;
  std::vector<const PluginRow*> rows() const;  // sorted by name

 private:
  std::map<std::string, PluginRow, std::less<>> rows_;
};
const PluginTable& plugin_table();

// All fields of the row: given ones brought to their kinds, fallbacks for the others. `plugin_version`,
// `plugin_namespace`, `name` and `version` that are no fields are left out. Error(invalid_model) names the field, what
// was found and what is accepted. An empty `version`: any.
Attrs checked_fields(const PluginRow& row, const Attrs& given);

// For tables that an expansion makes up (anchors, places): Error(unsupported) for more than 2^26 numbers.
void require_small_table(std::initializer_list<int64_t> extents);

struct PluginNode {
  std::string type;
  Attrs attrs;
  std::vector<ValueId> inputs;
  std::string name, made;  // of the node, and of its first result
};
// Adds the nodes; the plugin's results. Error(not_found) lists the names of the table.
std::vector<ValueId> expand(Graph& graph, PluginNode node);

// What an expansion sees.
class PluginContext : public importers::Expansion {
 public:
  PluginContext(Graph& graph, const PluginRow& row, const PluginNode& node, Attrs fields)
      : Expansion(graph, node.name, node.made), inputs_(node.inputs), row_(row), fields_(std::move(fields)) {}

  size_t input_count() const { return inputs_.size(); }
  bool has_input(size_t i) const { return i < inputs_.size() && inputs_[i].valid(); }
  ValueId input(size_t i) const { return has_input(i) ? inputs_[i] : ValueId{}; }
  // Error(invalid_model) names operand, found and accepted rank.
  const Shape& shape(size_t i, int least, int most);
  const Shape& shape(size_t i, int rank) { return shape(i, rank, rank); }

  int64_t integer(std::string_view name) const { return fields_.get<int64_t>(name); }
  bool flag(std::string_view name) const { return integer(name) != 0; }
  const std::string& text(std::string_view name) const { return fields_.get<std::string>(name); }
  double number(std::string_view name) const { return fields_.get<double>(name); }
  const std::vector<int64_t>& integers(std::string_view name) const { return fields_.get<std::vector<int64_t>>(name); }
  const std::vector<double>& numbers(std::string_view name) const { return fields_.get<std::vector<double>>(name); }
  // Weights that have exactly these extents; Error(invalid_model) for another number of elements.
  ValueId weights(std::string_view name, std::vector<int64_t> extents);
  int64_t weight_count(std::string_view name) const;
  // Error(invalid_model) "field 'x' is 5; 1 to 4 is accepted".
  int64_t integer_in(std::string_view name, int64_t least, int64_t most) const;

  ValueId numbers_constant(std::vector<int64_t> extents, const std::vector<float>& values) {
    return constant(Tensor::of<float>(std::move(extents), values));
  }
  // The results in order.
  void give(std::vector<ValueId> values) { results_ = std::move(values); }
  const std::vector<ValueId>& given() const { return results_; }
  const PluginRow& row() const { return row_; }

 private:
  std::vector<ValueId> inputs_;
  const PluginRow& row_;
  Attrs fields_;
  std::vector<ValueId> results_;
};

}  // namespace planish::plugins
