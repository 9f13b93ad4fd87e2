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

// What binds a symbol that a type needs stays, even where nothing reads its result.
TEST(DataDependentText, WhatBindsStays) {
  Graph graph = select_network();
  const size_t nodes = graph.node_count();
  graph.remove_dead();
  EXPECT_EQ(graph.node_count(), nodes);
}

}  // namespace
}  // namespace planish
