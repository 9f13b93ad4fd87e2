#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "ir/text.h"
#include "runtime/prepared.h"
#include "support/networks.h"

namespace planish {
namespace {

using testing::random_tensor;

TEST(Context, MisuseIsAStatusThatNamesTheBinding) {
  auto engine = Engine::create(testing::build_small(true), create_cpu_device(1));
  auto context = engine->create_context();
  EXPECT_EQ(context->enqueue().code(), Code::invalid_state);
  const int64_t wrong_rank[] = {1, 3, 8}, outside[] = {9, 3, 8, 8}, good[] = {2, 3, 8, 8};
  EXPECT_EQ(context->set_shape("x", wrong_rank).code(), Code::invalid_argument);
  EXPECT_EQ(context->set_shape("nobody", good).code(), Code::not_found);
  const Status range = context->set_shape("x", outside);
  EXPECT_EQ(range.code(), Code::invalid_argument);
  EXPECT_NE(std::string(range.message()).find("[1, 4]"), std::string::npos) << range.message();
  ASSERT_TRUE(context->set_shape("x", good).ok());
  float small[4] = {};
  ASSERT_TRUE(context->bind("x", small, sizeof small).ok());
  EXPECT_FALSE(context->enqueue().ok());
}

TEST(Context, MemoryThatIsBoundIsAlignedToItsElements) {
  auto engine = Engine::create(testing::build_small(true), create_cpu_device(1));
  auto context = engine->create_context();
  const int64_t shape[] = {2, 3, 8, 8};
  context->set_shape("x", shape).raise();
  std::vector<float> memory(2 * 3 * 8 * 8 + 1, 1.f);
  auto* const odd = reinterpret_cast<std::byte*>(memory.data()) + 2;
  const Status refused = context->bind("x", odd, memory.size() * 4 - 4);
  EXPECT_EQ(refused.code(), Code::invalid_argument);
  for (const std::string& part :
       {std::string("'x'"), fmt::format("{}", static_cast<void*>(odd)), std::string("4 bytes"), std::string("f32")})
    EXPECT_NE(std::string(refused.message()).find(part), std::string::npos) << refused.message();
  EXPECT_EQ(context->bind(engine->bindings()[1].name, odd, 80).code(), Code::invalid_argument);
  EXPECT_TRUE(context->bind("x", memory.data() + 1, memory.size() * 4 - 4).ok());
}

TEST(Context, ARefusedShapeLeavesNothingToRun) {
  auto engine = Engine::create(testing::build_small(true), create_cpu_device(1));
  auto context = engine->create_context();
  const int64_t good[] = {2, 3, 8, 8}, outside[] = {9, 3, 8, 8};
  std::vector<float> x(2 * 3 * 8 * 8, 1.f), y(2 * 10);
  context->set_shape("x", good).raise();
  context->bind("x", x.data(), x.size() * 4).raise();
  context->bind(engine->bindings()[1].name, y.data(), y.size() * 4).raise();
  context->enqueue().raise();
  EXPECT_FALSE(context->set_shape("x", outside).ok());
  EXPECT_EQ(context->enqueue().code(), Code::invalid_argument);
  context->set_shape("x", good).raise();
  EXPECT_TRUE(context->enqueue().ok());
}

TEST(Context, InputsThatShareASymbolChangeOneAfterTheOther) {
  Graph graph;
  graph.symbols["N"] = {SymbolKind::shape, {1, 2, 8}};
  const ValueId a = graph.add_input("a", {DataType::f32, {Dim::symbol("N")}});
  const ValueId b = graph.add_input("b", {DataType::f32, {Dim::symbol("N")}});
  graph.add_output(add_op(graph, "add", {a, b}));
  auto device = create_cpu_device(1);
  auto context = Engine::create(build(std::move(graph), *device, {}), create_cpu_device(1))->create_context();
  const int64_t two[] = {2}, five[] = {5};
  for (const auto* extents : {&two, &five}) {
    context->set_shape("a", *extents).raise();
    EXPECT_FALSE(context->enqueue().ok());
    context->set_shape("b", *extents).raise();
    std::vector<int64_t> found;
    context->extents("a", found).raise();
    EXPECT_EQ(found[0], (*extents)[0]);
  }
}

// A combination that only exists between two calls is none of the caller's.
TEST(Context, ShapesAreSettledWhenAllAreGiven) {
  Graph graph;
  for (const char* name : {"N", "M"}) graph.symbols[name] = {SymbolKind::shape, {1, 4, 8}};
  const ValueId a = graph.add_input("a", {DataType::f32, {Dim::symbol("N"), 3}});
  const ValueId b = graph.add_input("b", {DataType::f32, {Dim::symbol("M"), 3}});
  const ValueId sum = add_op(graph, "concat", {a, b}, {{"axis", int64_t{0}}});
  graph.add_output(add_op(graph, "relu", {sum}, {}, "y"));
  auto device = create_cpu_device(1);
  Plan plan = build(std::move(graph), *device, {});
  // A window that only fits where both are equal.
  const Dim n = Dim::symbol("N"), m = Dim::symbol("M");
  const Dim apart = max(n, m) - min(n, m);
  plan.profiles[0].steps[0].inputs[0].offset = mod(apart, n * Dim(-(1 << 28))) * Dim(4);
  auto context = Engine::create(std::move(plan), create_cpu_device(1))->create_context();
  const auto set = [&](const char* name, int64_t extent) {
    return context->set_shape(name, std::vector<int64_t>{extent, 3});
  };
  std::vector<int64_t> found;
  for (int64_t extent : {2, 5, 5, 3}) {
    EXPECT_TRUE(set("a", extent).ok());
    EXPECT_TRUE(set("b", extent).ok());
    EXPECT_TRUE(context->extents("a", found).ok());
  }
  EXPECT_TRUE(set("a", 4).ok());
  EXPECT_FALSE(context->extents("a", found).ok());
  EXPECT_TRUE(set("b", 4).ok());
  EXPECT_TRUE(context->extents("a", found).ok());
  EXPECT_FALSE(set("a", 9).ok());
  EXPECT_TRUE(set("b", 4).ok());
  EXPECT_EQ(context->enqueue().code(), Code::invalid_state) << "'a' was refused";
}

TEST(Context, NothingIsChangedOrReadWhileItRuns) {
  auto engine = Engine::create(testing::build_small(true), create_cpu_device(1));
  auto context = engine->create_context();
  const Tensor x = random_tensor({2, 3, 8, 8}, 3);
  std::vector<float> y(20);
  const std::string output = engine->bindings()[1].name;
  context->set_shape("x", x.extents()).raise();
  context->bind("x", const_cast<std::byte*>(x.data()), static_cast<size_t>(x.byte_count())).raise();
  context->bind(output, y.data(), y.size() * 4).raise();
  context->enable_profiling(true).raise();
  int seen = 0;
  std::vector<StepTiming> timings;
  const void* data = nullptr;
  context
      ->set_observer([&](const Step&, std::span<const TensorView>) {
        ++seen;
        EXPECT_EQ(context->enable_profiling(false).code(), Code::busy);
        EXPECT_EQ(context->set_observer({}).code(), Code::busy);
        EXPECT_EQ(context->timings(timings).code(), Code::busy);
        EXPECT_EQ(context->output_data(output, data).code(), Code::busy);
      })
      .raise();
  context->enqueue().raise();
  EXPECT_GT(seen, 0);
  context->timings(timings).raise();
  EXPECT_EQ(static_cast<int>(timings.size()), seen);
  context->output_data(output, data).raise();
  EXPECT_EQ(data, y.data());
  EXPECT_EQ(context->output_data("nobody", data).code(), Code::not_found);
}

// Extents that inference could only take as equal are compared when they are known; so is what a reshape leaves over.
TEST(Context, ExtentsTakenAsEqualAreChecked) {
  Graph graph;
  for (const char* name : {"N", "M"}) graph.symbols[name] = {SymbolKind::shape, {1, 4, 8}};
  const ValueId a = graph.add_input("a", {DataType::f32, {Dim::symbol("N")}});
  const ValueId b = graph.add_input("b", {DataType::f32, {Dim::symbol("M")}});
  const ValueId pairs = graph.add_constant(Tensor::of<int64_t>({2}, std::vector<int64_t>{-1, 2}));
  graph.add_output(add_op(graph, "reshape", {add_op(graph, "add", {a, b}, {}, "sum"), pairs}, {}, "pairs"));
  EXPECT_TRUE(equal(graph, parse_graph(print(graph), constants_of(graph))));
  auto device = create_cpu_device(1);
  const auto bytes = serialize(build(std::move(graph), *device, {}));
  auto context = Engine::create(deserialize(bytes, nullptr), create_cpu_device(1))->create_context();
  const auto message = [&](int64_t n, int64_t m) {
    context->set_shape("a", std::vector<int64_t>{n}).raise();
    context->set_shape("b", std::vector<int64_t>{m}).raise();
    return std::string(context->enqueue().message());
  };
  EXPECT_EQ(message(4, 6), "node 'sum' (add) needs N equal to M; they are 4 and 6");
  EXPECT_NE(message(3, 3).find("node 'pairs' (reshape) needs"), std::string::npos) << message(3, 3);
  EXPECT_NE(message(4, 4).find("is not bound"), std::string::npos) << message(4, 4);
}

// What one branch assumes does not bind the other.
TEST(Context, ABranchIsCheckedWhereItRuns) {
  const char* text = R"ir(graph "g" symbols {N: shape [1, 2, 8]} (%c : bool[], %x : f32[N,4]) {
  %y = if(%c, %x) {} "choice" : f32[4]
    region guards {"N" == "1" "node 'squeeze' (squeeze)"} (%x : f32[N,4]) {
      %axes = constant i64[1] [0]
      %r = squeeze(%x, %axes) {} "squeeze" : f32[4]
      return %r
    }
    region (%x : f32[N,4]) {
      %axes = constant i64[1] [0]
      %r = reduce_sum(%x, %axes) {keepdims=0} "sum" : f32[4]
      return %r
    }
  return %y
})ir";
  Graph graph = parse_graph(text);
  EXPECT_TRUE(equal(graph, parse_graph(print(graph))));
  infer_all(graph);
  EXPECT_TRUE(graph.guards.empty());
  auto device = create_cpu_device(1);
  const auto bytes = serialize(build(std::move(graph), *device, {}));
  auto context = Engine::create(deserialize(bytes, nullptr), device)->create_context();
  const auto first_of = [&](bool condition, int64_t n) {
    std::vector<float> x(static_cast<size_t>(n) * 4, 3), y(4);
    context->set_shape("x", std::vector<int64_t>{n, 4}).raise();
    context->bind("c", &condition, 1).raise();
    context->bind("x", x.data(), x.size() * sizeof(float)).raise();
    context->bind("y", y.data(), y.size() * sizeof(float)).raise();
    context->enqueue().raise();
    return y[0];
  };
  EXPECT_EQ(first_of(true, 1), 3);
  EXPECT_EQ(first_of(false, 5), 15);
  try {
    first_of(true, 5);
    ADD_FAILURE() << "5 rows are not one";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'squeeze' (squeeze) needs N equal to 1; they are 5 and 1"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(first_of(true, 1), 3);
}

// What a plan with this change says when shapes are set.
template <class Change>
std::string misfit(Change change) {
  Plan plan = testing::build_small(true);
  change(plan.profiles[0].steps);
  auto context = Engine::create(std::move(plan), create_cpu_device(1))->create_context();
  const int64_t extents[] = {2, 3, 8, 8};
  const Status status = context->set_shape("x", extents);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(context->enqueue().code(), status.code()) << "nothing may be left to run";
  return status.message();
}

TEST(Context, AStepThatDoesNotFitIsNamed) {
  const std::string text = misfit([](std::vector<Step>& steps) { steps[0].inputs.pop_back(); });
  for (const char* part : {"small", "step ", "conv1", "operands"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Context, ResultsLieWhereTheyMayBeWritten) {
  const auto is_constant = [](const Step& step) { return step.inputs[1]; };
  EXPECT_NE(misfit([&](std::vector<Step>& steps) {
              ViewDesc& result = steps[0].outputs[0];
              result.buffer = is_constant(steps[0]).buffer;
              for (Dim& dim : result.dims) dim = 1;
            }).find("result 0: is written to a constant or an input"),
            std::string::npos);
  EXPECT_NE(
      misfit([](std::vector<Step>& steps) { steps.back().inputs[0] = steps.back().outputs[0]; }).find("lies over"),
      std::string::npos);
}

// Bounds of an expression say less than its value: what they let pass is looked at again.
TEST(Context, WindowsAreCheckedAtTheShapesSet) {
  const Dim n = Dim::symbol("N");
  const std::string text =
      misfit([&](std::vector<Step>& steps) { steps[0].inputs[0].offset = mod(Dim(7), n * Dim(-(1 << 28))) * Dim(4); });
  EXPECT_NE(text.find("operand 0: reaches"), std::string::npos) << text;
}

// Channels of a channels-last tensor, which begins anywhere in its memory.
TEST(Views, WindowsOfOneTensorAreApartWhereverItLies) {
  const auto check = [](int64_t begin, int64_t from, int64_t to) {
    constexpr int64_t kChannels = 8, kPart = 4, kPixels = 9;
    Step step;
    step.inputs.resize(1);
    step.outputs.resize(1);
    step.inputs[0].offset = Dim(from * 4);
    step.outputs[0].offset = Dim(to * 4);
    TensorView part;
    part.dtype = DataType::f32;
    part.rank = 4;
    part.dims = {1, kPart, 3, 3};
    part.strides = {kChannels * kPixels, 1, kChannels * 3, kChannels};
    PreparedStep prepared;
    prepared.step = &step;
    prepared.inputs = prepared.outputs = {part};
    check_views(prepared, {}, [&](const ViewDesc& view) {
      return Place{0, begin, kChannels * kPixels * 4, view.offset.value(), true};
    });
  };
  for (int64_t begin = 0; begin < 128; begin += 4) {
    EXPECT_NO_THROW(check(begin, 0, 4)) << begin;
    EXPECT_NO_THROW(check(begin, 4, 0)) << begin;
    EXPECT_THROW(check(begin, 0, 3), Error) << begin;
    EXPECT_THROW(check(begin, 2, 0), Error) << begin;
  }
}

TEST(Context, ShapesChangeBetweenRuns) {
  const Plan plan = testing::build_small(true), reference = testing::build_small(false);
  for (int64_t n : {1, 4, 2, 3}) {
    const Tensor x = random_tensor({n, 3, 8, 8}, static_cast<uint32_t>(n));
    const auto found = testing::run(plan, {{"x", x}}), expected = testing::run(reference, {{"x", x}});
    for (const auto& [name, tensor] : expected) EXPECT_LT(testing::relative_l2(found.at(name), tensor), 1e-5) << n;
  }
}

TEST(Context, ResultsDoNotDependOnTheThreadCount) {
  const Plan plan = testing::build_small(true);
  const Tensor x = random_tensor({4, 3, 8, 8}, 9);
  const auto one = testing::run(plan, {{"x", x}}, 1);
  for (int threads : {2, 3}) EXPECT_EQ(testing::run(plan, {{"x", x}}, threads).begin()->second, one.begin()->second);
}

TEST(Context, ManyThreadsShareAnEngine) {
  auto engine = Engine::create(testing::build_small(true), create_cpu_device(2));
  const Tensor x = random_tensor({2, 3, 8, 8}, 3);
  const Tensor expected = testing::run(engine->plan(), {{"x", x}}).begin()->second;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto context = engine->create_context();
      std::vector<float> y(20);
      context->set_shape("x", x.extents()).raise();
      context->bind("x", const_cast<std::byte*>(x.data()), static_cast<size_t>(x.byte_count())).raise();
      context->bind(engine->bindings()[1].name, y.data(), y.size() * 4).raise();
      for (int k = 0; k < 50; ++k) {
        context->enqueue().raise();
        if (!std::equal(y.begin(), y.end(), expected.as<float>().begin())) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Stream, RunsInOrderAndReportsTheFirstFailure) {
  auto device = create_cpu_device(1);
  auto stream = device->create_stream();
  auto before = device->create_event(), after = device->create_event();
  std::vector<int> order;
  ASSERT_TRUE(before->record(*stream).ok());
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(stream
                    ->submit([&order, i] {
                      order.push_back(i);
                      return Status();
                    })
                    .ok());
  ASSERT_TRUE(stream->submit([] { return Status(Code::io, "no"); }).ok());
  ASSERT_TRUE(after->record(*stream).ok());
  EXPECT_EQ(stream->synchronize().code(), Code::io);
  EXPECT_TRUE(stream->synchronize().ok());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_GE(after->milliseconds_since(*before), 0);
}

}  // namespace
}  // namespace planish
