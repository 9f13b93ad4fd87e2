// com.microsoft::FusedConv and FusedGemm: a product and the activation behind it, apart.

#include <algorithm>
#include <optional>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

struct FusedActivation {
  const char *name, *op;
  const char* parameters[2];
};
const FusedActivation kFusedActivations[] = {
    {"Relu", "relu", {}},
    {"Tanh", "tanh", {}},
    {"Sigmoid", "sigmoid", {}},
    {"Softplus", "softplus", {}},
    {"Softsign", "softsign", {}},
    {"Elu", "elu", {"alpha"}},
    {"LeakyRelu", "leaky_relu", {"alpha"}},
    {"ThresholdedRelu", "thresholded_relu", {"alpha"}},
    {"HardSigmoid", "hard_sigmoid", {"alpha", "beta"}},
};

using Parameters = std::vector<std::optional<double>>;

// Bounds of Clip, the only activation that has its parameters as operands
void emit_clipped(NodeContext& context, ValueId x, const Parameters& bounds) {
  const auto given = bounds.size() - static_cast<size_t>(std::count(bounds.begin(), bounds.end(), std::nullopt));
  if (given != 2 || bounds.size() != 2)
    fail(Code::invalid_model, "{} parameters of activation 'Clip'; 2 are accepted", given);
  context.emit("clip", {x, context.scalar_like(x, *bounds[0]), context.scalar_like(x, *bounds[1])});
}

// The last nodes: parameters in order; those that are not given stay at their defaults.
void emit_activated(NodeContext& context, ValueId x, const Parameters& parameters) {
  const auto name = context.get_or<std::string>("activation", "");
  if (name.empty()) return context.alias(x);
  if (name == "Clip") return emit_clipped(context, x, parameters);
  for (const FusedActivation& row : kFusedActivations) {
    if (name != row.name) continue;
    Attrs attrs;
    for (size_t i = 0; i < std::size(row.parameters) && i < parameters.size(); ++i)
      if (row.parameters[i] != nullptr && parameters[i]) attrs.set(row.parameters[i], *parameters[i]);
    return context.emit(row.op, {x}, std::move(attrs));
  }
  fail(Code::unsupported,
       "activation '{}'; Clip, Elu, HardSigmoid, LeakyRelu, Relu, Sigmoid, Softplus, Softsign, Tanh "
       "and ThresholdedRelu are accepted",
       name);
}

// X, W, bias, a summand of the activation's argument
void import_fused_conv(NodeContext& context) {
  std::vector<ValueId> operands = context.inputs();
  operands.resize(std::min<size_t>(operands.size(), 3));
  ValueId sum = context.add("conv", std::move(operands), without(context.attrs(), {"activation", "activation_params"}));
  if (context.has_input(3)) sum = context.add("add", {sum, context.input(3)});
  const auto parameters = context.get_or<std::vector<double>>("activation_params", {});
  emit_activated(context, sum, {parameters.begin(), parameters.end()});
}

void import_fused_gemm(NodeContext& context) {
  const char* const names[] = {"activation_alpha", "activation_beta"};
  Parameters parameters;
  for (const char* name : names) {
    const bool given = context.attribute(name) != nullptr;
    parameters.push_back(given ? std::optional(context.get_or<double>(name, 0)) : std::nullopt);
  }
  Attrs attrs = without(context.attrs(), {"activation", "activation_alpha", "activation_beta", "activation_gamma"});
  emit_activated(context, context.add("gemm", context.inputs(), std::move(attrs)), parameters);
}

}  // namespace

void register_fused_activation(ImporterTable& table) {
  table.add("com.microsoft::FusedConv", import_fused_conv, 4);
  table.add("com.microsoft::FusedGemm", import_fused_gemm, 3);
}

}  // namespace planish::onnx
