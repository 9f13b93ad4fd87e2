#include "tactics/cuda/common/fused_parts.h"

#include <algorithm>

#include "base/error.h"

namespace planish::tactics::cuda {

FusedParts::FusedParts(const TacticQuery& query) : query_(query), body_(query.node.regions.at(0)->clone()) {
  share_symbols(query.graph, body_);
  for (size_t i = 0; i < body_.inputs().size(); ++i) {
    const Value& outer = query.input(i);
    if (outer.is_constant()) body_.replace_uses(body_.inputs()[i], body_.add_constant(outer.constant));
  }
  nodes_ = body_.nodes();
}

TacticQuery FusedParts::part(size_t i) const {
  return {body_, node(i), query_.isa, query_.threads, query_.precisions, query_.cuda};
}

size_t FusedParts::operand(size_t part, size_t i) const {
  const auto inputs = body_.inputs();
  const auto at = std::find(inputs.begin(), inputs.end(), node(part).inputs.at(i));
  if (at == inputs.end()) fail(Code::internal, "operand {} of '{}' is no operand of the whole", i, node(part).name);
  return static_cast<size_t>(at - inputs.begin());
}

bool FusedParts::made_inside(size_t part, size_t i) const {
  return body_.value(node(part).inputs.at(i)).producer.valid();
}

}  // namespace planish::tactics::cuda
