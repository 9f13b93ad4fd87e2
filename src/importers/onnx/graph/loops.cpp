// Loop and Scan: one body, again and again. Where the number of turns is known and small the body is written out that
// often; else it becomes the region of a `loop`.

#include <algorithm>

#include "importers/onnx/graph/graph_importer.h"
#include "ops/compose.h"

namespace planish::onnx {

// What Loop and Scan have in common.
struct GraphImporter::Repetition {
  // An operand that the body sees a slice of each turn.
  struct Sequence {
    ValueId value;
    int64_t axis = 0;
    bool backwards = false;
  };
  // Slices that the turns give, stacked.
  struct Rows {
    int64_t axis = 0;
    bool backwards = false;
  };

  const wire::GraphProto& body;
  bool is_scan = false;
  ValueId trips, condition;  // absent ones: no limit, always true
  std::vector<ValueId> state;
  std::vector<Sequence> sequences;
  std::vector<Rows> rows;
  Dim length;  // of the sequences
};

namespace {

constexpr int64_t kMostUnrolled = 64;  // turns; each is a copy of the body

const wire::GraphProto& body_of(const NodeContext& context) {
  const wire::Attribute* body = context.attribute("body");
  if (body == nullptr || body->graphs.empty()) fail(Code::invalid_model, "the body is missing");
  return *body->graphs[0];
}

// The body hands the condition on as it is, or a constant that is true.
bool keeps_condition(const Graph& body) {
  ValueId condition = body.outputs()[0];
  while (body.value(condition).producer.valid()) {
    const Node& node = body.node(body.value(condition).producer);
    if (node.op != "identity") return false;
    condition = node.inputs[0];
  }
  const Value& value = body.value(condition);
  return condition == body.inputs()[1] ||
         (value.is_constant() && value.constant.element_count() == 1 && value.constant.to_ints()[0] != 0);
}

ValueId element_of(NodeContext& context, ValueId sequence, ValueId at, int64_t axis) {
  return context.add("gather", {sequence, at}, {{"axis", axis}});
}

}  // namespace

GraphImporter::Repetition GraphImporter::repetition_of_loop(NodeContext& context) {
  const wire::GraphProto& body = body_of(context);
  const auto& inputs = context.inputs();
  const size_t carried = std::max<size_t>(inputs.size(), 2) - 2;
  if (body.inputs.size() != carried + 2 || body.outputs.size() < carried + 1)
    fail(Code::invalid_model, "a body of {} inputs and {} outputs carries {} values", body.inputs.size(),
         body.outputs.size(), carried);
  Repetition loop{.body = body, .trips = context.input(0), .condition = context.input(1)};
  if (carried > 0) loop.state.assign(inputs.begin() + 2, inputs.end());
  loop.rows.resize(body.outputs.size() - carried - 1);
  return loop;
}

// State values, then sequences that the body sees an element at a time.
GraphImporter::Repetition GraphImporter::repetition_of_scan(NodeContext& context) {
  const wire::GraphProto& body = body_of(context);
  const auto& inputs = context.inputs();
  const auto sequences = static_cast<size_t>(context.get_or<int64_t>("num_scan_inputs", 0));
  if (sequences < 1 || sequences > inputs.size() || body.inputs.size() != inputs.size())
    fail(Code::invalid_model, "num_scan_inputs is {} for {} operands", sequences, inputs.size());
  const size_t carried = inputs.size() - sequences;
  if (body.outputs.size() < carried)
    fail(Code::invalid_model, "a body of {} outputs carries {} values", body.outputs.size(), carried);
  const auto option = [&](const char* name, size_t i) {
    const auto list = context.get_or<std::vector<int64_t>>(name, {});
    return i < list.size() ? list[i] : 0;
  };
  Repetition loop{.body = body, .is_scan = true};
  loop.state.assign(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(carried));
  for (size_t i = 0; i < sequences; ++i) {
    const Shape& shape = context.type(carried + i).shape;
    const int axis = normalize_axis(option("scan_input_axes", i), shape.rank());
    loop.sequences.push_back({inputs[carried + i], axis, option("scan_input_directions", i) != 0});
    if (i == 0) loop.length = shape[axis];
    if (!assume_equal(context.graph(), shape[axis], loop.length, fmt::format("node '{}' (Scan)", context.name())))
      fail(Code::invalid_model, "sequences of {} and {} elements", loop.length.str(), shape[axis].str());
  }
  for (size_t k = carried; k < body.outputs.size(); ++k)
    loop.rows.push_back({option("scan_output_axes", k - carried), option("scan_output_directions", k - carried) != 0});
  return loop;
}

void GraphImporter::import_loop(NodeContext& context) {
  const Repetition loop = repetition_of_loop(context);
  auto results = unrolled(context, loop);
  context.results = results ? *results : repeated(context, loop);
}

void GraphImporter::import_scan(NodeContext& context) {
  if (context.opset() < 9) return import_scan_of_opset_8(context);
  const Repetition loop = repetition_of_scan(context);
  auto results = unrolled(context, loop);
  context.results = results ? *results : repeated(context, loop);
}

// --- written out

// How often the body runs at most, where that is known.
std::optional<int64_t> GraphImporter::known_trips(const Repetition& loop) const {
  if (loop.is_scan) return loop.length.is_constant() ? std::optional(loop.length.value()) : std::nullopt;
  if (!loop.trips.valid()) return INT64_MAX;
  return known_scalar(loop.trips, DataType::i64, "the trip count");
}

// Nothing where the trips or a turn's condition are not known; what was written by then has no use and goes.
std::optional<std::vector<ValueId>> GraphImporter::unrolled(NodeContext& context, const Repetition& loop) {
  const auto trips = known_trips(loop);
  const bool counted = trips && *trips < INT64_MAX / 2;  // exporters write while loops with the largest trip count
  if (!trips || (counted && *trips > kMostUnrolled)) return std::nullopt;
  const std::vector<Guard> guards = graph_.guards;
  const auto given_up = [&] {
    graph_.guards = guards;
    return std::nullopt;
  };
  ValueId condition =
      loop.condition.valid() ? loop.condition : context.add("cast", {context.ints({1})}, {{"to", DataType::boolean}});
  std::vector<ValueId> state = loop.state;
  std::vector<std::vector<ValueId>> rows(loop.rows.size());
  const Named constants = constants_of(loop.body);
  for (int64_t i = 0; i < *trips; ++i) {
    const auto goes_on = known_condition(condition);
    if (!goes_on || (*goes_on && i == kMostUnrolled)) return given_up();
    if (!*goes_on) break;
    std::vector<ValueId> arguments;
    if (!loop.is_scan) arguments = {context.constant(Tensor::scalar<int64_t>(i)), condition};
    arguments.insert(arguments.end(), state.begin(), state.end());
    for (const Repetition::Sequence& sequence : loop.sequences) {
      const ValueId at = context.constant(Tensor::scalar<int64_t>(sequence.backwards ? *trips - 1 - i : i));
      arguments.push_back(element_of(context, sequence.value, at, sequence.axis));
    }
    auto results = written_out(loop.body, constants, arguments);
    if (!loop.is_scan) {
      condition = results[0];
      results.erase(results.begin());
    }
    state.assign(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(state.size()));
    for (size_t k = 0; k < rows.size(); ++k) rows[k].push_back(results[state.size() + k]);
  }
  for (size_t k = 0; k < rows.size(); ++k) {
    if (rows[k].empty()) return given_up();  // how large a row is the body says
    if (loop.rows[k].backwards) std::reverse(rows[k].begin(), rows[k].end());
    const int64_t axis = loop.rows[k].axis;
    for (ValueId& row : rows[k]) row = context.add("unsqueeze", {row, context.ints({axis})});
    state.push_back(context.add("concat", rows[k], {{"axis", axis}}));
  }
  return state;
}

// --- as a `loop`

// The body as a region: inputs are the turn, the condition, the state, the sequences and what it takes from around it.
std::unique_ptr<Graph> GraphImporter::import_turn(const Repetition& loop, const std::vector<TensorType>& state,
                                                  Dim turn, const std::vector<std::string>& captured) {
  auto body = std::make_unique<Graph>();
  body->name = loop.body.name;
  share_symbols(graph_, *body);
  GraphImporter inner(model_, opsets_, *body, bodies_, depth_);
  const auto& named = loop.body.inputs;
  const ValueId index = body->add_input(loop.is_scan ? "turn" : named[0].name, {DataType::i64, Shape{}});
  body->mutable_value(index).contents = std::vector<Dim>{turn};
  const ValueId goes_on = body->add_input(loop.is_scan ? "goes_on" : named[1].name, {DataType::boolean, Shape{}});
  std::vector<ValueId> arguments;
  if (!loop.is_scan) arguments = {index, goes_on};
  for (size_t i = 0; i < state.size(); ++i)
    arguments.push_back(body->add_input(named[i + (loop.is_scan ? 0 : 2)].name, state[i]));
  const wire::Node scan{
      .name = loop.body.name, .op_type = "Scan", .domain = {}, .inputs = {}, .outputs = {"element"}, .attributes = {}};
  NodeContext context(*body, scan, 0, {});
  for (const Repetition::Sequence& sequence : loop.sequences) {
    const ValueId whole = body->add_input("sequence", graph_.value(sequence.value).type);
    ValueId at = index;
    if (sequence.backwards) {
      const ValueId last =
          context.add("gather", {context.add("shape", {whole}), context.constant(Tensor::scalar(sequence.axis))});
      at = context.add("sub", {context.add("sub", {last, context.constant(Tensor::scalar<int64_t>(1))}), index});
    }
    arguments.push_back(element_of(context, whole, at, sequence.axis));
  }
  capture(captured, inner);
  for (size_t i = 0; i < arguments.size(); ++i) inner.define(named[i].name, arguments[i]);
  if (loop.is_scan) body->add_output(add_op(*body, "identity", {goes_on}));
  inner.import_body(loop.body);
  share_symbols(*body, graph_);
  add_guards(body->guards, graph_);
  return body;
}

std::vector<ValueId> GraphImporter::repeated(NodeContext& context, const Repetition& loop) {
  std::vector<std::string> captured;
  collect_captures(loop.body, {}, captured);
  std::vector<TensorType> state;
  for (ValueId id : loop.state) state.push_back({graph_.value(id).type.dtype, graph_.value(id).type.shape});
  const Dim turn = Dim::symbol(graph_.fresh_symbol("turn", kMeasuredSymbol));
  std::unique_ptr<Graph> body;
  std::set<std::string> widened;
  const std::vector<Guard> guards = graph_.guards;
  do {
    refuse_growth();
    graph_.guards = guards;  // without those of narrower states
    body = import_turn(loop, state, turn, captured);
  } while (widen_state(graph_, state, *body, widened));
  const bool begins = !loop.condition.valid() || known_condition(loop.condition).value_or(false);
  if (!loop.is_scan && !loop.trips.valid() && begins && keeps_condition(*body))
    fail(Code::invalid_model, "a loop that never ends: it has no trip count, and its condition stays true");
  std::vector<ValueId> operands = {loop.trips, loop.condition};
  if (loop.is_scan) {
    const auto& sequence = loop.sequences.at(0);
    operands[0] = context.add(
        "gather", {context.add("shape", {sequence.value}), context.constant(Tensor::scalar(sequence.axis))});
  }
  operands.insert(operands.end(), loop.state.begin(), loop.state.end());
  for (const Repetition::Sequence& sequence : loop.sequences) operands.push_back(sequence.value);
  for (ValueId id : captured_operands(captured)) operands.push_back(id);
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  const bool plain =
      std::all_of(loop.rows.begin(), loop.rows.end(), [](const auto& row) { return row.axis == 0 && !row.backwards; });
  const NodeId id =
      add_region_node(graph_, "loop", std::move(operands), {{"carried", std::ssize(loop.state)}}, std::move(bodies),
                      context.name(), plain ? context.proto().outputs : std::vector<std::string>{});
  return placed_rows(context, loop, graph_.node(id).outputs);
}

// The loop stacks rows forwards, along a new first axis.
std::vector<ValueId> GraphImporter::placed_rows(NodeContext& context, const Repetition& loop,
                                                std::vector<ValueId> results) {
  for (size_t k = 0; k < loop.rows.size(); ++k) {
    ValueId& rows = results[loop.state.size() + k];
    if (loop.rows[k].backwards)
      rows = context.add(
          "slice", {rows, context.ints({-1}), context.ints({INT64_MIN / 2}), context.ints({0}), context.ints({-1})});
    const int rank = graph_.value(rows).type.shape.rank();
    const int axis = normalize_axis(loop.rows[k].axis, rank);
    if (axis == 0) continue;
    std::vector<int64_t> perm;
    for (int i = 1; i < rank; ++i) perm.push_back(i);
    perm.insert(perm.begin() + axis, 0);
    rows = context.add("transpose", {rows}, {{"perm", perm}});
  }
  return results;
}

}  // namespace planish::onnx
