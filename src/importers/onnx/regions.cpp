// Operators whose bodies are written out here: SequenceMap, and Scan as it was in opset 8.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

const wire::GraphProto& body_graph(NodeContext& context) {
  const wire::Attribute* body = context.attribute("body");
  if (body == nullptr || body->graphs.empty()) fail(Code::invalid_model, "the body is missing");
  return *body->graphs[0];
}

void require_inputs(const wire::GraphProto& body, size_t wanted) {
  if (body.inputs.size() != wanted)
    fail(Code::invalid_model, "a body of {} inputs; {} are accepted", body.inputs.size(), wanted);
}

// The body for each position of the sequences; tensors are the same in all.
void import_sequence_map(NodeContext& context) {
  const wire::GraphProto& body = body_graph(context);
  require_inputs(body, context.inputs().size());
  const size_t length = sequence_elements(context, 0).size();
  std::vector<std::vector<ValueId>> columns(body.outputs.size());
  for (size_t i = 0; i < length; ++i) {
    std::vector<ValueId> arguments;
    for (size_t k = 0; k < context.inputs().size(); ++k) {
      if (!is_sequence(context, context.input(k))) {
        arguments.push_back(context.input(k));
        continue;
      }
      const auto elements = sequence_elements(context, k);
      if (elements.size() != length)
        fail(Code::invalid_model, "sequences of {} and {} elements", length, elements.size());
      arguments.push_back(elements[i]);
    }
    const auto results = context.inline_body(body, arguments);
    for (size_t k = 0; k < columns.size(); ++k) columns[k].push_back(results[k]);
  }
  for (auto& column : columns) context.results.push_back(context.add("sequence", std::move(column)));
}

ValueId element(NodeContext& context, ValueId value, int64_t axis, int64_t at) {
  return context.add("gather", {value, scalar(context, at)}, {{"axis", axis}});
}

ValueId stacked_rows(NodeContext& context, const std::vector<ValueId>& parts) {
  if (parts.empty()) fail(Code::unsupported, "a loop that is not entered and stacks results");
  std::vector<ValueId> rows;
  for (ValueId part : parts) rows.push_back(unsqueezed(context, part, {0}));
  return context.add("concat", std::move(rows), {{"axis", int64_t{0}}});
}

}  // namespace

// sequence_lens?, states [N, …], sequences [N, T, …]: each sample by itself, the body sees no batch.
void import_scan_of_opset_8(NodeContext& context) {
  if (context.has_input(0)) fail(Code::unsupported, "sequence_lens; whole sequences are accepted");
  const wire::GraphProto& body = body_graph(context);
  const auto sequences = static_cast<size_t>(context.get_or<int64_t>("num_scan_inputs", 0));
  const size_t given = context.inputs().size() - std::min<size_t>(1, context.inputs().size());
  if (sequences < 1 || sequences > given)
    fail(Code::invalid_model, "num_scan_inputs is {} for {} operands", sequences, given);
  require_inputs(body, given);
  const size_t carried = given - sequences;
  if (body.outputs.size() < carried)
    fail(Code::invalid_model, "a body of {} outputs carries {} values", body.outputs.size(), carried);
  for (size_t i = 0; i < sequences; ++i) require_range(context, 1 + carried + i, 2, kMaxRank);
  const auto directions = context.get_or<std::vector<int64_t>>("directions", {});
  const int64_t batches = fixed_extent(context, context.input(1 + carried), 0, "the batch");
  const int64_t steps = fixed_extent(context, context.input(1 + carried), 1, "the length");
  std::vector<std::vector<ValueId>> samples(body.outputs.size());
  for (int64_t n = 0; n < batches; ++n) {
    std::vector<ValueId> state, own;
    for (size_t i = 0; i < carried; ++i) state.push_back(element(context, context.input(1 + i), 0, n));
    for (size_t i = 0; i < sequences; ++i) own.push_back(element(context, context.input(1 + carried + i), 0, n));
    std::vector<std::vector<ValueId>> rows(body.outputs.size() - carried);
    for (int64_t t = 0; t < steps; ++t) {
      std::vector<ValueId> arguments = state;
      for (size_t i = 0; i < sequences; ++i) {
        const bool backwards = i < directions.size() && directions[i] != 0;
        arguments.push_back(element(context, own[i], 0, backwards ? steps - 1 - t : t));
      }
      const auto results = context.inline_body(body, arguments);
      state.assign(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(carried));
      for (size_t k = 0; k < rows.size(); ++k) rows[k].push_back(results[carried + k]);
    }
    for (size_t i = 0; i < carried; ++i) samples[i].push_back(state[i]);
    for (size_t k = 0; k < rows.size(); ++k) samples[carried + k].push_back(stacked_rows(context, rows[k]));
  }
  for (const auto& parts : samples) context.results.push_back(stacked_rows(context, parts));
}

void register_regions(ImporterTable& table) { table.add("SequenceMap", import_sequence_map); }

}  // namespace planish::onnx
