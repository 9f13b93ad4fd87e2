#include "tensor/dim.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/checked.h"
#include "base/hash.h"
#include "base/scanner.h"

namespace planish {

// Canonical forms:
//   add  children are terms in order, a constant last; a term is an atom or a mul
//   mul  a constant coefficient first (absent when 1), then atoms in order
// Order is by printed text, which does not depend on addresses.
struct DimNode {
  DimOp op = DimOp::constant;
  int64_t value = 0;
  std::string name;
  std::vector<const DimNode*> children;
  std::string text;
  uint64_t hash = 0;

  static Dim wrap(const DimNode* node) { return Dim(node); }
  static const DimNode* of(Dim dim) { return dim.node_; }
};

namespace {

using Node = const DimNode*;

class InternTable {
 public:
  Node intern(DimNode node) {
    const std::lock_guard lock(mutex_);
    auto at = by_text_.find(node.text);
    if (at != by_text_.end()) return at->second;
    node.hash = hash64(node.text);
    nodes_.push_back(std::move(node));
    by_text_.emplace(nodes_.back().text, &nodes_.back());
    return &nodes_.back();
  }

 private:
  std::mutex mutex_;
  std::deque<DimNode> nodes_;
  std::unordered_map<std::string_view, Node> by_text_;
};

InternTable& table() {
  static InternTable* instance = new InternTable;  // dims may live in static objects
  return *instance;
}

Node make_constant(int64_t value) { return table().intern({DimOp::constant, value, {}, {}, std::to_string(value), 0}); }

bool is_sum(Node node) { return node->op == DimOp::add; }

std::string product_text(const std::vector<Node>& factors) {
  std::string text;
  for (Node factor : factors)
    text += (text.empty() ? "" : "*") + (is_sum(factor) ? "(" + factor->text + ")" : factor->text);
  return text;
}

std::string sum_text(const std::vector<Node>& terms) {
  std::string text;
  for (Node term : terms) {
    if (text.empty()) text = term->text;
    else if (term->text[0] == '-') text += " - " + term->text.substr(1);
    else text += " + " + term->text;
  }
  return text;
}

bool by_text(Node a, Node b) { return a->text < b->text; }

// A polynomial: product of atoms -> coefficient. Atoms are sorted by text.
struct AtomOrder {
  bool operator()(const std::vector<Node>& a, const std::vector<Node>& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), by_text);
  }
};
using Polynomial = std::map<std::vector<Node>, int64_t, AtomOrder>;

void add_term(Polynomial& sum, const std::vector<Node>& atoms, int64_t coefficient) {
  auto [at, fresh] = sum.try_emplace(atoms, 0);
  at->second = checked_add(at->second, coefficient);
  if (at->second == 0) sum.erase(at);
}

void add_monomial(Polynomial& sum, Node term) {
  if (term->op == DimOp::constant) return add_term(sum, {}, term->value);
  if (term->op != DimOp::mul) return add_term(sum, {term}, 1);
  const bool scaled = term->children[0]->op == DimOp::constant;
  add_term(sum, {term->children.begin() + (scaled ? 1 : 0), term->children.end()}, scaled ? term->children[0]->value : 1);
}

Polynomial expand(Node node) {
  Polynomial sum;
  if (is_sum(node)) for (Node child : node->children) add_monomial(sum, child);
  else add_monomial(sum, node);
  return sum;
}

Node make_product(int64_t coefficient, const std::vector<Node>& atoms) {
  if (atoms.empty()) return make_constant(coefficient);
  if (coefficient == 1 && atoms.size() == 1) return atoms[0];
  std::vector<Node> factors;
  if (coefficient != 1) factors.push_back(make_constant(coefficient));
  factors.insert(factors.end(), atoms.begin(), atoms.end());
  std::string text = product_text(factors);
  return table().intern({DimOp::mul, 0, {}, std::move(factors), std::move(text), 0});
}

Node rebuild(const Polynomial& sum) {
  std::vector<Node> terms;
  for (const auto& [atoms, coefficient] : sum)
    if (!atoms.empty()) terms.push_back(make_product(coefficient, atoms));
  if (auto constant = sum.find({}); constant != sum.end()) terms.push_back(make_constant(constant->second));
  if (terms.empty()) return make_constant(0);
  if (terms.size() == 1) return terms[0];
  std::string text = sum_text(terms);
  return table().intern({DimOp::add, 0, {}, std::move(terms), std::move(text), 0});
}

