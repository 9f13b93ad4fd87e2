// One step of training: Adagrad, Adam, Momentum. Operands: learning rate R, count of updates T, then for any number of
// tensors all X, all their gradients G, and all of each kind of state; results: X and the states after the step.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

using Values = std::vector<ValueId>;

// One tensor of each kind: X, G, states.
class OptimizerStep {
 public:
  OptimizerStep(NodeContext& context, Values kinds) : context_(context), kinds_(std::move(kinds)) {}

  ValueId x() const { return kinds_[0]; }
  ValueId state(size_t i) const { return kinds_[2 + i]; }

  ValueId add(ValueId a, ValueId b) { return context_.add("add", {a, b}); }
  ValueId sub(ValueId a, ValueId b) { return context_.add("sub", {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return context_.add("mul", {a, b}); }
  ValueId div(ValueId a, ValueId b) { return context_.add("div", {a, b}); }
  ValueId times(ValueId a, double factor) { return scaled(context_, a, factor); }
  ValueId root(ValueId a) { return context_.add("sqrt", {a}); }
  ValueId number(double value) { return context_.scalar_like(x(), value); }
  double option(const char* name, double fallback) { return context_.get_or<double>(name, fallback); }

  ValueId rate() { return context_.input(0); }
  ValueId count() { return as(dtype_of(context_, x()), context_, context_.input(1)); }
  ValueId power(double base) { return context_.add("pow", {number(base), count()}); }
  ValueId begun() { return context_.add("greater", {context_.input(1), context_.scalar_like(context_.input(1), 0)}); }
  ValueId choose(ValueId condition, ValueId a, ValueId b) { return context_.add("where", {condition, a, b}); }

  // G + norm_coefficient X
  ValueId gradient() { return add(times(x(), option("norm_coefficient", 0)), kinds_[1]); }

 private:
  NodeContext& context_;
  Values kinds_;
};

// H' = H + G^2, X' = X - R / (1 + T decay) G / (sqrt(H') + epsilon)
Values adagrad(OptimizerStep& s) {
  const ValueId g = s.gradient(), h = s.add(s.state(0), s.mul(g, g));
  const ValueId slowed = s.add(s.times(s.count(), s.option("decay_factor", 0)), s.number(1));
  const ValueId step = s.div(g, s.add(s.root(h), s.number(s.option("epsilon", 1e-6))));
  return {s.sub(s.x(), s.mul(s.div(s.rate(), slowed), step)), h};
}

// V' = alpha V + (1 - alpha) G, H' = beta H + (1 - beta) G^2, X' = X - R' V' / (sqrt(H') + epsilon), decayed, with
// R' = R sqrt(1 - beta^T) / (1 - alpha^T) from the second step on
Values adam(OptimizerStep& s) {
  const double alpha = s.option("alpha", 0.9), beta = s.option("beta", 0.999);
  const ValueId g = s.gradient();
  const ValueId v = s.add(s.times(s.state(0), alpha), s.times(g, 1 - alpha));
  const ValueId h = s.add(s.times(s.state(1), beta), s.times(s.mul(g, g), 1 - beta));
  const auto rest = [&](double base) { return s.sub(s.number(1), s.power(base)); };
  const ValueId grown = s.div(s.mul(s.rate(), s.root(rest(beta))), rest(alpha));
  const ValueId rate = s.choose(s.begun(), grown, s.rate());
  const ValueId step = s.div(s.mul(rate, v), s.add(s.root(h), s.number(s.option("epsilon", 1e-6))));
  return {s.times(s.sub(s.x(), step), 1 - s.option("norm_coefficient_post", 0)), v, h};
}

// V' = alpha V + beta G (beta 1 in the first step), X' = X - R V'; Nesterov: X - R (G + alpha V')
template <bool nesterov>
Values momentum(OptimizerStep& s) {
  const double alpha = s.option("alpha", 0);
  const ValueId g = s.gradient(), beta = s.choose(s.begun(), s.number(s.option("beta", 0)), s.number(1));
  const ValueId v = s.add(s.times(s.state(0), alpha), s.mul(beta, g));
  const ValueId step = nesterov ? s.add(g, s.times(v, alpha)) : v;
  return {s.sub(s.x(), s.mul(s.rate(), step)), v};
}

// `kinds` tensors for each that is trained; results are kinds - 1 of each.
void import_steps(NodeContext& context, size_t kinds, Values (*step)(OptimizerStep&)) {
  const size_t given = context.inputs().size();
  if (given < 2 + kinds || (given - 2) % kinds != 0)
    fail(Code::invalid_model, "{} operands; 2 and {} for each tensor are accepted", given, kinds);
  const size_t tensors = (given - 2) / kinds;
  context.results.resize(tensors * (kinds - 1));
  for (size_t i = 0; i < tensors; ++i) {
    Values own;
    for (size_t kind = 0; kind < kinds; ++kind) own.push_back(context.input(2 + kind * tensors + i));
    OptimizerStep one(context, std::move(own));
    const Values results = step(one);
    for (size_t kind = 0; kind < results.size(); ++kind) context.results[kind * tensors + i] = results[kind];
  }
}

void import_adagrad(NodeContext& context) { import_steps(context, 3, adagrad); }
void import_adam(NodeContext& context) { import_steps(context, 4, adam); }

void import_momentum(NodeContext& context) {
  const std::string mode = context.get_or<std::string>("mode", "");
  if (mode != "standard" && mode != "nesterov")
    fail(Code::invalid_model, "attribute 'mode' is '{}'; standard and nesterov are accepted", mode);
  import_steps(context, 3, mode == "nesterov" ? momentum<true> : momentum<false>);
}

}  // namespace

void register_optimizers(ImporterTable& table) {
  table.add("ai.onnx.preview.training::Adagrad", import_adagrad);
  table.add("ai.onnx.preview.training::Adam", import_adam);
  table.add("ai.onnx.preview.training::Momentum", import_momentum);
}

}  // namespace planish::onnx
