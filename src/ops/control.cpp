// Operators with regions: if, fused.

#include "base/error.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

// Both branches' results must agree. An extent that differs is known only when the condition is.
void if_infer(InferContext& context) {
  const Graph &then = context.region(0), &otherwise = context.region(1);
  if (then.outputs().size() != otherwise.outputs().size())
    fail(Code::invalid_model, "branches of {} and {} results", then.outputs().size(), otherwise.outputs().size());
  context.require_dtype(0, kBooleans);
  context.require_one_element(0);
  const auto condition = context.contents(0);
  for (size_t i = 0; i < then.outputs().size(); ++i) {
    const TensorType &a = then.value(then.outputs()[i]).type, &b = otherwise.value(otherwise.outputs()[i]).type;
    if (condition && condition->size() == 1 && (*condition)[0].is_constant()) {
      context.output(i, (*condition)[0].value() != 0 ? a : b);
      continue;
    }
    if (a.dtype != b.dtype)
      fail(Code::invalid_model, "result {} is {} in one branch and {} in the other", i, a.str(), b.str());
    if (a.shape != b.shape)
      fail(Code::unsupported, "result {} is {} in one branch and {} in the other", i, a.str(), b.str());
    context.output(i, a);
  }
}

void fused_infer(InferContext& context) {
  const Graph& body = context.region(0);
  for (size_t i = 0; i < body.outputs().size(); ++i) context.output(i, body.value(body.outputs()[i]).type);
}

}  // namespace

void register_control(OpTable& table) {
  OpDef branch;
  branch.name = "if";
  branch.max_inputs = -1;
  branch.outputs = -1;
  branch.check_attrs = check_attrs_as<NoAttrs>;
  branch.infer = if_infer;
  branch.has_regions = true;
  table.add(std::move(branch));
  OpDef fused;
  fused.name = "fused";
  fused.max_inputs = -1;
  fused.outputs = -1;
  fused.check_attrs = check_attrs_as<NoAttrs>;
  fused.infer = fused_infer;
  fused.has_regions = true;
  table.add(std::move(fused));
}

}  // namespace planish::ops