Polynomial multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial product;
  for (const auto& [left, p] : a) {
    for (const auto& [right, q] : b) {
      std::vector<Node> atoms = left;
      atoms.insert(atoms.end(), right.begin(), right.end());
      std::sort(atoms.begin(), atoms.end(), by_text);
      add_term(product, atoms, checked_mul(p, q));
    }
  }
  return product;
}

std::string_view function_name(DimOp op) {
  switch (op) {
    case DimOp::floor_div: return "floor_div";
    case DimOp::ceil_div: return "ceil_div";
    case DimOp::mod: return "mod";
    case DimOp::min: return "min";
    default: return "max";
  }
}

Dim make_function(DimOp op, Dim a, Dim b) {
  Node left = DimNode::of(a), right = DimNode::of(b);
  if ((op == DimOp::min || op == DimOp::max) && by_text(right, left)) std::swap(left, right);
  std::string text = fmt::format("{}({}, {})", function_name(op), left->text, right->text);
  return DimNode::wrap(table().intern({op, 0, {}, {left, right}, std::move(text), 0}));
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "a division by zero in a shape expression");
  if (b == -1) return checked_mul(a, -1);
  const int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

int64_t ceil_divide(int64_t a, int64_t b) { return checked_mul(-1, floor_divide(checked_mul(-1, a), b)); }

// Removes the atoms of `divisor` from `atoms`; false when one is missing.
bool remove_atoms(std::vector<Node>& atoms, const std::vector<Node>& divisor) {
  for (Node atom : divisor) {
    auto at = std::find(atoms.begin(), atoms.end(), atom);
    if (at == atoms.end()) return false;
    atoms.erase(at);
  }
  return true;
}

// Splits a = quotient * b + rest, where `rest` holds the terms that b's single monomial does not divide.
// False when b is a sum.
bool divide(const Polynomial& a, const Polynomial& b, Polynomial& quotient, Polynomial& rest) {
  if (b.size() != 1) return false;
  const auto& [divisor, coefficient] = *b.begin();
  for (const auto& [atoms, c] : a) {
    std::vector<Node> left = atoms;
    const bool fits = remove_atoms(left, divisor) && c % coefficient == 0;
    add_term(fits ? quotient : rest, fits ? left : atoms, fits ? c / coefficient : c);
  }
  return true;
}

bool constants(Dim a, Dim b) { return a.is_constant() && b.is_constant(); }

struct Bounds {
  int64_t low, high;
};

constexpr int64_t kFar = INT64_MAX / 4;
int64_t clamp_far(__int128 value) {
  return value > kFar ? kFar : value < -kFar ? -kFar : static_cast<int64_t>(value);
}

Bounds bounds_of(Node node, const SymbolTable& symbols);

Bounds product_bounds(Bounds a, Bounds b) {
  const __int128 corners[] = {static_cast<__int128>(a.low) * b.low, static_cast<__int128>(a.low) * b.high,
                              static_cast<__int128>(a.high) * b.low, static_cast<__int128>(a.high) * b.high};
  return {clamp_far(*std::min_element(corners, corners + 4)), clamp_far(*std::max_element(corners, corners + 4))};
}

