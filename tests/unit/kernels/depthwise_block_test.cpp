// Expand, depthwise and project as one step against the reference kernels: every candidate at every level, exact on
// integers, the same bits on one thread and two.

#include <set>

#include "compile/emitter.h"
#include "compile/pipeline.h"
#include "passes/passes.h"
#include "support/forced.h"
#include "support/kernel_cases.h"
#include "tactics/tactic.h"

namespace planish {
namespace {

using namespace testing;

enum class BlockEnding { nothing, relu, clip, silu, count };

struct BlockCase {
  int64_t batch = 1, channels = 8, hidden = 16, filters = 8, height = 5, width = 5;
  int64_t kernel = 3, stride = 1, before = 1, after = 1;
  bool expands = true, projects = true, bias = true, integers = false;
  int residual = 0;  // 1: another value, 2: the image
  BlockEnding ending = BlockEnding::relu;

  int64_t out(int64_t extent) const { return (extent + before + after - kernel) / stride + 1; }
  std::string text() const {
    return fmt::format("n{} {}>{}>{} {}x{} k{} s{} pads {},{} ending {} residual {}{}{}{}", batch, channels, hidden,
                       filters, height, width, kernel, stride, before, after, static_cast<int>(ending), residual,
                       expands ? "" : " no expand", projects ? "" : " no project", integers ? " integers" : "");
  }
};

class BlockGraph {
 public:
  explicit BlockGraph(const BlockCase& t) : t_(t) {}

  Graph make() {
    const int64_t first = t_.expands ? t_.channels : t_.hidden;
    const ValueId x = input("x", {t_.batch, first, t_.height, t_.width});
    ValueId y = x;
    if (t_.expands) y = ended(conv(y, {t_.hidden, t_.channels, 1, 1}, {}));
    const std::vector<int64_t> pads = {t_.before, t_.before, t_.after, t_.after};
    y = ended(conv(y, {t_.hidden, 1, t_.kernel, t_.kernel},
                   {{"group", t_.hidden}, {"pads", pads}, {"strides", std::vector<int64_t>{t_.stride, t_.stride}}}));
    if (t_.projects) {
      y = conv(y, {t_.filters, t_.hidden, 1, 1}, {});
      if (t_.residual == 1)
        y = add_op(graph_, "add", {y, input("other", {t_.batch, t_.filters, t_.out(t_.height), t_.out(t_.width)})});
      if (t_.residual == 2) y = add_op(graph_, "add", {x, y});
      if (t_.residual == 0 || t_.ending == BlockEnding::clip) y = ended(y);
    }
    graph_.add_output(y);
    return std::move(graph_);
  }
  std::map<std::string, Tensor> inputs;

 private:
  Tensor values(std::vector<int64_t> extents, float scale = 1) {
    ++seed_;
    return t_.integers ? integer_tensor(std::move(extents), seed_) : random_tensor(std::move(extents), seed_, scale);
  }
  ValueId input(const char* name, const std::vector<int64_t>& extents) {
    inputs[name] = values(extents);
    return graph_.add_input(name, {DataType::f32, Shape::of(extents)});
  }
  ValueId conv(ValueId x, const std::vector<int64_t>& weights, Attrs attrs) {
    const auto depth = static_cast<float>(weights[1] * weights[2] * weights[3]);
    std::vector<ValueId> operands = {x, graph_.add_constant(values(weights, 1 / std::sqrt(depth)))};
    if (t_.bias) operands.push_back(graph_.add_constant(values({weights[0]})));
    return add_op(graph_, "conv", operands, std::move(attrs));
  }
  ValueId ended(ValueId y) {
    switch (t_.ending) {
      case BlockEnding::relu:
        return add_op(graph_, "relu", {y});
      case BlockEnding::clip:
        return add_op(graph_, "clip",
                      {y, graph_.add_constant(Tensor::scalar(-1.f)), graph_.add_constant(Tensor::scalar(2.f))});
      case BlockEnding::silu:
        return add_op(graph_, "mul", {y, add_op(graph_, "sigmoid", {y})});
      default:
        return y;
    }
  }

