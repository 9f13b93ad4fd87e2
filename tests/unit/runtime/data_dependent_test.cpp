#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "compile/build.h"
#include "ir/text.h"
#include "ops/builder.h"
#include "runtime/engine.h"

namespace planish {
namespace {

// The elements of x above 0, plus one.
Graph select_network() {
  Graph graph;
  graph.name = "select";
  const Dim n = Dim::symbol(graph.fresh_symbol("N", {SymbolKind::shape, {1, 3, 8}}));
  const ValueId x = graph.add_input("x", {DataType::f32, Shape{n, 4}});
  const auto scalar = [&](float value) { return graph.add_constant(Tensor::scalar(value), "c"); };
  const ValueId places = add_op(graph, "nonzero", {add_op(graph, "greater", {x, scalar(0)})});
  const ValueId rows = add_op(graph, "transpose", {places}, {{"perm", std::vector<int64_t>{1, 0}}});
  const ValueId picked = add_op(graph, "gather_nd", {x, rows});
  const NodeId last = add_node(graph, "add", {picked, scalar(1)}, {}, "last", 1, {"y"});
  graph.add_output(graph.node(last).outputs[0]);
  return graph;
}

class DataDependent : public ::testing::Test {
 protected:
  explicit DataDependent(Graph graph = select_network()) {
    std::shared_ptr<Device> device = create_cpu_device(1);
    BuildOptions options;
    options.tuning = Tuning::off;
    const auto bytes = std::make_shared<std::vector<std::byte>>(serialize(build(std::move(graph), *device, options)));
    engine_ = Engine::create(deserialize(*bytes, bytes), device);
    context_ = engine_->create_context();
  }

  Status run(std::vector<float> x) {
    x_ = std::move(x);
    const int64_t extents[] = {static_cast<int64_t>(x_.size() / 4), 4};
    context_->set_shape("x", extents).raise();
    context_->bind("x", x_.data(), x_.size() * sizeof(float)).raise();
    return context_->enqueue();
  }

  std::vector<float> result() const {
    std::vector<int64_t> extents;
    context_->extents("y", extents).raise();
    const void* data = nullptr;
    context_->output_data("y", data).raise();
    const auto* floats = static_cast<const float*>(data);
    return {floats, floats + extents.at(0)};
  }

  std::vector<float> x_;
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Context> context_;
};

TEST_F(DataDependent, ExtentsFollowTheData) {
  ASSERT_TRUE(run({1, -1, 2, 0, 3, -4, -5, 4}).ok());
  EXPECT_EQ(result(), (std::vector<float>{2, 3, 4, 5}));
  ASSERT_TRUE(run({-1, -1, -1, -1}).ok());
  EXPECT_EQ(result(), std::vector<float>());
  std::vector<float> many(32);
  std::iota(many.begin(), many.end(), 1.f);
  ASSERT_TRUE(run(many).ok());
  EXPECT_EQ(result().size(), 32u);
  EXPECT_EQ(result().back(), 33.f);
  ASSERT_TRUE(run({0, 0, 0, 7}).ok());
  EXPECT_EQ(result(), std::vector<float>{8});
}

TEST_F(DataDependent, ExtentsAreKnownOnceItWasRun) {
  const int64_t extents[] = {2, 4};
  context_->set_shape("x", extents).raise();
  std::vector<int64_t> found;
  EXPECT_EQ(context_->extents("y", found).code(), Code::invalid_state);
  ASSERT_TRUE(run({1, 1, 0, 0}).ok());
  ASSERT_TRUE(context_->extents("y", found).ok());
  EXPECT_EQ(found, std::vector<int64_t>{2});
}

TEST_F(DataDependent, WritesToTheCallersMemory) {
  float y[3] = {};
  context_->bind("y", y, sizeof y).raise();
  ASSERT_TRUE(run({1, 2, 3, 0}).ok());
  EXPECT_EQ(y[2], 4);
  const Status status = run({1, 2, 3, 4});
  EXPECT_EQ(status.code(), Code::invalid_argument);
  EXPECT_NE(std::string(status.message()).find("'y' is bound to 12 bytes, 16 are needed"), std::string::npos)
      << status.message();
  ASSERT_TRUE(run({4, 0, 0, 0}).ok());
  EXPECT_EQ(y[0], 5);
}

// With equal counts nothing but the addresses changes.
TEST_F(DataDependent, FollowsTheMemoryThatIsBound) {
  std::vector<float> first = {1, 2, 0, 0}, second = {3, 4, 0, 0};
  float y[2] = {}, z[2] = {};
  ASSERT_TRUE(run(first).ok());
  context_->bind("y", y, sizeof y).raise();
  context_->bind("x", second.data(), second.size() * sizeof(float)).raise();
  ASSERT_TRUE(context_->enqueue().ok());
  EXPECT_EQ(y[1], 5);
  context_->bind("y", z, sizeof z).raise();
  context_->bind("x", first.data(), first.size() * sizeof(float)).raise();
  ASSERT_TRUE(context_->enqueue().ok());
  EXPECT_EQ(y[1], 5);
  EXPECT_EQ(z[1], 3);
}

TEST(DataDependentText, BindsArePartOfTheGraph) {
  const Graph graph = select_network();
  const Graph again = parse_graph(print(graph));
  EXPECT_TRUE(equal(graph, again));
  EXPECT_NE(print(graph).find("binds=["), std::string::npos) << print(graph);
}

// A list of which data decides some elements alone.
class PartlyKnown : public ::testing::Test {
 protected:
  ValueId ints(const std::vector<int64_t>& list) {
    const auto count = static_cast<int64_t>(list.size());
    return graph_.add_constant(
        Tensor::copy_of(make_view(const_cast<int64_t*>(list.data()), DataType::i64, {&count, 1})), "ints");
  }

