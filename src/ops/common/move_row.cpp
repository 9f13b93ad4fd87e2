#include "ops/common/move_row.h"

namespace planish::ops {

void add_moves(OpTable& table, std::span<const MoveRow> rows) {
  for (const MoveRow& row : rows) {
    OpDef def;
    def.name = row.name;
    def.min_inputs = row.least;
    def.max_inputs = row.most;
    def.outputs = row.outputs;
    def.check_attrs = row.check;
    def.infer = row.infer;
    def.is_view = row.is_view;
    def.operand_names = row.operands;
    def.flops = [](const Graph&, const Node&) { return Dim(0); };
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
