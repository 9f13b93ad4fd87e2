// A table behind a product of numbers becomes its last node, and so a part of how sums end:
//   t(fused(conv, …, q)) -> fused(conv, …, q, t)      t: from the bytes of q, which nobody else reads, to as many of
//   the same type

#include "ir/patch.h"
#include "ops/common/quantized.h"
#include "passes/common/fusion.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_product_of_numbers(const Node& node) {
  if (node.op != "fused") return false;
  const Graph& body = *node.regions[0];
  const NodeId last = body.value(body.outputs()[0]).producer;
  if (!last.valid() || body.node(last).op != "quantize_linear" || !tensor_scale(body, body.node(last))) return false;
  for (NodeId id : body.nodes())
    if (const Node& inner = body.node(id); inner.op != "dequantize_linear")
      return inner.op == "conv" || inner.op == "matmul";
  return false;
}

bool fuse_table(Graph& graph, NodeId id) {
  if (!is_table(graph, graph.node(id))) return false;
  const ValueId numbers = graph.node(id).inputs[0], result = graph.node(id).outputs[0];
  const NodeId producer = graph.value(numbers).producer;
  if (!producer.valid() || !is_private(graph, numbers) || !is_product_of_numbers(graph.node(producer)) ||
      graph.value(numbers).type != graph.value(result).type)
    return false;
  auto body = std::make_unique<Graph>(graph.node(producer).regions[0]->clone());
  const NodeId table = body->add_node("fused", {body->outputs()[0]}, {}, {graph.value(result).type},
                                      body->fresh_name("table"), {body->fresh_name("looked_up")});
  body->add_region(table, std::make_unique<Graph>(graph.node(id).regions[0]->clone()));
  body->set_output(0, body->node(table).outputs[0]);
  Patch patch(graph);
  const NodeId fused = patch.add("fused", graph.node(producer).inputs, {}, {graph.value(result).type});
  graph.add_region(fused, std::move(body));
  graph.mutable_node(fused).note = graph.node(producer).note;
  patch.replace(result, graph.node(fused).outputs[0]);
  patch.apply();
  return true;
}

}  // namespace

Pass fuse_tables() {
  return {"fuse_tables", [](Graph& graph) { return until_settled(graph, fuse_table); }};
}

}  // namespace planish::passes
