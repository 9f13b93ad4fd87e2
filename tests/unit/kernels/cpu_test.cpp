// Every candidate of pointwise functions, pools and norms, within their tolerances.

#include <gtest/gtest.h>

#include "support/candidates.h"

namespace planish {
namespace {

using namespace testing;

TEST(CpuKernels, PointwiseFunctionsStayWithinTheirTolerance) {
  for (const char* name :
       {"exp", "tanh", "sigmoid", "erf", "gelu", "silu", "hard_swish", "mish", "softplus", "elu", "sqrt", "abs"}) {
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {7, 333}});
      graph.add_output(add_op(graph, name, {add_op(graph, "abs", {x})}));
      return graph;
    };
    compare_candidates(make, {{"x", random_tensor({7, 333}, 31, 6)}}, 1e-6, name);
  }
}

TEST(CpuKernels, PoolsNormsAndBroadcasts) {
  const auto pool = [](const char* op, int64_t count) {
    return [=] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {2, 19, 9, 11}});
      Attrs attrs = {{"kernel_shape", std::vector<int64_t>{3, 2}},
                     {"strides", std::vector<int64_t>{2, 2}},
                     {"pads", std::vector<int64_t>{1, 0, 1, 1}}};
      if (count > 0) attrs.set("count_include_pad", int64_t{1});
      graph.add_output(add_op(graph, op, {x}, attrs));
      return graph;
    };
  };
  const Tensor x = random_tensor({2, 19, 9, 11}, 41);
  compare_candidates(pool("max_pool", 0), {{"x", x}}, 0, "max_pool");
  compare_candidates(pool("average_pool", 0), {{"x", x}}, 1e-6, "average_pool");
  for (const char* name : {"softmax", "layer_normalization"}) {
    const auto make = [&] {
      Graph graph;
      const ValueId v = graph.add_input("x", {DataType::f32, {5, 700}});
      std::vector<ValueId> operands = {v};
      if (std::string(name) == "layer_normalization")
        operands = {v, graph.add_constant(random_tensor({700}, 1)), graph.add_constant(random_tensor({700}, 2))};
      graph.add_output(add_op(graph, name, operands));
      return graph;
    };
    compare_candidates(make, {{"x", random_tensor({5, 700}, 42, 3)}}, 1e-5, name);
  }
  const auto broadcast = [] {
    Graph graph;
    const ValueId a = graph.add_input("a", {DataType::f32, {3, 1, 5}}),
                  b = graph.add_input("b", {DataType::f32, {4, 1}});
    graph.add_output(add_op(graph, "mul", {add_op(graph, "add", {a, b}), b}));
    return graph;
  };
  compare_candidates(broadcast, {{"a", random_tensor({3, 1, 5}, 51)}, {"b", random_tensor({4, 1}, 52)}}, 1e-6,
                     "broadcast");
}

}  // namespace
}  // namespace planish
