// clip(x, min?, max?) = min(max(x, low), high). Constant bounds are immediates of a fused program; a bound
// that is computed keeps the operator out of the pointwise table, because operands are optional.

#include "ops/op.h"

namespace planish::ops {

void register_clip(OpTable& table) {
  OpDef def;
  def.name = "clip";
  def.min_inputs = 1;
  def.max_inputs = 3;
  def.operand_names = {"input", "min", "max"};
  def.check_attrs = check_attrs_as<NoAttrs>;
  def.infer = [](InferContext& context) {
    context.require_dtype(0, kNumbers);
    for (size_t bound : {1, 2}) {
      if (!context.has_input(bound)) continue;
      context.require_one_element(bound);
      context.require_same_dtype(0, bound);
    }
    context.output(0, context.input(0));
  };
  table.add(std::move(def));
}

}  // namespace planish::ops
