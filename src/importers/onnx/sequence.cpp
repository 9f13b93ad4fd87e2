// Sequences and optionals whose elements are known here: a sequence is the operands of a node `sequence`, an optional
// is its element, or an empty sequence.

#include "importers/onnx/pieces.h"
#include "ops/evaluate.h"

namespace planish::onnx {
namespace {

void emit_sequence(NodeContext& context, std::vector<ValueId> elements) {
  context.emit("sequence", std::move(elements));
}

// The integers of an operand that is known here.
std::vector<int64_t> known_ints(NodeContext& context, size_t i) {
  static_cast<void>(context.type(i));
  const auto known = known_operand(context.value(context.input(i)));
  if (!known) fail(Code::unsupported, "operand {} is computed from data; constants are accepted", i);
  return known->to_ints();
}

// Below `limit`; negative ones count from the end of `count` elements.
size_t position(NodeContext& context, size_t i, size_t count, size_t limit) {
  const auto given = known_ints(context, i);
  if (given.size() != 1)
    fail(Code::invalid_model, "operand {} is {}; one element is accepted", i, context.type(i).str());
  const auto length = static_cast<int64_t>(count);
  const int64_t at = given[0] < 0 ? given[0] + length : given[0];
  if (at < 0 || at >= static_cast<int64_t>(limit))
    fail(Code::invalid_model, "position {} of {} elements", given[0], length);
  return static_cast<size_t>(at);
}

void import_sequence_construct(NodeContext& context) { emit_sequence(context, context.inputs()); }

void import_sequence_at(NodeContext& context) {
  const auto elements = sequence_elements(context, 0);
  context.alias(elements[position(context, 1, elements.size(), elements.size())]);
}

void import_sequence_insert(NodeContext& context) {
  auto elements = sequence_elements(context, 0);
  const size_t at = context.has_input(2) ? position(context, 2, elements.size(), elements.size() + 1) : elements.size();
  elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(at), context.input(1));
  emit_sequence(context, std::move(elements));
}

void import_sequence_erase(NodeContext& context) {
  auto elements = sequence_elements(context, 0);
  if (elements.empty()) fail(Code::invalid_model, "an element of an empty sequence is erased");
  const size_t at = context.has_input(1) ? position(context, 1, elements.size(), elements.size()) : elements.size() - 1;
  elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
  emit_sequence(context, std::move(elements));
}

void import_sequence_length(NodeContext& context) {
  context.alias(scalar(context, static_cast<int64_t>(sequence_elements(context, 0).size())));
}

void import_concat_from_sequence(NodeContext& context) {
  auto elements = sequence_elements(context, 0);
  if (elements.empty()) fail(Code::unsupported, "an empty sequence is concatenated");
  const int64_t axis = context.get_or<int64_t>("axis", 0);
  if (context.get_or<int64_t>("new_axis", 0) != 0)
    for (ValueId& element : elements) element = unsqueezed(context, element, {axis});
  context.emit("concat", std::move(elements), {{"axis", axis}});
}

// Extents of the parts: one number is that of all but perhaps the last.
std::vector<int64_t> split_extents(NodeContext& context, int64_t extent) {
  if (!context.has_input(1)) return std::vector<int64_t>(static_cast<size_t>(extent), 1);
  const auto given = known_ints(context, 1);
  if (context.type(1).shape.rank() > 0) return given;
  if (given[0] < 1) fail(Code::invalid_model, "parts of {}; 1 and more is accepted", given[0]);
  std::vector<int64_t> parts;
  for (int64_t begin = 0; begin < extent; begin += given[0]) parts.push_back(std::min(given[0], extent - begin));
  return parts;
}

void import_split_to_sequence(NodeContext& context) {
  constexpr int64_t kMostParts = 4096;
  const int axis = normalize_axis(context.get_or<int64_t>("axis", 0), context.type(0).shape.rank());
  const int64_t extent = fixed_extent(context, context.input(0), axis, "the extent along the axis");
  if (extent > kMostParts && !context.has_input(1))
    fail(Code::unsupported, "{} parts; up to {} are accepted", extent, kMostParts);
  const bool drops_axis = !context.has_input(1) && context.get_or<int64_t>("keepdims", 1) == 0;
  std::vector<ValueId> parts;
  int64_t begin = 0;
  for (int64_t part : split_extents(context, extent)) {
    if (part < 0 || std::ssize(parts) >= kMostParts)
      fail(Code::invalid_model, "part {} of {} elements", parts.size(), part);
    const ValueId value = sliced(context, context.input(0), axis, begin, begin + part);
    parts.push_back(drops_axis ? context.add("squeeze", {value, context.ints({axis})}) : value);
    begin += part;
  }
  if (begin != extent) fail(Code::invalid_model, "parts of {} elements in all for an extent of {}", begin, extent);
  emit_sequence(context, std::move(parts));
}

void import_optional(NodeContext& context) {
  if (context.has_input(0)) return context.alias(context.input(0));
  emit_sequence(context, {});
}

// An optional that is empty is a sequence without elements.
void import_has_element(NodeContext& context) {
  const bool held =
      context.has_input(0) && (!is_sequence(context, context.input(0)) || !sequence_elements(context, 0).empty());
  context.alias(context.constant(Tensor::scalar<bool>(held)));
}

void import_get_element(NodeContext& context) {
  if (!context.has_input(0)) fail(Code::invalid_model, "operand 0 is missing");
  context.alias(context.input(0));
}

void import_identity(NodeContext& context) {
  if (context.has_input(0) && is_sequence(context, context.input(0))) return context.alias(context.input(0));
  context.emit("identity", context.inputs());
}

// The first elements of each sequence, as many as its length, in reverse order.
void import_reverse_sequence(NodeContext& context) {
  require_range(context, 0, 2, kMaxRank);
  const int64_t batch = context.get_or<int64_t>("batch_axis", 1), time = context.get_or<int64_t>("time_axis", 0);
  if (batch + time != 1 || batch < 0 || time < 0)
    fail(Code::invalid_model, "batch_axis {} and time_axis {}; 0 and 1 are accepted", batch, time);
  const Shape& shape = context.type(0).shape;
  const int rank = shape.rank(), axis = static_cast<int>(time);
  const ValueId at = along(context, positions(context, shape[axis]), axis, rank);
  const ValueId lengths = along(context, as(DataType::i64, context, context.input(1)), static_cast<int>(batch), rank);
  const ValueId last = context.add("sub", {lengths, scalar(context, 1)});
  const ValueId from = context.add("where", {context.add("less", {at, lengths}), context.add("sub", {last, at}), at});
  context.emit("gather_elements", {context.input(0), context.add("expand", {from, dims(context, shape.dims())})},
               {{"axis", time}});
}

}  // namespace

void register_sequence(ImporterTable& table) {
  table.add("SequenceEmpty", import_sequence_construct, 0);
  table.add("SequenceConstruct", import_sequence_construct);
  table.add("SequenceAt", import_sequence_at, 2);
  table.add("SequenceInsert", import_sequence_insert, 3);
  table.add("SequenceErase", import_sequence_erase, 2);
  table.add("SequenceLength", import_sequence_length, 1);
  table.add("ConcatFromSequence", import_concat_from_sequence, 1);
  table.add("SplitToSequence", import_split_to_sequence, 2);
  table.add("Optional", import_optional, 1);
  table.add("OptionalHasElement", import_has_element, 1);
  table.add("OptionalGetElement", import_get_element, 1);
  table.add("Identity", import_identity, 1);
  table.add("ReverseSequence", import_reverse_sequence, 2);
}

}  // namespace planish::onnx
