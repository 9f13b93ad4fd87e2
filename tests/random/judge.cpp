#include "random/judge.h"

#include "base/cpu_features.h"
#include "random/distance.h"
#include "random/generator.h"

namespace planish::testing {
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr double kNudge = 1e-5;
constexpr int kNudges = 8;

Plan plan_of(const Graph& graph, bool optimize, uint32_t seed) {
  static const auto device = create_cpu_device(1);
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = Tuning::off;
  if (optimize) {
    const int levels = static_cast<int>(cpu_info().best_isa()) + 1;
    options.isa = isa_name(static_cast<Isa>(seed % static_cast<uint32_t>(levels)));
  }
  return build(graph.clone(), *device, options);
}

// --- how far the reference moves

bool may_be_nudged(const Graph& graph, ValueId id) {
  for (NodeId user : graph.users(id)) {
    const OpName op = graph.node(user).op;
    if (op == "resize" || op == "pow" || op == "pad") return false;  // extents, powers of negative numbers, infinities
  }
  return true;
}

Tensor nudged(const Tensor& tensor, std::mt19937& random) {
  if (tensor.dtype() != DataType::f32) return tensor;
  std::uniform_real_distribution<double> unit(-kNudge, kNudge);
  std::vector<float> values;
  for (float value : tensor.as<float>())
    values.push_back(static_cast<float>(value * (1 + unit(random)) + unit(random) / 10));
  return Tensor::of<float>(tensor.extents(), std::span<const float>(values));
}

Graph nudged(const Graph& graph, std::mt19937& random) {
  Graph moved = graph.clone();
  for (NodeId node : graph.nodes())
    for (ValueId id : graph.node(node).inputs)
      if (id.valid() && graph.value(id).is_constant() && may_be_nudged(graph, id))
        moved.mutable_value(id).constant = nudged(graph.value(id).constant, random);
  return moved;
}

// By how much each element of a result moves.
std::vector<double> movement(const Graph& graph, const Tensors& inputs, const std::string& output,
                             const std::vector<double>& expected, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<double> most(expected.size(), 0);
  for (int i = 0; i < kNudges; ++i) {
    Tensors moved;
    for (const auto& [name, tensor] : inputs) moved[name] = nudged(tensor, random);
    const auto found = run(plan_of(nudged(graph, random), false, 0), moved, 1).at(output).to_doubles();
    for (size_t at = 0; at < most.size(); ++at) most[at] = std::max(most[at], apart(found[at], expected[at]));
  }
  return most;
}

// --- comparison

std::string difference(const Graph& graph, const Tensors& inputs, const std::string& output, const Tensor& found,
                       const Tensor& expected, uint32_t seed) {
  if (found.type() != expected.type())
    return fmt::format("{} is {}, the reference {}", output, found.type().str(), expected.type().str());
  const auto a = found.to_doubles(), b = expected.to_doubles();
  const double tolerance = tolerance_of(expected);
  std::vector<double> moves;
  for (size_t i = 0; i < b.size(); ++i) {
    if (apart(a[i], b[i]) <= tolerance) continue;
    if (moves.empty()) moves = movement(graph, inputs, output, b, seed);
    if (apart(a[i], b[i]) > tolerance + 10 * moves[i])
      return fmt::format("{} {} at {}: {}, the reference {}", output, found.type().str(), i, a[i], b[i]);
  }
  return "";
}

std::string differences(const Graph& graph, const Plan& fast, const Plan& plain, int choice, uint32_t seed) {
  const SymbolValues extents = random_extents(graph, choice, seed);
  const Tensors inputs = random_inputs(graph, extents, seed);
  const Tensors expected = run(plain, inputs, 1), found = run(fast, inputs, 1 + static_cast<int>(seed % 2));
  for (const auto& [name, tensor] : expected)
    if (const std::string why = difference(graph, inputs, name, found.at(name), tensor, seed); !why.empty()) {
      std::string at;
      for (const auto& [symbol, value] : extents) at += fmt::format(" {}={}", symbol, value);
      return fmt::format("level {}{}: {}", fast.isa, at, why);
    }
  return "";
}

}  // namespace

std::string random_tolerance() {
  return fmt::format(
      "floats: |found - expected| <= {} max|expected| + {} + 10 x the movement of the reference when inputs and "
      "constants move by {}; "
      "integers and booleans: that movement; level of instructions and 1 or 2 threads by the seed",
      kRelativeTolerance, kAbsoluteTolerance, kNudge);
}

std::string judge(const Graph& graph, uint32_t seed) {
  try {
    const Plan fast = plan_of(graph, true, seed), plain = plan_of(graph, false, seed);
    for (int choice = 0; choice < (graph.symbols.empty() ? 1 : 3); ++choice)
      if (std::string why = differences(graph, fast, plain, choice, seed + static_cast<uint32_t>(choice)); !why.empty())
        return why;
  } catch (const Error& error) {
    return std::string("error: ") + error.what();
  }
  return "";
}

}  // namespace planish::testing