  BlockCase t_;
  Graph graph_;
  uint32_t seed_ = 0;
};

// Plans of every candidate of the fused node at a level, by name.
std::map<std::string, Plan> block_plans(Graph graph, const std::string& level) {
  infer_all(graph);
  run_pipeline(graph, pipeline(true), "");
  run_pipeline(graph, {passes::fuse_depthwise()}, "");
  EmitOptions emit;
  emit.target.isa = parse_isa(level);
  emit.target.threads = 2;
  emit.precisions.bf16 = true;
  std::map<std::string, Plan> plans;
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate :
         cpu_tactics().propose({graph, graph.node(id), emit.target.isa, 2, emit.precisions}).candidates)
      if (candidate.name.starts_with("depthwise_block") && plans.count(candidate.name) == 0)
        plans.emplace(candidate.name, forced_plan(graph, emit, candidate.name));
  return plans;
}

// How many candidates there were at each level.
size_t expect_block(const BlockCase& t) {
  BlockGraph block(t);
  const Graph graph = block.make();
  BuildOptions plain;
  plain.optimize = false;
  const Tensor expected = run(build(graph.clone(), *create_cpu_device(1), plain), block.inputs, 1).begin()->second;
  const auto right = expected.to_doubles();
  double largest = 1;
  for (double value : right) largest = std::max(largest, std::abs(value));
  size_t count = 0;
  for (const std::string& level : host_levels()) {
    const auto plans = block_plans(graph.clone(), level);
    count = plans.size();
    EXPECT_GE(count, 1u) << level << " " << t.text();
    for (const auto& [candidate, plan] : plans) {
      const Tensor two = run(plan, block.inputs, 2).begin()->second, one = run(plan, block.inputs, 1).begin()->second;
      const auto found = two.to_doubles();
      double error = found.size() == right.size() ? 0 : INFINITY;
      for (size_t i = 0; i < found.size() && i < right.size(); ++i)
        error = std::max(error, found[i] == found[i] ? std::abs(found[i] - right[i]) : INFINITY);
      // In bf16 integers stay exact where they are few bits between the convolutions, too.
      const bool rounds = candidate.find(".bf16.") != std::string::npos;
      const bool exact = t.integers && (!rounds || t.ending == BlockEnding::clip);
      EXPECT_LE(error, exact ? 0 : (rounds ? 1e-2 : 4e-6) * largest) << level << " " << candidate << " " << t.text();
      EXPECT_TRUE(has_equal_bits(one, two)) << level << " " << candidate << " " << t.text();
    }
  }
  return count;
}

TEST(DepthwiseBlocks, MatchTheReferenceOverShapes) {
  std::mt19937 random(7);
  const auto upto = [&](int64_t most) { return 1 + static_cast<int64_t>(random()) % most; };
  for (int i = 0; i < 160; ++i) {
    BlockCase t;
    t.batch = upto(3);
    t.channels = upto(20);
    t.hidden = 1 + upto(i % 8 == 0 ? 200 : 80);
    t.filters = 1 + upto(i % 5 == 0 ? 80 : 20);  // one bias for all would become part of what follows
    t.kernel = 1 + 2 * (static_cast<int64_t>(random()) % 4);
    t.stride = upto(2);
    t.before = static_cast<int64_t>(random()) % t.kernel;
    t.after = static_cast<int64_t>(random()) % 4;
    t.height = std::max(upto(9), t.kernel - t.before - t.after);
    t.width = std::max(upto(9), t.kernel - t.before - t.after);
    t.integers = i % 2 == 0;
    t.bias = i % 3 != 0;
    t.expands = i % 7 != 3;
    t.projects = !t.expands || i % 7 != 5;
    t.ending = static_cast<BlockEnding>(random() % (t.integers ? 3 : static_cast<uint32_t>(BlockEnding::count)));
    t.residual = t.projects && i % 4 == 1 ? 1 : 0;
    expect_block(t);
  }
}

// Strips of few rows, whose lines move from one to the next, and the image as the residual.
TEST(DepthwiseBlocks, KeepLinesFromStripToStrip) {
  for (int64_t kernel : {3, 5, 7})
    for (int64_t stride : {1, 2, 3}) {
      BlockCase t;
      t.batch = stride == 2 ? 3 : 1;
      t.channels = t.filters = 3;
      t.hidden = 150;
      t.height = 41;
      t.width = 38;
      t.kernel = kernel;
      t.stride = stride;
      t.before = t.after = kernel / 2;
      t.residual = stride == 1 ? 2 : 0;
      t.ending = stride == 2 ? BlockEnding::clip : BlockEnding::relu;
      t.integers = kernel == 3;
      EXPECT_GE(expect_block(t), 3u) << t.text();
    }
}

// A chain of symbolic extents is computed at any of them.
TEST(DepthwiseBlocks, TakeExtentsThatArriveLater) {
  const auto conv = [](Graph& graph, ValueId x, std::vector<int64_t> weights, uint32_t seed, Attrs attrs) {
    return add_op(graph, "conv", {x, graph.add_constant(integer_tensor(std::move(weights), seed))}, std::move(attrs));
  };
  Graph graph;
  graph.symbols["n"] = {};
  graph.symbols["n"].range = {1, 2, 4};
  const ValueId x = graph.add_input("x", {DataType::f32, Shape(std::vector<Dim>{Dim::symbol("n"), 4, 9, 7})});
  ValueId y = conv(graph, x, {40, 4, 1, 1}, 1, {});
  y = conv(graph, add_op(graph, "relu", {y}), {40, 1, 3, 3}, 2,
           {{"group", int64_t{40}}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  graph.add_output(conv(graph, y, {5, 40, 1, 1}, 3, {}));
  BuildOptions plain;
  plain.optimize = false;
  const Plan reference = build(graph.clone(), *create_cpu_device(1), plain);
  for (const std::string& level : host_levels())
    for (const auto& [candidate, plan] : block_plans(graph.clone(), level))
      for (int64_t n : {1, 3, 4}) {
        if (candidate.find(".bf16.") != std::string::npos)
          continue;  // what lies between the convolutions has more bits
        const std::map<std::string, Tensor> inputs = {{"x", integer_tensor({n, 4, 9, 7}, 5)}};
        EXPECT_TRUE(has_equal_bits(run(plan, inputs, 2).begin()->second, run(reference, inputs, 1).begin()->second))
            << level << " " << candidate << " " << n;
      }
}

}  // namespace
}  // namespace planish
