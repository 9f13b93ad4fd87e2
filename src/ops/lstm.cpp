#include "kernels/reference/lstm.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

// X [T, N, I], W [D, 4H, I], R [D, 4H, H] -> Y [T, D, N, H], Y_h [D, N, H], Y_c [D, N, H]
void lstm_infer(InferContext& context) {
  const auto attrs = context.attrs<LstmAttrs>();
  context.require_rank(0, 3, 3);
  context.require_rank(1, 3, 3);
  context.require_rank(2, 3, 3);
  if (attrs.layout != 0 || attrs.clip != 0 || attrs.input_forget != 0)
    fail(Code::unsupported, "layout, clip or input_forget; their defaults are accepted");
  for (size_t i = 0; i < attrs.activations.size(); ++i) {
    static const char* kDefaults[] = {"Sigmoid", "Tanh", "Tanh"};
    if (attrs.activations[i] != kDefaults[i % 3])
      fail(Code::unsupported, "activation {}; Sigmoid, Tanh, Tanh are accepted", attrs.activations[i]);
  }
  const Shape &x = context.shape(0), &r = context.shape(2);
  const Dim directions = r[0], hidden = r[2];
  if (context.shape(1)[1] != r[1] || (r[1].is_constant() && r[1] != hidden * Dim(4)))
    fail(Code::invalid_model, "weights {} and {} do not fit", context.input(1).str(), context.input(2).str());
  const size_t outputs = context.node().outputs.size();
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
