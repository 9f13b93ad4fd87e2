#include "random/judge.h"

#include "base/cpu_features.h"
#include "random/distance.h"
#include "random/generator.h"

namespace planish::testing {
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr double kNudge = 1e-5, kNoise = 1e-6;
constexpr int kNudges = 8;

Plan plan_of(const Graph& graph, bool optimize, uint32_t seed) {
  static const auto device = create_cpu_device(1);
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = Tuning::off;
  if (optimize) {
    std::vector<Isa> levels;
    std::copy_if(std::begin(kIsas), std::end(kIsas), std::back_inserter(levels),
                 [](Isa isa) { return cpu_info().has(isa); });
    options.isa = isa_name(levels[seed % levels.size()]);
  }
  return build(graph.clone(), *device, options);
}

struct Attempt {
  Tensors outputs;
  std::string refusal;
};

// Data may be refused while a plan runs (the largest of no elements): then every plan of the network must refuse them.
Attempt attempt(const Plan& plan, const Tensors& inputs, int threads) {
  try {
    return {run(plan, inputs, threads), ""};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
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

// Factors next to 1, one an element where the extents are fixed.
Tensor rounding_noise(const Shape& shape, std::mt19937& random) {
  Ints extents;
  for (const Dim& dim : shape) extents.push_back(dim.is_constant() ? dim.value() : 1);
  std::uniform_real_distribution<double> unit(-kNoise, kNoise);
  std::vector<float> factors(static_cast<size_t>(make_view(nullptr, DataType::f32, extents).element_count()));
  for (float& factor : factors) factor = static_cast<float>(1 + unit(random));
  return Tensor::of<float>(extents, std::span<const float>(factors));
}

// What other roundings of this value would make of its users.
void add_noise(Graph& graph, ValueId id, std::mt19937& random) {
  const std::vector<NodeId> users = graph.users(id);
  if (graph.value(id).type.dtype != DataType::f32 || users.empty()) return;
  const ValueId factors = graph.add_constant(rounding_noise(graph.value(id).type.shape, random));
  const ValueId noisy = add_op(graph, "mul", {id, factors});
  for (NodeId user : users)
    for (size_t i = 0; i < graph.node(user).inputs.size(); ++i)
      if (graph.node(user).inputs[i] == id) graph.set_input(user, i, noisy);
}

Graph nudged(const Graph& graph, std::mt19937& random) {
  Graph moved = graph.clone();
  for (NodeId node : graph.nodes())
    for (ValueId id : graph.node(node).inputs)
      if (id.valid() && graph.value(id).is_constant() && may_be_nudged(graph, id))
        moved.mutable_value(id).constant = nudged(graph.value(id).constant, random);
  for (NodeId node : graph.nodes())
    for (ValueId id : graph.node(node).outputs) add_noise(moved, id, random);
  return moved;
}

// By how much each element of a result moves; infinite where its extents do.
std::vector<double> movement(const Graph& graph, const Tensors& inputs, const std::string& output,
                             const std::vector<double>& expected, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<double> most(expected.size(), 0);
  for (int i = 0; i < kNudges; ++i) {
    Tensors moved;
    for (const auto& [name, tensor] : inputs) moved[name] = nudged(tensor, random);
    const Attempt found = attempt(plan_of(nudged(graph, random), false, 0), moved, 1);
    const auto values = found.refusal.empty() ? found.outputs.at(output).to_doubles() : std::vector<double>();
    for (size_t at = 0; at < most.size(); ++at)
      most[at] = values.size() == most.size() ? std::max(most[at], apart(values[at], expected[at])) : INFINITY;
  }
  return most;
}

// --- comparison

struct Runs {
  const Graph& graph;
  const Tensors& inputs;
  uint32_t seed;
};

std::string difference(const Runs& runs, const std::string& output, const Tensor& found, const Tensor& expected) {
  const auto a = found.to_doubles(), b = expected.to_doubles();
  std::vector<double> moves;
  const auto move_of = [&](size_t i) {
    if (moves.empty()) moves = movement(runs.graph, runs.inputs, output, b, runs.seed);
    return moves[i];
  };
  if (found.type() != expected.type())
    return found.dtype() == expected.dtype() && !b.empty() && std::isinf(move_of(0))
               ? ""
               : fmt::format("{} is {}, the reference {}", output, found.type().str(), expected.type().str());
  const double tolerance = tolerance_of(expected);
  for (size_t i = 0; i < b.size(); ++i)
    if (apart(a[i], b[i]) > tolerance && apart(a[i], b[i]) > tolerance + 10 * move_of(i))
      return fmt::format("{} {} at {}: {}, the reference {}", output, found.type().str(), i, a[i], b[i]);
  return "";
}

std::string differences(const Graph& graph, const Plan& fast, const Plan& plain, int choice, uint32_t seed) {
  const SymbolValues extents = random_extents(graph, choice, seed);
  const Tensors inputs = random_inputs(graph, extents, seed);
  const Attempt expected = attempt(plain, inputs, 1), found = attempt(fast, inputs, 1 + static_cast<int>(seed % 2));
  if (expected.refusal.empty() != found.refusal.empty())
    return fmt::format("error: the reference says '{}', the plan '{}'", expected.refusal, found.refusal);
  for (const auto& [name, tensor] : expected.outputs)
    if (const std::string why = difference({graph, inputs, seed}, name, found.outputs.at(name), tensor); !why.empty()) {
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
      kRelativeTolerance, kAbsoluteTolerance, kNudge, kNoise);
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
