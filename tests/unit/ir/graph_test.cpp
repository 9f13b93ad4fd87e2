#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "ir/patch.h"
#include "ir/text.h"

namespace planish {
namespace {

const TensorType kRow = {DataType::f32, {4}};

ValueId apply_op(Graph& graph, const char* op, std::vector<ValueId> inputs, const std::string& name = {}) {
  return graph.node(graph.add_node(op, std::move(inputs), {}, {kRow}, name)).outputs[0];
}

std::string message_of(const std::string& text) {
  try {
    parse_graph(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Graph, OutputsAreCountedThroughReplacement) {
  Graph graph;
  const ValueId x = graph.add_input("x", kRow), a = apply_op(graph, "relu", {x}), b = apply_op(graph, "neg", {x});
  graph.add_output(a);
  graph.add_output(a);
  graph.replace_uses(a, b);
  EXPECT_FALSE(graph.is_used(a));
  EXPECT_TRUE(graph.is_output(b));
  graph.set_output(0, x);
  EXPECT_TRUE(graph.is_output(b));
  graph.set_output(1, x);
  EXPECT_FALSE(graph.is_output(b));
  EXPECT_EQ(graph.remove_dead(), 2);
}

TEST(Graph, NamesStayUnique) {
  Graph graph;
  const ValueId x = graph.add_input("x", kRow), y = graph.add_input("x", kRow);
  EXPECT_EQ(graph.value(y).name, "x.1");
  EXPECT_THROW(graph.rename(y, "x"), Error);
  graph.rename(x, "z");
  EXPECT_NO_THROW(graph.rename(y, "x"));
  EXPECT_EQ(graph.find_value("x"), y);
}

TEST(Graph, RemovingWhatIsUsedIsRefused) {
  Graph graph;
  const ValueId c = graph.add_constant(Tensor::zeros(DataType::f32, {4}), "c");
  const ValueId a = apply_op(graph, "relu", {c}), b = apply_op(graph, "neg", {a});
  graph.add_output(b);
  EXPECT_THROW(graph.remove_constant(c), Error);
  EXPECT_THROW(graph.remove_node(graph.value(a).producer), Error);
  EXPECT_THROW(graph.remove_node(graph.value(b).producer), Error);
}

TEST(Graph, ClonesAreApart) {
  Graph graph;
  const ValueId x = graph.add_input("x", kRow), a = apply_op(graph, "relu", {x});
  graph.add_output(a);
  Graph copy = graph.clone();
  EXPECT_TRUE(equal(graph, copy));
  copy.set_output(0, apply_op(copy, "neg", {x}));
  copy.remove_dead();
  EXPECT_TRUE(graph.alive(graph.value(a).producer));
  EXPECT_FALSE(equal(graph, copy));
}

TEST(Graph, ClonesHaveSymbolsGuardsAndRegions) {
  Graph graph;
  graph.symbols["N"] = {SymbolKind::shape, {1, 2, 3}};
  graph.guards = {{Dim::symbol("N"), 2, "outside"}};
  const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("N")}}), a = apply_op(graph, "if", {x});
  auto region = std::make_unique<Graph>();
  region->guards = {{Dim::symbol("N"), 3, "inside"}};
  region->add_output(region->add_input("x", graph.value(x).type));
  graph.add_region(graph.value(a).producer, std::move(region));
  graph.add_output(a);
  const Graph copy = graph.clone();
  EXPECT_TRUE(equal(graph, copy));
  EXPECT_EQ(copy.guards, graph.guards);
  EXPECT_EQ(copy.symbols, graph.symbols);
  EXPECT_EQ(copy.node(copy.nodes()[0]).regions[0]->guards.size(), 1u);
}

TEST(Equal, LooksAtNamesNotAtIds) {
  const auto make = [](bool swapped) {
    Graph graph;
    const ValueId x = graph.add_input("x", kRow);
    const ValueId first = apply_op(graph, swapped ? "neg" : "relu", {x}, swapped ? "n" : "r");
    const ValueId second = apply_op(graph, swapped ? "relu" : "neg", {x}, swapped ? "r" : "n");
    graph.add_output(apply_op(graph, "add", {swapped ? second : first, swapped ? first : second}, "sum"));
    return graph;
  };
  EXPECT_TRUE(equal(make(false), make(true)));
}

TEST(Patch, DroppedPatchGivesItsNamesBack) {
  Graph graph;
  graph.add_input("x", kRow);
  { Patch(graph).constant(Tensor::zeros(DataType::f32, {4}), "c"); }
  EXPECT_FALSE(graph.find_value("c").has_value());
}

TEST(Patch, RemovesWhatOnlyTheOldValueNeeded) {
  Graph graph;
  const ValueId x = graph.add_input("x", kRow), shared = apply_op(graph, "abs", {x});
  const ValueId c = graph.add_constant(Tensor::zeros(DataType::f32, {4}), "c");
  const ValueId old = apply_op(graph, "add", {apply_op(graph, "exp", {shared}), c});
  graph.add_output(apply_op(graph, "add", {old, shared}));
  Patch patch(graph);
  patch.replace(old, graph.node(patch.add("neg", {x}, {}, {kRow})).outputs[0]);
  patch.add("tanh", {x}, {}, {kRow});  // nobody uses it
  patch.apply();
  EXPECT_EQ(graph.node_count(), 3u);
  EXPECT_FALSE(graph.find_value("c").has_value());
  EXPECT_NO_THROW(verify_structure(graph));
}

TEST(Patch, AnOutputKeepsItsNameOrTheReplacementIsRefused) {
  Graph graph;
  const ValueId x = graph.add_input("x", kRow), y = apply_op(graph, "identity", {x});
  graph.add_output(y);
  Patch patch(graph);
  EXPECT_THROW(patch.replace(y, x), Error);
  EXPECT_EQ(graph.value(x).name, "x");
}

// Ten thousand patches on a graph of ten thousand nodes: quadratic work would take minutes.
TEST(Patch, CostsWhatItChanges) {
  Graph graph;
  ValueId value = graph.add_input("x", kRow);
  for (int i = 0; i < 10000; ++i) value = apply_op(graph, "relu", {value});
  graph.add_output(value);
  const auto start = std::chrono::steady_clock::now();
  for (NodeId id : graph.nodes()) {
    const ValueId input = graph.node(id).inputs[0], old = graph.node(id).outputs[0];
    Patch patch(graph);
    patch.replace(old, graph.node(patch.add("neg", {input}, {}, {kRow})).outputs[0]);
    patch.apply();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(graph.node_count(), 10000u);
  EXPECT_NO_THROW(verify_structure(graph));
  EXPECT_TRUE(equal(graph, parse_graph(print(graph))));
}

TEST(Parse, NamesAreDefinedOnce) {
  EXPECT_NE(message_of("graph \"g\" (%x : f32[4], %x : f32[4]) { return %x }").find("'x' is taken"), std::string::npos);
  EXPECT_NE(message_of("graph \"g\" (%x : f32[4]) {\n %a, %a = split(%x) {} \"s\" : f32[2], f32[2]\n return %a }")
                .find("line 2"),
            std::string::npos);
  EXPECT_NE(message_of("graph \"g\" (%x : f32[4]) {\n %a = relu(%x) {} \"s\" : f32[4]\n %b = relu(%x) {} \"s\" : "
                       "f32[4]\n return %a }")
                .find("'s' is taken"),
            std::string::npos);
}

TEST(Parse, ErrorsSayWhere) {
  EXPECT_NE(
      message_of("graph \"g\" (%x : f32[4]) {\n\n %a = relu(%x) {alpha=} \"s\" : f32[4]\n return %a }").find("line 3"),
      std::string::npos);
  EXPECT_NE(message_of("graph \"g\" (%x : f99[4]) { return %x }").find("f99"), std::string::npos);
  EXPECT_NE(message_of("graph \"g\" symbols {N: foo [1, 1, 8]} () { return }").find("'shape' or 'step'"),
            std::string::npos);
  EXPECT_NE(message_of("graph \"g\" () { %c = constant f32[32] #abc return %c }").find("#abc"), std::string::npos);
  EXPECT_NE(message_of("graph \"g\" () { %c = constant f32[3] [1, 2] return %c }").find("3 elements"),
            std::string::npos);
}

TEST(Parse, RegionsNestOnlySoDeep) {
  std::string text = "graph \"g\" (%x : f32[4]) {";
  for (int i = 0; i < 2000; ++i) text += "%y = fused(%x) {} \"n\" : f32[4] region (%x : f32[4]) {";
  EXPECT_NE(message_of(text).find("at most 64"), std::string::npos);
}

// Whatever prefix or damage: an Error or a graph, never a crash.
TEST(Parse, DamagedTextIsRefusedOrRead) {
  const std::string text =
      "graph \"g\" symbols {N: shape [1, 1, 8]} (%c : bool[], %x : f32[N,2]) {\n"
      "  %two = constant f32[2] [1.0, nan]\n"
      "  %y = if(%c, %x) {a=dims[2*N + 1, ceil_div(N, 2)], t=tensor i64[2] [1, 2], s=\"q\"} \"if\" from [\"a\"] : "
      "f32[N,2]\n"
      "    region (%p : f32[N,2]) { %q = relu(%p) {} \"r\" : f32[N,2] return %q }\n"
      "    region (%p : f32[N,2]) { return %p }\n"
      "  return %y\n}\n";
  ASSERT_NO_THROW(parse_graph(text));
  const std::string alphabet = "%\"[](){}=,:#_-+*/ \n09aN";
  uint32_t random = 1;
  for (size_t round = 0; round < 4000; ++round) {
    std::string damaged = text;
    if (round < text.size()) damaged.resize(round);
    for (int k = 0; k < 2 && round >= text.size(); ++k) {
      random = random * 1664525u + 1013904223u;
      damaged[(random >> 8) % damaged.size()] = alphabet[(random >> 3) % alphabet.size()];
    }
    try {
      parse_graph(damaged);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace planish
