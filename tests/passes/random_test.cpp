// Random networks through every pass: what they compute stays, and a pass has nothing to do on its own result.

#include "compile/pipeline.h"
#include "ir/text.h"
#include "passes/passes.h"
#include "random/distance.h"
#include "random/generator.h"

namespace planish {
namespace {

constexpr uint32_t kNetworks = 500;
constexpr PrintOptions kInFull = {1 << 20};

using Tensors = std::map<std::string, Tensor>;

Tensors inputs_of(const Graph& graph, uint32_t seed) {
  return testing::random_inputs(graph, testing::random_extents(graph, static_cast<int>(seed % 3), seed), seed);
}

Tensors compute(const Graph& graph, const Tensors& inputs, bool optimize) {
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = Tuning::off;
  return testing::run(build(graph.clone(), *device, options), inputs, 1);
}

// The name of an output that differs, or "".
std::string difference(const Tensors& found, const Tensors& expected) {
  for (const auto& [name, tensor] : expected) {
    const auto at = found.find(name);
    if (at == found.end()) return name + " is lost";
    const double error = testing::largest_distance(at->second, tensor);
    if (!(error <= testing::tolerance_of(tensor))) return fmt::format("{}: error {}", name, error);
  }
  return "";
}

TEST(RandomNetworks, EveryPassKeepsTheirMeaning) {
  std::map<std::string, int> fired;
  for (uint32_t seed = 1; seed <= kNetworks; ++seed) {
    const Graph graph = testing::random_graph(seed);
    const Tensors inputs = inputs_of(graph, seed), expected = compute(graph, inputs, false);
    for (const Pass& pass : passes::all()) {
      Graph changed = graph.clone();
      if (!run_pass(pass, changed)) continue;
      ++fired[pass.name];
      verify(changed);
      const std::string text = print(changed, kInFull), why = difference(compute(changed, inputs, false), expected);
      ASSERT_EQ(why, "") << "seed " << seed << ", pass " << pass.name << "\n"
                         << print(graph) << "\nbecomes\n"
                         << print(changed);
      infer_all(changed);
      ASSERT_EQ(print(changed, kInFull), text) << "seed " << seed << ", pass " << pass.name << " leaves other types";
      run_pass(pass, changed);
      ASSERT_EQ(print(changed, kInFull), text)
          << "seed " << seed << ", pass " << pass.name << " changes its own result";
    }
  }
  EXPECT_GE(fired.size(), 15u) << "the networks no longer hold what passes look for";
}

TEST(RandomNetworks, ThePipelineKeepsTheirMeaning) {
  for (uint32_t seed = 1; seed <= kNetworks; ++seed) {
    const Graph graph = testing::random_graph(seed);
    const Tensors inputs = inputs_of(graph, seed), expected = compute(graph, inputs, false);
    Graph changed = graph.clone();
    for (const Pass& pass : pipeline(true)) {
      if (!run_pass(pass, changed)) continue;
      verify(changed);
      const std::string why = difference(compute(changed, inputs, false), expected);
      ASSERT_EQ(why, "") << "seed " << seed << ", after pass " << pass.name << "\n"
                         << print(graph) << "\nbecomes\n"
                         << print(changed);
    }
    ASSERT_EQ(difference(compute(graph, inputs, true), expected), "") << "seed " << seed << ", the plan of\n"
                                                                      << print(changed);
  }
}

}  // namespace
}  // namespace planish
