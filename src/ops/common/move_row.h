#pragma once
// Operators that move elements, as rows of a table.

#include <span>
#include <string>
#include <vector>

#include "ops/op.h"

namespace planish::ops {

struct MoveRow {
  const char* name;
  int least, most, outputs;
  void (*check)(const Attrs&);
  void (*infer)(InferContext&);
  bool is_view;
  std::vector<std::string> operands = {"data"};
};

void add_moves(OpTable& table, std::span<const MoveRow> rows);

}  // namespace planish::ops
