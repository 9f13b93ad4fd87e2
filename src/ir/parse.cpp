#include <algorithm>

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

TensorType parse_type(Scanner& scanner) {
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
  Parser(Scanner& scanner, const ConstantPool& constants) : scanner_(scanner), constants_(constants) {}

  Graph parse_file() {
    Graph graph;
    scanner_.expect("graph");
    graph.name = scanner_.quoted();
    if (scanner_.accept_word("symbols")) parse_symbols(graph.symbols);
    parse_graph(graph, 0);
    if (!scanner_.at_end()) scanner_.fail_here("the end of the text");
    return graph;
  }

 private:
  void parse_symbols(SymbolTable& symbols) {
    scanner_.expect("{");
    while (!scanner_.accept("}")) {
      if (!symbols.empty()) scanner_.expect(",");
      const std::string name = scanner_.word();
      scanner_.expect(":");
      SymbolInfo info;
      info.kind = scanner_.word() == "step" ? SymbolKind::step : SymbolKind::shape;
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

  void parse_graph(Graph& graph, int depth) {
    if (depth > kDeepestRegion) fail(Code::invalid_argument, "regions nested deeper than {}", kDeepestRegion);
    scanner_.expect("(");
    while (!scanner_.accept(")")) {
      if (!graph.inputs().empty()) scanner_.expect(",");
      const std::string name = parse_value_name(scanner_);
      scanner_.expect(":");
      graph.add_input(name, parse_type(scanner_));
    }
    scanner_.expect("{");
    while (!scanner_.accept_word("return")) parse_statement(graph, depth);
    while (!scanner_.peek("}")) {
      if (!graph.outputs().empty()) scanner_.expect(",");
      graph.add_output(*parse_operand(graph));
    }
    scanner_.expect("}");
  }

  std::optional<ValueId> parse_operand(Graph& graph) {
    const std::string name = parse_value_name(scanner_);
    const auto value = graph.find_value(name);
    if (!value) scanner_.fail_here(fmt::format("a value defined before ('{}' is not)", name));
    return value;
  }

  void parse_statement(Graph& graph, int depth) {
    std::vector<std::string> names;
    do names.push_back(parse_value_name(scanner_));
    while (scanner_.accept(","));
    scanner_.expect("=");
    if (scanner_.accept_word("constant")) {
      graph.add_constant(parse_constant(), names[0]);
      return;
    }
    const std::string op = scanner_.word();
    scanner_.expect("(");
    std::vector<ValueId> inputs;
    while (!scanner_.accept(")")) {
      if (!inputs.empty()) scanner_.expect(",");
      inputs.push_back(scanner_.accept("_") ? ValueId{} : *parse_operand(graph));
    }
    parse_rest(graph, OpName(op), std::move(inputs), std::move(names), depth);
  }

  void parse_rest(Graph& graph, OpName op, std::vector<ValueId> inputs, std::vector<std::string> names, int depth) {
    const size_t begin = scanner_.position();
    scanner_.expect("{");
    scanner_.balanced('{', '}');
    Attrs attrs = Attrs::parse(scanner_.text_between(begin, scanner_.position()));
    const std::string name = scanner_.quoted();
    std::vector<std::string> origins = {name};
    if (scanner_.accept_word("from")) origins = parse_strings(scanner_);
    scanner_.expect(":");
    std::vector<TensorType> types;
    do types.push_back(parse_type(scanner_));
    while (scanner_.accept(","));
    if (types.size() != names.size()) scanner_.fail_here(fmt::format("{} result types", names.size()));
    const NodeId id = graph.add_node(op, std::move(inputs), std::move(attrs), std::move(types), name, std::move(names));
    graph.mutable_node(id).origins = std::move(origins);
    while (scanner_.accept_word("region")) {
      auto body = std::make_unique<Graph>();
      parse_graph(*body, depth + 1);
      graph.add_region(id, std::move(body));
    }
  }

  Tensor parse_constant() {
    const size_t begin = scanner_.position();
    const TensorType type = parse_type(scanner_);
    if (scanner_.accept("#")) {
      const std::string hash = scanner_.word();
      auto at = constants_.find(hash);
      if (at == constants_.end()) fail(Code::invalid_argument, "the constant #{} is not at hand", hash);
      return at->second;
    }
    scanner_.expect("[");
    scanner_.balanced('[', ']');
    const std::string text = "{t=tensor " + std::string(scanner_.text_between(begin, scanner_.position())) + "}";
    return Attrs::parse(text).get<Tensor>("t");
  }

  Scanner& scanner_;
  const ConstantPool& constants_;
};

}  // namespace

Graph parse_graph(std::string_view text, const ConstantPool& constants) {
  Scanner scanner(text);
  return Parser(scanner, constants).parse_file();
}

}  // namespace planish
