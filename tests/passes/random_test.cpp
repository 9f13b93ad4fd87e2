// Random networks through every pass: what they compute stays, and a pass has nothing to do on its own result.

#include "compile/pipeline.h"
#include "ir/text.h"
#include "passes/passes.h"
#include "support/random_graph.h"

namespace planish {
namespace {

constexpr uint32_t kNetworks = 500;
constexpr PrintOptions kInFull = {1 << 20};

using Tensors = std::map<std::string, Tensor>;

Tensors inputs_of(const Graph& graph, uint32_t seed) {
  Tensors inputs;
  for (ValueId id : graph.inputs())
    inputs[graph.value(id).name] = testing::random_tensor(graph.value(id).type.shape.extents(), seed++, 2);
  return inputs;
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
    const double error = testing::relative_l2(at->second, tensor);
    if (!(error <= 1e-4)) return fmt::format("{}: relative error {}", name, error);
  }
  return "";
}

TEST(RandomNetworks, EveryPassKeepsTheirMeaning) {
  std::map<std::string, int> fired;
  for (uint32_t seed = 1; seed <= kNetworks; ++seed) {
    const Graph graph = testing::RandomGraph(seed).make();
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
    const Graph graph = testing::RandomGraph(seed).make();
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
