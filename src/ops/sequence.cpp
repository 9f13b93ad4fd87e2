// sequence: a list of values while a network is imported. What takes elements out of it takes its operands; none is
// left when the network is complete, so there is no kernel.

#include "ops/op.h"

namespace planish::ops {

void register_sequence(OpTable& table) {
  OpDef def;
  def.name = "sequence";
  def.min_inputs = 0;
  def.max_inputs = -1;
  def.check_attrs = check_attrs_as<NoAttrs>;
  def.infer = [](InferContext& context) { context.output(0, TensorType{}); };
  def.pure = false;
  table.add(std::move(def));
}

}  // namespace planish::ops
