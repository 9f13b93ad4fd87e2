#include <algorithm>
#include <set>

#include "base/scanner.h"
#include "ir/text.h"

namespace planish {
namespace {

constexpr int kDeepestRegion = 64;
constexpr std::string_view kNameChars = ":/-";

std::string parse_value_name(Scanner& scanner) {
  scanner.expect("%");
  return scanner.peek("\"") ? scanner.quoted() : scanner.word(kNameChars);
}

TensorType scan_type(Scanner& scanner) {
  const size_t begin = scanner.position();
  scanner.word();
  scanner.expect("[");
  scanner.balanced('[', ']');
  if (scanner.accept("@")) scanner.word();
  const std::string_view text = scanner.text_between(begin, scanner.position());
  return TensorType::parse(text);
}

std::vector<std::string> parse_strings(Scanner& scanner) {
  std::vector<std::string> strings;
  scanner.expect("[");
  while (!scanner.accept("]")) {
    if (!strings.empty()) scanner.expect(",");
    strings.push_back(scanner.quoted());
  }
  return strings;
}

class Parser {
 public:
  Parser(std::string_view text, const ConstantPool& constants) : text_(text), scanner_(text), constants_(constants) {}

  Graph parse_file() {
    Graph graph;
    scanner_.expect("graph");
    graph.name = scanner_.quoted();
    if (scanner_.accept_word("symbols")) parse_symbols(graph.symbols);
    if (scanner_.accept_word("guards")) parse_guards(graph.guards);
    parse_graph(graph, 0);
    if (!scanner_.at_end()) scanner_.fail_here("the end of the text");
    return graph;
  }

 private:
  // What is read apart says where it begins: its own positions count from there.
  template <class Read>
  auto read_part(size_t begin, std::string_view what, Read read) {
    return with_context(
        [&] {
          const std::string_view before = text_.substr(0, begin);
          return fmt::format("{} in line {}", what, std::count(before.begin(), before.end(), '\n') + 1);
        },
        read);
  }

  TensorType parse_type() {
    const size_t begin = scanner_.position();
    return read_part(begin, "type", [&] { return scan_type(scanner_); });
  }

  void parse_symbols(SymbolTable& symbols) {
    scanner_.expect("{");
    while (!scanner_.accept("}")) {
      if (!symbols.empty()) scanner_.expect(",");
      const std::string name = scanner_.word();
      if (name.empty() || symbols.count(name) > 0) scanner_.fail_here("a symbol's name, each once");
      scanner_.expect(":");
      SymbolInfo info;
      if (scanner_.accept_word("step"))
        info.kind = SymbolKind::step;
      else if (!scanner_.accept_word("shape"))
        scanner_.fail_here("'shape' or 'step'");
      scanner_.expect("[");
      info.range.min = scanner_.integer();
      scanner_.expect(",");
      info.range.opt = scanner_.integer();
      scanner_.expect(",");
      info.range.max = scanner_.integer();
      scanner_.expect("]");
      symbols[name] = info;
    }
  }

  void parse_guards(std::vector<Guard>& guards) {
    scanner_.expect("{");
    while (!scanner_.accept("}")) {
      if (!guards.empty()) scanner_.expect(",");
      const Dim left = Dim::parse(scanner_.quoted());
      scanner_.expect("==");
      const Dim right = Dim::parse(scanner_.quoted());
      guards.push_back({left, right, scanner_.quoted()});
    }
  }

  void parse_graph(Graph& graph, int depth) {
    if (depth > kDeepestRegion) scanner_.fail_here(fmt::format("at most {} regions in one another", kDeepestRegion));
    scanner_.expect("(");
    while (!scanner_.accept(")")) {
      if (!graph.inputs().empty()) scanner_.expect(",");
      const std::string name = parse_new_name(graph);
      scanner_.expect(":");
      graph.add_input(name, parse_type());
    }
    scanner_.expect("{");
    while (!scanner_.accept_word("return")) parse_statement(graph, depth);
    while (!scanner_.peek("}")) {
      if (!graph.outputs().empty()) scanner_.expect(",");
      graph.add_output(parse_operand(graph));
    }
    scanner_.expect("}");
  }

