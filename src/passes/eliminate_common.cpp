// Two pure nodes with the same operator, operands and attributes are one.

#include <map>

#include "ops/op.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

std::string node_text(const Graph& graph, const Node& node) {
  std::string text = node.op.str() + node.attrs.str() + "/" + std::to_string(node.outputs.size());
  for (ValueId input : node.inputs) {
    const bool small =
        input.valid() && graph.value(input).is_constant() && graph.value(input).constant.byte_count() <= 4096;
    text += small ? " #" + graph.value(input).constant.content_hash().hex() : " " + std::to_string(input.index);
  }
  return text;
}

bool merge_into(Graph& graph, NodeId from, NodeId to) {
  const auto old_outputs = graph.node(from).outputs, new_outputs = graph.node(to).outputs;
  for (ValueId output : old_outputs)
    if (graph.is_output(output)) return false;
  for (size_t i = 0; i < old_outputs.size(); ++i) graph.replace_uses(old_outputs[i], new_outputs[i]);
  return true;
}

}  // namespace

Pass eliminate_common() {
  return {"eliminate_common", [](Graph& graph) {
            bool changed = false;
            std::map<std::string, NodeId> first;
            for (NodeId id : graph.nodes()) {
              const Node& node = graph.node(id);
              if (!node.regions.empty() || !node.binds.empty() || !op_def(node.op).pure) continue;
              auto [at, fresh] = first.emplace(node_text(graph, node), id);
              if (!fresh) changed |= merge_into(graph, id, at->second);
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