Bounds quotient_bounds(Bounds a, Bounds b, bool up) {
  if (b.low <= 0) b.low = 1;  // a divisor that may be zero is refused when evaluated
  b.high = std::max(b.high, b.low);
  const auto divide = [&](int64_t x, int64_t y) { return up ? ceil_divide(x, y) : floor_divide(x, y); };
  const int64_t corners[] = {divide(a.low, b.low), divide(a.low, b.high), divide(a.high, b.low), divide(a.high, b.high)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

Bounds bounds_of(Node node, const SymbolTable& symbols) {
  if (node->op == DimOp::constant) return {node->value, node->value};
  if (node->op == DimOp::symbol) {
    auto at = symbols.find(node->name);
    const DimRange range = at == symbols.end() ? DimRange{} : at->second.range;
    return {range.min, range.max};
  }
  Bounds total = bounds_of(node->children[0], symbols);
  for (size_t i = 1; i < node->children.size(); ++i) {
    const Bounds next = bounds_of(node->children[i], symbols);
    switch (node->op) {
      case DimOp::add: total = {clamp_far(static_cast<__int128>(total.low) + next.low),
                                clamp_far(static_cast<__int128>(total.high) + next.high)}; break;
      case DimOp::mul: total = product_bounds(total, next); break;
      case DimOp::floor_div: total = quotient_bounds(total, next, false); break;
      case DimOp::ceil_div: total = quotient_bounds(total, next, true); break;
      case DimOp::mod: total = {0, std::max<int64_t>(next.high - 1, 0)}; break;
      case DimOp::min: total = {std::min(total.low, next.low), std::min(total.high, next.high)}; break;
      default: total = {std::max(total.low, next.low), std::max(total.high, next.high)}; break;
    }
  }
  return total;
}

int64_t evaluate_node(Node node, const SymbolValues& values) {
  if (node->op == DimOp::constant) return node->value;
  if (node->op == DimOp::symbol) {
    auto at = values.find(node->name);
    if (at == values.end()) fail(Code::invalid_argument, "the symbol '{}' has no value", node->name);
    return at->second;
  }
  int64_t total = evaluate_node(node->children[0], values);
  for (size_t i = 1; i < node->children.size(); ++i) {
    const int64_t next = evaluate_node(node->children[i], values);
    switch (node->op) {
      case DimOp::add: total = checked_add(total, next); break;
      case DimOp::mul: total = checked_mul(total, next); break;
      case DimOp::floor_div: total = floor_divide(total, next); break;
      case DimOp::ceil_div: total = ceil_divide(total, next); break;
      case DimOp::mod: total -= next * floor_divide(total, next); break;
      case DimOp::min: total = std::min(total, next); break;
      default: total = std::max(total, next); break;
    }
  }
  return total;
}

void collect(Node node, std::vector<std::string>& names) {
  if (node->op == DimOp::symbol && std::find(names.begin(), names.end(), node->name) == names.end())
    names.push_back(node->name);
  for (Node child : node->children) collect(child, names);
}

Dim combine(DimOp op, Dim a, Dim b) {
  switch (op) {
    case DimOp::add: return a + b;
    case DimOp::mul: return a * b;
    case DimOp::floor_div: return floor_div(a, b);
    case DimOp::ceil_div: return ceil_div(a, b);
    case DimOp::mod: return mod(a, b);
    case DimOp::min: return min(a, b);
    default: return max(a, b);
  }
}

Dim substitute_node(Node node, const std::map<std::string, Dim, std::less<>>& replacements) {
  if (node->op == DimOp::constant) return node->value;
  if (node->op == DimOp::symbol) {
    auto at = replacements.find(node->name);
    return at == replacements.end() ? DimNode::wrap(node) : at->second;
  }
  Dim total = substitute_node(node->children[0], replacements);
  for (size_t i = 1; i < node->children.size(); ++i)
    total = combine(node->op, total, substitute_node(node->children[i], replacements));
  return total;
}

// sum := product (('+'|'-') product)*; product := factor ('*' factor)*; factor := number | name | f(sum, sum) | (sum)
constexpr int kDeepest = 200;

Dim parse_sum(Scanner& scanner, int depth);

Dim parse_factor(Scanner& scanner, int depth) {
  if (depth > kDeepest) fail(Code::invalid_argument, "a shape expression nested deeper than {}", kDeepest);
  if (scanner.accept("(")) {
    const Dim inner = parse_sum(scanner, depth + 1);
    scanner.expect(")");
    return inner;
  }
  if (scanner.accept("-")) return Dim(0) - parse_factor(scanner, depth + 1);
  const std::string word = scanner.word();
  if (std::isdigit(static_cast<unsigned char>(word[0])) != 0) return Scanner(word).integer();
  if (!scanner.accept("(")) return Dim::symbol(word);
  const Dim a = parse_sum(scanner, depth + 1);
  scanner.expect(",");
  const Dim b = parse_sum(scanner, depth + 1);
  scanner.expect(")");
  for (DimOp op : {DimOp::floor_div, DimOp::ceil_div, DimOp::mod, DimOp::min, DimOp::max})
    if (function_name(op) == word) return combine(op, a, b);
  scanner.fail_here("floor_div, ceil_div, mod, min or max");
}

Dim parse_product(Scanner& scanner, int depth) {
  Dim product = parse_factor(scanner, depth);
  while (scanner.accept("*")) product = product * parse_factor(scanner, depth);
  return product;
}

Dim parse_sum(Scanner& scanner, int depth) {
  Dim sum = parse_product(scanner, depth);
  for (;;) {
    if (scanner.accept("+")) sum = sum + parse_product(scanner, depth);
    else if (scanner.accept("-")) sum = sum - parse_product(scanner, depth);
    else return sum;
  }
}

}  // namespace

Dim::Dim(int64_t value) : node_(make_constant(value)) {}

Dim Dim::symbol(std::string_view name) {
  const bool good = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
                    });
  if (!good) fail(Code::invalid_argument, "'{}' is no symbol name (letters, digits, '_' and '.')", name);
  return Dim(table().intern({DimOp::symbol, 0, std::string(name), {}, std::string(name), 0}));
}

