// Winograd convolution against the reference kernel: F(2x2, 3x3) as exact as a sum of its terms, exact on integers,
// also in bf16; F(4x4, 3x3) within 1e-5 of the largest result.

#include <set>

#include "compile/emitter.h"
#include "compile/pipeline.h"
#include "support/forced.h"
#include "support/kernel_cases.h"
#include "tactics/tactic.h"

namespace planish {
namespace {

using namespace testing;

enum class WinogradAfter { nothing, relu, residual, residual_relu, program, concat, count };

struct WinogradCase {
  int64_t batch = 1, channels = 1, filters = 1, group = 1, height = 1, width = 1;  // channels, filters: a group's
  std::vector<int64_t> pads;
  WinogradAfter after = WinogradAfter::nothing;
  bool integers = false;

  int64_t out_height() const { return height + pads[0] + pads[2] - 2; }
  int64_t out_width() const { return width + pads[1] + pads[3] - 2; }
  int64_t work() const { return batch * channels * filters * group * 9 * out_height() * out_width(); }
  std::vector<int64_t> result() const { return {batch, filters * group, out_height(), out_width()}; }
  std::string text() const {
    return fmt::format("n{} c{} m{} g{} {}x{} pads {} after {}{}", batch, channels, filters, group, height, width,
                       listed(pads), static_cast<int>(after), integers ? " integers" : "");
  }
};

// Of results about 1, or integers.
Tensor winograd_tensor(const WinogradCase& t, std::vector<int64_t> extents, uint32_t seed, float scale = 1) {
  return t.integers ? integer_tensor(std::move(extents), seed) : random_tensor(std::move(extents), seed, scale);
}

Graph winograd_graph(const WinogradCase& t) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.batch, t.channels * t.group, t.height, t.width}});
  const float scale = 1 / std::sqrt(static_cast<float>(t.channels));
  std::vector<ValueId> operands = {
      x, graph.add_constant(winograd_tensor(t, {t.filters * t.group, t.channels, 3, 3}, 2, scale))};
  if (t.filters * t.group > 1)  // one bias for all would become part of what follows
    operands.push_back(graph.add_constant(winograd_tensor(t, {t.filters * t.group}, 3)));
  ValueId y = add_op(graph, "conv", operands, {{"pads", t.pads}, {"group", t.group}});
  const auto other = [&] { return graph.add_input("other", {DataType::f32, Shape::of(t.result())}); };
  switch (t.after) {
    case WinogradAfter::relu:
      y = add_op(graph, "relu", {y});
      break;
    case WinogradAfter::residual:
      y = add_op(graph, "add", {y, other()});
      break;
    case WinogradAfter::residual_relu:
      y = add_op(graph, "relu", {add_op(graph, "add", {other(), y})});
      break;
    case WinogradAfter::program: {
      const ValueId z = other();
      y = add_op(graph, "mul", {add_op(graph, "sub", {y, z}), z});
      break;
    }
    case WinogradAfter::concat:
      y = add_op(graph, "concat", {other(), y}, {{"axis", int64_t{1}}});
      break;
    default:
      break;
  }
  graph.add_output(y);
  return graph;
}

std::map<std::string, Tensor> winograd_inputs(const WinogradCase& t, uint32_t seed) {
  std::map<std::string, Tensor> inputs;
  inputs["x"] = winograd_tensor(t, {t.batch, t.channels * t.group, t.height, t.width}, seed);
  if (t.after >= WinogradAfter::residual) inputs["other"] = winograd_tensor(t, t.result(), seed + 1);
  return inputs;
}

// Plans of every Winograd candidate at a level, by name.
std::map<std::string, Plan> winograd_plans(Graph graph, const std::string& level) {
  infer_all(graph);
  run_pipeline(graph, pipeline(true), "");
  EmitOptions emit;
  emit.target.isa = parse_isa(level);
  emit.target.threads = 2;
  emit.precisions.tf32 = emit.precisions.bf16 = true;
  std::set<std::string> names;
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate :
         cpu_tactics().propose({graph, graph.node(id), emit.target.isa, 2, emit.precisions}).candidates)
      if (candidate.name.starts_with("winograd")) names.insert(candidate.name);
  std::map<std::string, Plan> plans;
  for (const std::string& name : names) plans.emplace(name, testing::forced_plan(graph, emit, name));
  return plans;
}

