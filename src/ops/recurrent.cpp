// gru and rnn: X [T, N, I], W [D, gates * H, I], R [D, gates * H, H], B [D, 2 * gates * H] -> Y [T, D, N, H],
// Y_h [D, N, H]

#include "kernels/reference/recurrent.h"

#include "kernels/reference/activations.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

void check_attributes(const InferContext& context, const RecurrentAttrs& attrs,
                      const std::vector<std::string>& defaults, int64_t directions) {
  if (attrs.layout != 0) fail(Code::unsupported, "layout={}; 0 is accepted", attrs.layout);
  context.require_choice("direction", attrs.direction, {"forward", "reverse", "bidirectional"});
  static_cast<void>(
      kernels::reference::activations_of(attrs, defaults, static_cast<size_t>(directions), Code::invalid_model));
}

template <int gates>
void recurrent_infer(InferContext& context) {
  const auto attrs = context.attrs<RecurrentAttrs>();
  context.require_rank(0, 3, 3);
  context.require_rank(2, 3, 3);
  const Shape &x = context.shape(0), &r = context.shape(2);
  const int64_t directions = attrs.direction == "bidirectional" ? 2 : 1;
  const std::vector<std::string> functions = {"Sigmoid", "Tanh"};
  check_attributes(context, attrs, {functions.begin() + (gates == 1 ? 1 : 0), functions.end()}, directions);
  context.require_dtype(0, kFloats);
  for (size_t i : {1, 2, 3, 5})
    if (context.has_input(i)) context.require_same_dtype(0, i);
  if (context.has_input(4)) context.require_dtype(4, kIntegers);
  const Dim hidden = r[2], rows = hidden * Dim(gates);
  context.require_shape(1, Shape{directions, rows, x[2]});
  context.require_shape(2, Shape{directions, rows, hidden});
  if (context.has_input(3)) context.require_shape(3, Shape{directions, rows * Dim(2)});
  if (context.has_input(4)) context.require_shape(4, Shape{x[1]});
  if (context.has_input(5)) context.require_shape(5, Shape{directions, x[1], hidden});
  context.output(0, context.dtype(0), Shape{x[0], directions, x[1], hidden});
  if (context.node().outputs.size() > 1) context.output(1, context.dtype(0), Shape{directions, x[1], hidden});
}

Dim recurrent_flops(const Graph& graph, const Node& node) {
  const Shape& x = graph.value(node.inputs[0]).type.shape;
  return x[0] * x[1] * Dim(2) *
         (graph.value(node.inputs[1]).type.shape.element_count() +
          graph.value(node.inputs[2]).type.shape.element_count());
}

}  // namespace

void register_recurrent(OpTable& table) {
  OpDef def;
  def.name = "gru";
  def.min_inputs = 3;
  def.max_inputs = 6;
  def.outputs = -1;
  def.operand_names = {"X", "W", "R", "B", "sequence_lens", "initial_h"};
  def.check_attrs = check_attrs_as<RecurrentAttrs>;
  def.infer = recurrent_infer<3>;
  def.flops = recurrent_flops;
  OpDef plain = def;
  plain.name = "rnn";
  plain.infer = recurrent_infer<1>;
  table.add(std::move(def));
  table.add(std::move(plain));
}

}  // namespace planish::ops
