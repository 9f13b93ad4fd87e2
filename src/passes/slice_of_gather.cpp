// A gather of evenly spaced constant positions is a window, which costs nothing:
//   gather(x, i)                            -> reshape(slice(x, i : i+1))       the axis vanishes
//   gather(x, [i, i+s, …, i+(n-1)s]), s > 0 -> slice(x, i : i+(n-1)s+1 : s)
// every position being inside of x whatever its symbols.

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct EvenPositions {
  int64_t begin = 0, count = 1, step = 1;
};

std::optional<EvenPositions> even_positions(std::vector<int64_t> positions, Dim extent, const SymbolTable& symbols) {
  if (positions.empty()) return std::nullopt;
  for (int64_t& at : positions) {
    if (at < 0 && !extent.is_constant()) return std::nullopt;
    if (at < 0) at += extent.value();
    if (at < 0 || at >= extent.lower_bound(symbols)) return std::nullopt;
  }
  EvenPositions even{positions[0], static_cast<int64_t>(positions.size()), 1};
  if (positions.size() > 1) even.step = positions[1] - positions[0];
  for (size_t i = 1; i < positions.size(); ++i)
    if (even.step < 1 || positions[i] - positions[i - 1] != even.step) return std::nullopt;
  return even;
}

bool rewrite_gather(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto positions = node.op == "gather" ? ints_of(graph, node, 1) : std::nullopt;
  if (!positions) return false;
  const Shape& shape = graph.value(node.inputs[0]).type.shape;
  const int axis = normalize_axis(node.attrs.get_or<int64_t>("axis", 0), shape.rank());
  const auto even = even_positions(*positions, shape[axis], graph.symbols);
  if (!even) return false;
  const auto operand = [&](Patch& patch, int64_t value, const char* name) {
    return patch.constant(Tensor::ints(std::vector<int64_t>{value}), name);
  };
  const ValueId x = node.inputs[0], result = node.outputs[0];
  const int64_t end = even->begin + (even->count - 1) * even->step + 1;
  Patch patch(graph);
  ValueId window = add_op(patch, "slice",
                          {x, operand(patch, even->begin, "start"), operand(patch, end, "end"),
                           operand(patch, axis, "axis"), operand(patch, even->step, "step")});
  if (graph.value(window).type.shape.rank() != graph.value(result).type.shape.rank()) {
    const auto reshaped = add_reshape(patch, window, graph.value(result).type.shape);
    if (!reshaped) return false;
    window = *reshaped;
  }
  if (graph.value(window).type != graph.value(result).type) return false;
  patch.replace(result, window);
  patch.apply();
  return true;
}

}  // namespace

Pass slice_of_gather() {
  return {"slice_of_gather", [](Graph& graph) { return sweep(graph, rewrite_gather); }};
}

}  // namespace planish::passes
