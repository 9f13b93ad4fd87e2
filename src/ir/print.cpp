#include <cctype>
#include <set>

#include "base/scanner.h"
#include "ir/text.h"

namespace planish {
namespace {

bool is_plain(const std::string& name) {
  if (name.empty()) return false;
  for (char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && std::string_view("_.:/-").find(c) == std::string_view::npos)
      return false;
  return true;
}

std::string value_text(const Graph& graph, ValueId id) {
  if (!id.valid()) return "_";
  const std::string& name = graph.value(id).name;
  return "%" + (is_plain(name) ? name : quote(name));
}

std::string values_text(const Graph& graph, std::span<const ValueId> ids) {
  std::string text;
  for (size_t i = 0; i < ids.size(); ++i) text += (i > 0 ? ", " : "") + value_text(graph, ids[i]);
  return text;
}

std::string constant_text(const Tensor& tensor, const PrintOptions& options) {
  const std::string head = "constant " + tensor.type().str() + " ";
  if (tensor.element_count() > options.inline_elements) return head + "#" + tensor.content_hash().hex();
  std::string text = "[";
  const bool floats = is_float(tensor.dtype());
  const TensorView view = tensor.view();
  for (int64_t i = 0; i < tensor.element_count(); ++i)
    text += (i > 0 ? ", " : "") + (floats ? print_double(load_double(view, i)) : std::to_string(load_int(view, i)));
  return head + text + "]";
}

std::string inputs_text(const Graph& graph) {
  std::string text = "(";
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ValueId id = graph.inputs()[i];
    text += (i > 0 ? ", " : "") + value_text(graph, id) + " : " + graph.value(id).type.str();
  }
  return text + ")";
}

std::string origins_text(const Node& node) {
  if (node.origins.empty() || (node.origins.size() == 1 && node.origins[0] == node.name)) return "";
  std::string text = " from [";
  for (size_t i = 0; i < node.origins.size(); ++i) text += (i > 0 ? ", " : "") + quote(node.origins[i]);
  return text + "]";
}

std::string guards_text(const std::vector<Guard>& guards) {
  if (guards.empty()) return "";
  std::string text = " guards {";
  for (size_t i = 0; i < guards.size(); ++i)
    text += fmt::format("{}{} == {} {}", i > 0 ? ", " : "", quote(guards[i].left.str()), quote(guards[i].right.str()),
                        quote(guards[i].where));
  return text + "}";
}

void print_body(const Graph& graph, const PrintOptions& options, const std::string& indent, std::string& out);

void print_node(const Graph& graph, const Node& node, const PrintOptions& options, const std::string& indent,
                std::string& out) {
  std::string types;
  for (size_t i = 0; i < node.outputs.size(); ++i)
    types += (i > 0 ? ", " : "") + graph.value(node.outputs[i]).type.str();
  Attrs attrs = node.attrs;
  if (!node.binds.empty()) attrs.set("binds", node.binds);
  out += fmt::format("{}{} = {}({}) {} {}{} : {}\n", indent, values_text(graph, node.outputs), node.op.str(),
                     values_text(graph, node.inputs), attrs.str(), quote(node.name), origins_text(node), types);
  for (const auto& region : node.regions) {
    out += indent + "  region" + guards_text(region->guards) + " " + inputs_text(*region) + " {\n";
    print_body(*region, options, indent + "    ", out);
    out += indent + "  }\n";
  }
}

// A constant is printed before its first user, so that the text depends on the graph alone.
void print_body(const Graph& graph, const PrintOptions& options, const std::string& indent, std::string& out) {
  std::set<ValueId> printed;
  const auto print_constant = [&](ValueId id) {
    if (!id.valid() || !graph.value(id).is_constant()) return;
    if (!printed.insert(id).second) return;
    out += indent + value_text(graph, id) + " = " + constant_text(graph.value(id).constant, options) + "\n";
  };
  for (NodeId id : graph.nodes()) {
    for (ValueId input : graph.node(id).inputs) print_constant(input);
    print_node(graph, graph.node(id), options, indent, out);
  }
  for (ValueId output : graph.outputs()) print_constant(output);
  out += indent + "return " + values_text(graph, graph.outputs()) + "\n";
}

std::string symbols_text(const SymbolTable& symbols) {
  if (symbols.empty()) return "";
  std::string text = " symbols {";
  bool first = true;
  for (const auto& [name, info] : symbols) {
    text +=
        fmt::format("{}{}: {} [{}, {}, {}]", first ? "" : ", ", name, info.kind == SymbolKind::shape ? "shape" : "step",
                    info.range.min, info.range.opt, info.range.max);
    first = false;
  }
  return text + "}";
}

void collect_constants(const Graph& graph, ConstantPool& pool) {
  for (NodeId id : graph.nodes()) {
    for (ValueId input : graph.node(id).inputs)
      if (input.valid() && graph.value(input).is_constant())
        pool.emplace(graph.value(input).constant.content_hash().hex(), graph.value(input).constant);
    for (const auto& region : graph.node(id).regions) collect_constants(*region, pool);
  }
  for (ValueId output : graph.outputs())
    if (graph.value(output).is_constant())
      pool.emplace(graph.value(output).constant.content_hash().hex(), graph.value(output).constant);
}

}  // namespace

std::string print(const Graph& graph, const PrintOptions& options) {
  std::string out = "graph " + quote(graph.name) + symbols_text(graph.symbols) + guards_text(graph.guards) + " " +
                    inputs_text(graph) + " {\n";
  print_body(graph, options, "  ", out);
  return out + "}\n";
}

ConstantPool constants_of(const Graph& graph) {
  ConstantPool pool;
  collect_constants(graph, pool);
  return pool;
}

}  // namespace planish