  ValueId add(const char* op, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return add_op(graph_, op, std::move(inputs), std::move(attrs));
  }

  ValueId joined(std::vector<ValueId> parts) { return add("concat", std::move(parts), {{"axis", int64_t{0}}}); }

  Shape shape(ValueId id) const { return graph_.value(id).type.shape; }

  Graph graph_;
  Dim n_ = Dim::symbol(graph_.fresh_symbol("N", {SymbolKind::shape, {1, 3, 8}}));
  ValueId x_ = graph_.add_input("x", {DataType::f32, Shape{n_, 3, 8, 8}});
  ValueId two_ = graph_.add_input("two", {DataType::i64, Shape{2}});
};

TEST_F(PartlyKnown, SizesAndPadsKeepTheChannels) {
  const ValueId sizes = joined({ints({1, 3}), add("cast", {two_}, {{"to", DataType::i64}})});
  const Shape resized = shape(add("resize", {x_, {}, {}, sizes}, {{"mode", std::string("nearest")}}));
  EXPECT_EQ(resized[1], Dim(3));
  EXPECT_TRUE(depends_on_data(resized[2], graph_.symbols));
  EXPECT_EQ(graph_.symbols.at(std::string(resized[2].name())).range.opt, 8);
  // As exporters order them: pairs from the last axis backwards, turned round.
  const ValueId pairs = add("reshape", {joined({two_, ints({0, 2, 0, 0, 0, 0})}), ints({-1, 2})});
  const ValueId turned = add("slice", {pairs, ints({-1}), ints({INT64_MIN}), ints({0}), ints({-1})});
  const ValueId pads = add("reshape", {add("transpose", {turned}, {{"perm", std::vector<int64_t>{1, 0}}}), ints({-1})});
  const Shape padded = shape(add("pad", {x_, pads}));
  EXPECT_EQ(padded[0], n_);
  EXPECT_EQ(padded[1], Dim(3));
  EXPECT_EQ(padded[2], Dim(10));
  EXPECT_TRUE(depends_on_data(padded[3], graph_.symbols));
}

TEST_F(PartlyKnown, AReshapeIsCompletedByTheCount) {
  const ValueId one = add("slice", {two_, ints({0}), ints({1})});
  EXPECT_EQ(shape(add("reshape", {x_, joined({ints({0, 4}), one})})), (Shape{n_, 4, 48}));
  const Shape open = shape(add("reshape", {x_, joined({ints({0, -1}), one})}));
  EXPECT_EQ(open[0], n_);
  EXPECT_TRUE(depends_on_data(open[1], graph_.symbols));
}

TEST_F(PartlyKnown, RepeatedAndFilled) {
  const ValueId list = joined({ints({1, 2}), two_});
  const Shape tiled = shape(add("tile", {x_, list})), filled = shape(add("constant_of_shape", {list}));
  EXPECT_EQ(tiled[0], n_);
  EXPECT_EQ(tiled[1], Dim(6));
  EXPECT_EQ(filled[1], Dim(2));
  EXPECT_TRUE(depends_on_data(filled[2], graph_.symbols));
  const Shape wide = shape(add("expand", {x_, joined({ints({5, 1, 1}), two_})}));
  EXPECT_EQ(wide[0], Dim(5));
  EXPECT_EQ(wide[2], Dim(3));
  EXPECT_EQ(wide[3], Dim(8));
}

// A choice among elements of a matrix of one row, as of repetitions along one axis alone.
TEST_F(PartlyKnown, ShapesOfMoreAxesAreKnownToo) {
  const ValueId axes = add("reshape", {ints({0, 1, 0}), ints({1, 3})});
  const ValueId n = add("slice", {add("shape", {x_}), ints({0}), ints({1})});
  const ValueId chosen = add("where", {add("equal", {axes, ints({1})}), n, ints({1})});
  const ValueId data = graph_.add_input("data", {DataType::f32, Shape{2, 1, 4}});
  EXPECT_EQ(shape(add("tile", {data, add("reshape", {chosen, ints({-1})})})), (Shape{2, n_, 4}));
}

// What binds a symbol that a type needs stays, even where nothing reads its result.
TEST(DataDependentText, WhatBindsStays) {
  Graph graph = select_network();
  const size_t nodes = graph.node_count();
  graph.remove_dead();
  EXPECT_EQ(graph.node_count(), nodes);
}

}  // namespace
}  // namespace planish
