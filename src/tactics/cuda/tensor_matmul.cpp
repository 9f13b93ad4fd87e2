// Products of matrices and constant weights on tensor cores.

#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

std::string read_matmul(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  const Value &a = query.graph.value(form->anchor_inputs[0]), &b = query.graph.value(form->anchor_inputs[1]);
  const Shape& shape = a.type.shape;
  if (!b.is_constant() || b.constant.rank() != 2) return "the second operand is not a constant matrix";
  if (shape.rank() < 2) return "the first operand is a vector";
  if (form->body != &query.graph &&
      form->body->value(form->anchor->outputs[0]).type.shape != query.output(0).type.shape)
    return "its epilogue spreads the result";
  p.type = a.type.dtype, p.result = query.output(0).type.dtype, p.weights = b.constant;
  p.channels = b.constant.extents()[0], p.columns = b.constant.extents()[1];
  p.column_step = 1, p.channel_step = p.columns;
  p.rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) p.rows = p.rows * shape[i];
  p.operand = operand_index(query.node, form->anchor_inputs[0]);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::row_major;
  if (std::string why = read_epilogue(query, *form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::row_major;
  return refuse_product(query, p);
}

void propose_tensor_matmul(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_matmul(query, *product); !why.empty()) return sink.refuse("cuda.tensor", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_tensor_matmul(TacticTable& table) { table.add("matmul", propose_tensor_matmul); }

}  // namespace planish::tactics::cuda
