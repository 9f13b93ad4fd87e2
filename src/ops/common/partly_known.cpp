// Of a list that is partly computed from data: the elements that are known all the same.

#include <algorithm>
#include <array>
#include <string_view>

#include "ops/evaluate.h"
#include "ops/op.h"

namespace planish {
namespace {

constexpr int64_t kLongestList = 64;
constexpr std::array<std::string_view, 11> kMoves = {"concat", "reshape",   "flatten", "squeeze", "unsqueeze", "slice",
                                                     "gather", "transpose", "split",   "expand",  "tile"};

using Elements = std::vector<std::optional<Dim>>;

// Looks backwards from a value, at no more nodes than the budget allows.
class ListReader {
 public:
  explicit ListReader(const Graph& graph) : graph_(graph) {}

  // One an element of an integer value of fixed extents; nothing at all of other values.
  std::optional<Elements> elements(ValueId id) {
    const Value& value = graph_.value(id);
    if (!is_integer(value.type.dtype) || !is_small(value)) return std::nullopt;
    if (value.contents) return Elements(value.contents->begin(), value.contents->end());
    if (const auto known = tensor(id)) {
      const auto ints = known->to_ints();
      return Elements(ints.begin(), ints.end());
    }
    Elements unknown(static_cast<size_t>(value.type.shape.element_count().value()));
    if (!value.producer.valid() || --budget_ < 0) return unknown;
    const Node& node = graph_.node(value.producer);
    if (node.op == "cast") return cast(node, value.type.dtype).value_or(unknown);
    if (std::find(kMoves.begin(), kMoves.end(), node.op.str()) == kMoves.end()) return unknown;
    return moved(node, static_cast<size_t>(value.result)).value_or(unknown);
  }

 private:
  static bool is_small(const Value& value) {
    return value.type.shape.is_static() && value.type.shape.element_count().value() <= kLongestList;
  }

  // The value itself, where nothing that leads to it depends on data or on extents of inputs.
  std::optional<Tensor> tensor(ValueId id) {
    const Value& value = graph_.value(id);
    if (auto known = known_operand(value)) return known;
    if (value.is_constant() || !value.producer.valid() || !is_small(value) || --budget_ < 0) return std::nullopt;
    const Node& node = graph_.node(value.producer);
    if (!op_def(node.op).pure || !node.regions.empty() || !node.binds.empty() || node.inputs.empty())
      return std::nullopt;
    std::vector<Tensor> operands;
    for (ValueId input : node.inputs) {
      const auto operand = input.valid() ? tensor(input) : Tensor();
      if (!operand) return std::nullopt;
      operands.push_back(*operand);
    }
    for (ValueId output : node.outputs)
      if (!is_small(graph_.value(output))) return std::nullopt;
    return evaluate_node(graph_, node, operands)[static_cast<size_t>(value.result)];
  }

  std::optional<Elements> cast(const Node& node, DataType to) {
    auto list = elements(node.inputs[0]);
    for (size_t i = 0; list && i < list->size(); ++i)
      if (auto& element = (*list)[i]; element && !holds(to, *element, graph_.symbols)) element.reset();
    return list;
  }

  // Where the elements of an operator that only moves them come from: it is run on their numbers.
  std::optional<Elements> moved(const Node& node, size_t result) {
    const size_t lists = node.op == "concat" ? node.inputs.size() : 1;
    Elements sources;
    std::vector<Tensor> operands;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (i >= lists) {
        const auto known = node.inputs[i].valid() ? tensor(node.inputs[i]) : Tensor();
        if (!known) return std::nullopt;
        operands.push_back(*known);
        continue;
      }
      const auto part = elements(node.inputs[i]);
      if (!part || is_narrow(graph_.value(node.inputs[i]).type.dtype)) return std::nullopt;  // few numbers fit
      operands.push_back(numbered(graph_.value(node.inputs[i]).type, static_cast<int64_t>(sources.size())));
      sources.insert(sources.end(), part->begin(), part->end());
    }
    for (ValueId output : node.outputs)
      if (!is_small(graph_.value(output))) return std::nullopt;
    if (sources.size() > static_cast<size_t>(kLongestList)) return std::nullopt;
    Elements found;
    for (int64_t from : evaluate_node(graph_, node, operands)[result].to_ints()) {
      if (from < 0 || from >= std::ssize(sources)) return std::nullopt;
      found.push_back(sources[static_cast<size_t>(from)]);
    }
    return found;
  }

  static Tensor numbered(const TensorType& type, int64_t first) {
    const auto extents = type.shape.extents();
    return Tensor::make(type.dtype, extents, [&](std::byte* out) {
      const TensorView view = make_view(out, type.dtype, extents);
      for (int64_t i = 0; i < type.shape.element_count().value(); ++i) store_int(view, i, first + i);
    });
  }

  const Graph& graph_;
  int budget_ = 200;
};

}  // namespace

std::vector<std::optional<Dim>> InferContext::partial_list(size_t i) const {
  require_rank(i, 0, 1);
  require_dtype(i, kIndices);
  return ListReader(graph_).elements(node_.inputs[i]).value_or(Elements());
}

}  // namespace planish
