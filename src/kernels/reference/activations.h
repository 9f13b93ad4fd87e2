#pragma once
// Activations of recurrent operators, by name, with their alpha and beta.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"

namespace planish::kernels::reference {

struct Activation {
  double (*function)(double x, double alpha, double beta) = nullptr;
  double alpha = 0, beta = 0;
  double operator()(double x) const { return function(x, alpha, beta); }
};

struct ActivationRow {
  const char* name;
  double (*function)(double x, double alpha, double beta);
  int parameters;  // 1: alpha, 2: alpha and beta
  double alpha, beta;
};

inline const ActivationRow* find_activation(const std::string& name) {
  static const ActivationRow kRows[] = {
      {"Sigmoid", [](double x, double, double) { return 1 / (1 + std::exp(-x)); }, 0, 0, 0},
      {"Tanh", [](double x, double, double) { return std::tanh(x); }, 0, 0, 0},
      {"Relu", [](double x, double, double) { return x > 0 ? x : 0; }, 0, 0, 0},
      {"Affine", [](double x, double a, double b) { return a * x + b; }, 2, 1, 0},
      {"LeakyRelu", [](double x, double a, double) { return x >= 0 ? x : a * x; }, 1, 0.01, 0},
      {"ThresholdedRelu", [](double x, double a, double) { return x >= a ? x : 0; }, 1, 1, 0},
      {"ScaledTanh", [](double x, double a, double b) { return a * std::tanh(b * x); }, 2, 1, 1},
      {"HardSigmoid", [](double x, double a, double b) { return std::clamp(a * x + b, 0.0, 1.0); }, 2, 0.2, 0.5},
      {"Elu", [](double x, double a, double) { return x >= 0 ? x : a * std::expm1(x); }, 1, 1, 0},
      {"Softsign", [](double x, double, double) { return x / (1 + std::abs(x)); }, 0, 0, 0},
      {"Softplus", [](double x, double, double) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, 0, 0,
       0}};
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows), [&](const auto& r) { return name == r.name; });
  return row == std::end(kRows) ? nullptr : row;
}

// `defaults` for each direction, or those that the attributes name; alphas and betas go to the functions that have
// them, in order. Error(`code`) names an activation that there is not, or a wrong number of them.
template <class A>
std::vector<Activation> activations_of(const A& attrs, const std::vector<std::string>& defaults, size_t directions,
                                       Code code) {
  const size_t wanted = defaults.size() * directions;
  if (!attrs.activations.empty() && attrs.activations.size() != wanted)
    fail(code, "{} activations; {} are accepted", attrs.activations.size(), wanted);
  size_t alphas = 0, betas = 0;
  const auto taken = [](const std::vector<double>& list, size_t& at, double fallback) {
    return at < list.size() ? list[at++] : fallback;
  };
  std::vector<Activation> found;
  for (size_t i = 0; i < wanted; ++i) {
    const std::string& name = attrs.activations.empty() ? defaults[i % defaults.size()] : attrs.activations[i];
    const ActivationRow* row = find_activation(name);
    if (row == nullptr) fail(code, "activation '{}'; those of ONNX are accepted", name);
    Activation activation{row->function, row->alpha, row->beta};
    if (row->parameters > 0) activation.alpha = taken(attrs.activation_alpha, alphas, row->alpha);
    if (row->parameters > 1) activation.beta = taken(attrs.activation_beta, betas, row->beta);
    found.push_back(activation);
  }
  return found;
}

// `clip` 0: none.
inline double clipped(double x, double clip) { return clip > 0 ? std::clamp(x, -clip, clip) : x; }

}  // namespace planish::kernels::reference
