#pragma once
// Questions that passes ask about values.

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace planish::passes {

bool is_scalar_constant(const Graph& graph, ValueId id);          // a constant of one element, of any rank
std::optional<double> scalar_of(const Graph& graph, ValueId id);  // its value; nothing for strings
// Elements of a constant operand of integers; nothing when it is absent or computed.
std::optional<std::vector<int64_t>> ints_of(const Graph& graph, const Node& node, size_t operand);
bool is_private(const Graph& graph, ValueId id);  // one user, and no output
// The node of that operator which makes a private value, else nullptr.
const Node* private_producer(const Graph& graph, ValueId id, const char* op);
bool is_float_constant(const Graph& graph, ValueId id);
bool is_byte_type(DataType type);  // u8 or i8
// Its result has elements of operand 0 as they are (or the largest of some), and no others; one result.
bool is_move(const Node& node);

Tensor float_tensor(std::vector<int64_t> extents, const std::vector<double>& values);  // f32

}  // namespace planish::passes