// The largest difference, as a part of the largest value or of 1.
double largest_error(const Tensor& found, const Tensor& expected) {
  const auto a = found.to_doubles(), b = expected.to_doubles();
  if (found.extents() != expected.extents()) return INFINITY;
  double difference = 0, largest = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::isnan(a[i]) ? INFINITY : std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

double winograd_tolerance(const std::string& candidate, bool integers) {
  if (candidate.starts_with("winograd.f4")) return 1e-5;
  if (integers) return 0;
  return candidate.starts_with("winograd.f2.bf16") ? 2e-2 : 2e-6;
}

template <class MakeGraph>
void expect_winograd(MakeGraph make, const std::map<std::string, Tensor>& inputs, bool integers,
                     const std::string& what) {
  auto device = create_cpu_device(1);
  BuildOptions plain;
  plain.optimize = false;
  const auto expected = run(build(make(), *device, plain), inputs, 1);
  for (const std::string& level : host_levels()) {
    const auto plans = winograd_plans(make(), level);
    EXPECT_GE(plans.size(), 2u) << what;
    for (const auto& [candidate, plan] : plans) {
      const auto two = run(plan, inputs, 2), one = run(plan, inputs, 1);
      for (const auto& [name, tensor] : expected) {
        EXPECT_LE(largest_error(two.at(name), tensor), winograd_tolerance(candidate, integers))
            << level << " " << candidate << " " << what;
        EXPECT_TRUE(has_equal_bits(one.at(name), two.at(name))) << level << " " << candidate << " " << what;
      }
    }
  }
}

// Many pixels of few channels, or few of many.
WinogradCase random_case(std::mt19937& random) {
  constexpr int64_t kMostWork = 700'000;
  WinogradCase t;
  const bool wide = random() % 3 == 0;
  do {
    t.batch = 1 + random() % 3;
    t.group = random() % 4 == 0 ? 2 + random() % 3 : 1;
    t.channels = 1 + random() % (wide ? 8 : 70);
    t.filters = 1 + random() % (wide ? 8 : 70);
    t.height = 1 + random() % (wide ? 60 : 17);
    t.width = 1 + random() % (wide ? 60 : 17);
    t.pads.clear();
    for (int i = 0; i < 4; ++i) t.pads.push_back(random() % 3);
  } while (t.out_height() < 1 || t.out_width() < 1 || t.work() > kMostWork || (t.group > 1 && t.channels == 1));
  return t;
}

TEST(WinogradKernels, MatchTheReferenceOverShapes) {
  std::mt19937 random(41);
  for (int i = 0; i < 320; ++i) {
    WinogradCase t = random_case(random);
    t.after = static_cast<WinogradAfter>(i % static_cast<int>(WinogradAfter::count));
    t.integers = i % 4 == 3;
    expect_winograd([&] { return winograd_graph(t); }, winograd_inputs(t, static_cast<uint32_t>(i)), t.integers,
                    t.text());
  }
}

// Rounding grows with the channels that are summed.
TEST(WinogradKernels, StayWithinTheirToleranceAtManyChannels) {
  for (int64_t channels : {256, 512, 1024}) {
    WinogradCase t;
    t.channels = channels;
    t.filters = 40;
    t.height = t.width = 6;
    t.pads = {1, 1, 1, 1};
    expect_winograd([&] { return winograd_graph(t); }, winograd_inputs(t, 5), false, t.text());
  }
}

// Reads channels out of the middle of a larger tensor, and writes between others.
TEST(WinogradKernels, ReadAndWriteWindowsOfChannels) {
  for (int64_t channels : {5, 16, 35}) {
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {2, 6, 13, 9}});
      const ValueId wide = add_op(graph, "conv", {x, graph.add_constant(integer_tensor({channels + 5, 6, 1, 1}, 1))});
      const ValueId part = add_op(graph, "slice",
                                  {wide, graph.add_constant(ints_of({3})), graph.add_constant(ints_of({3 + channels})),
                                   graph.add_constant(ints_of({1}))});
      const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
      const ValueId y =
          add_op(graph, "conv", {part, graph.add_constant(integer_tensor({11, channels, 3, 3}, 2))}, same);
      graph.add_output(add_op(graph, "concat", {wide, y, wide}, {{"axis", int64_t{1}}}));
      return graph;
    };
    expect_winograd(make, {{"x", integer_tensor({2, 6, 13, 9}, 3)}}, true, fmt::format("{} of channels", channels));
  }
}

// Planes of a volume are further channels.
TEST(WinogradKernels, TakeVolumes) {
  std::mt19937 random(43);
  for (int i = 0; i < 24; ++i) {
    const int64_t batch = 1 + random() % 2, channels = 16 * (1 + random() % 3), filters = 1 + random() % 40,
                  depth = 3 + random() % 4, height = 1 + random() % 12, width = 1 + random() % 12,
                  planes = 1 + random() % 3, step = 1 + random() % 2;
    const bool integers = i % 2 == 0;
    const auto tensor = [&](std::vector<int64_t> extents, uint32_t seed) {
      return integers ? integer_tensor(std::move(extents), seed)
                      : random_tensor(std::move(extents), seed, 1 / std::sqrt(static_cast<float>(channels * planes)));
    };
    const auto make = [&] {
      Graph graph;
      const ValueId x = graph.add_input("x", {DataType::f32, {batch, channels, depth, height, width}});
      const Attrs attrs = {{"pads", std::vector<int64_t>{planes / 2, 1, 1, planes / 2, 1, 1}},
                           {"strides", std::vector<int64_t>{step, 1, 1}}};
      const ValueId w = graph.add_constant(tensor({filters, channels, planes, 3, 3}, 2));
      graph.add_output(add_op(graph, "relu", {add_op(graph, "conv", {x, w}, attrs)}));
      return graph;
    };
    expect_winograd(make, {{"x", tensor({batch, channels, depth, height, width}, 3)}}, integers,
                    fmt::format("n{} c{} m{} {}x{}x{} of {} planes, {} apart", batch, channels, filters, depth, height,
                                width, planes, step));
  }
}

// One plan, with the workspace of its largest extents, at all of them.
TEST(WinogradKernels, TakeExtentsFromTheirTensors) {
  const auto make = [] {
    Graph graph;
    graph.symbols["N"] = {SymbolKind::shape, {1, 1, 2}};
    graph.symbols["H"] = {SymbolKind::shape, {1, 20, 70}};
    graph.symbols["W"] = {SymbolKind::shape, {1, 30, 60}};
    const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("N"), 7, Dim::symbol("H"), Dim::symbol("W")}});
    const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
    graph.add_output(add_op(graph, "relu",
                            {add_op(graph, "conv", {x, graph.add_constant(integer_tensor({19, 7, 3, 3}, 1))}, same)}));
    return graph;
  };
  for (const std::vector<int64_t>& extents :
       {std::vector<int64_t>{1, 7, 1, 1}, {2, 7, 5, 60}, {1, 7, 33, 34}, {2, 7, 70, 60}, {1, 7, 70, 1}})
    expect_winograd(make, {{"x", integer_tensor(extents, 2)}}, true, listed(extents));
}

}  // namespace
}  // namespace planish
