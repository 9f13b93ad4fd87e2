#include "importers/onnx/import.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "importers/onnx/importer.h"
#include "ops/evaluate.h"

namespace planish::onnx {

const wire::Attribute* NodeContext::attribute(std::string_view name) const {
  for (const wire::Attribute& attribute : node_.attributes)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

Attrs NodeContext::attrs() const {
  Attrs attrs;
  for (const wire::Attribute& attribute : node_.attributes) {
    if (!attribute.supported) fail(Code::unsupported, "attribute '{}' is of a kind that is not read", attribute.name);
    if (attribute.graphs.empty() && attribute.name != "consumed_inputs") attrs.set(attribute.name, attribute.value);
  }
  return attrs;
}

ValueId NodeContext::scalar_like(ValueId like, double value) {
  const DataType dtype = graph_.value(like).type.dtype;
  if (!is_float(dtype) && !(std::abs(value) < 1e15))
    fail(Code::invalid_model, "a value of {} for elements of {}", value, data_type_name(dtype));
  return constant(Tensor::make(dtype, {}, [&](std::byte* out) { store_double(make_view(out, dtype, {}), 0, value); }));
}

std::string NodeContext::name() const {
  return node_.name.empty() ? node_.op_type + "_" + node_.outputs.at(0) : node_.name;
}

void NodeContext::emit(OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  std::vector<std::string> names = node_.outputs;
  while (!names.empty() && names.back().empty()) names.pop_back();
  const NodeId id =
      add_node(graph_, op, std::move(inputs), std::move(attrs), name(), static_cast<int>(names.size()), names);
  results = graph_.node(id).outputs;
}

namespace {

// What the table of importers and messages call it.
std::string op_label(const wire::Node& node) {
  return (node.domain.empty() || node.domain == "ai.onnx" ? "" : node.domain + "::") + node.op_type;
}
bool is_standard(const wire::Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

// Its regions are imported by GraphImporter.
bool is_control(const wire::Node& node) {
  return is_standard(node) && (node.op_type == "If" || node.op_type == "Loop" || node.op_type == "Scan");
}

int64_t opset_of(const wire::Opsets& opsets, const wire::Node& node) {
  auto at = opsets.find(is_standard(node) ? "" : node.domain);
  return at == opsets.end() ? 1 : at->second;
}

// --- what nobody here takes

struct Census {
  const wire::Model& model;
  std::map<std::string, UnsupportedNode> rows;

  std::set<const wire::Function*> visited;

  void visit(const std::vector<wire::Node>& nodes) {
    for (const wire::Node& node : nodes) {
      for (const wire::Attribute& attribute : node.attributes)
        for (const auto& inner : attribute.graphs) visit(inner->nodes);
      if (const wire::Function* function = model.function(node.domain, node.op_type)) {
        if (visited.insert(function).second) visit(function->nodes);
        continue;
      }
      if (importer_table().find(op_label(node)) != nullptr || is_control(node)) continue;
      UnsupportedNode& row = rows[op_label(node)];
      if (row.count++ > 0) continue;
      row.op = op_label(node);
      row.opset = opset_of(model.opsets, node);
      row.first = node.name.empty() ? (node.outputs.empty() ? "" : node.outputs[0]) : node.name;
      row.why =
          is_standard(node) || node.domain == "com.microsoft" ? "no importer for this operator" : "unknown domain";
    }
  }
};

std::vector<UnsupportedNode> census_of(const wire::Model& model) {
  Census census{model, {}, {}};
  census.visit(model.graph.nodes);
  std::vector<UnsupportedNode> rows;
  for (auto& [name, row] : census.rows) rows.push_back(row);
  return rows;
}

[[noreturn]] void fail_unsupported(const std::vector<UnsupportedNode>& rows) {
  std::string table = "the model needs operators that are missing:";
  for (const UnsupportedNode& row : rows)
    table += fmt::format("\n  {:24} opset {:3}  {:5} nodes, first '{}': {}", row.op, row.opset, row.count, row.first,
                         row.why);
  fail(Code::unsupported, "{}", table);
}

// --- names that a subgraph takes from around it

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

class GraphImporter {
 public:
  // `bodies` counts calls and turns of loops, those of inner importers too.
  GraphImporter(const wire::Model& model, const wire::Opsets& opsets, Graph& graph, int64_t& bodies, int depth = 0)
      : model_(model), opsets_(opsets), graph_(graph), bodies_(bodies), depth_(depth) {}

  std::map<std::string, ValueId> values;

  void import_nodes(const wire::GraphProto& proto) {
    for (const wire::Node& node : sorted(proto)) import_node(node);
  }

  void import_body(const wire::GraphProto& proto) {
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

  void define(const std::string& name, ValueId id) {
    if (!values.emplace(name, id).second) fail(Code::invalid_model, "the name '{}' is defined twice", name);
  }

 private:
  using Named = std::vector<std::pair<std::string, ValueId>>;
  Named constants_of(const wire::GraphProto& proto) {
    Named constants;
    for (const auto& [name, tensor] : proto.initializers)
      constants.emplace_back(name, graph_.add_constant(tensor, name));
    return constants;
  }

  // An output that is another value under a second name, or an input or constant, gets a node of its own.
  ValueId named_output(const std::string& name, ValueId id) {
    if (graph_.value(id).name == name && graph_.value(id).producer.valid() && !graph_.is_output(id)) return id;
    free_output_name(name);
    const NodeId node = add_node(graph_, "identity", {id}, {}, name, 1, {name});
    return graph_.node(node).outputs[0];
  }

  // Inner values of functions and of turns of loops, and constants, give way; inputs and other outputs keep their
  // names.
  void free_output_name(const std::string& name) {
    const auto holder = graph_.find_value(name);
    if (!holder || graph_.is_output(*holder)) return;
    const Value& value = graph_.value(*holder);
    if (value.producer.valid() || value.is_constant()) graph_.rename(*holder, graph_.fresh_name(name + ".inner"));
  }

  // Exporters write nodes in order; files that do not are brought into it.
  std::vector<wire::Node> sorted(const wire::GraphProto& proto) const {
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

  [[noreturn]] static void fail_missing(const wire::Node& node, const std::set<std::string>& ready) {
    for (const std::string& input : node.inputs)
      if (ready.count(input) == 0)
        fail(Code::invalid_model, "node '{}' ({}) reads '{}', which nothing before it gives (missing, or a cycle)",
             node.name, node.op_type, input);
    fail(Code::invalid_model, "node '{}' ({}) reads a value that nothing before it gives", node.name, node.op_type);
  }

  void import_node(const wire::Node& node) {
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
                     return unroll(body, constants_of(body), arguments);
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

  static void import_by_table(NodeContext& context) {
    const ImporterTable::Row& row = *importer_table().find(op_label(context.proto()));
    const size_t found = context.inputs().size();
    if (row.most_operands >= 0 && found > static_cast<size_t>(row.most_operands))
      fail(Code::invalid_model, "{} operands; up to {} are accepted", found, row.most_operands);
    row.import(context);
  }

  void note(NodeContext& context, int64_t opset) {
    if (context.results.empty()) return;
    const NodeId producer = graph_.value(context.results.at(0)).producer;
    if (producer.valid())
      graph_.mutable_node(producer).note = fmt::format("{}, opset {}", op_label(context.proto()), opset);
  }

  // Exporters compute extents in floats too (scale, floor, cast back): a few floats of known operands are a constant.
  ValueId known_float(ValueId id) {
    const Value& value = graph_.value(id);
    if (!value.producer.valid() || !is_float(value.type.dtype) || !value.type.shape.is_static()) return id;
    const Node& node = graph_.node(value.producer);
    if (!node.regions.empty() || !op_def(node.op).pure || node.outputs.size() != 1 || node.inputs.empty() ||
        value.type.shape.element_count().value() > kFoldedElements)
      return id;
    const auto operands = known_operands(graph_, node);
    if (!operands) return id;
    const ValueId known = graph_.add_constant(evaluate_node(graph_, node, *operands)[0], value.name + ".known");
    if (!graph_.is_used(id)) graph_.remove_node(value.producer);  // an output of the network may need its name
    return known;
  }

  std::unique_ptr<Graph> import_region(const wire::GraphProto& proto, const std::vector<std::string>& captured) {
    auto body = std::make_unique<Graph>();
    body->name = proto.name;
    share_symbols(graph_, *body);
    GraphImporter inner(model_, opsets_, *body, bodies_, depth_);
    for (const std::string& name : captured) {
      const Value& outer = graph_.value(values.at(name));
      // A constant is shared rather than passed.
      if (outer.is_constant()) {
        inner.define(name, body->add_constant(outer.constant, name));
        continue;
      }
      const ValueId id = body->add_input(name, outer.type);
      body->mutable_value(id).contents = outer.contents;
      inner.define(name, id);
    }
    inner.import_body(proto);
    share_symbols(*body, graph_);
    return body;
  }

  void import_if(NodeContext& context) {
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
    std::vector<ValueId> inputs = {context.input(0)};
    for (const std::string& name : captured)
      if (!graph_.value(values.at(name)).is_constant()) inputs.push_back(values.at(name));
    std::vector<std::unique_ptr<Graph>> bodies;
    // A branch that a known condition rules out is not imported: it may not even type-check.
    if (known) {
      bodies.push_back(import_region(*(*known ? then : otherwise)->graphs[0], captured));
      inline_region(context, *bodies[0], {inputs.begin() + 1, inputs.end()});
      return;
    }
    import_branches(*then->graphs[0], *otherwise->graphs[0], captured, bodies);
    const NodeId id = add_region_node(graph_, "if", std::move(inputs), {}, std::move(bodies), context.name(),
                                      context.proto().outputs);
    context.results = graph_.node(id).outputs;
  }

  // A branch that does not fit the given shapes refuses when it is run; both may not.
  void import_branches(const wire::GraphProto& then, const wire::GraphProto& otherwise,
                       const std::vector<std::string>& captured, std::vector<std::unique_ptr<Graph>>& bodies) {
    std::string why[2];
    for (const wire::GraphProto* proto : {&then, &otherwise}) {
      const SymbolTable symbols = graph_.symbols;
      try {
        bodies.push_back(import_region(*proto, captured));
      } catch (const Error& error) {
        graph_.symbols = symbols;
        why[bodies.size()] = error.what();
        bodies.push_back(nullptr);
      }
    }
    if (!bodies[0] && !bodies[1]) fail(Code::unsupported, "neither branch can be imported: {}; {}", why[0], why[1]);
    for (size_t i : {size_t{0}, size_t{1}})
      if (!bodies[i]) bodies[i] = refusing_branch(*bodies[1 - i], captured, why[i]);
    // Branches of different extents cannot share memory: the one that runs for these shapes is not known.
    if (!same_types(*bodies[0], *bodies[1]))
      fail(Code::unsupported,
           "the branches' results differ in type or extents, and the condition is computed from data");
  }

  static bool same_types(const Graph& a, const Graph& b) {
    return std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                      [&](ValueId x, ValueId y) { return a.value(x).type == b.value(y).type; });
  }

  std::unique_ptr<Graph> refusing_branch(const Graph& other, const std::vector<std::string>& captured,
                                         const std::string& why) {
    auto body = std::make_unique<Graph>();
    share_symbols(graph_, *body);
    for (const std::string& name : captured)
      if (const Value& outer = graph_.value(values.at(name)); !outer.is_constant()) body->add_input(name, outer.type);
    for (ValueId output : other.outputs())
      body->add_output(add_op(*body, "refuse", {}, {{"why", why}, {"type", other.value(output).type.str()}}));
    return body;
  }

  using ControlImporter = void (GraphImporter::*)(NodeContext&);
  static ControlImporter control_importer(const wire::Node& node) {
    if (!is_control(node)) return nullptr;
    return node.op_type == "If"     ? &GraphImporter::import_if
           : node.op_type == "Loop" ? &GraphImporter::import_loop
                                    : &GraphImporter::import_scan;
  }

  static const wire::GraphProto& body_of(NodeContext& context) {
    const wire::Attribute* body = context.attribute("body");
    if (body == nullptr || body->graphs.empty()) fail(Code::invalid_model, "the body is missing");
    return *body->graphs[0];
  }

  void refuse_growth() {
    constexpr size_t kMostNodes = 50000;
    constexpr int64_t kMostBodies = 50000;
    if (graph_.node_count() > kMostNodes)
      fail(Code::unsupported, "unrolled, the network has more than {} nodes", kMostNodes);
    if (++bodies_ > kMostBodies)
      fail(Code::unsupported, "more than {} calls and turns of loops in the network", kMostBodies);
  }

  // The nodes of a function, with the attributes of its call.
  void import_call(NodeContext& context, const wire::Function& function) {
    constexpr int kDeepest = 64;
    if (depth_ >= kDeepest)
      fail(Code::invalid_model, "calls more than {} deep; does a function call itself?", kDeepest);
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
  static std::vector<wire::Node> bound_nodes(std::vector<wire::Node> nodes, const std::vector<wire::Attribute>& given,
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

  static const wire::Attribute* attribute_named(const std::vector<wire::Attribute>& list, const std::string& name) {
    for (const wire::Attribute& attribute : list)
      if (attribute.name == name) return &attribute;
    return nullptr;
  }

  // The body once more, in this graph, with the constants of all turns; the values of its outputs.
  std::vector<ValueId> unroll(const wire::GraphProto& body, const Named& constants,
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
      if (at == inner.values.end()) fail(Code::invalid_model, "no node gives the body's output '{}'", output.name);
      results.push_back(at->second);
    }
    return results;
  }

  // One element a turn, along a new axis.
  ValueId stacked(NodeContext& context, const std::vector<ValueId>& parts, int64_t axis) {
    if (parts.empty()) fail(Code::unsupported, "a loop that is not entered and stacks results");
    std::vector<ValueId> rows;
    for (ValueId part : parts) rows.push_back(context.add("unsqueeze", {part, context.ints({axis})}));
    return context.add("concat", std::move(rows), {{"axis", axis}});
  }

  // How often a loop runs at most; INT64_MAX where only its condition ends it.
  int64_t known_trips(NodeContext& context) const {
    if (!context.has_input(0)) return INT64_MAX;
    const auto trips = known_scalar(context.input(0), DataType::i64, "the trip count");
    if (!trips) fail(Code::unsupported, "the trip count is computed from data");
    return *trips;
  }

  bool goes_on(ValueId condition) const {
    const auto known = known_condition(condition);
    if (!known) fail(Code::unsupported, "the condition is computed from data");
    return *known;
  }

  // A loop whose trips are known here is its body, that often.
  void import_loop(NodeContext& context) {
    const wire::GraphProto& body = body_of(context);
    const size_t carried = std::max<size_t>(context.inputs().size(), 2) - 2;
    if (body.inputs.size() != carried + 2 || body.outputs.size() < carried + 1)
      fail(Code::invalid_model, "a body of {} inputs and {} outputs carries {} values", body.inputs.size(),
           body.outputs.size(), carried);
    const int64_t trips = known_trips(context);
    ValueId condition =
        context.has_input(1) ? context.input(1) : context.add("cast", {context.ints({1})}, {{"to", DataType::boolean}});
    std::vector<ValueId> state(context.inputs().begin() + std::min<std::ptrdiff_t>(2, std::ssize(context.inputs())),
                               context.inputs().end());
    std::vector<std::vector<ValueId>> rows(body.outputs.size() - carried - 1);
    const Named constants = constants_of(body);
    for (int64_t i = 0; i < trips && goes_on(condition); ++i) {
      std::vector<ValueId> arguments = {context.constant(Tensor::scalar<int64_t>(i)), condition};
      arguments.insert(arguments.end(), state.begin(), state.end());
      const auto results = unroll(body, constants, arguments);
      condition = results[0];
      state.assign(results.begin() + 1, results.begin() + 1 + static_cast<std::ptrdiff_t>(carried));
      for (size_t k = 0; k < rows.size(); ++k) rows[k].push_back(results[carried + 1 + k]);
    }
    context.results = state;
    for (const auto& parts : rows) context.results.push_back(stacked(context, parts, 0));
  }

  // State values, then sequences that the body sees an element at a time.
  void import_scan(NodeContext& context) {
    if (context.opset() < 9) return import_scan_of_opset_8(context);
    const wire::GraphProto& body = body_of(context);
    const auto sequences = static_cast<size_t>(context.get_or<int64_t>("num_scan_inputs", 0));
    if (sequences < 1 || sequences > context.inputs().size() || body.inputs.size() != context.inputs().size())
      fail(Code::invalid_model, "num_scan_inputs is {} for {} operands", sequences, context.inputs().size());
    const size_t carried = context.inputs().size() - sequences;
    if (body.outputs.size() < carried)
      fail(Code::invalid_model, "a body of {} outputs carries {} values", body.outputs.size(), carried);
    const auto option = [&](const char* name, size_t i) {
      const auto list = context.get_or<std::vector<int64_t>>(name, {});
      return i < list.size() ? list[i] : 0;
    };
    std::vector<int64_t> axes;
    for (size_t i = 0; i < sequences; ++i)
      axes.push_back(normalize_axis(option("scan_input_axes", i), context.type(carried + i).shape.rank()));
    const Dim length = scan_length(context, carried, axes);
    std::vector<ValueId> state(context.inputs().begin(),
                               context.inputs().begin() + static_cast<std::ptrdiff_t>(carried));
    std::vector<std::vector<ValueId>> rows(body.outputs.size() - carried);
    const Named constants = constants_of(body);
    for (int64_t t = 0; t < length.value(); ++t) {
      std::vector<ValueId> arguments = state;
      for (size_t i = 0; i < sequences; ++i) {
        const int64_t at = option("scan_input_directions", i) != 0 ? length.value() - 1 - t : t;
        arguments.push_back(context.add("gather",
                                        {context.input(carried + i), context.constant(Tensor::scalar<int64_t>(at))},
                                        {{"axis", axes[i]}}));
      }
      const auto results = unroll(body, constants, arguments);
      state.assign(results.begin(), results.begin() + static_cast<std::ptrdiff_t>(carried));
      for (size_t k = 0; k < rows.size(); ++k) rows[k].push_back(results[carried + k]);
    }
    context.results = state;
    for (size_t k = 0; k < rows.size(); ++k) {
      if (option("scan_output_directions", k) != 0) std::reverse(rows[k].begin(), rows[k].end());
      context.results.push_back(stacked(context, rows[k], option("scan_output_axes", k)));
    }
  }

  // All sequences have as many elements.
  static Dim scan_length(NodeContext& context, size_t carried, const std::vector<int64_t>& axes) {
    const auto extent = [&](size_t i) { return context.type(carried + i).shape[static_cast<int>(axes[i])]; };
    for (size_t i = 0; i < axes.size(); ++i) {
      if (!extent(i).is_constant()) fail(Code::unsupported, "the length {} is not fixed", extent(i).str());
      if (extent(i) != extent(0))
        fail(Code::invalid_model, "sequences of {} and {} elements", extent(0).str(), extent(i).str());
    }
    return extent(0);
  }

  // The only element of an operand; nothing where data decides.
  std::optional<int64_t> known_scalar(ValueId id, DataType dtype, const char* what) const {
    if (!id.valid()) fail(Code::invalid_model, "{} is missing", what);
    const Value& value = graph_.value(id);
    const Shape& shape = value.type.shape;
    if (value.type.dtype != dtype || (shape.is_static() && shape.element_count() != Dim(1)))
      fail(Code::invalid_model, "{} is {}; one {} is accepted", what, value.type.str(), data_type_name(dtype));
    const auto known = known_operand(value);
    return known ? std::optional(known->to_ints().at(0)) : std::nullopt;
  }

  std::optional<bool> known_condition(ValueId id) const {
    const auto known = known_scalar(id, DataType::boolean, "the condition");
    return known ? std::optional(*known != 0) : std::nullopt;
  }

  void inline_region(NodeContext& context, const Graph& body, std::vector<ValueId> arguments) {
    std::map<ValueId, ValueId> mapped;
    for (size_t i = 0; i < body.inputs().size(); ++i) mapped[body.inputs()[i]] = arguments.at(i);
    const auto outer = [&](ValueId id) -> ValueId {
      if (!id.valid()) return id;
      if (auto at = mapped.find(id); at != mapped.end()) return at->second;
      return mapped[id] = graph_.add_constant(body.value(id).constant, body.value(id).name);
    };
    for (NodeId id : body.nodes()) {
      const Node& node = body.node(id);
      std::vector<ValueId> inputs;
      for (ValueId input : node.inputs) inputs.push_back(outer(input));
      std::vector<std::unique_ptr<Graph>> regions;
      for (const auto& region : node.regions) regions.push_back(std::make_unique<Graph>(region->clone()));
      std::vector<std::string> names;
      for (ValueId output : node.outputs) names.push_back(body.value(output).name);
      Attrs attrs = node.attrs;
      const NodeId copy = regions.empty() ? add_node(graph_, node.op, std::move(inputs), std::move(attrs), node.name,
                                                     static_cast<int>(names.size()), names)
                                          : add_region_node(graph_, node.op, std::move(inputs), std::move(attrs),
                                                            std::move(regions), node.name, names);
      graph_.mutable_node(copy).note = node.note;
      for (size_t i = 0; i < node.outputs.size(); ++i) mapped[node.outputs[i]] = graph_.node(copy).outputs[i];
    }
    for (ValueId output : body.outputs()) context.results.push_back(outer(output));
  }

  const wire::Model& model_;
  const wire::Opsets& opsets_;
  Graph& graph_;
  int64_t& bodies_;
  int depth_;  // of calls
};

// --- inputs

std::string symbol_name(const std::string& text) {
  std::string name;
  for (char c : text) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ? c : '_';
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) name = "d" + name;
  return name;
}

// Extents of the graph's inputs: fixed ones from the file, dynamic ones from the caller. A range that one input gives
// to a named extent holds for all inputs that share the name; without any, 1 is taken and remembered.
class InputExtents {
 public:
  InputExtents(Graph& graph, const ImportOptions& options, const wire::GraphProto& proto)
      : graph_(graph), options_(options) {
    for (const wire::ValueInfo& info : proto.inputs)
      for (size_t axis = 0; axis < info.dims.size(); ++axis)
        if (const DimRange* range = given(info, axis); range != nullptr && !info.dims[axis].param.empty())
          by_name_.try_emplace(info.dims[axis].param, *range);
  }

  Dim of(const wire::ValueInfo& info, size_t axis) {
    const auto& dimension = info.dims[axis];
    const DimRange* range = given(info, axis);
    if (dimension.value >= 0 && dimension.param.empty()) {
      if (range != nullptr && (range->min != dimension.value || range->max != dimension.value))
        fail(Code::invalid_argument, "input '{}' has the fixed extent {} on axis {}, {} asked for", info.name,
             dimension.value, axis, range->opt);
      return dimension.value;
    }
    if (const auto at = by_name_.find(dimension.param); range == nullptr && at != by_name_.end()) range = &at->second;
    if (range == nullptr) return assumed(info, axis);
    if (range->min == range->max) return range->min;
    const std::string name =
        symbol_name(dimension.param.empty() ? info.name + "." + std::to_string(axis) : dimension.param);
    auto [at, fresh] = graph_.symbols.try_emplace(name, SymbolInfo{SymbolKind::shape, *range});
    if (!fresh && at->second.range != *range)
      fail(Code::invalid_argument, "the extent '{}' is given the range [{}, {}] and, by input '{}', [{}, {}]", name,
           at->second.range.min, at->second.range.max, info.name, range->min, range->max);
    return Dim::symbol(name);
  }

  // "input 'x' axis 2 ('height'), …" of every extent that was taken as 1; empty when there is none.
  const std::string& assumptions() const { return assumptions_; }
  bool only_batches() const { return only_batches_; }  // none but first axes

 private:
  const DimRange* given(const wire::ValueInfo& info, size_t axis) const {
    const auto at = options_.input_shapes.find(info.name);
    return at == options_.input_shapes.end() || axis >= at->second.size() ? nullptr : &at->second[axis];
  }

  Dim assumed(const wire::ValueInfo& info, size_t axis) {
    const std::string& param = info.dims[axis].param;
    only_batches_ = only_batches_ && axis == 0;
    assumptions_ += fmt::format("{}input '{}' axis {}{}", assumptions_.empty() ? "" : ", ", info.name, axis,
                                param.empty() ? "" : " ('" + param + "')");
    return 1;
  }

  Graph& graph_;
  const ImportOptions& options_;
  std::map<std::string, DimRange> by_name_;
  bool only_batches_ = true;
  std::string assumptions_;
};

constexpr int64_t kNewestOpset = 28;

std::string input_list(const Graph& graph) {
  std::string text;
  for (ValueId id : graph.inputs())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", graph.value(id).name, graph.value(id).type.str());
  return text;
}

void import_inputs(const wire::GraphProto& proto, const ImportOptions& options, Graph& graph, InputExtents& extents,
                   GraphImporter& importer) {
  std::set<std::string> constants, names;
  for (const auto& [name, tensor] : proto.initializers) constants.insert(name);
  for (const wire::ValueInfo& info : proto.inputs) {
    if (constants.count(info.name) > 0) continue;
    names.insert(info.name);
    if (info.dtype == DataType::none || !info.has_shape)
      fail(Code::unsupported, "input '{}' is no tensor of known rank", info.name);
    if (info.dims.size() > kMaxRank)
      fail(Code::unsupported, "input '{}' has rank {}; at most {}", info.name, info.dims.size(), kMaxRank);
    auto at = options.input_shapes.find(info.name);
    if (at != options.input_shapes.end() && at->second.size() != info.dims.size())
      fail(Code::invalid_argument, "input '{}' has rank {}, a shape of rank {} was given", info.name, info.dims.size(),
           at->second.size());
    std::vector<Dim> dims;
    double least = 1;
    for (size_t axis = 0; axis < info.dims.size(); ++axis) {
      dims.push_back(extents.of(info, axis));
      least *= static_cast<double>(dims.back().lower_bound(graph.symbols));
    }
    if (least > 1e15)
      fail(Code::invalid_argument, "input '{}' is {}; up to 10^15 elements are accepted", info.name, Shape(dims).str());
    importer.define(info.name, graph.add_input(info.name, {info.dtype, Shape(std::move(dims))}));
  }
  for (const auto& [name, ranges] : options.input_shapes)
    if (names.count(name) == 0)
      fail(Code::not_found, "the model has no input '{}'; it has: {}", name, input_list(graph));
}

Graph import_model(const wire::Model& model, const ImportOptions& options) {
  if (const auto at = model.opsets.find(""); at->second < 1 || at->second > kNewestOpset)
    fail(Code::unsupported, "the model is written for opset {}; 1 to {} are accepted", at->second, kNewestOpset);
  if (model.graph.outputs.empty()) fail(Code::invalid_model, "the graph has no outputs; at least one is accepted");
  if (const auto missing = census_of(model); !missing.empty()) fail_unsupported(missing);
  Graph graph;
  graph.name = model.graph.name;
  int64_t bodies = 0;
  GraphImporter importer(model, model.opsets, graph, bodies);
  InputExtents extents(graph, options, model.graph);
  import_inputs(model.graph, options, graph, extents, importer);
  try {
    importer.import_body(model.graph);
  } catch (Error& error) {
    if (!extents.assumptions().empty())
      error.add_context("with the extent 1 where no shape was given (" + extents.assumptions() + ")");
    throw;
  }
  if (!extents.assumptions().empty())
    log(extents.only_batches() ? Severity::info : Severity::warning,
        "the extent 1 is taken where no shape was given: {}", extents.assumptions());
  graph.remove_dead();
  return graph;
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

Graph import_file(const std::string& path, const ImportOptions& options) {
  return with_context([&] { return path; },
                      [&] {
                        const FileMap file = FileMap::open(path);
                        return import_model(wire::read_model(file.bytes(), {folder_of(path), file.owner()}), options);
                      });
}

Graph import_bytes(std::span<const std::byte> bytes, const std::string& name, const ImportOptions& options) {
  return with_context([&] { return name; }, [&] { return import_model(wire::read_model(bytes, {}), options); });
}

std::vector<UnsupportedNode> unsupported(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const FileMap file = FileMap::open(path);
                        return census_of(wire::read_model(file.bytes(), {folder_of(path), file.owner()}));
                      });
}

Tensor read_tensor(std::span<const std::byte> bytes) {
  return wire::read_tensor({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, {});
}

Tensor read_tensor_file(const std::string& path) {
  return with_context([&] { return path; }, [&] { return read_tensor(FileMap::open(path).bytes()); });
}

}  // namespace planish::onnx
