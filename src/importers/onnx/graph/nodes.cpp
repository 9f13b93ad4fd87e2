#include <algorithm>

#include "importers/onnx/graph/graph_importer.h"
#include "ops/evaluate.h"

namespace planish::onnx {

std::string op_label(const wire::Node& node) {
  return (node.domain.empty() || node.domain == "ai.onnx" ? "" : node.domain + "::") + node.op_type;
}
bool is_standard(const wire::Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

bool is_control(const wire::Node& node) {
  return is_standard(node) && (node.op_type == "If" || node.op_type == "Loop" || node.op_type == "Scan");
}

int64_t opset_of(const wire::Opsets& opsets, const wire::Node& node) {
  auto at = opsets.find(is_standard(node) ? "" : node.domain);
  return at == opsets.end() ? 1 : at->second;
}

void collect_captures(const wire::GraphProto& graph, std::set<std::string> defined,
                      std::vector<std::string>& captured) {
  for (const auto& [name, tensor] : graph.initializers) defined.insert(name);
  for (const wire::ValueInfo& input : graph.inputs) defined.insert(input.name);
  const auto use = [&](const std::string& name) {
    if (name.empty() || defined.count(name) > 0) return;
    if (std::find(captured.begin(), captured.end(), name) == captured.end()) captured.push_back(name);
  };
  for (const wire::Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) use(input);
    for (const wire::Attribute& attribute : node.attributes)
      for (const auto& inner : attribute.graphs) {
        std::vector<std::string> deeper;
        collect_captures(*inner, {}, deeper);
        for (const std::string& name : deeper) use(name);
      }
    for (const std::string& output : node.outputs) defined.insert(output);
  }
  for (const wire::ValueInfo& output : graph.outputs) use(output.name);
}

void GraphImporter::import_nodes(const wire::GraphProto& proto) {
  for (const wire::Node& node : sorted(proto)) import_node(node);
}

void GraphImporter::import_body(const wire::GraphProto& proto) {
  for (const auto& [name, id] : constants_of(proto)) define(name, id);
  import_nodes(proto);
  for (const wire::ValueInfo& output : proto.outputs) {
    auto at = values.find(output.name);
    if (at == values.end()) fail(Code::invalid_model, "no node gives the graph's output '{}'", output.name);
    if (graph_.value(at->second).type.dtype == DataType::none)
      fail(Code::unsupported, "output '{}' is a sequence; tensors are accepted", output.name);
    graph_.add_output(named_output(output.name, at->second));
  }
}

void GraphImporter::define(const std::string& name, ValueId id) {
  if (!values.emplace(name, id).second) fail(Code::invalid_model, "the name '{}' is defined twice", name);
}

GraphImporter::Named GraphImporter::constants_of(const wire::GraphProto& proto) {
  Named constants;
  for (const auto& [name, tensor] : proto.initializers) constants.emplace_back(name, graph_.add_constant(tensor, name));
  return constants;
}

// An output that is another value under a second name, or an input or constant, gets a node of its own.
ValueId GraphImporter::named_output(const std::string& name, ValueId id) {
  if (graph_.value(id).name == name && graph_.value(id).producer.valid() && !graph_.is_output(id)) return id;
  free_output_name(name);
  const NodeId node = add_node(graph_, "identity", {id}, {}, name, 1, {name});
  return graph_.node(node).outputs[0];
}

// Inner values of functions and of turns of loops, and constants, give way; inputs and other outputs keep their
// names.
void GraphImporter::free_output_name(const std::string& name) {
  const auto holder = graph_.find_value(name);
  if (!holder || graph_.is_output(*holder)) return;
  const Value& value = graph_.value(*holder);
  if (value.producer.valid() || value.is_constant()) graph_.rename(*holder, graph_.fresh_name(name + ".inner"));
}

// Exporters write nodes in order; files that do not are brought into it.
std::vector<wire::Node> GraphImporter::sorted(const wire::GraphProto& proto) const {
  std::set<std::string> ready = {""};
  for (const auto& [name, id] : values) ready.insert(name);
  std::vector<wire::Node> order;
  std::vector<const wire::Node*> waiting;
  for (const wire::Node& node : proto.nodes) waiting.push_back(&node);
  while (!waiting.empty()) {
    std::vector<const wire::Node*> later;
    for (const wire::Node* node : waiting) {
      std::vector<std::string> needs = node->inputs;
      for (const wire::Attribute& attribute : node->attributes)
        for (const auto& inner : attribute.graphs) collect_captures(*inner, {}, needs);
      if (!std::all_of(needs.begin(), needs.end(), [&](const std::string& n) { return ready.count(n) > 0; })) {
        later.push_back(node);
        continue;
      }
      ready.insert(node->outputs.begin(), node->outputs.end());
      order.push_back(*node);
    }
    if (later.size() == waiting.size()) fail_missing(*later.front(), ready);
    waiting = std::move(later);
  }
  return order;
}

void GraphImporter::fail_missing(const wire::Node& node, const std::set<std::string>& ready) {
  for (const std::string& input : node.inputs)
    if (ready.count(input) == 0)
      fail(Code::invalid_model, "node '{}' ({}) reads '{}', which nothing before it gives (missing, or a cycle)",
           node.name, node.op_type, input);
  fail(Code::invalid_model, "node '{}' ({}) reads a value that nothing before it gives", node.name, node.op_type);
}

void GraphImporter::import_node(const wire::Node& node) {
  const int64_t opset = opset_of(opsets_, node);
  with_context([&] { return fmt::format("importing node '{}' ({}, opset {})", node.name, op_label(node), opset); },
               [&] {
                 if (node.outputs.empty()) fail(Code::invalid_model, "a node without outputs");
                 std::vector<ValueId> inputs;
                 for (const std::string& name : node.inputs)
                   inputs.push_back(name.empty() ? ValueId{} : values.at(name));
                 while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
                 NodeContext context(graph_, node, opset, std::move(inputs));
                 context.inline_body = [this](const wire::GraphProto& body, const std::vector<ValueId>& arguments) {
                   return written_out(body, constants_of(body), arguments);
                 };
                 if (const wire::Function* function = model_.function(node.domain, node.op_type))
                   import_call(context, *function);
                 else if (const auto control = control_importer(node))
                   (this->*control)(context);
                 else
                   import_by_table(context);
                 note(context, opset);
                 for (size_t i = 0; i < node.outputs.size(); ++i)
                   if (!node.outputs[i].empty() && i < context.results.size())
                     define(node.outputs[i], known_float(context.results[i]));
               });
}

void GraphImporter::import_by_table(NodeContext& context) {
  const ImporterTable::Row* row = importer_table().find(op_label(context.proto()));
  if (row == nullptr) return import_plugin(context);
  const size_t found = context.inputs().size();
  if (row->most_operands >= 0 && found > static_cast<size_t>(row->most_operands))
    fail(Code::invalid_model, "{} operands; up to {} are accepted", found, row->most_operands);
  row->import(context);
}

void GraphImporter::note(NodeContext& context, int64_t opset) {
  if (context.results.empty()) return;
  const NodeId producer = graph_.value(context.results.at(0)).producer;
  if (producer.valid())
    graph_.mutable_node(producer).note = fmt::format("{}, opset {}", op_label(context.proto()), opset);
}

// Exporters compute extents in floats too (scale, floor, cast back): a few floats of known operands are a constant.
ValueId GraphImporter::known_float(ValueId id) {
  const Value& value = graph_.value(id);
  if (!value.producer.valid() || !is_float(value.type.dtype) || !value.type.shape.is_static()) return id;
  const Node& node = graph_.node(value.producer);
  if (!node.regions.empty() || !op_def(node.op).pure || node.outputs.size() != 1 || node.inputs.empty() ||
      value.type.shape.element_count().value() > kFoldedElements)
    return id;
  if (node.op == "dequantize_linear" && value.type.shape.rank() > 1) return id;  // weights, whose numbers count
  const auto operands = known_operands(graph_, node);
  if (!operands) return id;
  const ValueId known = graph_.add_constant(evaluate_node(graph_, node, *operands)[0], value.name + ".known");
  if (!graph_.is_used(id)) graph_.remove_node(value.producer);  // an output of the network may need its name
  return known;
}

void GraphImporter::refuse_growth() {
  constexpr size_t kMostNodes = 50000;
  constexpr int64_t kMostBodies = 50000;
  if (graph_.node_count() > kMostNodes)
    fail(Code::unsupported, "unrolled, the network has more than {} nodes", kMostNodes);
  if (++bodies_ > kMostBodies)
    fail(Code::unsupported, "more than {} calls and turns of loops in the network", kMostBodies);
}

// The nodes of a function, with the attributes of its call.
void GraphImporter::import_call(NodeContext& context, const wire::Function& function) {
  constexpr int kDeepest = 64;
  if (depth_ >= kDeepest) fail(Code::invalid_model, "calls more than {} deep; does a function call itself?", kDeepest);
  refuse_growth();
  wire::GraphProto body;
  body.nodes = bound_nodes(function.nodes, context.proto().attributes, function.defaults);
  GraphImporter inner(model_, function.opsets, graph_, bodies_, depth_ + 1);
  if (context.inputs().size() > function.inputs.size())
    fail(Code::invalid_model, "{} operands for a function of {}", context.inputs().size(), function.inputs.size());
  for (size_t i = 0; i < function.inputs.size(); ++i) inner.define(function.inputs[i], context.input(i));
  inner.import_nodes(body);
  for (const std::string& output : function.outputs) {
    const auto at = inner.values.find(output);
    if (at == inner.values.end()) fail(Code::invalid_model, "no node gives the function's output '{}'", output);
    context.results.push_back(at->second);
  }
}

// References to attributes of a call are replaced by these, else by defaults; what has neither is absent.
std::vector<wire::Node> GraphImporter::bound_nodes(std::vector<wire::Node> nodes,
                                                   const std::vector<wire::Attribute>& given,
                                                   const std::vector<wire::Attribute>& defaults) {
  for (wire::Node& node : nodes) {
    std::vector<wire::Attribute> bound;
    for (wire::Attribute attribute : node.attributes) {
      if (!attribute.reference.empty()) {
        const wire::Attribute* value = attribute_named(given, attribute.reference);
        if (value == nullptr) value = attribute_named(defaults, attribute.reference);
        if (value == nullptr) continue;
        const std::string name = attribute.name;
        attribute = *value;
        attribute.name = name;
      }
      for (auto& graph : attribute.graphs) {
        auto copy = std::make_shared<wire::GraphProto>(*graph);
        copy->nodes = bound_nodes(copy->nodes, given, defaults);
        graph = std::move(copy);
      }
      bound.push_back(std::move(attribute));
    }
    node.attributes = std::move(bound);
  }
  return nodes;
}

const wire::Attribute* GraphImporter::attribute_named(const std::vector<wire::Attribute>& list,
                                                      const std::string& name) {
  for (const wire::Attribute& attribute : list)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

}  // namespace planish::onnx
