// What makes random networks: the same seed makes the same, all are valid, and a failing one becomes small.

#include "ir/text.h"
#include "random/generator.h"
#include "random/judge.h"
#include "random/shrink.h"

namespace planish::testing {
namespace {

TEST(RandomGraphs, AreDecidedByTheirSeed) {
  for (uint32_t seed = 1; seed <= 50; ++seed) EXPECT_EQ(print(random_graph(seed)), print(random_graph(seed)));
  EXPECT_NE(print(random_graph(1)), print(random_graph(2)));
}

TEST(RandomGraphs, HoldManyOperators) {
  std::set<std::string> ops;
  int dynamic = 0;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    const Graph graph = random_graph(seed);
    verify(graph);
    dynamic += graph.symbols.empty() ? 0 : 1;
    for (NodeId id : graph.nodes()) ops.insert(graph.node(id).op.str());
  }
  EXPECT_GE(ops.size(), 80u);
  for (const char* op : {"if", "conv", "where", "mod", "gather", "concat", "topk", "cum_sum", "max_pool", "softmax"})
    EXPECT_TRUE(ops.count(op) > 0) << op;
  EXPECT_GT(dynamic, 100);
}

TEST(RandomGraphs, BecomeSmall) {
  const auto holds_tanh = [](const Graph& graph) {
    for (NodeId id : graph.nodes())
      if (graph.node(id).op == "tanh") return true;
    return false;
  };
  int tried = 0;
  for (uint32_t seed = 1; tried < 10; ++seed) {
    const Graph graph = random_graph(seed);
    if (!holds_tanh(graph)) continue;
    ++tried;
    const Graph small = shrink(graph, holds_tanh);
    EXPECT_EQ(small.node_count(), 1u) << print(small);
    EXPECT_TRUE(small.symbols.empty());
    for (const Dim& dim : small.value(small.inputs()[0]).type.shape) EXPECT_EQ(dim.str(), "1") << print(small);
    EXPECT_EQ(judge(small, seed), "");
  }
}

}  // namespace
}  // namespace planish::testing
