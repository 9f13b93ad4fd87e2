// op(constants) -> constant, by the reference kernels. Results that are much larger than their operands stay computed.
// Weights that are dequantised for a product stay numbers: of a matrix product, or of one of quantised numbers.
// fuse_weights and fuse_quantized take them as they are, or the latter folds them.

#include <algorithm>

#include "passes/common/fold.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_product(const Node& node) { return node.op == "conv" || node.op == "matmul" || node.op == "gemm"; }

// Dequantised, perhaps moved since.
bool comes_from_bytes(const Graph& graph, ValueId id) {
  while (graph.value(id).producer.valid()) {
    const Node& node = graph.node(graph.value(id).producer);
    if (node.op == "dequantize_linear") return is_byte_type(graph.value(node.inputs[0]).type.dtype);
    if (!is_move(node)) return false;
    id = node.inputs[0];
  }
  return false;
}

// Of 8 bits and fewer.
bool is_number(DataType type) { return is_byte_type(type) || (is_narrow(type) && is_integer(type)); }

bool waits_for_product(const Graph& graph, const Node& node) {
  const bool numbers = node.op == "dequantize_linear" && is_number(graph.value(node.inputs[0]).type.dtype);
  if (!numbers && node.op != "transpose") return false;
  const ValueId weights = node.outputs[0];
  const auto users = graph.users(weights);
  return std::any_of(users.begin(), users.end(), [&](NodeId id) {
    const Node& user = graph.node(id);
    if (user.op == "transpose") return numbers && waits_for_product(graph, user);
    const bool matrix = user.op != "conv" && graph.value(weights).type.shape.rank() == 2;
    return is_product(user) && user.inputs[1] == weights && (matrix || comes_from_bytes(graph, user.inputs[0]));
  });
}

}  // namespace

Pass fold_constants() {
  return {"fold_constants", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              const Node& node = graph.node(id);
              const bool waits = node.op == "dequantize_linear" && waits_for_product(graph, node);
              changed |= !waits && is_foldable(graph, node) && fold_node(graph, id);
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
