#include "ops/op.h"

#include <algorithm>

#include "base/error.h"

namespace planish {
InferContext::InferContext(Graph& graph, const Node& node) : graph_(graph), node_(node) {}

std::string InferContext::operand(size_t i) const {
  const OpDef& def = op_def(node_.op);
  return i < def.operand_names.size() ? fmt::format("operand {} ('{}')", i, def.operand_names[i])
                                      : fmt::format("operand {}", i);
}

const TensorType& InferContext::input(size_t i) const {
  if (!has_input(i)) fail(Code::invalid_model, "{} is missing", operand(i));
  return graph_.value(node_.inputs[i]).type;
}

std::optional<Tensor> InferContext::constant(size_t i) const {
  if (!has_input(i) || !graph_.value(node_.inputs[i]).is_constant()) return std::nullopt;
  return graph_.value(node_.inputs[i]).constant;
}

std::optional<std::vector<Dim>> InferContext::contents(size_t i) const {
  if (!has_input(i)) return std::nullopt;
  const Value& value = graph_.value(node_.inputs[i]);
  if (!value.is_constant()) return value.contents;
  constexpr int64_t kLongest = 4096;
  const Tensor& tensor = value.constant;
  if (is_float(tensor.dtype()) || tensor.dtype() == DataType::string || tensor.element_count() > kLongest)
    return std::nullopt;
  const auto ints = tensor.to_ints();
  return std::vector<Dim>(ints.begin(), ints.end());
}

std::vector<Dim> InferContext::list(size_t i) const {
  require_rank(i, 0, 1);
  require_dtype(i, kIndices);
  auto known = contents(i);
  if (!known)
    fail(Code::unsupported, "{} is computed from data; a constant or arithmetic on shapes is accepted", operand(i));
  return std::move(*known);
}

std::optional<std::vector<int64_t>> InferContext::known_ints(size_t i) const {
  require_rank(i, 0, 1);
  require_dtype(i, kIndices);
  const auto known = contents(i);
  std::vector<int64_t> ints;
  for (size_t k = 0; known && k < known->size(); ++k) {
    if (!(*known)[k].is_constant()) return std::nullopt;
    ints.push_back((*known)[k].value());
  }
  return known ? std::optional(ints) : std::nullopt;
}

std::vector<int64_t> InferContext::constant_ints(size_t i) const {
  std::vector<int64_t> ints;
  for (Dim dim : list(i)) {
    if (!dim.is_constant()) fail(Code::unsupported, "{} holds {}; constants are accepted", operand(i), dim.str());
    ints.push_back(dim.value());
  }
  return ints;
}

void InferContext::require_rank(size_t i, int at_least, int at_most) const {
  if (rank(i) < at_least || rank(i) > at_most)
    fail(Code::invalid_model, "{} is {}; rank {} is accepted", operand(i), input(i).str(),
         at_least == at_most ? std::to_string(at_least) : fmt::format("{} to {}", at_least, at_most));
}

void InferContext::require_same_dtype(size_t i, size_t j) const {
  if (dtype(i) != dtype(j))
    fail(Code::invalid_model, "operands {} and {} differ in type: {} and {}", i, j, input(i).str(), input(j).str());
}

bool InferContext::assume_equal(Dim a, Dim b) const {
  if (a == b) return true;
  const SymbolTable& symbols = graph_.symbols;
  const int64_t only = a.lower_bound(symbols);
  const auto is_only = [&](Dim dim) { return dim.lower_bound(symbols) == only && dim.upper_bound(symbols) == only; };
  return (is_only(a) && is_only(b)) ||
         planish::assume_equal(graph_, a, b, fmt::format("node '{}' ({})", node_.name, node_.op.str()));
}

bool assume_equal(Graph& graph, Dim a, Dim b, const std::string& where) {
  if (a == b) return true;
  const SymbolTable& symbols = graph.symbols;
  if (a.lower_bound(symbols) > b.upper_bound(symbols) || b.lower_bound(symbols) > a.upper_bound(symbols)) return false;
  const auto same = [&](const Guard& guard) {
    return (guard.left == a && guard.right == b) || (guard.left == b && guard.right == a);
  };
  if (std::none_of(graph.guards.begin(), graph.guards.end(), same)) graph.guards.push_back({a, b, where});
  return true;
}

// The larger of two extents of which either may turn out to be 1, or 0 where one is. That they go together the kernel
// looks at when they are known.
static Dim joint_extent(Dim a, Dim b) {
  if (a.is_constant() && a.value() > 1) return a;
  if (b.is_constant() && b.value() > 1) return b;
  return max(a, b) * min(a, 1) * min(b, 1);
}

Shape InferContext::broadcast(const Shape& a, const Shape& b) const {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(static_cast<size_t>(rank), 1);
  for (int i = 0; i < rank; ++i) {
    const int in_a = i - (rank - a.rank()), in_b = i - (rank - b.rank());
    const Dim left = in_a < 0 ? Dim(1) : a[in_a], right = in_b < 0 ? Dim(1) : b[in_b];
    dims[static_cast<size_t>(i)] = left == Dim(1) || right.is_constant() ? right : left;
    if (right == Dim(1)) dims[static_cast<size_t>(i)] = left;
    const bool waits = depends_on_data(left, graph_.symbols) || depends_on_data(right, graph_.symbols);
    if (waits && left != right && left != Dim(1) && right != Dim(1)) {
      dims[static_cast<size_t>(i)] = joint_extent(left, right);
      continue;
    }
    if (left != Dim(1) && right != Dim(1) && !assume_equal(left, right))
      fail(Code::invalid_model, "shapes {} and {} do not broadcast ({} against {})", a.str(), b.str(), left.str(),
           right.str());
  }
  return Shape(std::move(dims));
}

static bool fits_kinds(DataType type, unsigned kinds) {
  return ((kinds & kFloats) != 0 && is_float(type)) || ((kinds & kIntegers) != 0 && is_integer(type)) ||
         ((kinds & kBooleans) != 0 && type == DataType::boolean) ||
         ((kinds & kIndices) != 0 && (type == DataType::i32 || type == DataType::i64));
}

void InferContext::require_dtype(size_t i, unsigned kinds) const {
  static constexpr std::pair<unsigned, const char*> kNames[] = {{kFloats, "floats"},
                                                                {kIntegers, "integers"},
                                                                {kBooleans, "bool"},
                                                                {kIndices, "i32, i64"},
                                                                {kNarrow, "narrow types"}};
  const DataType found = dtype(i);
  if (is_narrow(found) ? (kinds & kNarrow) != 0 : fits_kinds(found, kinds)) return;
  std::string accepted;
  for (const auto& [flag, name] : kNames)
    if ((kinds & flag) != 0) accepted += (accepted.empty() ? "" : ", ") + std::string(name);
  fail(Code::invalid_model, "{} is {}; accepted: {}", operand(i), input(i).str(), accepted);
}

void InferContext::require_shape(size_t i, const Shape& accepted) const {
  const Shape& found = shape(i);
  if (!std::equal(found.begin(), found.end(), accepted.begin(), accepted.end(),
                  [this](Dim a, Dim b) { return assume_equal(a, b); }))
    fail(Code::invalid_model, "{} is {}; {} is accepted", operand(i), input(i).str(), accepted.str());
}

void InferContext::require_broadcasts_to(size_t i, const Shape& accepted) const {
  const Shape& found = shape(i);
  const int lead = accepted.rank() - found.rank();
  bool fits = true;
  for (int axis = 0; axis < found.rank(); ++axis)
    fits = fits && (found[axis] == Dim(1) ||
                    (axis + lead >= 0 ? assume_equal(found[axis], accepted[axis + lead]) : !found[axis].is_constant()));
  if (!fits)
    fail(Code::invalid_model, "{} is {}; what repeats to {} is accepted", operand(i), input(i).str(), accepted.str());
}

void InferContext::require_one_element(size_t i) const {
  if (!assume_equal(shape(i).element_count(), 1))
    fail(Code::invalid_model, "{} is {}; one element is accepted", operand(i), input(i).str());
}

void InferContext::require_flag(const char* attribute, int64_t value) const {
  if (value != 0 && value != 1)
    fail(Code::invalid_model, "attribute '{}' is {}; 0 and 1 are accepted", attribute, value);
}

void InferContext::require_choice(const char* attribute, const std::string& value,
                                  std::initializer_list<std::string_view> accepted) const {
  if (std::find(accepted.begin(), accepted.end(), value) != accepted.end()) return;
  std::string list;
  for (std::string_view choice : accepted) list += (list.empty() ? "" : ", ") + std::string(choice);
  fail(Code::invalid_model, "attribute '{}' is '{}'; accepted: {}", attribute, value, list);
}

std::vector<int> InferContext::distinct_axes(const std::vector<int64_t>& axes, int rank) const {
  std::vector<int> found;
  for (int64_t axis : axes) {
    found.push_back(normalize_axis(axis, rank));
    if (std::count(found.begin(), found.end(), found.back()) > 1)
      fail(Code::invalid_model, "axis {} is named twice", found.back());
  }
  return found;
}

void InferContext::output(size_t i, TensorType type) {
  if (type.shape.rank() > kMaxRank)
    fail(Code::unsupported, "a result of rank {}; at most {}", type.shape.rank(), kMaxRank);
  if (outputs_.size() <= i) outputs_.resize(i + 1);
  outputs_[i] = std::move(type);
}

void InferContext::output_contents(size_t i, std::vector<Dim> contents) {
  if (contents_.size() <= i) contents_.resize(i + 1);
  contents_[i] = std::move(contents);
}

Dim InferContext::data_dependent(std::string_view hint, Dim most, int64_t typical) {
  const auto& kept = node_.binds;
  const DimRange& any = kMeasuredSymbol.range;
  const int64_t bound = std::min(most.upper_bound(graph_.symbols), any.max);
  const SymbolInfo info{SymbolKind::step, {0, std::min(bound, typical), bound}};
  const std::string name = bound_.size() < kept.size() ? kept[bound_.size()] : graph_.fresh_symbol(hint, info);
  graph_.symbols[name] = info;
  bound_.push_back(name);
  return Dim::symbol(name);
}

void InferContext::bind(Dim symbol) {
  graph_.symbols.try_emplace(std::string(symbol.name()), kMeasuredSymbol);
  bound_.emplace_back(symbol.name());
}

std::vector<Dim> InferContext::measured(int rank, int64_t typical) {
  if (rank < 0 || rank > kMaxRank)
    fail(Code::invalid_model, "a result of rank {}; 0 to {} are accepted", rank, kMaxRank);
  std::vector<Dim> dims;
  for (int i = 0; i < rank; ++i)
    dims.push_back(data_dependent(fmt::format("{}_{}", node_.op.str(), i), kMeasuredSymbol.range.max, typical));
  return dims;
}

int64_t InferContext::typical(Dim extent) const {
  SymbolValues typical;
  for (const auto& [name, info] : graph_.symbols) typical[name] = std::max<int64_t>(info.range.opt, 1);
  try {
    return std::max<int64_t>(extent.evaluate(typical), 1);
  } catch (const Error&) {
    return kMeasuredSymbol.range.opt;  // typical values of symbols that data decides need not go together
  }
}

std::vector<Dim> InferContext::measured_like(size_t i) {
  std::vector<Dim> dims;
  for (Dim extent : shape(i)) {
    const auto hint = fmt::format("{}_{}", node_.op.str(), dims.size());
    dims.push_back(data_dependent(hint, kMeasuredSymbol.range.max, typical(extent)));
  }
  return dims;
}

int InferContext::list_extent(size_t i) const {
  require_rank(i, 0, 1);
  require_dtype(i, kIndices);
  const Dim count = shape(i).element_count();
  if (!count.is_constant() || count.value() > kMaxRank)
    fail(Code::unsupported, "{} is {}; a fixed count of at most {} is accepted", operand(i), input(i).str(), kMaxRank);
  return static_cast<int>(count.value());
}

bool holds(DataType type, Dim value, const SymbolTable& symbols) {
  if (type == DataType::i64) return true;
  if (is_narrow(type)) return false;
  if (type == DataType::boolean) return value.lower_bound(symbols) >= 0 && value.upper_bound(symbols) <= 1;
  const bool is_signed = is_signed_integer(type);
  const int bits = element_bits(type) - (is_signed ? 1 : 0);
  const int64_t most = bits >= 63 ? INT64_MAX : (int64_t{1} << bits) - 1;
  return value.lower_bound(symbols) >= (is_signed ? -most - 1 : 0) && value.upper_bound(symbols) <= most;
}

}  // namespace planish
