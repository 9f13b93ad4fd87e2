// Products of one value with constant matrices, followed by the same activation, become one with the columns of all:
//   f(x W0 + b0), f(x W1 + b1) … -> split(f(x [W0 W1 …] + [b0 b1 …]))
// The parts are windows of its result. For devices whose products like many columns and to whom a launch is dear.

#include <cstring>
#include <map>
#include <optional>

#include "passes/common/siblings.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// A product whose epilogue reads constants of one element and perhaps a row: operands x, w and perhaps b.
struct ProductSibling {
  NodeId node;
  ValueId weights, row;
  std::string kind;  // equal where all but the columns is
  int64_t columns = 0;
};

std::optional<ProductSibling> product_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const Graph* body = node.op == "fused" ? node.regions[0].get() : nullptr;
  const Node& anchor = body != nullptr ? body->node(body->nodes().front()) : node;
  const size_t operands = node.inputs.size();
  if (anchor.op != "matmul" || operands < 2 || operands > 3 || node.outputs.size() != 1) return std::nullopt;
  for (size_t i = 0; body != nullptr && i < 2; ++i)
    if (anchor.inputs[i] != body->inputs()[i] || body->users(body->inputs()[i]).size() != 1) return std::nullopt;
  for (size_t i = 1; i < operands; ++i)
    if (!is_float_constant(graph, node.inputs[i]) || graph.value(node.inputs[i]).type.dtype != DataType::f32)
      return std::nullopt;
  const TensorType& weights = graph.value(node.inputs[1]).type;
  const TensorType& result = graph.value(node.outputs[0]).type;
  if (weights.shape.rank() != 2 || result.dtype != DataType::f32 || graph.is_output(node.outputs[0]) ||
      graph.users(node.outputs[0]).empty())
    return std::nullopt;
  const int64_t columns = weights.shape[1].value();
  if (result.shape.rank() < 2 || result.shape[result.shape.rank() - 1] != Dim(columns)) return std::nullopt;
  if (operands > 2 && graph.value(node.inputs[2]).type.shape != Shape({columns})) return std::nullopt;
  for (NodeId user : graph.users(node.outputs[0]))
    if (graph.node(user).op == "concat") return std::nullopt;  // it is written there in place
  const std::string kind =
      (body != nullptr ? text_of(*body) : "matmul") + fmt::format(" {} {}", operands, weights.shape[0].str());
  return ProductSibling{id, node.inputs[1], operands > 2 ? node.inputs[2] : ValueId{}, kind, columns};
}

// Constants of `rows` rows (of one, for b), side by side.
Tensor side_by_side(const Graph& graph, const std::vector<ProductSibling>& siblings, ValueId ProductSibling::*which,
                    std::vector<int64_t> extents) {
  extents.back() = 0;
  for (const ProductSibling& s : siblings) extents.back() += s.columns;
  const int64_t rows = extents.size() > 1 ? extents[0] : 1, pitch = extents.back();
  return Tensor::make(DataType::f32, extents, [&](std::byte* memory) {
    float* to = reinterpret_cast<float*>(memory);
    for (const ProductSibling& s : siblings) {
      const auto from = graph.value(s.*which).constant.as<float>();
      for (int64_t row = 0; row < rows; ++row)
        std::memcpy(to + row * pitch, from.data() + row * s.columns, static_cast<size_t>(s.columns) * sizeof(float));
      to += s.columns;
    }
  });
}

bool merge_products_of(Graph& graph, ValueId x) {
  std::map<std::string, std::vector<ProductSibling>> kinds;
  for (NodeId user : graph.users(x))
    if (graph.node(user).inputs[0] == x)
      if (auto sibling = product_of(graph, user)) kinds[sibling->kind].push_back(std::move(*sibling));
  bool changed = false;
  for (const auto& [kind, all] : kinds) {
    if (all.size() < 2) continue;
    const int64_t depth = graph.value(all[0].weights).type.shape[0].value();
    std::vector<ValueId> operands = {
        x, graph.add_constant(side_by_side(graph, all, &ProductSibling::weights, {depth, 0}))};
    if (all[0].row.valid()) operands.push_back(graph.add_constant(side_by_side(graph, all, &ProductSibling::row, {0})));
    std::vector<Part> parts;
    for (const ProductSibling& s : all) parts.push_back({s.node, s.columns});
    merge_nodes(graph, std::move(operands), parts,
                graph.value(graph.node(all[0].node).outputs[0]).type.shape.rank() - 1);
    changed = true;
  }
  return changed;
}

}  // namespace

Pass merge_products() {
  return {"merge_products", [](Graph& graph) {
            std::vector<ValueId> values(graph.inputs().begin(), graph.inputs().end());
            for (NodeId id : graph.nodes())
              for (ValueId output : graph.node(id).outputs)
                if (output.valid() && graph.users(output).size() > 1) values.push_back(output);
            bool changed = false;
            for (ValueId x : values) changed |= merge_products_of(graph, x);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
