// Arithmetic on Dims. Every result is canonical (dim_node.h).
//
//   sums and products    expanded into a polynomial over atoms
//   floor_div, mod       by a number d > 0: q*d + rest with every coefficient of rest in [0, d);
//                        by a polynomial: exact division where it goes, else terms that its monomial divides leave
//   ceil_div             by a number d > 0: floor_div(a + d - 1, d)
//   floor_div(floor_div(x, m) + k, n) = floor_div(x + k*m, m*n) for numbers m, n > 0

#include <algorithm>
#include <map>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/dim_node.h"

namespace planish {
namespace {

using dims::by_text;
using dims::make_constant;
using dims::Node;

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
    if (text.empty())
      text = term->text;
    else if (term->text[0] == '-')
      text += " - " + term->text.substr(1);
    else
      text += " + " + term->text;
  }
  return text;
}

using Monomial = std::vector<Node>;  // atoms in order, with repeats

// Lexicographic: the monomial with more of the first atom in which two differ comes first. Products keep this
// order, so that long division by the first term ends.
struct MonomialOrder {
  bool operator()(const Monomial& a, const Monomial& b) const {
    const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (left == a.end()) return false;
    return right == b.end() || by_text(*left, *right);
  }
};
using Polynomial = std::map<Monomial, int64_t, MonomialOrder>;

void add_term(Polynomial& sum, const Monomial& atoms, int64_t coefficient) {
  if (sum.size() > dims::kMostTerms)
    fail(Code::unsupported, "a shape expression of more than {} terms", dims::kMostTerms);
  auto [at, fresh] = sum.try_emplace(atoms, 0);
  at->second = checked_add(at->second, coefficient);
  if (at->second == 0) sum.erase(at);
}

void add_monomial(Polynomial& sum, Node term) {
  if (term->op == DimOp::constant) return add_term(sum, {}, term->value);
  if (term->op != DimOp::mul) return add_term(sum, {term}, 1);
  const bool scaled = term->children[0]->op == DimOp::constant;
  add_term(sum, {term->children.begin() + (scaled ? 1 : 0), term->children.end()},
           scaled ? term->children[0]->value : 1);
}

Polynomial expand(Node node) {
  Polynomial sum;
  if (is_sum(node))
    for (Node child : node->children) add_monomial(sum, child);
  else
    add_monomial(sum, node);
  return sum;
}

Node make_product(int64_t coefficient, const Monomial& atoms) {
  if (atoms.empty()) return make_constant(coefficient);
  if (coefficient == 1 && atoms.size() == 1) return atoms[0];
  std::vector<Node> factors;
  if (coefficient != 1) factors.push_back(make_constant(coefficient));
  factors.insert(factors.end(), atoms.begin(), atoms.end());
  std::string text = product_text(factors);
  return dims::intern({DimOp::mul, 0, {}, std::move(factors), std::move(text)});
}

Node rebuild(const Polynomial& sum) {
  std::vector<Node> terms;
  for (const auto& [atoms, coefficient] : sum)
    if (!atoms.empty()) terms.push_back(make_product(coefficient, atoms));
  if (auto constant = sum.find({}); constant != sum.end()) terms.push_back(make_constant(constant->second));
  if (terms.empty()) return make_constant(0);
  if (terms.size() == 1) return terms[0];
  std::string text = sum_text(terms);
  return dims::intern({DimOp::add, 0, {}, std::move(terms), std::move(text)});
}

Polynomial multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial product;
  for (const auto& [left, p] : a) {
    for (const auto& [right, q] : b) {
      Monomial atoms = left;
      atoms.insert(atoms.end(), right.begin(), right.end());
      std::sort(atoms.begin(), atoms.end(), by_text);
      add_term(product, atoms, checked_mul(p, q));
    }
  }
  return product;
}

Dim dim_of(const Polynomial& sum) { return DimNode::wrap(rebuild(sum)); }
Polynomial polynomial_of(Dim dim) { return expand(DimNode::of(dim)); }
bool constants(Dim a, Dim b) { return a.is_constant() && b.is_constant(); }

