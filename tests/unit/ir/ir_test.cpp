#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/matcher.h"
#include "ir/patch.h"
#include "ir/text.h"
#include "support/networks.h"

namespace planish {
namespace {

TEST(Text, RoundTripIsExact) {
  const Graph graph = testing::small_network();
  const Graph again = parse_graph(print(graph), constants_of(graph));
  EXPECT_EQ(print(again), print(graph));
  EXPECT_TRUE(equal(graph, again));
}

TEST(Text, RegionsAndQuotedNamesRoundTrip) {
  const char* text =
      "graph \"g\" symbols {N: shape [1, 1, 8]} (%c : bool[], %\"a b\" : f32[N,2]) {\n"
      "  %two = constant f32[2] [1.0, 2.0]\n"
      "  %y = if(%c, %\"a b\") {} \"choose\" : f32[N,2]\n"
      "    region (%p : f32[N,2]) {\n"
      "      %q = relu(%p) {} \"r\" : f32[N,2]\n"
      "      return %q\n"
      "    }\n"
      "    region (%p : f32[N,2]) {\n"
      "      %q = neg(%p) {} \"n\" : f32[N,2]\n"
      "      return %q\n"
      "    }\n"
      "  %z = add(%y, %two) {} \"add\" from [\"a\", \"b\"] : f32[N,2]\n"
      "  return %z\n"
      "}\n";
  const Graph graph = parse_graph(text);
  EXPECT_EQ(print(parse_graph(print(graph))), print(graph));
  EXPECT_EQ(graph.node(graph.nodes()[1]).origins, (std::vector<std::string>{"a", "b"}));
}

TEST(Text, MalformedInputNamesLineAndColumn) {
  for (const char* text : {"graph", "graph \"g\" (%x : f32[2]) { return %y }",
                           "graph \"g\" () { %y = relu(%x) {} \"n\" : f32[1] return %y }"}) {
    try {
      parse_graph(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    }
  }
}

TEST(Patch, DroppedPatchLeavesNoTrace) {
  Graph graph = testing::small_network();
  const std::string before = print(graph);
  {
    Patch patch(graph);
    add_op(patch, "relu", {graph.inputs()[0]});
  }
  EXPECT_EQ(print(graph), before);
}

TEST(Patch, OutputKeepsItsName) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {4}});
  graph.add_output(graph.node(add_node(graph, "relu", {x}, {}, "r", 1, {"y"})).outputs[0]);
  Patch patch(graph);
  patch.replace(graph.outputs()[0], add_op(patch, "neg", {x}));
  patch.apply();
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  EXPECT_EQ(graph.node_count(), 1u);
}

TEST(Matcher, CapturesMustAgree) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {4}}), z = graph.add_input("z", {DataType::f32, {4}});
  const ValueId good = add_op(graph, "mul", {add_op(graph, "sigmoid", {x}), x});
  const ValueId bad = add_op(graph, "mul", {add_op(graph, "sigmoid", {x}), z});
  const Pattern silu = op("mul", {any().as("x"), op("sigmoid", {any().as("x")})}).commutative();
  EXPECT_TRUE(match(graph, good, silu).found);
  EXPECT_FALSE(match(graph, bad, silu).found);
}

}  // namespace
}  // namespace planish
