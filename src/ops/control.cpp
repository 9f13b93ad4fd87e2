// Operators with regions: if, loop, fused.

#include "base/error.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

// Results of both branches have one type and rank. An extent that differs is bound by the branch that runs.
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
    if (a.shape.rank() != b.shape.rank())
      fail(Code::unsupported, "result {} is {} in one branch and {} in the other; one rank is accepted", i, a.str(),
           b.str());
    std::vector<Dim> dims = a.shape.dims();
    for (int axis = 0; axis < a.shape.rank(); ++axis)
      if (a.shape[axis] != b.shape[axis])
        dims[static_cast<size_t>(axis)] = context.data_dependent("branch", kMeasuredSymbol.range.max);
    context.output(i, a.dtype, Shape(std::move(dims)));
  }
}

struct LoopAttrs {
  int64_t carried = 0;
  template <class V>
  void fields(V& v) {
    v("carried", carried);
  }
};

// trips?, condition?, state…, captured… -> state…, rows… Binds: the turn, how many there were, and for every extent of
// the state that turns change the symbol that stands for it and the one that stands for its next value.
void loop_infer(InferContext& context) {
  const int64_t carried = context.attrs<LoopAttrs>().carried;
  const Graph& body = context.region(0);
  if (carried < 0 || carried > 65536 || body.inputs().size() != context.input_count() ||
      static_cast<int64_t>(body.inputs().size()) < carried + 2 ||
      static_cast<int64_t>(body.outputs().size()) < carried + 1)
    fail(Code::invalid_model, "a body of {} inputs and {} outputs for {} operands, {} of them carried",
         body.inputs().size(), body.outputs().size(), context.input_count(), carried);
  for (size_t i : {0, 1})
    if (context.has_input(i)) context.require_one_element(i);
  if (context.has_input(0)) context.require_dtype(0, kIndices);
  if (context.has_input(1)) context.require_dtype(1, kBooleans);
  const auto& turn = body.value(body.inputs()[0]).contents;
  if (!turn || turn->size() != 1 || (*turn)[0].op() != DimOp::symbol)
    fail(Code::invalid_model, "the body's first input has no symbol for the turn");
  context.bind((*turn)[0]);
  const Dim turns = context.data_dependent("turns", kMeasuredSymbol.range.max);
  const TensorType& goes_on = body.value(body.outputs()[0]).type;
  if (goes_on.dtype != DataType::boolean || !context.assume_equal(goes_on.shape.element_count(), 1))
    fail(Code::invalid_model, "the body's condition is {}; one bool is accepted", goes_on.str());
  size_t result = 0;
  for (; result < static_cast<size_t>(carried); ++result) {
    const TensorType &first = context.input(result + 2), &state = body.value(body.inputs()[result + 2]).type;
    if (first.dtype != state.dtype || first.shape.rank() != state.shape.rank())
      fail(Code::invalid_model, "state {} begins as {}, the body takes {}", result, first.str(), state.str());
    for (int axis = 0; axis < state.shape.rank(); ++axis) {
      const Dim dim = state.shape[axis];
      if (dim == first.shape[axis]) continue;
      if (dim.op() != DimOp::symbol)
        fail(Code::invalid_model, "state {} begins as {}, the body takes {}", result, first.str(), state.str());
      context.bind(dim);
      static_cast<void>(context.data_dependent("next", kMeasuredSymbol.range.max));
    }
    context.output(result, state.dtype, state.shape);
  }
  for (; result + 1 < body.outputs().size(); ++result) {
    const TensorType& row = body.value(body.outputs()[result + 1]).type;
    std::vector<Dim> dims = row.shape.dims();
    dims.insert(dims.begin(), turns);
    context.output(result, row.dtype, Shape(std::move(dims)));
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
  OpDef loop;
  loop.name = "loop";
  loop.min_inputs = 2;
  loop.max_inputs = -1;
  loop.outputs = -1;
  loop.check_attrs = check_attrs_as<LoopAttrs>;
  loop.infer = loop_infer;
  loop.has_regions = true;
  table.add(std::move(loop));
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
