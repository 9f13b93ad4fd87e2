// Losses of classification: scores [N, C, …], classes [N, …], weights? [C].

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Minus the log probability of the class, times its weight; 0 for classes that are ignored. The mean is over weights.
ValueId negative_log_likelihood(NodeContext& context, ValueId log_probabilities) {
  require_range(context, 0, 2, kMaxRank);
  const std::string reduction = context.get_or<std::string>("reduction", "mean");
  if (reduction != "none" && reduction != "sum" && reduction != "mean")
    fail(Code::invalid_model, "attribute 'reduction' is '{}'; none, sum and mean are accepted", reduction);
  const bool ignores = context.attribute("ignore_index") != nullptr, weighted = context.has_input(2);
  ValueId classes = as(DataType::i64, context, context.input(1)), ignored;
  if (ignores) {
    ignored = context.add("equal", {classes, scalar(context, context.get_or<int64_t>("ignore_index", 0))});
    classes = context.add("where", {ignored, scalar(context, 0), classes});
  }
  const auto unless_ignored = [&](ValueId value) {
    return ignores ? context.add("where", {ignored, context.scalar_like(value, 0), value}) : value;
  };
  const ValueId found =
      context.add("gather_elements", {log_probabilities, unsqueezed(context, classes, {1})}, {{"axis", int64_t{1}}});
  ValueId loss = context.add("neg", {context.add("squeeze", {found, context.ints({1})})});
  ValueId weights = weighted  ? context.add("gather", {context.input(2), classes})
                    : ignores ? context.scalar_like(loss, 1)
                              : ValueId{};
  if (weighted) loss = context.add("mul", {loss, weights});
  loss = unless_ignored(loss);
  if (reduction == "none") return loss;
  const auto total = [&](ValueId value) { return context.add("reduce_sum", {value}, {{"keepdims", int64_t{0}}}); };
  if (reduction == "sum") return total(loss);
  if (!weights.valid()) return context.add("reduce_mean", {loss}, {{"keepdims", int64_t{0}}});
  return context.add("div", {total(loss), total(unless_ignored(weights))});
}

void import_nll_loss(NodeContext& context) { context.alias(negative_log_likelihood(context, context.input(0))); }

void import_softmax_loss(NodeContext& context) {
  require_range(context, 0, 2, kMaxRank);
  const ValueId logarithms = context.add("log_softmax", {context.input(0)}, {{"axis", int64_t{1}}});
  context.results = {negative_log_likelihood(context, logarithms), logarithms};
  context.results.resize(std::min<size_t>(2, context.proto().outputs.size()));
}

}  // namespace

void register_loss(ImporterTable& table) {
  table.add("NegativeLogLikelihoodLoss", import_nll_loss, 3);
  table.add("SoftmaxCrossEntropyLoss", import_softmax_loss, 3);
}

}  // namespace planish::onnx
