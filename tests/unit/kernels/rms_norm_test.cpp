#include <gtest/gtest.h>

#include "base/cpu_features.h"
#include "support/networks.h"

namespace planish {
namespace {

Graph rms_network(int64_t rows, int64_t width) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {2, rows, width}});
  const ValueId scale = graph.add_constant(testing::random_tensor({width}, 2));
  graph.add_output(add_op(graph, "rms_normalization", {x, scale}, {{"epsilon", 1e-3}}, "y"));
  return graph;
}

TEST(RmsNorm, AgreesWithTheReferenceAtEveryLevel) {
  auto device = create_cpu_device(2);
  for (int64_t width : {1, 7, 16, 33, 768})
    for (Isa isa : kIsas) {
      if (!cpu_info().has(isa)) continue;
      const std::map<std::string, Tensor> inputs = {{"x", testing::random_tensor({2, 5, width}, 3, 4)}};
      BuildOptions plain, fast;
      plain.optimize = false;
      fast.tuning = Tuning::off;
      fast.isa = isa_name(isa);
      const Plan plan = build(rms_network(5, width), *device, fast);
      EXPECT_EQ(plan.profiles[0].steps[0].kind, StepKind::cpu);
      const auto expected = testing::run(build(rms_network(5, width), *device, plain), inputs),
                 found = testing::run(plan, inputs);
      EXPECT_LE(testing::relative_l2(found.begin()->second, expected.begin()->second), 1e-6)
          << isa_name(isa) << " width " << width;
    }
}

}  // namespace
}  // namespace planish
