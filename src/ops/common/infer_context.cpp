#include <algorithm>

#include "ops/op.h"

#include "base/error.h"

namespace planish {

InferContext::InferContext(Graph& graph, const Node& node) : graph_(graph), node_(node) {}

const TensorType& InferContext::input(size_t i) const {
  if (!has_input(i)) {
    const OpDef& def = op_def(node_.op);
    fail(Code::invalid_model, "operand {} ('{}') is missing", i,
         i < def.operand_names.size() ? def.operand_names[i] : "?");
  }
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

std::vector<int64_t> InferContext::constant_ints(size_t i) const {
  const auto known = contents(i);
  std::vector<int64_t> ints;
  bool constant = known.has_value();
  for (size_t k = 0; constant && k < known->size(); ++k) {
    constant = (*known)[k].is_constant();
    if (constant) ints.push_back((*known)[k].value());
  }
  if (!constant) fail(Code::unsupported, "operand {} of {} must be constant", i, node_.op.str());
  return ints;
}

void InferContext::require_rank(size_t i, int at_least, int at_most) const {
  if (rank(i) < at_least || rank(i) > at_most)
    fail(Code::invalid_model, "operand {} is {}; rank {} to {} is accepted", i, input(i).str(), at_least, at_most);
}

void InferContext::require_same_dtype(size_t i, size_t j) const {
  if (dtype(i) != dtype(j))
    fail(Code::invalid_model, "operands {} and {} differ in type: {} and {}", i, j, input(i).str(), input(j).str());
}

bool InferContext::assume_equal(Dim a, Dim b) {
  if (a == b) return true;
  const SymbolTable& symbols = graph_.symbols;
  if (a.lower_bound(symbols) > b.upper_bound(symbols) || b.lower_bound(symbols) > a.upper_bound(symbols)) return false;
  const auto same = [&](const Guard& guard) {
    return (guard.left == a && guard.right == b) || (guard.left == b && guard.right == a);
  };
  if (std::none_of(graph_.guards.begin(), graph_.guards.end(), same))
    graph_.guards.push_back({a, b, fmt::format("node '{}' ({})", node_.name, node_.op.str())});
  return true;
}

Shape InferContext::broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(static_cast<size_t>(rank), 1);
  for (int i = 0; i < rank; ++i) {
    const int in_a = i - (rank - a.rank()), in_b = i - (rank - b.rank());
    const Dim left = in_a < 0 ? Dim(1) : a[in_a], right = in_b < 0 ? Dim(1) : b[in_b];
    dims[static_cast<size_t>(i)] = left == Dim(1) || right.is_constant() ? right : left;
    if (right == Dim(1)) dims[static_cast<size_t>(i)] = left;
    if (left != Dim(1) && right != Dim(1) && !assume_equal(left, right))
      fail(Code::invalid_model, "shapes {} and {} do not broadcast ({} against {})", a.str(), b.str(), left.str(),
           right.str());
  }
  return Shape(std::move(dims));
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

Dim InferContext::data_dependent(std::string_view hint, Dim bound) {
  const auto kept = node_.attrs.get_or<std::vector<std::string>>("binds", {});
  const int64_t most = bound.upper_bound(graph_.symbols);
  const std::string name =
      bound_.size() < kept.size()
          ? kept[bound_.size()]
          : graph_.fresh_symbol(hint, {SymbolKind::step, {0, std::max<int64_t>(most / 2, 1), most}});
  bound_.push_back(name);
  return Dim::symbol(name);
}

}  // namespace planish
