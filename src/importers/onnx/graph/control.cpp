// If, Loop and Scan. What is known here is taken out of them: a branch that a known condition chooses, the turns of a
// loop whose trips are known.

#include <algorithm>

#include "importers/onnx/graph/graph_importer.h"
#include "ops/builder.h"
#include "ops/evaluate.h"

namespace planish::onnx {

// What a region takes from around it becomes its inputs; constants are shared rather than passed.
void GraphImporter::capture(const std::vector<std::string>& names, GraphImporter& inner) const {
  for (const std::string& name : names) {
    const Value& outer = graph_.value(values.at(name));
    if (outer.is_constant()) {
      inner.define(name, inner.graph_.add_constant(outer.constant, name));
      continue;
    }
    const ValueId id = inner.graph_.add_input(name, outer.type);
    inner.graph_.mutable_value(id).contents = outer.contents;
    inner.define(name, id);
  }
}

std::vector<ValueId> GraphImporter::captured_operands(const std::vector<std::string>& names) const {
  std::vector<ValueId> operands;
  for (const std::string& name : names)
    if (!graph_.value(values.at(name)).is_constant()) operands.push_back(values.at(name));
  return operands;
}

std::unique_ptr<Graph> GraphImporter::import_region(const wire::GraphProto& proto,
                                                    const std::vector<std::string>& captured) {
  auto body = std::make_unique<Graph>();
  body->name = proto.name;
  share_symbols(graph_, *body);
  GraphImporter inner(model_, opsets_, *body, bodies_, depth_);
  capture(captured, inner);
  inner.import_body(proto);
  share_symbols(*body, graph_);
  return body;
}

void GraphImporter::import_if(NodeContext& context) {
  const auto known = known_condition(context.input(0));
  const wire::Attribute *then = context.attribute("then_branch"), *otherwise = context.attribute("else_branch");
  if (then == nullptr || otherwise == nullptr || then->graphs.empty() || otherwise->graphs.empty())
    fail(Code::invalid_model, "a branch is missing");
  const size_t first = then->graphs[0]->outputs.size(), second = otherwise->graphs[0]->outputs.size();
  if (const size_t asked = context.proto().outputs.size(); first != asked || second != asked)
    fail(Code::invalid_model, "branches of {} and {} results, {} asked for", first, second, asked);
  std::vector<std::string> captured;
  collect_captures(*then->graphs[0], {}, captured);
  collect_captures(*otherwise->graphs[0], {}, captured);
  std::vector<ValueId> inputs = captured_operands(captured);
  inputs.insert(inputs.begin(), context.input(0));
  std::vector<std::unique_ptr<Graph>> bodies;
  // A branch that a known condition rules out is not imported: it may not even type-check.
  if (known) {
    const wire::GraphProto& branch = *(*known ? then : otherwise)->graphs[0];
    context.results = written_out(branch, constants_of(branch), {});
    return;
  }
  import_branches(*then->graphs[0], *otherwise->graphs[0], captured, bodies);
  keep_one_rank(context.input(0), bodies);
  const NodeId id =
      add_region_node(graph_, "if", std::move(inputs), {}, std::move(bodies), context.name(), context.proto().outputs);
  context.results = graph_.node(id).outputs;
}

// A branch that does not fit the given shapes refuses when it is run; both may not.
void GraphImporter::import_branches(const wire::GraphProto& then, const wire::GraphProto& otherwise,
                                    const std::vector<std::string>& captured,
                                    std::vector<std::unique_ptr<Graph>>& bodies) {
  std::string why[2];
  for (const wire::GraphProto* proto : {&then, &otherwise}) {
    try {
      bodies.push_back(import_region(*proto, captured));
    } catch (const Error& error) {
      if (!concerns_model(error)) throw;
      why[bodies.size()] = error.what();
      bodies.push_back(nullptr);
    }
  }
  if (!bodies[0] && !bodies[1]) fail(Code::unsupported, "neither branch can be imported: {}; {}", why[0], why[1]);
  for (size_t i : {size_t{0}, size_t{1}})
    if (!bodies[i]) bodies[i] = refusing_region(*bodies[1 - i], graph_.symbols, why[i]);
}

// Exporters write If(extent == 1) {Squeeze} else {Identity}. What follows is made for one rank: that of the branch
// which the usual extents choose. The other one refuses when it is run.
void GraphImporter::keep_one_rank(ValueId condition, std::vector<std::unique_ptr<Graph>>& bodies) {
  const size_t results = std::min(bodies[0]->outputs().size(), bodies[1]->outputs().size());
  for (size_t i = 0; i < results; ++i) {
    const TensorType types[2] = {bodies[0]->value(bodies[0]->outputs()[i]).type,
                                 bodies[1]->value(bodies[1]->outputs()[i]).type};
    if (types[0].shape.rank() == types[1].shape.rank()) continue;
    const auto usual = usual_condition(condition);
    if (!usual) return;
    const size_t kept = *usual ? 0 : 1;
    bodies[1 - kept] = refusing_region(
        *bodies[kept], graph_.symbols,
        fmt::format("result {} would be {}; the network was built for the other branch, {}, which the extents to "
                    "optimise for choose",
                    i, types[1 - kept].str(), types[kept].str()));
    return;
  }
}

// What the condition is for the extents to optimise for, and as many elements as there may be where data decides.
std::optional<bool> GraphImporter::usual_condition(ValueId id) const {
  const auto& contents = graph_.value(id).contents;
  if (!contents || contents->size() != 1) return std::nullopt;
  SymbolValues values;
  for (const auto& [name, info] : graph_.symbols)
    values[name] = info.kind == SymbolKind::step ? info.range.max : info.range.opt;
  return contents->front().evaluate(values) != 0;
}

GraphImporter::ControlImporter GraphImporter::control_importer(const wire::Node& node) {
  if (!is_control(node)) return nullptr;
  return node.op_type == "If"     ? &GraphImporter::import_if
         : node.op_type == "Loop" ? &GraphImporter::import_loop
                                  : &GraphImporter::import_scan;
}

// The only element of an operand; nothing where data decides.
std::optional<int64_t> GraphImporter::known_scalar(ValueId id, DataType dtype, const char* what) const {
  if (!id.valid()) fail(Code::invalid_model, "{} is missing", what);
  const Value& value = graph_.value(id);
  const Shape& shape = value.type.shape;
  if (value.type.dtype != dtype || (shape.is_static() && shape.element_count() != Dim(1)))
    fail(Code::invalid_model, "{} is {}; one {} is accepted", what, value.type.str(), data_type_name(dtype));
  const auto known = known_operand(value);
  return known ? std::optional(known->to_ints().at(0)) : std::nullopt;
}

std::optional<bool> GraphImporter::known_condition(ValueId id) const {
  const auto known = known_scalar(id, DataType::boolean, "the condition");
  return known ? std::optional(*known != 0) : std::nullopt;
}

// The nodes of a subgraph, in this graph; the values of its outputs. `constants` are its own, made once however often
// it is written out.
std::vector<ValueId> GraphImporter::written_out(const wire::GraphProto& body, const Named& constants,
                                                const std::vector<ValueId>& arguments) {
  refuse_growth();
  GraphImporter inner(model_, opsets_, graph_, bodies_, depth_);
  std::vector<std::string> captured;
  collect_captures(body, {}, captured);
  for (const std::string& name : captured) inner.define(name, values.at(name));
  for (const auto& [name, id] : constants) inner.define(name, id);
  for (size_t i = 0; i < arguments.size(); ++i) inner.define(body.inputs[i].name, arguments[i]);
  inner.import_nodes(body);
  std::vector<ValueId> results;
  for (const wire::ValueInfo& output : body.outputs) {
    const auto at = inner.values.find(output.name);
    if (at == inner.values.end()) fail(Code::invalid_model, "no node gives the graph's output '{}'", output.name);
    results.push_back(at->second);
  }
  return results;
}

}  // namespace planish::onnx
