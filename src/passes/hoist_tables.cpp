// Maps from bytes to bytes go in front of views, to where their operand lies together:
//   t(views(x)) -> views(t(x))     t: elementwise, of one operand;  views: reshapes and transposes read by the next
//   alone

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool hoist_table(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_table(graph, node)) return false;
  std::vector<NodeId> views;
  ValueId x = node.inputs[0];
  while (graph.value(x).producer.valid() && is_private(graph, x)) {
    const Node& view = graph.node(graph.value(x).producer);
    if (view.op != "reshape" && view.op != "transpose") break;
    views.push_back(graph.value(x).producer);
    x = view.inputs[0];
  }
  if (views.empty() || graph.value(x).is_constant()) return false;
  auto body = std::make_unique<Graph>(node.regions[0]->clone());
  body->mutable_value(body->inputs()[0]).type = graph.value(x).type;
  infer_all(*body);
  Patch patch(graph);
  const NodeId table = patch.add(node.op, {x}, node.attrs, {body->value(body->outputs()[0]).type});
  graph.add_region(table, std::move(body));
  graph.mutable_node(table).origins = graph.node(id).origins;
  ValueId moved = graph.node(table).outputs[0];
  for (size_t i = views.size(); i-- > 0;) {
    const Node& view = graph.node(views[i]);
    std::vector<ValueId> operands = view.inputs;
    operands[0] = moved;
    moved = add_op(patch, view.op, std::move(operands), view.attrs);
  }
  if (graph.value(moved).type != graph.value(graph.node(id).outputs[0]).type) return false;
  patch.replace(graph.node(id).outputs[0], moved);
  patch.apply();
  return true;
}

}  // namespace

Pass hoist_tables() {
  return {"hoist_tables", [](Graph& graph) { return until_settled(graph, hoist_table); }};
}

}  // namespace planish::passes
