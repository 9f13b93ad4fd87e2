// RNN, GRU and LSTM, a block a direction of a sequence.

#include "kernels/reference/recurrent.h"

#include "kernels/reference/activations.h"
#include "kernels/reference/lstm.h"
#include "tactics/cuda/common/plain.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

namespace reference = kernels::reference;

constexpr int64_t kMostShared = 48 << 10;

// Of v, a and b: as the processor's rows of the same names.
std::string activation_text(const std::string& name, double alpha, double beta) {
  static const std::map<std::string, const char*> kForms = {
      {"Sigmoid", "1 / (1 + exp(-v))"},
      {"Tanh", "tanh(v)"},
      {"Relu", "v > 0 ? v : REAL(0)"},
      {"Affine", "a * v + b"},
      {"LeakyRelu", "v >= 0 ? v : a * v"},
      {"ThresholdedRelu", "v >= a ? v : REAL(0)"},
      {"ScaledTanh", "a * tanh(b * v)"},
      {"HardSigmoid", "fmin(fmax(a * v + b, REAL(0)), REAL(1))"},
      {"Elu", "v >= 0 ? v : a * expm1(v)"},
      {"Softsign", "v / (1 + fabs(v))"},
      {"Softplus", "fmax(v, REAL(0)) + log1p(exp(-fabs(v)))"},
  };
  return fmt::format("    [[maybe_unused]] const REAL a = REAL({:.17g}), b = REAL({:.17g});\n    return {};\n", alpha,
                     beta, kForms.at(name));
}

// activation<I>(direction, v) of recurrent.cuh.
template <class A>
std::string activations_text(const A& attrs, const std::vector<std::string>& defaults, size_t directions) {
  const auto functions = reference::activations_of(attrs, defaults, directions, Code::invalid_model);
  std::string text = "template <int I>\n__device__ inline REAL activation(int direction, REAL v) {\n";
  for (size_t i = 0; i < functions.size(); ++i) {
    const std::string& name = attrs.activations.empty() ? defaults[i % defaults.size()] : attrs.activations[i];
    text += fmt::format("  if (I == {} && direction == {}) {{\n{}  }}\n", i % defaults.size(), i / defaults.size(),
                        activation_text(name, functions[i].alpha, functions[i].beta));
  }
  return text + "  return v;\n}\n";
}

template <class A>
void offer_recurrent(const TacticQuery& query, CandidateSink& sink, const A& attrs,
                     const std::vector<std::string>& defaults, int gates, bool linear, bool coupled) {
  auto launch = plain_launch(query, sink, "recurrent", 8, 3);
  if (!launch) return;
  const Shape &x = query.input(0).type.shape, &r = query.input(2).type.shape;
  if (!r.is_static()) return sink.refuse("cuda.recurrent", "a state of dynamic extent");
  const int64_t directions = r[0].value(), hidden = r[2].value();
  launch->shared = 4 * hidden * static_cast<int64_t>(sizeof(double));
  if (launch->shared > kMostShared) return sink.refuse("cuda.recurrent", fmt::format("a state of {} elements", hidden));
  launch->source = activations_text(attrs, defaults, static_cast<size_t>(directions)) + launch->source;
  for (const auto& [name, value] :
       {std::pair("GATES", gates), std::pair("LINEAR", linear ? 1 : 0), std::pair("COUPLED", coupled ? 1 : 0)})
    launch->options.push_back(define(name, value));
  launch->real(attrs.clip);
  launch->integer(attrs.direction == "reverse" ? 1 : 0);
  const double flops = 2 * typical_elements(query, x) * static_cast<double>(gates * hidden * directions);
  offer_plain_blocks(query, sink, std::move(*launch), x[1] * Dim(directions), flops);
}

void propose_lstm(const TacticQuery& query, CandidateSink& sink) {
  const auto attrs = attrs_to<LstmAttrs>(query.node.attrs);
  if (attrs.state_in_bytes != 0) return sink.refuse("cuda.recurrent", "a state in 8 bits");
  offer_recurrent(query, sink, attrs, {"Sigmoid", "Tanh", "Tanh"}, 4, false, attrs.input_forget != 0);
}

void propose_gru(const TacticQuery& query, CandidateSink& sink) {
  const auto attrs = attrs_to<RecurrentAttrs>(query.node.attrs);
  offer_recurrent(query, sink, attrs, {"Sigmoid", "Tanh"}, 3, attrs.linear_before_reset != 0, false);
}

void propose_rnn(const TacticQuery& query, CandidateSink& sink) {
  offer_recurrent(query, sink, attrs_to<RecurrentAttrs>(query.node.attrs), {"Tanh"}, 1, false, false);
}

}  // namespace

void register_recurrent(TacticTable& table) {
  table.add("lstm", propose_lstm);
  table.add("gru", propose_gru);
  table.add("rnn", propose_rnn);
}

}  // namespace planish::tactics::cuda
