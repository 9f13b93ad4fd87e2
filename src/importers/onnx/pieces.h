#pragma once
// Small expressions that several importers write.

#include "importers/onnx/importer.h"

namespace planish::onnx {

// 0, 1, … below `limit`, a scalar
inline ValueId iota(NodeContext& context, ValueId limit) {
  return context.add("range", {scalar(context, 0), limit, scalar(context, 1)});
}

inline ValueId extent_of(NodeContext& context, ValueId value, int64_t axis) {
  return context.add("gather", {context.add("shape", {value}), scalar(context, axis)});
}

// `row` along `axis` of a tensor of that rank
inline ValueId along(NodeContext& context, ValueId row, int axis, int rank) {
  std::vector<int64_t> others;
  for (int i = 0; i < rank; ++i)
    if (i != axis) others.push_back(i);
  return others.empty() ? row : context.add("unsqueeze", {row, context.ints(others)});
}

inline ValueId unsqueezed(NodeContext& context, ValueId value, std::vector<int64_t> axes) {
  return context.add("unsqueeze", {value, context.ints(std::move(axes))});
}

// 0, 1, … below an extent
inline ValueId positions(NodeContext& context, Dim extent) {
  if (extent.is_constant()) return iota(context, scalar(context, extent.value()));
  return iota(context, context.add("dims", {}, {{"values", std::vector<Dim>{extent}}, {"scalar", int64_t{1}}}));
}

inline bool wants_result(NodeContext& context, size_t i) {
  return i < context.proto().outputs.size() && !context.proto().outputs[i].empty();
}

// The element type that an attribute names by ONNX's number.
inline DataType named_type(NodeContext& context, const char* name) {
  const int64_t number = context.get_or<int64_t>(name, 0);
  const DataType found = wire::dtype_of(number);
  if (found == DataType::none || found == DataType::string)
    fail(Code::unsupported, "attribute '{}' is element type {} of ONNX", name, number);
  return found;
}

// Sequences whose elements are known at import are the operands of a node `sequence`.
inline bool is_sequence(NodeContext& context, ValueId value) {
  return value.valid() && dtype_of(context, value) == DataType::none;
}

inline std::vector<ValueId> sequence_elements(NodeContext& context, size_t i) {
  const ValueId sequence = context.input(i);
  const bool known = is_sequence(context, sequence) && context.value(sequence).producer.valid();
  if (!known) fail(Code::unsupported, "operand {} is no sequence whose elements are known at import", i);
  return context.graph().node(context.value(sequence).producer).inputs;
}

inline Attrs without(Attrs attrs, std::initializer_list<const char*> names) {
  for (const char* name : names) attrs.erase(name);
  return attrs;
}

inline void require_range(NodeContext& context, size_t i, int least, int most) {
  const int rank = context.type(i).shape.rank();
  if (rank < least || rank > most)
    fail(Code::invalid_model, "operand {} is {}; rank {} is accepted", i, context.type(i).str(),
         least == most ? std::to_string(least) : fmt::format("{} to {}", least, most));
}

}  // namespace planish::onnx