  std::string parse_new_name(const Graph& graph) {
    std::string name = parse_value_name(scanner_);
    if (name.empty() || graph.find_value(name)) scanner_.fail_here(fmt::format("a new name ('{}' is taken)", name));
    return name;
  }

  ValueId parse_operand(const Graph& graph) {
    const std::string name = parse_value_name(scanner_);
    const auto value = graph.find_value(name);
    if (!value) scanner_.fail_here(fmt::format("a value defined before ('{}' is not)", name));
    return *value;
  }

  void parse_statement(Graph& graph, int depth) {
    std::vector<std::string> names;
    do names.push_back(parse_new_name(graph));
    while (scanner_.accept(","));
    if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
      scanner_.fail_here("results of different names");
    scanner_.expect("=");
    if (names.size() == 1 && scanner_.accept_word("constant")) {
      graph.add_constant(parse_constant(), names[0]);
      return;
    }
    const std::string op = scanner_.word();
    if (op.empty()) scanner_.fail_here("an operator");
    scanner_.expect("(");
    std::vector<ValueId> inputs;
    while (!scanner_.accept(")")) {
      if (!inputs.empty()) scanner_.expect(",");
      inputs.push_back(scanner_.accept("_") ? ValueId{} : parse_operand(graph));
    }
    parse_rest(graph, OpName(op), std::move(inputs), std::move(names), depth);
  }

  void parse_rest(Graph& graph, OpName op, std::vector<ValueId> inputs, std::vector<std::string> names, int depth) {
    const size_t begin = scanner_.position();
    scanner_.expect("{");
    scanner_.balanced('{', '}');
    const std::string_view braces = scanner_.text_between(begin, scanner_.position());
    Attrs attrs = read_part(begin, "attributes", [&] { return Attrs::parse(braces); });
    auto binds = read_part(begin, "attributes", [&] { return attrs.get_or<std::vector<std::string>>("binds", {}); });
    attrs.erase("binds");
    const std::string name = scanner_.quoted();
    if (name.empty() || !node_names_.insert({&graph, name}).second)
      scanner_.fail_here(fmt::format("a new node name ('{}' is taken)", name));
    std::vector<std::string> origins = {name};
    if (scanner_.accept_word("from")) origins = parse_strings(scanner_);
    scanner_.expect(":");
    std::vector<TensorType> types;
    do types.push_back(parse_type());
    while (scanner_.accept(","));
    if (types.size() != names.size()) scanner_.fail_here(fmt::format("{} result types", names.size()));
    const NodeId id = graph.add_node(op, std::move(inputs), std::move(attrs), std::move(types), name, std::move(names));
    graph.mutable_node(id).origins = std::move(origins);
    graph.mutable_node(id).binds = std::move(binds);
    while (scanner_.accept_word("region")) {
      auto body = std::make_unique<Graph>();
      share_symbols(graph, *body);
      if (scanner_.accept_word("guards")) parse_guards(body->guards);
      parse_graph(*body, depth + 1);
      graph.add_region(id, std::move(body));
    }
  }

  Tensor parse_constant() {
    const size_t begin = scanner_.position();
    const TensorType type = parse_type();
    if (scanner_.accept("#")) {
      const std::string hash = scanner_.word();
      auto at = constants_.find(hash);
      if (at == constants_.end()) scanner_.fail_here(fmt::format("a constant that is at hand (#{} is not)", hash));
      if (at->second.type() != type)
        scanner_.fail_here(fmt::format("{}, the type of #{}", at->second.type().str(), hash));
      return at->second;
    }
    scanner_.expect("[");
    scanner_.balanced('[', ']');
    const std::string text = "{t=tensor " + std::string(scanner_.text_between(begin, scanner_.position())) + "}";
    return read_part(begin, "constant", [&] { return Attrs::parse(text).get<Tensor>("t"); });
  }

  std::string_view text_;
  Scanner scanner_;
  const ConstantPool& constants_;
  std::set<std::pair<const Graph*, std::string>> node_names_;
};

}  // namespace

Graph parse_graph(std::string_view text, const ConstantPool& constants) { return Parser(text, constants).parse_file(); }

}  // namespace planish
