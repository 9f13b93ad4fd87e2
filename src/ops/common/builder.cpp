#include "ops/builder.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ops/common/quantized.h"
#include "ops/evaluate.h"

namespace planish {
namespace {

std::string describe(const Node& node) {
  return fmt::format("node '{}' ({})", node.name, node.note.empty() ? node.op.str() : node.note);
}

void check_arity(const OpDef& def, size_t count) {
  const auto found = static_cast<int>(count);
  if (found >= def.min_inputs && (def.max_inputs < 0 || found <= def.max_inputs)) return;
  fail(Code::invalid_model, "{} takes {} to {} operands, {} given", def.name, def.min_inputs,
       def.max_inputs < 0 ? std::string("any number of") : std::to_string(def.max_inputs), found);
}

// Small integer results of known operands are known too, whatever the operator: its reference kernel says them.
void fold_contents(Graph& graph, const Node& node) {
  const OpDef& def = op_def(node.op);
  if (!node.regions.empty() || !def.pure || node.inputs.empty() || node.outputs.size() != 1) return;
  Value& result = graph.mutable_value(node.outputs[0]);
  const bool wanted = is_integer(result.type.dtype) || result.type.dtype == DataType::boolean;
  if (result.contents || !wanted || !result.type.shape.is_static() ||
      result.type.shape.element_count().value() > kFoldedElements)
    return;
  const auto operands = known_operands(graph, node);
  if (!operands) return;
  const auto ints = evaluate_node(graph, node, *operands)[0].to_ints();
  result.contents.emplace(ints.begin(), ints.end());
}

// Extents of 0 and more whose product is a size that memory may have.
void check_result(const TensorType& type, size_t i, const SymbolTable& symbols) {
  constexpr double kMostElements = 1e15;
  double least = 1;
  for (Dim dim : type.shape) {
    if (dim.is_constant() && dim.value() < 0)
      fail(Code::invalid_model, "result {} would be {}; extents of 0 and more are accepted", i, type.str());
    least *= static_cast<double>(std::max<int64_t>(dim.lower_bound(symbols), 0));
  }
  if (least > kMostElements)
    fail(Code::invalid_model, "result {} would be {}; up to 10^15 elements are accepted", i, type.str());
}

// Runs inference on a node of the graph and writes types and contents to its values.
void infer_node(Graph& graph, NodeId id) {
  Node& node = graph.mutable_node(id);
  InferContext context(graph, node);
  op_def(node.op).infer(context);
  if (context.outputs().size() != node.outputs.size())
    fail(Code::invalid_model, "{} gives {} results, {} asked for", node.op.str(), context.outputs().size(),
         node.outputs.size());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Value& value = graph.mutable_value(node.outputs[i]);
    value.type = context.outputs()[i];
    check_result(value.type, i, graph.symbols);
    value.contents = i < context.output_contents().size() ? context.output_contents()[i] : std::nullopt;
  }
  node.binds = context.bound_symbols();
  fold_contents(graph, node);
}

void infer_region(Graph& graph, const Node& node, Graph& region) {
  // Inputs of a region that are operands of the node: those of a loop after its state.
  const size_t first = node.op == "if" ? 1 : 0;
  const size_t own = node.op == "loop" ? static_cast<size_t>(node.attrs.get_or<int64_t>("carried", 0)) + 2 : 0;
  share_symbols(graph, region);
  for (size_t i = own; i < region.inputs().size(); ++i) {
    Value& inner = region.mutable_value(region.inputs()[i]);
    const Value& outer = graph.value(node.inputs[first + i]);
    inner.type = outer.type;
    inner.contents = outer.contents;
  }
  infer_all(region);
  hand_back(region, node, graph);
}

// A branch that does not fit the given shapes refuses when it is run; both, or the one that is known to run, may not.
void infer_regions(Graph& graph, Node& node) {
  std::map<size_t, std::string> misfits;
  const auto condition = node.op == "if" ? known_condition(graph.value(node.inputs[0])) : std::nullopt;
  for (size_t i = 0; i < node.regions.size(); ++i) {
    try {
      infer_region(graph, node, *node.regions[i]);
    } catch (const Error& error) {
      const bool runs = condition && *condition == (i == 0);
      if (node.op != "if" || runs || !misfits.empty() || !concerns_model(error)) throw;
      misfits[i] = error.what();
    }
  }
  for (const auto& [i, why] : misfits) node.regions[i] = refusing_region(*node.regions[1 - i], graph.symbols, why);
}

NodeId add_and_infer(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs,
                     std::vector<std::unique_ptr<Graph>> bodies, std::string name, size_t outputs,
                     std::vector<std::string> output_names) {
  const OpDef& def = op_def(op);
  return with_context([&] { return fmt::format("node '{}' ({})", name, op.str()); },
                      [&] {
                        check_arity(def, inputs.size());
                        if (def.check_attrs != nullptr) def.check_attrs(attrs);
                        const NodeId id =
                            graph.add_node(op, std::move(inputs), std::move(attrs), std::vector<TensorType>(outputs),
                                           name, std::move(output_names));
                        graph.mutable_node(id).origins = {graph.node(id).name};
                        for (auto& body : bodies) graph.add_region(id, std::move(body));
                        try {
                          infer_node(graph, id);
                        } catch (...) {
                          graph.remove_node(id);
                          throw;
                        }
                        return id;
                      });
}

// A constant with one element is an immediate of the program.
std::optional<double> immediate(const Value& value) {
  if (!value.is_constant() || value.constant.element_count() != 1 || value.constant.dtype() == DataType::string)
    return std::nullopt;
  return is_float(value.type.dtype) ? value.constant.to_doubles()[0] : static_cast<double>(value.constant.to_ints()[0]);
}

PwBuilder::Reg apply_pointwise(PwBuilder& builder, const Node& node, const std::vector<PwBuilder::Reg>& operands) {
  return op_def(node.op).pointwise(builder, node.attrs, operands);
}

}  // namespace

