#pragma once
// Small expressions that several importers write.

#include "importers/onnx/importer.h"

namespace planish::onnx {

inline const Shape& shape_of(NodeContext& context, ValueId id) { return context.value(id).type.shape; }
inline DataType dtype_of(NodeContext& context, ValueId id) { return context.value(id).type.dtype; }

inline ValueId scalar(NodeContext& context, int64_t value) { return context.constant(Tensor::scalar<int64_t>(value)); }

// `value` itself where it has that type.
inline ValueId as(DataType type, NodeContext& context, ValueId value) {
  return dtype_of(context, value) == type ? value : context.add("cast", {value}, {{"to", type}});
}

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

inline ValueId dims(NodeContext& context, std::vector<Dim> values) {
  if (const Shape known(values); known.is_static()) return context.ints(known.extents());
  return context.add("dims", {}, {{"values", std::move(values)}});
}

inline ValueId reshaped(NodeContext& context, ValueId value, std::vector<Dim> extents) {
  if (shape_of(context, value) == Shape(extents)) return value;
  return context.add("reshape", {value, dims(context, std::move(extents))}, {{"allowzero", int64_t{1}}});
}

// 0, 1, … below an extent
inline ValueId positions(NodeContext& context, Dim extent) {
  if (extent.is_constant()) return iota(context, scalar(context, extent.value()));
  return iota(context, context.add("dims", {}, {{"values", std::vector<Dim>{extent}}, {"scalar", int64_t{1}}}));
}

inline ValueId transposed(NodeContext& context, ValueId value, std::vector<int64_t> perm) {
  return context.add("transpose", {value}, {{"perm", std::move(perm)}});
}

// [begin, end) along an axis
inline ValueId sliced(NodeContext& context, ValueId value, int64_t axis, int64_t begin, int64_t end) {
  return context.add("slice", {value, context.ints({begin}), context.ints({end}), context.ints({axis})});
}

inline ValueId scaled(NodeContext& context, ValueId value, double factor) {
  return factor == 1 ? value : context.add("mul", {value, context.scalar_like(value, factor)});
}

// x * sigmoid(alpha * x)
inline ValueId swish(NodeContext& context, ValueId x, double alpha) {
  return context.add("mul", {x, context.add("sigmoid", {scaled(context, x, alpha)})});
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

// An extent that the expansion needs as a number.
inline int64_t fixed_extent(NodeContext& context, ValueId value, int axis, const char* what) {
  const Dim extent = shape_of(context, value)[axis];
  if (!extent.is_constant()) fail(Code::unsupported, "{} is {}; a fixed extent is accepted", what, extent.str());
  return extent.value();
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
