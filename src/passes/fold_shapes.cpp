// An integer value whose elements inference knows becomes a constant, or `dims {values=…}` where symbols take
// part. Shape -> Gather -> Unsqueeze -> Concat chains lose their last user this way.

#include <algorithm>

#include "ops/builder.h"
#include "ops/evaluate.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool fold_value(Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (!value.contents || graph.users(id).empty() || graph.is_output(id) || !value.type.shape.is_static()) return false;
  if (static_cast<int64_t>(value.contents->size()) != value.type.shape.element_count().value()) return false;
  if (const auto known = known_operand(value)) {
    graph.replace_uses(id, graph.add_constant(*known, value.name + ".folded"));
    return true;
  }
  // What waits for a step stays behind it: such a value is computed from what the step gives.
  const auto waits = [&](Dim dim) { return depends_on_data(dim, graph.symbols); };
  if (std::any_of(value.contents->begin(), value.contents->end(), waits)) return false;
  if (value.type.dtype != DataType::i64 || value.type.shape.rank() > 1) return false;
  Attrs attrs = {{"values", *value.contents}};
  attrs.set("scalar", int64_t{value.type.shape.rank() == 0});
  graph.replace_uses(id, add_op(graph, "dims", {}, std::move(attrs)));
  return true;
}

}  // namespace

Pass fold_shapes() {
  return {"fold_shapes", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              if (graph.node(id).op == "dims") continue;
              for (ValueId output : std::vector<ValueId>(graph.node(id).outputs)) changed |= fold_value(graph, output);
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
