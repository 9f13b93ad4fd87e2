#include "runtime/input_extents.h"

#include <algorithm>

namespace planish {
namespace {

bool has_flag(const std::vector<bool>& flags, bool flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

}  // namespace

InputExtents::InputExtents(const std::vector<Binding>& bindings, const Profile& profile)
    : bindings_(bindings), profile_(profile), given_(bindings.size()) {
  for (size_t i = 0; i < bindings.size(); ++i) {
    const bool is_static = bindings[i].type.shape.is_static();
    dynamic_.push_back(bindings[i].is_input && !is_static);
    known_.push_back(!dynamic_.back());
    if (bindings[i].is_input && is_static) given_[i] = bindings[i].type.shape.extents();
  }
  begin_round();
}

Status InputExtents::give(size_t binding, std::span<const int64_t> extents) {
  if (Status status = check(bindings_[binding], extents); !status.ok()) {
    known_[binding] = false;
    return status;
  }
  given_[binding].assign(extents.begin(), extents.end());
  known_[binding] = true;
  pending_[binding] = false;
  return {};
}

bool InputExtents::has(size_t binding, std::span<const int64_t> extents) const {
  return std::equal(extents.begin(), extents.end(), given_[binding].begin(), given_[binding].end());
}

bool InputExtents::all_given() const { return !has_flag(known_, false); }

bool InputExtents::is_round_complete() const { return !has_flag(pending_, true) && all_given(); }

Status InputExtents::check_given() const {
  for (size_t i = 0; i < bindings_.size(); ++i)
    if (!known_[i])
      return {Code::invalid_state,
              fmt::format("input '{}' has no shape; it is {}", bindings_[i].name, bindings_[i].type.str())};
  return {};
}

Status InputExtents::check(const Binding& info, std::span<const int64_t> extents) const {
  const Shape& shape = info.type.shape;
  if (static_cast<int>(extents.size()) != shape.rank())
    return {Code::invalid_argument,
            fmt::format("input '{}' is {}, extents of rank {} were given", info.name, info.type.str(), extents.size())};
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int64_t extent = extents[static_cast<size_t>(axis)];
    if (extent < 0 || (shape[axis].is_constant() && shape[axis].value() != extent))
      return {Code::invalid_argument, fmt::format("input '{}' is {}, the extents {} were given", info.name,
                                                  info.type.str(), Shape::of(extents).str())};
    if (shape[axis].op() != DimOp::symbol) continue;
    const DimRange range = profile_.symbols.at(std::string(shape[axis].name())).range;
    if (extent < range.min || extent > range.max)
      return {Code::invalid_argument, fmt::format("input '{}', axis {}: extent {} is outside [{}, {}]", info.name, axis,
                                                  extent, range.min, range.max)};
  }
  return {};
}

// A plain symbol takes the extent; any other expression is compared once all symbols are known.
Status InputExtents::bind_symbols(size_t binding, SymbolValues& symbols) const {
  const Shape& shape = bindings_[binding].type.shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis].op() != DimOp::symbol) continue;
    const std::string name(shape[axis].name());
    const int64_t extent = given_[binding][static_cast<size_t>(axis)];
    auto [at, fresh] = symbols.try_emplace(name, extent);
    if (!fresh && at->second != extent)
      return {Code::invalid_argument, fmt::format("input '{}', axis {}: extent {} where '{}' is {} elsewhere",
                                                  bindings_[binding].name, axis, extent, name, at->second)};
  }
  return {};
}

// Those that steps bind are looked at when they are bound.
Status InputExtents::check_guards(const SymbolValues& symbols) const {
  for (const Guard& guard : profile_.guards) {
    if (depends_on_data(guard.left, profile_.symbols) || depends_on_data(guard.right, profile_.symbols)) continue;
    const int64_t left = guard.left.evaluate(symbols), right = guard.right.evaluate(symbols);
    if (left != right) return {Code::invalid_argument, fmt::format("{}; they are {} and {}", guard.str(), left, right)};
  }
  return {};
}

Status InputExtents::bind(SymbolValues& symbols) const {
  symbols.clear();
  for (size_t i = 0; i < bindings_.size(); ++i)
    if (bindings_[i].is_input)
      if (Status status = bind_symbols(i, symbols); !status.ok()) return status;
  for (size_t i = 0; i < bindings_.size(); ++i) {
    if (!bindings_[i].is_input) continue;
    const std::vector<int64_t> follows = bindings_[i].type.shape.evaluate(symbols);
    if (follows != given_[i])
      return {Code::invalid_argument, fmt::format("input '{}' has the extents {}, {} is accepted", bindings_[i].name,
                                                  Shape::of(given_[i]).str(), Shape::of(follows).str())};
  }
  return check_guards(symbols);
}

}  // namespace planish
