#include "kernels/reference/lstm.h"

#include "kernels/reference/activations.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

void lstm_check_operands(const InferContext& context, Dim directions, Dim hidden) {
  const Shape& x = context.shape(0);
  const Shape state{directions, x[1], hidden};
  const Shape accepted[] = {x,
                            {directions, hidden * Dim(4), x[2]},
                            {directions, hidden * Dim(4), hidden},
                            {directions, hidden * Dim(8)},
                            {x[1]},
                            state,
                            state,
                            {directions, hidden * Dim(3)}};
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (i > 2 && !context.has_input(i)) continue;
    context.require_shape(i, accepted[i]);
    if (i == 4)
      context.require_dtype(i, kIndices);
    else
      context.require_same_dtype(0, i);
  }
  context.require_dtype(0, kFloats);
}

// X [T, N, I], W [D, 4H, I], R [D, 4H, H] -> Y [T, D, N, H], Y_h [D, N, H], Y_c [D, N, H]
void lstm_infer(InferContext& context) {
  const auto attrs = context.attrs<LstmAttrs>();
  context.require_rank(0, 3, 3);
  context.require_rank(1, 3, 3);
  context.require_rank(2, 3, 3);
  if (attrs.layout != 0) fail(Code::unsupported, "layout={}; 0 is accepted", attrs.layout);
  context.require_choice("direction", attrs.direction, {"forward", "reverse", "bidirectional"});
  const Dim directions = attrs.direction == "bidirectional" ? 2 : 1, hidden = context.shape(2)[2];
  static_cast<void>(kernels::reference::activations_of(attrs, {"Sigmoid", "Tanh", "Tanh"},
                                                       static_cast<size_t>(directions.value()), Code::invalid_model));
  if (attrs.hidden_size != 0 && !context.assume_equal(hidden, attrs.hidden_size))
    fail(Code::invalid_model, "attribute 'hidden_size' is {}, the weights {} have {}", attrs.hidden_size,
         context.input(2).str(), hidden.str());
  const Shape& x = context.shape(0);
  lstm_check_operands(context, directions, hidden);
  const size_t outputs = context.node().outputs.size();
  if (outputs > 3) fail(Code::invalid_model, "{} results asked for; Y, Y_h and Y_c are accepted", outputs);
  context.output(0, context.dtype(0), Shape{x[0], directions, x[1], hidden});
  for (size_t i = 1; i < outputs; ++i) context.output(i, context.dtype(0), Shape{directions, x[1], hidden});
}

Dim lstm_flops(const Graph& graph, const Node& node) {
  const Shape& x = graph.value(node.inputs[0]).type.shape;
  return x[0] * x[1] * Dim(2) *
         (graph.value(node.inputs[1]).type.shape.element_count() +
          graph.value(node.inputs[2]).type.shape.element_count());
}

}  // namespace

void register_lstm(OpTable& table) {
  OpDef def;
  def.name = "lstm";
  def.min_inputs = 3;
  def.max_inputs = 8;
  def.outputs = -1;
  def.operand_names = {"X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"};
  def.check_attrs = check_attrs_as<LstmAttrs>;
  def.infer = lstm_infer;
  def.flops = lstm_flops;
  table.add(std::move(def));
}

}  // namespace planish::ops