Dim make_function(DimOp op, std::vector<Node> children) {
  std::string text(dims::function_name(op));
  for (size_t i = 0; i < children.size(); ++i) text += (i == 0 ? "(" : ", ") + children[i]->text;
  return DimNode::wrap(dims::intern({op, 0, {}, std::move(children), text + ")"}));
}
Dim make_function(DimOp op, Dim a, Dim b) { return make_function(op, {DimNode::of(a), DimNode::of(b)}); }

// --- division

struct Division {
  Polynomial quotient, rest;
};

// a / b as monomials; nothing where an atom of b is missing in a.
std::optional<Monomial> divide_atoms(Monomial a, const Monomial& b) {
  for (Node atom : b) {
    auto at = std::find(a.begin(), a.end(), atom);
    if (at == a.end()) return std::nullopt;
    a.erase(at);
  }
  return a;
}

// c = quotient * d + rest. For d > 0 the rest is in [0, d), else it is 0 or c itself.
std::pair<int64_t, int64_t> divide_coefficient(int64_t c, int64_t d) {
  if (d > 0) return {dims::floor_divide(c, d), dims::modulo(c, d)};
  return dims::modulo(c, d) == 0 ? std::pair{dims::floor_divide(c, d), int64_t{0}} : std::pair{int64_t{0}, c};
}

Division divide_by_monomial(const Polynomial& a, const Monomial& atoms, int64_t coefficient) {
  Division out;
  for (const auto& [term, c] : a) {
    const auto left = divide_atoms(term, atoms);
    const auto [whole, rest] = left ? divide_coefficient(c, coefficient) : std::pair{int64_t{0}, c};
    if (whole != 0) add_term(out.quotient, *left, whole);
    if (rest != 0) add_term(out.rest, term, rest);
  }
  return out;
}

// Long division; nothing unless it leaves no rest.
std::optional<Polynomial> divide_exactly(Polynomial a, const Polynomial& b) {
  Polynomial quotient;
  const auto& [leading, coefficient] = *b.begin();
  for (int steps = 0; !a.empty(); ++steps) {
    const auto [atoms, c] = *a.begin();
    const auto term = divide_atoms(atoms, leading);
    if (!term || dims::modulo(c, coefficient) != 0 || steps > 256) return std::nullopt;
    const int64_t factor = dims::floor_divide(c, coefficient);
    add_term(quotient, *term, factor);
    for (const auto& [other, k] : multiply(b, {{*term, factor}})) add_term(a, other, checked_mul(k, -1));
  }
  return quotient;
}

// a = quotient * b + rest; b is not zero.
Division divide(const Polynomial& a, const Polynomial& b) {
  if (b.size() == 1) return divide_by_monomial(a, b.begin()->first, b.begin()->second);
  if (auto quotient = divide_exactly(a, b)) return {std::move(*quotient), {}};
  return {{}, a};
}

std::optional<int64_t> positive_number(Dim dim) {
  return dim.is_constant() && dim.value() > 0 ? std::optional(dim.value()) : std::nullopt;
}

// x and m of floor_div(x, m) + k, where m is a positive number; k is added to x.
std::optional<std::pair<Dim, int64_t>> inner_division(const Polynomial& sum) {
  const size_t constant_terms = sum.count({});
  if (sum.size() != 1 + constant_terms) return std::nullopt;
  const auto& [atoms, coefficient] = *sum.begin();
  if (coefficient != 1 || atoms.size() != 1 || atoms[0]->op != DimOp::floor_div) return std::nullopt;
  const auto m = positive_number(DimNode::wrap(atoms[0]->children[1]));
  if (!m) return std::nullopt;
  const int64_t k = constant_terms == 0 ? 0 : sum.find({})->second;
  return std::pair{DimNode::wrap(atoms[0]->children[0]) + Dim(checked_mul(k, *m)), *m};
}

