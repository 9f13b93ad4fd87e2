#include "importers/common/unsupported.h"

#include "base/error.h"

namespace planish {

void fail_unsupported(const std::vector<UnsupportedNode>& rows) {
  std::string table = "the model needs operators that are missing:";
  for (const UnsupportedNode& row : rows) {
    const std::string opset = row.opset > 0 ? fmt::format(" opset {:3}", row.opset) : "";
    table += fmt::format("\n  {:24}{}  {:5} nodes, first '{}': {}", row.op, opset, row.count, row.first, row.why);
  }
  fail(Code::unsupported, "{}", table);
}

}  // namespace planish