NodeId add_node(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs, std::string name, int output_count,
                std::vector<std::string> output_names) {
  const int fixed = op_def(op).outputs;
  const size_t outputs = static_cast<size_t>(output_count > 0 ? output_count : fixed > 0 ? fixed : 1);
  return add_and_infer(graph, op, std::move(inputs), std::move(attrs), {}, std::move(name), outputs,
                       std::move(output_names));
}

ValueId add_op(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs, std::string name) {
  return graph.node(add_node(graph, op, std::move(inputs), std::move(attrs), std::move(name))).outputs[0];
}

ValueId add_op(Patch& patch, OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  const OpDef& def = op_def(op);
  if (def.check_attrs != nullptr) def.check_attrs(attrs);
  Graph& graph = patch.graph();
  const NodeId id = patch.add(op, std::move(inputs), std::move(attrs),
                              std::vector<TensorType>(static_cast<size_t>(std::max(def.outputs, 1))));
  infer_node(graph, id);
  return graph.node(id).outputs[0];
}

NodeId add_region_node(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs,
                       std::vector<std::unique_ptr<Graph>> bodies, std::string name,
                       std::vector<std::string> output_names) {
  const size_t given = bodies.empty() ? 0 : bodies[0]->outputs().size();
  const size_t outputs = op == "loop" && given > 0 ? given - 1 : given;  // a loop's condition is no result
  return add_and_infer(graph, op, std::move(inputs), std::move(attrs), std::move(bodies), std::move(name), outputs,
                       std::move(output_names));
}

bool concerns_model(const Error& error) {
  return error.code() == Code::invalid_model || error.code() == Code::unsupported ||
         error.code() == Code::invalid_argument;
}

std::unique_ptr<Graph> refusing_region(const Graph& other, const SymbolTable& symbols, const std::string& why) {
  auto body = std::make_unique<Graph>();
  body->symbols = symbols;
  for (ValueId id : other.inputs()) body->add_input(other.value(id).name, other.value(id).type);
  for (ValueId id : other.outputs())
    body->add_output(add_op(*body, "refuse", {}, {{"why", why}, {"type", other.value(id).type.str()}}));
  return body;
}

void infer_all(Graph& graph) {
  for (NodeId id : graph.nodes())
    with_context([&] { return describe(graph.node(id)); },
                 [&] {
                   infer_regions(graph, graph.mutable_node(id));
                   infer_node(graph, id);
                 });
}

void verify(const Graph& graph) {
  verify_structure(graph);
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    with_context([&] { return describe(node); },
                 [&] {
                   const OpDef& def = op_def(node.op);
                   check_arity(def, node.inputs.size());
                   if (def.check_attrs != nullptr) def.check_attrs(node.attrs);
                   for (const auto& region : node.regions) verify(*region);
                 });
  }
}

bool is_pointwise(const Node& node) {
  const OpDef* def = op_table().find(node.op);
  return def != nullptr && def->pointwise != nullptr;
}

PointwiseProgram pointwise_program(const Graph& graph, const Node& node) {
  (void)graph;
  PwBuilder builder(static_cast<int>(node.inputs.size()));
  std::vector<PwBuilder::Reg> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) operands.push_back(static_cast<PwBuilder::Reg>(i));
  return builder.finish({apply_pointwise(builder, node, operands)});
}

PointwiseProgram pointwise_program(const Graph& body) {
  PwBuilder builder(static_cast<int>(body.inputs().size()));
  std::map<ValueId, PwBuilder::Reg> registers;
  for (size_t i = 0; i < body.inputs().size(); ++i) registers[body.inputs()[i]] = static_cast<PwBuilder::Reg>(i);
  const auto register_of = [&](ValueId id) {
    if (auto at = registers.find(id); at != registers.end()) return at->second;
    const auto value = immediate(body.value(id));
    if (!value) fail(Code::internal, "'{}' is no scalar constant of a pointwise body", body.value(id).name);
    return registers[id] = builder.constant(*value);
  };
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    if (const auto scale = tensor_scale(body, node)) {
      PwBuilder::Reg r = register_of(node.inputs[0]);
      r = node.op == "quantize_linear" ? add_quantize(builder, r, *scale) : add_dequantize(builder, r, *scale);
      // What stores the result of the body saturates; numbers that are read on are saturated here.
      const bool read_on = node.op == "quantize_linear" && !body.users(node.outputs[0]).empty();
      registers[node.outputs[0]] = read_on ? add_saturate(builder, r, scale->numbers) : r;
      continue;
    }
    if (!is_pointwise(node)) fail(Code::internal, "'{}' is not pointwise", node.op.str());
    std::vector<PwBuilder::Reg> operands;
    for (ValueId input : node.inputs) operands.push_back(register_of(input));
    registers[node.outputs[0]] = apply_pointwise(builder, node, operands);
  }
  std::vector<PwBuilder::Reg> results;
  for (ValueId output : body.outputs()) results.push_back(register_of(output));
  return builder.finish(std::move(results));
}

Dim flops_of(const Graph& graph, const Node& node) {
  Dim total = 0;
  for (const auto& region : node.regions)
    for (NodeId inner : region->nodes()) total = total + flops_of(*region, region->node(inner));
  if (!node.regions.empty()) return total;
  const OpDef& def = op_def(node.op);
  if (def.flops != nullptr) return def.flops(graph, node);
  if (def.is_view || node.outputs.empty()) return 0;
  return graph.value(node.outputs[0]).type.shape.element_count();
}

}  // namespace planish