Dim quotient_of(DimOp op, Dim a, Dim b) {
  const Polynomial divisor = polynomial_of(b);
  if (divisor.empty()) return make_function(op, a, b);  // refused when evaluated
  const Division division = divide(polynomial_of(a), divisor);
  if (division.rest.empty()) return dim_of(division.quotient);
  if (division.rest.begin()->first.empty() && b.is_constant()) {  // only a number is left
    const Dim rest = dim_of(division.rest);
    return dim_of(division.quotient) + dims::combine(op, rest, b);
  }
  if (const auto n = positive_number(b); n && op == DimOp::floor_div)
    if (const auto inner = inner_division(division.rest))
      return dim_of(division.quotient) + floor_div(inner->first, checked_mul(inner->second, *n));
  return dim_of(division.quotient) + make_function(op, dim_of(division.rest), b);
}

// --- min and max

// Which of two to keep, where their difference is a number: 0 neither is implied, 1 the first, 2 the second.
int implied(DimOp op, Node a, Node b) {
  const bool fixed = a->op == DimOp::constant;
  if (fixed != (b->op == DimOp::constant)) return 0;
  if (fixed) return (a->value <= b->value) == (op == DimOp::min) ? 1 : 2;
  const Dim difference = DimNode::wrap(a) - DimNode::wrap(b);
  if (!difference.is_constant()) return 0;
  return (difference.value() <= 0) == (op == DimOp::min) ? 1 : 2;
}

void add_choice(DimOp op, std::vector<Node>& kept, Node node) {
  for (auto at = kept.begin(); at != kept.end();) {
    const int winner = implied(op, *at, node);
    if (winner == 1) return;
    at = winner == 2 ? kept.erase(at) : at + 1;
  }
  kept.push_back(node);
}

Dim extreme_of(DimOp op, Dim a, Dim b) {
  std::vector<Node> kept;
  for (Node side : {DimNode::of(a), DimNode::of(b)}) {
    if (side->op != op)
      add_choice(op, kept, side);
    else
      for (Node child : side->children) add_choice(op, kept, child);
  }
  if (kept.size() == 1) return DimNode::wrap(kept[0]);
  std::sort(kept.begin(), kept.end(), by_text);
  return make_function(op, std::move(kept));
}

}  // namespace

Dim operator+(Dim a, Dim b) {
  if (constants(a, b)) return checked_add(a.value(), b.value());
  Polynomial sum = polynomial_of(a);
  for (const auto& [atoms, c] : polynomial_of(b)) add_term(sum, atoms, c);
  return dim_of(sum);
}

Dim operator-(Dim a, Dim b) {
  if (constants(a, b)) {
    int64_t difference;
    if (__builtin_sub_overflow(a.value(), b.value(), &difference))
      fail(Code::invalid_argument, "{} - {} overflows 64 bits", a.value(), b.value());
    return difference;
  }
  return a + b * Dim(-1);
}

Dim operator*(Dim a, Dim b) {
  if (constants(a, b)) return checked_mul(a.value(), b.value());
  return dim_of(multiply(polynomial_of(a), polynomial_of(b)));
}

Dim floor_div(Dim a, Dim b) {
  if (constants(a, b)) return dims::floor_divide(a.value(), b.value());
  return quotient_of(DimOp::floor_div, a, b);
}

Dim ceil_div(Dim a, Dim b) {
  if (constants(a, b)) return dims::ceil_divide(a.value(), b.value());
  if (const auto d = positive_number(b)) return floor_div(a + Dim(*d - 1), b);
  return quotient_of(DimOp::ceil_div, a, b);
}

Dim mod(Dim a, Dim b) {
  if (constants(a, b)) return dims::modulo(a.value(), b.value());
  const Polynomial divisor = polynomial_of(b);
  if (divisor.empty()) return make_function(DimOp::mod, a, b);
  const Division division = divide(polynomial_of(a), divisor);
  if (division.rest.empty()) return 0;
  const Dim rest = dim_of(division.rest);
  return constants(rest, b) ? mod(rest, b) : make_function(DimOp::mod, rest, b);
}

Dim min(Dim a, Dim b) {
  if (constants(a, b)) return std::min(a.value(), b.value());
  return extreme_of(DimOp::min, a, b);
}

Dim max(Dim a, Dim b) {
  if (constants(a, b)) return std::max(a.value(), b.value());
  return extreme_of(DimOp::max, a, b);
}

}  // namespace planish
