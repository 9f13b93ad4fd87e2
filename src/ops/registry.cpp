#include <algorithm>

#include "base/error.h"
#include "base/registry.h"
#include "ops/op.h"

namespace planish {

void OpTable::add(OpDef def) {
  if (find(OpName(def.name)) != nullptr) fail(Code::internal, "two operators are called '{}'", def.name);
  if (def.kernel.empty()) def.kernel = def.name;
  auto at = std::lower_bound(rows_.begin(), rows_.end(), def.name,
                             [](const auto& row, const std::string& name) { return row->name < name; });
  rows_.insert(at, std::make_unique<const OpDef>(std::move(def)));
}

const OpDef* OpTable::find(OpName name) const {
  auto at = std::lower_bound(rows_.begin(), rows_.end(), name.str(),
                             [](const auto& row, const std::string& wanted) { return row->name < wanted; });
  return at != rows_.end() && (*at)->name == name.str() ? at->get() : nullptr;
}

std::vector<const OpDef*> OpTable::rows() const {
  std::vector<const OpDef*> rows;
  for (const auto& row : rows_) rows.push_back(row.get());
  return rows;
}

const OpDef& op_def(OpName name) {
  const OpDef* def = op_table().find(name);
  if (def == nullptr) fail(Code::unsupported, "there is no operator '{}'", name.str());
  return *def;
}

namespace ops {
#define PLANISH_ROW(stem) void register_##stem(OpTable&);
#include "gen/ops.inc"
#undef PLANISH_ROW
}  // namespace ops

const OpTable& op_table() {
#define PLANISH_ROW(stem) ops::register_##stem,
  static const OpTable table = filled<OpTable>({
#include "gen/ops.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish
