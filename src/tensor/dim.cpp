#include "tensor/dim.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"
#include "tensor/dim_node.h"

namespace planish {
namespace dims {
namespace {

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

bool is_function(DimOp op) { return op >= DimOp::floor_div; }

}  // namespace

Node intern(DimNode node) {
  if (node.text.size() > kLongestText) fail(Code::unsupported, "a shape expression of {} characters", node.text.size());
  for (Node child : node.children) node.depth = std::max(node.depth, child->depth);
  if (is_function(node.op) && ++node.depth > kDeepest)
    fail(Code::unsupported, "a shape expression nested deeper than {}", kDeepest);
  return table().intern(std::move(node));
}

Node make_constant(int64_t value) { return intern({DimOp::constant, value, {}, {}, std::to_string(value)}); }

std::string_view function_name(DimOp op) {
  switch (op) {
    case DimOp::floor_div:
      return "floor_div";
    case DimOp::ceil_div:
      return "ceil_div";
    case DimOp::mod:
      return "mod";
    case DimOp::min:
      return "min";
    default:
      return "max";
  }
}

Dim combine(DimOp op, Dim a, Dim b) {
  switch (op) {
    case DimOp::add:
      return a + b;
    case DimOp::mul:
      return a * b;
    case DimOp::floor_div:
      return floor_div(a, b);
    case DimOp::ceil_div:
      return ceil_div(a, b);
    case DimOp::mod:
      return mod(a, b);
    case DimOp::min:
      return min(a, b);
    default:
      return max(a, b);
  }
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "a division by zero in a shape expression");
  if (b == -1) return checked_mul(a, -1);
  const int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

int64_t ceil_divide(int64_t a, int64_t b) {
  const int64_t floor = floor_divide(a, b);
  return modulo(a, b) == 0 ? floor : floor + 1;
}

int64_t modulo(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "a division by zero in a shape expression");
  const int64_t rest = b == -1 ? 0 : a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

}  // namespace dims

namespace {

void collect(dims::Node node, std::vector<std::string>& names) {
  if (node->op == DimOp::symbol && std::find(names.begin(), names.end(), node->name) == names.end())
    names.push_back(node->name);
  for (dims::Node child : node->children) collect(child, names);
}

Dim substitute_node(dims::Node node, const std::map<std::string, Dim, std::less<>>& replacements) {
  if (node->op == DimOp::constant) return node->value;
  if (node->op == DimOp::symbol) {
    auto at = replacements.find(node->name);
    return at == replacements.end() ? DimNode::wrap(node) : at->second;
  }
  Dim total = substitute_node(node->children[0], replacements);
  for (size_t i = 1; i < node->children.size(); ++i)
    total = dims::combine(node->op, total, substitute_node(node->children[i], replacements));
  return total;
}

bool is_symbol_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; });
}

}  // namespace

Dim::Dim(int64_t value) : node_(dims::make_constant(value)) {}

Dim Dim::symbol(std::string_view name) {
  if (!is_symbol_name(name))
    fail(Code::invalid_argument, "'{}' is no symbol name (letters, digits, '_' and '.')", name);
  return Dim(dims::intern({DimOp::symbol, 0, std::string(name), {}, std::string(name)}));
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
  for (const DimNode* child : node_->children) out.push_back(Dim(child));
  return out;
}

void Dim::collect_symbols(std::vector<std::string>& names) const { collect(node_, names); }
Dim Dim::substitute(const std::map<std::string, Dim, std::less<>>& replacements) const {
  return substitute_node(node_, replacements);
}
std::string Dim::str() const { return node_->text; }
uint64_t Dim::hash() const { return node_->hash; }

}  // namespace planish
