#include "ops/evaluate.h"

#include "kernels/kernel.h"
#include "ops/builder.h"

namespace planish {

std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> operands) {
  static ThreadPool pool(1);
  const Kernel* kernel = reference_kernels().find(op_def(node.op).kernel);
  if (kernel == nullptr) fail(Code::unsupported, "{} has no reference kernel", node.op.str());
  Attrs params = is_pointwise(node) ? Attrs{{"program", pointwise_program(graph, node).str()}} : node.attrs;
  if (const auto* dims = params.find("values"); dims != nullptr && std::holds_alternative<std::vector<Dim>>(*dims))
    params.set("values", Shape(std::get<std::vector<Dim>>(*dims)).extents());
  const auto decoded = kernel->decode(params);
  std::vector<TensorView> inputs, outputs;
  for (const Tensor& operand : operands) inputs.push_back(operand.present() ? operand.view() : TensorView{});
  std::vector<Tensor> results;
  for (ValueId output : node.outputs) {
    const TensorType& type = graph.value(output).type;
    results.push_back(Tensor::zeros(type.dtype, type.shape.extents()));
    outputs.push_back(results.back().view());
  }
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = outputs;
  args.params = decoded.get();
  args.pool = &pool;
  kernel->check(args);
  std::vector<std::byte> workspace(kernel->workspace == nullptr ? 0 : static_cast<size_t>(kernel->workspace(args)));
  args.workspace = workspace.data();
  kernel->run(args);
  return results;
}

std::optional<Tensor> known_operand(const Value& value) {
  if (value.is_constant())
    return value.constant.element_count() <= kFoldedElements ? std::optional(value.constant) : std::nullopt;
  if (!value.contents || !value.type.shape.is_static()) return std::nullopt;
  for (Dim dim : *value.contents)
    if (!dim.is_constant()) return std::nullopt;
  const auto extents = value.type.shape.extents();
  return Tensor::make(value.type.dtype, extents, [&](std::byte* out) {
    const TensorView view = make_view(out, value.type.dtype, extents);
    for (size_t i = 0; i < value.contents->size(); ++i)
      store_int(view, static_cast<int64_t>(i), (*value.contents)[i].value());
  });
}

std::optional<bool> known_condition(const Value& value) {
  if (value.type.dtype != DataType::boolean) return std::nullopt;
  const auto known = known_operand(value);
  return known && known->element_count() == 1 ? std::optional(known->to_ints()[0] != 0) : std::nullopt;
}

std::optional<std::vector<Tensor>> known_operands(const Graph& graph, const Node& node) {
  std::vector<Tensor> operands;
  for (ValueId input : node.inputs) {
    const auto operand = input.valid() ? known_operand(graph.value(input)) : Tensor();
    if (!operand) return std::nullopt;
    operands.push_back(*operand);
  }
  return operands;
}

}  // namespace planish
