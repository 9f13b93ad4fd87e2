#include "ops/common/row.h"

namespace planish::ops {

OpDef op_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&),
             FlopsFn flops) {
  OpDef def;
  def.name = name;
  def.min_inputs = least;
  def.max_inputs = most;
  def.check_attrs = check;
  def.infer = infer;
  def.flops = flops;
  return def;
}

Dim elements_of_first(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[0]).type.shape.element_count();
}

Dim no_work(const Graph&, const Node&) { return 0; }

}  // namespace planish::ops
