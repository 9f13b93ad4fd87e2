#pragma once
// Which layers of a network compute in integers of 8 bits, and which values are made of such numbers for them.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish {

// Layers by the name of a node, or of one of its origins.
struct LayerChoice {
  std::map<std::string, std::string> fp32;    // with the reason, for people
  std::set<std::string> int8;                 // an error where it cannot be
  std::optional<std::set<std::string>> only;  // no others are int8
  std::set<std::string> preferred;            // of the names above: no error where it cannot be
};

// A value that becomes numbers, and back, for the readers listed.
struct QuantizedValue {
  ValueId value;
  std::vector<NodeId> readers;
  size_t group = 0;  // values of one group have one scale: parts of a concat and their whole
};

struct FloatLayer {
  NodeId node;
  std::string why;
};

struct Placement {
  std::vector<NodeId> products;        // in order of execution
  std::vector<QuantizedValue> values;  // in order of execution
  std::vector<FloatLayer> kept;        // products with constant weights, and others that were asked for, in fp32
};

// Of a graph that the first passes have simplified. A product reads its value below whatever only moves elements
// (pools that take the largest, views, nearest resizing): there the numbers are made, so that bytes move. Pointwise
// operators of two tensors read the numbers that a convolution reads anyway, and those of one addend.
// Error(not_found, invalid_argument): `choice` names a layer that is not there, or cannot be int8.
Placement place(const Graph& graph, const LayerChoice& choice);

// The entry of a set or map of names that is the node's, or one of its origins'; the end: none.
template <class Names>
auto find_named(const Names& names, const Node& node) {
  auto at = names.find(node.name);
  for (size_t i = 0; at == names.end() && i < node.origins.size(); ++i) at = names.find(node.origins[i]);
  return at;
}

}  // namespace planish
