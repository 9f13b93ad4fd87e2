// What a Dim amounts to: exactly, for given symbol values, or within bounds.

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/dim_node.h"

namespace planish {
namespace {

using dims::Node;

struct Bounds {
  int64_t low, high;
};

// Bounds saturate here, so that sums and products of them stay within 128 bits.
constexpr int64_t kFar = INT64_MAX / 4;
int64_t clamp_far(__int128 value) { return value > kFar ? kFar : value < -kFar ? -kFar : static_cast<int64_t>(value); }

Bounds product_bounds(Bounds a, Bounds b) {
  const __int128 corners[] = {static_cast<__int128>(a.low) * b.low, static_cast<__int128>(a.low) * b.high,
                              static_cast<__int128>(a.high) * b.low, static_cast<__int128>(a.high) * b.high};
  return {clamp_far(*std::min_element(corners, corners + 4)), clamp_far(*std::max_element(corners, corners + 4))};
}

Bounds quotient_bounds(Bounds a, Bounds b, bool up) {
  if (b.low <= 0) b.low = 1;  // a divisor that may be zero is refused when evaluated
  b.high = std::max(b.high, b.low);
  const auto divide = [&](int64_t x, int64_t y) { return up ? dims::ceil_divide(x, y) : dims::floor_divide(x, y); };
  const int64_t corners[] = {divide(a.low, b.low), divide(a.low, b.high), divide(a.high, b.low),
                             divide(a.high, b.high)};
  return {*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

// In [0, b) for a positive b, and no more than a.
Bounds remainder_bounds(Bounds a, Bounds b) {
  const int64_t most = std::max<int64_t>(b.high - 1, 0);
  return {0, a.low >= 0 ? std::min(a.high, most) : most};
}

Bounds bounds_of(Node node, const SymbolTable& symbols) {
  if (node->op == DimOp::constant) return {clamp_far(node->value), clamp_far(node->value)};
  if (node->op == DimOp::symbol) {
    auto at = symbols.find(node->name);
    const DimRange range = at == symbols.end() ? DimRange{} : at->second.range;
    return {clamp_far(range.min), clamp_far(range.max)};
  }
  Bounds total = bounds_of(node->children[0], symbols);
  for (size_t i = 1; i < node->children.size(); ++i) {
    const Bounds next = bounds_of(node->children[i], symbols);
    switch (node->op) {
      case DimOp::add:
        total = {clamp_far(static_cast<__int128>(total.low) + next.low),
                 clamp_far(static_cast<__int128>(total.high) + next.high)};
        break;
      case DimOp::mul:
        total = product_bounds(total, next);
        break;
      case DimOp::floor_div:
        total = quotient_bounds(total, next, false);
        break;
      case DimOp::ceil_div:
        total = quotient_bounds(total, next, true);
        break;
      case DimOp::mod:
        total = remainder_bounds(total, next);
        break;
      case DimOp::min:
        total = {std::min(total.low, next.low), std::min(total.high, next.high)};
        break;
      default:
        total = {std::max(total.low, next.low), std::max(total.high, next.high)};
        break;
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
      case DimOp::add:
        total = checked_add(total, next);
        break;
      case DimOp::mul:
        total = checked_mul(total, next);
        break;
      case DimOp::floor_div:
        total = dims::floor_divide(total, next);
        break;
      case DimOp::ceil_div:
        total = dims::ceil_divide(total, next);
        break;
      case DimOp::mod:
        total = dims::modulo(total, next);
        break;
      case DimOp::min:
        total = std::min(total, next);
        break;
      default:
        total = std::max(total, next);
        break;
    }
  }
  return total;
}

}  // namespace

int64_t Dim::evaluate(const SymbolValues& values) const { return evaluate_node(node_, values); }

int64_t Dim::lower_bound(const SymbolTable& symbols) const {
  return is_constant() ? value() : bounds_of(node_, symbols).low;
}

int64_t Dim::upper_bound(const SymbolTable& symbols) const {
  return is_constant() ? value() : bounds_of(node_, symbols).high;
}

std::vector<std::string> Guard::symbols() const {
  std::vector<std::string> names;
  left.collect_symbols(names);
  right.collect_symbols(names);
  return names;
}

std::string Guard::str() const { return fmt::format("{} needs {} equal to {}", where, left.str(), right.str()); }

bool depends_on_data(Dim dim, const SymbolTable& symbols) {
  if (dim.is_constant()) return false;
  std::vector<std::string> names;
  dim.collect_symbols(names);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = symbols.find(name);
    return at != symbols.end() && at->second.kind == SymbolKind::step;
  });
}

}  // namespace planish
