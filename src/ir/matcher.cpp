#include "ir/matcher.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace planish {

enum class TermKind { any, constant, op, absent, either };

struct Pattern::Term {
  TermKind kind = TermKind::any;
  std::optional<double> value;
  std::vector<OpName> ops;
  std::vector<Pattern> operands;
  std::string capture;
  Guard guard;
  bool commutative = false, shared = false;
};

namespace {

using Term = Pattern::Term;

Pattern make(Term term) { return {std::make_shared<const Term>(std::move(term))}; }

template <class Change>
Pattern changed(const Pattern& pattern, Change change) {
  Term term = *pattern.term;
  change(term);
  return make(std::move(term));
}

bool is_close(double element, double value) {
  const auto single = static_cast<float>(value);
  return std::abs(element - value) <= 1e-6 * std::max(std::abs(value), 1e-30) || element == to_float(to_half(single)) ||
         element == to_float(to_bfloat16(single));
}

bool all_close(const Tensor& tensor, double value) {
  if (tensor.dtype() == DataType::string || tensor.element_count() > 64) return false;
  const auto elements = tensor.to_doubles();
  return !elements.empty() &&
         std::all_of(elements.begin(), elements.end(), [&](double element) { return is_close(element, value); });
}

bool match_term(const Graph& graph, ValueId value, const Term& term, Match& match, bool root);

bool match_operands(const Graph& graph, const Node& node, const Term& term, bool swapped, Match& match) {
  for (size_t i = 0; i < term.operands.size(); ++i) {
    const size_t from = swapped && i < 2 ? 1 - i : i;
    const ValueId operand = from < node.inputs.size() ? node.inputs[from] : ValueId{};
    if (!match_term(graph, operand, *term.operands[i].term, match, false)) return false;
  }
  return true;
}

bool match_op(const Graph& graph, ValueId value, const Term& term, Match& match, bool root) {
  const NodeId producer = graph.value(value).producer;
  if (!producer.valid()) return false;
  const Node& node = graph.node(producer);
  bool named = false;
  for (OpName op : term.ops) named = named || op == node.op;
  if (!named || graph.value(value).result != 0) return false;
  if (!root && !term.shared && (graph.users(value).size() != 1 || graph.is_output(value))) return false;
  const Match before = match;
  if (match_operands(graph, node, term, false, match)) return true;
  match = before;
  return term.commutative && node.inputs.size() >= 2 && match_operands(graph, node, term, true, match);
}

bool match_kind(const Graph& graph, ValueId value, const Term& term, Match& match, bool root) {
  if (term.kind == TermKind::absent) return !value.valid();
  if (!value.valid()) return false;
  switch (term.kind) {
    case TermKind::any:
      return true;
    case TermKind::constant: {
      const Value& found = graph.value(value);
      return found.is_constant() && (!term.value || all_close(found.constant, *term.value));
    }
    case TermKind::op:
      return match_op(graph, value, term, match, root);
    default:
      break;
  }
  for (const Pattern& alternative : term.operands) {
    const Match before = match;
    if (match_term(graph, value, *alternative.term, match, root)) return true;
    match = before;
  }
  return false;
}

bool match_term(const Graph& graph, ValueId value, const Term& term, Match& match, bool root) {
  if (!match_kind(graph, value, term, match, root)) return false;
  if (term.guard && !term.guard(graph, value)) return false;
  if (term.capture.empty()) return true;
  auto [at, fresh] = match.values.try_emplace(term.capture, value);
  if (!fresh && at->second != value) return false;
  if (value.valid()) match.nodes[term.capture] = graph.value(value).producer;
  return true;
}

}  // namespace

ValueId Match::operator[](std::string_view name) const {
  auto at = values.find(name);
  if (at == values.end()) fail(Code::internal, "the pattern captures no '{}'", name);
  return at->second;
}

NodeId Match::node(std::string_view name) const {
  auto at = nodes.find(name);
  if (at == nodes.end()) fail(Code::internal, "the pattern captures no '{}'", name);
  return at->second;
}

Pattern Pattern::as(std::string_view name) const {
  return changed(*this, [&](Term& t) { t.capture = name; });
}
Pattern Pattern::where(Guard guard) const {
  return changed(*this, [&](Term& t) { t.guard = std::move(guard); });
}
Pattern Pattern::commutative() const {
  return changed(*this, [](Term& t) { t.commutative = true; });
}
Pattern Pattern::shared() const {
  return changed(*this, [](Term& t) { t.shared = true; });
}
Pattern Pattern::or_else(Pattern alternative) const {
  Term term;
  term.kind = TermKind::either;
  term.operands = {*this, std::move(alternative)};
  return make(std::move(term));
}

Pattern any() { return make({}); }

Pattern absent() {
  Term term;
  term.kind = TermKind::absent;
  return make(std::move(term));
}

Pattern constant() {
  Term term;
  term.kind = TermKind::constant;
  return make(std::move(term));
}

Pattern constant(double value) {
  return changed(constant(), [&](Term& t) { t.value = value; });
}

Pattern op(std::initializer_list<std::string_view> names, std::initializer_list<Pattern> operands) {
  Term term;
  term.kind = TermKind::op;
  for (std::string_view name : names) term.ops.emplace_back(name);
  term.operands = operands;
  return make(std::move(term));
}

Pattern op(std::string_view name, std::initializer_list<Pattern> operands) { return op({name}, operands); }

Match match(const Graph& graph, ValueId value, const Pattern& pattern) {
  Match result;
  result.found = match_term(graph, value, *pattern.term, result, true);
  return result;
}

}  // namespace planish