bool Dim::is_constant() const { return node_->op == DimOp::constant; }

int64_t Dim::value() const {
  if (!is_constant()) fail(Code::internal, "the extent {} is not constant", str());
  return node_->value;
}

DimOp Dim::op() const { return node_->op; }
std::string_view Dim::name() const { return node_->name; }

std::vector<Dim> Dim::operands() const {
  std::vector<Dim> out;
  for (Node child : node_->children) out.push_back(Dim(child));
  return out;
}

int64_t Dim::evaluate(const SymbolValues& values) const { return evaluate_node(node_, values); }
int64_t Dim::lower_bound(const SymbolTable& symbols) const { return bounds_of(node_, symbols).low; }
int64_t Dim::upper_bound(const SymbolTable& symbols) const { return bounds_of(node_, symbols).high; }
void Dim::collect_symbols(std::vector<std::string>& names) const { collect(node_, names); }
Dim Dim::substitute(const std::map<std::string, Dim, std::less<>>& replacements) const {
  return substitute_node(node_, replacements);
}
std::string Dim::str() const { return node_->text; }
uint64_t Dim::hash() const { return node_->hash; }

Dim Dim::parse(std::string_view text) {
  Scanner scanner(text);
  const Dim dim = parse_sum(scanner, 0);
  if (!scanner.at_end()) scanner.fail_here("the end of the expression");
  return dim;
}

Dim operator+(Dim a, Dim b) {
  if (constants(a, b)) return checked_add(a.value(), b.value());
  Polynomial sum = expand(a.node_);
  for (const auto& [atoms, c] : expand(b.node_)) add_term(sum, atoms, c);
  return Dim(rebuild(sum));
}

Dim operator-(Dim a, Dim b) { return a + b * Dim(-1); }

Dim operator*(Dim a, Dim b) {
  if (constants(a, b)) return checked_mul(a.value(), b.value());
  return Dim(rebuild(multiply(expand(a.node_), expand(b.node_))));
}

Dim floor_div(Dim a, Dim b) {
  if (constants(a, b)) return floor_divide(a.value(), b.value());
  if (b == Dim(1)) return a;
  if (a == b) return 1;
  Polynomial quotient, rest;
  if (!divide(expand(a.node_), expand(b.node_), quotient, rest)) return make_function(DimOp::floor_div, a, b);
  const Dim whole(rebuild(quotient));
  return rest.empty() ? whole : whole + make_function(DimOp::floor_div, Dim(rebuild(rest)), b);
}

Dim ceil_div(Dim a, Dim b) {
  if (constants(a, b)) return ceil_divide(a.value(), b.value());
  if (b == Dim(1)) return a;
  if (a == b) return 1;
  Polynomial quotient, rest;
  if (!divide(expand(a.node_), expand(b.node_), quotient, rest)) return make_function(DimOp::ceil_div, a, b);
  const Dim whole(rebuild(quotient));
  return rest.empty() ? whole : whole + make_function(DimOp::ceil_div, Dim(rebuild(rest)), b);
}

Dim mod(Dim a, Dim b) {
  if (constants(a, b)) return a.value() - b.value() * floor_divide(a.value(), b.value());
  if (b == Dim(1) || a == b) return 0;
  Polynomial quotient, rest;
  if (!divide(expand(a.node_), expand(b.node_), quotient, rest)) return make_function(DimOp::mod, a, b);
  return rest.empty() ? Dim(0) : make_function(DimOp::mod, Dim(rebuild(rest)), b);
}

Dim min(Dim a, Dim b) {
  if (constants(a, b)) return std::min(a.value(), b.value());
  return a == b ? a : make_function(DimOp::min, a, b);
}

Dim max(Dim a, Dim b) {
  if (constants(a, b)) return std::max(a.value(), b.value());
  return a == b ? a : make_function(DimOp::max, a, b);
}

}  // namespace planish
