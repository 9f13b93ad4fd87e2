#include <gtest/gtest.h>

#include <stdexcept>

#include "unit/api/common.h"

namespace planish::testing {
namespace {

TEST(Network, TellsWhatItConsistsOf) {
  Network net("two");
  const Value a = net.input("a", DataType::f32, {"N", 4}), b = net.input("b", DataType::f32, {-1, 4});
  const Value w = net.constant({4, 2}, std::vector<float>(8, 1.f), "w");
  const Node node = net.add_node("matmul", {a, w}, {}, "product");
  const Value y = net.output(node);
  EXPECT_EQ(net.name(), "two");
  EXPECT_EQ(net.inputs(), (std::vector<Value>{a, b}));
  EXPECT_EQ(net.extents(y), (Extents{-1, 2}));
  EXPECT_EQ(net.type(y).str(), "f32[N,2]");
  EXPECT_EQ(net.extents(b), (Extents{-1, 4}));
  EXPECT_NE(net.type(b).dims[0], net.type(a).dims[0]);
  EXPECT_TRUE(net.is_input(a));
  EXPECT_TRUE(net.is_constant(w));
  EXPECT_EQ(static_cast<const float*>(net.constant_data(w))[7], 1.f);
  EXPECT_EQ(net.producer(y), node);
  EXPECT_EQ(net.producer(a), std::nullopt);
  EXPECT_EQ(net.op(node), "matmul");
  EXPECT_EQ(net.name(node), "product");
  EXPECT_EQ(net.operands(node), (std::vector<Value>{a, w}));
  EXPECT_EQ(net.find("w"), w);
  EXPECT_EQ(net.find("nobody"), std::nullopt);
  EXPECT_FALSE(net.is_output(y));
  net.mark_output(y, "result");
  EXPECT_TRUE(net.is_output(y));
  EXPECT_EQ(net.name(y), "result");
  EXPECT_EQ(net.outputs(), std::vector<Value>{y});
  EXPECT_NE(net.text().find("matmul"), std::string::npos);
  net.unmark_output(y);
  EXPECT_TRUE(net.outputs().empty());
}

TEST(Network, AttributesAreReadAndChanged) {
  Network net;
  const Value x = net.input("x", DataType::f32, {1, 3, 8, 8});
  const Value y = convolution(net, x, random_constant(net, {4, 3, 3, 3}, 1), {}, {.pads = {1, 1, 1, 1}});
  const Value z = activation(net, y, Activation::relu);
  const Node conv = *net.producer(y);
  EXPECT_EQ(net.attributes(conv).get<std::vector<int64_t>>("pads"), (Extents{1, 1, 1, 1}));
  EXPECT_EQ(net.extents(z), (Extents{1, 4, 8, 8}));
  net.set_attribute(conv, {"strides", Attribute::Value(Extents{2, 2})});
  EXPECT_EQ(net.extents(z), (Extents{1, 4, 4, 4}));
  const std::string before = net.text();
  EXPECT_EQ(error_of([&] { net.set_attribute(conv, {"group", 2}); }).code(), Code::invalid_model);
  EXPECT_EQ(error_of([&] { net.set_attribute(conv, {"colour", 2}); }).code(), Code::invalid_model);
  EXPECT_EQ(net.text(), before);
  net.erase_attribute(conv, "pads");
  EXPECT_EQ(net.extents(z), (Extents{1, 4, 3, 3}));
  const Value wide = random_constant(net, {16, 3, 3, 3}, 2);
  net.set_operand(conv, 1, wide);
  EXPECT_EQ(net.extents(z), (Extents{1, 16, 3, 3}));
  EXPECT_EQ(error_of([&] { net.set_operand(conv, 0, z); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { net.remove(conv); }).code(), Code::invalid_state);
  net.set_name(conv, "first");
  net.set_name(y, "features");
  EXPECT_EQ(net.name(conv), "first");
  EXPECT_EQ(net.find("features"), y);
  const Node relu = *net.producer(z);
  net.remove(relu);
  EXPECT_EQ(error_of([&] { net.name(relu); }).code(), Code::invalid_argument);
  net.remove(conv);
  EXPECT_TRUE(net.nodes().empty());
}

TEST(Network, WrongCallsNameWhatIsWrong) {
  Network net;
  const Value x = net.input("x", DataType::f32, {1, 3, 8, 8});
  EXPECT_EQ(error_of([&] { net.input("x", DataType::f32, {1}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { net.input("v", DataType::f32, {"N + 1"}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { net.input("v", DataType::none, {1}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { net.add("no_such_op", {x}); }).code(), Code::unsupported);
  EXPECT_EQ(error_of([&] { net.add("relu", {x, x}); }).code(), Code::invalid_model);
  EXPECT_EQ(error_of([&] { net.add("relu", {Value{77}}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { net.constant({3}, std::vector<float>(2)); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { build(net); }).code(), Code::invalid_argument);  // no outputs
  const Error error = error_of([&] { convolution(net, x, random_constant(net, {4, 2, 3, 3}, 1), {}, {}, 1, "bad"); });
  EXPECT_EQ(error.code(), Code::invalid_model);
  EXPECT_NE(std::string(error.what()).find("bad"), std::string::npos) << error.what();
  EXPECT_TRUE(net.nodes().empty());
}

TEST(Network, AnInputCanBeAnOutput) {
  Network net;
  const Value x = net.input("x", DataType::f32, {3});
  net.mark_output(x, "same");
  net.mark_output(activation(net, x, Activation::relu), "positive");
  const Engine engine(build(net, untuned({})));
  Context context(engine);
  const std::vector<float> given = {-1, 2, -3};
  std::vector<float> same(3), positive(3);
  context.bind("x", given);
  context.bind("same", same);
  context.bind("positive", positive);
  context.run();
  EXPECT_EQ(same, given);
  EXPECT_EQ(positive, (std::vector<float>{0, 2, 0}));
}

TEST(Network, EveryLayerBuildsAndRuns) {
  Network net("layers");
  const Value x = net.input("x", DataType::f32, {2, 4, 6, 6});
  const std::vector<float> ones(4, 1.f), halves(4, 0.5f);
  const Value c = net.constant({4}, ones), h = net.constant({4}, halves);
  const Value bn = batch_normalization(net, x, c, h, h, c);
  const Value up = deconvolution(net, bn, random_constant(net, {4, 3, 2, 2}, 1), {}, {.strides = {2, 2}});
  EXPECT_EQ(net.extents(up), (Extents{2, 3, 12, 12}));
  const auto parts = split(net, average_pool(net, up, {.kernel = {2, 2}, .strides = {2, 2}}), {1, 2}, 1);
  const Value joined = concatenation(net, {parts[1], parts[0], x}, 1);
  EXPECT_EQ(net.extents(joined), (Extents{2, 7, 6, 6}));
  const Value cut = slice(net, pad(net, joined, {0, 0, 1, 1, 0, 0, 1, 1}), {1, 1}, {7, 7}, {2, 3});
  const Value sized = resize(net, cut, {2, 7, 3, 3}, "linear");
  const Value scaled =
      scale(net, sized, net.constant({7, 1, 1}, std::vector<float>(7, 2.f)), net.scalar(1.f), net.scalar(2.f));
  const Value turned = transpose(net, reshape(net, scaled, {0, 7, -1}), {0, 2, 1});
  EXPECT_EQ(net.extents(turned), (Extents{2, 9, 7}));
  const Value normed = layer_normalization(net, turned, net.constant({7}, std::vector<float>(7, 1.f)));
  const Value product = matmul(net, normed, transpose(net, normed, {0, 2, 1}));
  const Value chosen = select(net, elementwise(net, Elementwise::greater, product, net.scalar(0.f)),
                              unary(net, Unary::exp, product), net.scalar(0.f));
  const Value few =
      gather(net, reduce(net, chosen, Reduction::mean, {2}), net.constant({2}, std::vector<int64_t>{0, 3}), 1);
  net.mark_output(cast(net, squeeze(net, unsqueeze(net, few, {0}), {0}), DataType::f64), "y");
  net.mark_output(global_average_pool(net, identity(net, joined)), "pooled");
  EXPECT_EQ(net.extents(*net.find("y")), (Extents{2, 2, 1}));
  const auto data = random_values(2 * 4 * 36, 6);
  std::vector<double> fast(4), reference(4);
  for (auto* y : {&fast, &reference}) {
    BuildOptions options = untuned({});
    options.fuse = y == &fast;
    const Engine engine(build(net, options));
    Context context(engine);
    std::vector<float> pooled(14);
    context.bind("x", data);
    context.bind("y", *y);
    context.bind("pooled", pooled);
    context.run();
  }
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(fast[i], reference[i], 1e-3 * (1 + std::abs(reference[i])));
}

TEST(Network, ABranchIsTakenAtRunTime) {
  const auto body = [](const char* op) {
    Network net;
    const Value x = net.input("inner", DataType::f32, {4});
    net.mark_output(net.add(op, {x, net.scalar(10.f)}));
    return net;
  };
  Network net;
  const Value condition = net.input("which", DataType::boolean, {}), x = net.input("x", DataType::f32, {4});
  net.mark_output(net.output(net.add_if(condition, {x}, body("add"), body("mul"))), "y");
  const Engine engine(build(net, untuned({})));
  Context context(engine);
  const std::vector<float> data = {1, 2, 3, 4};
  std::vector<float> y(4);
  bool which = true;
  context.bind("x", data);
  context.bind("which", static_cast<void*>(&which), 1);
  context.bind("y", y);
  context.run();
  EXPECT_EQ(y, (std::vector<float>{11, 12, 13, 14}));
  which = false;
  context.run();
  EXPECT_EQ(y, (std::vector<float>{10, 20, 30, 40}));
}

// What a node assumes goes with it.
TEST(Network, AssumptionsFollowTheNodes) {
  Network net;
  const Value a = net.input("a", DataType::f32, {"N"}), b = net.input("b", DataType::f32, {"M"});
  const Node sum = *net.producer(net.add("add", {a, b}));
  net.mark_output(net.output(sum), "y");
  for (const char* symbol : {"N", "M"}) net.set_range(symbol, 1, 2, 4);
  const auto message = [](const Network& network) {
    const Engine engine(build(network, untuned({})));
    Context context(engine);
    context.set_shape("a", {2});
    return std::string(error_of([&] { context.set_shape("b", {3}), context.run(); }).what());
  };
  EXPECT_NE(message(net).find("needs N equal to M"), std::string::npos) << message(net);
  EXPECT_NE(message(net.clone()).find("needs N equal to M"), std::string::npos);
  const Value unused = net.add("add", {a, b});
  net.remove(*net.producer(unused));
  EXPECT_NE(message(net).find("needs N equal to M"), std::string::npos);
  net.set_operand(sum, 1, a);
  EXPECT_NE(message(net).find("'a' is not bound"), std::string::npos) << message(net);
}

TEST(Build, NeedsARangeForEveryDynamicExtent) {
  Network net = small_network();
  const Error error = error_of([&] { build(net, untuned({})); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_NE(std::string(error.what()).find("'N' has no range"), std::string::npos) << error.what();
  net.set_range("N", 1, 1, 3);
  EXPECT_EQ(Engine(build(net, untuned({}))).range("x").max, (Extents{3, 3, 8, 8}));
  EXPECT_EQ(error_of([&] { net.set_range("M", 1, 1, 3); }).code(), Code::not_found);
  EXPECT_EQ(error_of([&] { net.set_range("N", 3, 1, 3); }).code(), Code::invalid_argument);
}

TEST(Build, ProfilesShareConstants) {
  const Network net = small_network();
  const InputRanges few = {{"x", {2, 3, 8, 8}, {8, 3, 8, 8}, {8, 3, 8, 8}}},
                    more = {{"x", {2, 3, 8, 8}, {8, 3, 8, 8}, {16, 3, 8, 8}}};
  EXPECT_EQ(Engine(build(net, untuned({few, more}))).info().constant_bytes,
            Engine(build(net, untuned({few}))).info().constant_bytes);
}

TEST(Build, ProfilesHaveExtentsOfTheirOwn) {
  const Network net = small_network();
  const InputRanges one = {InputRange::fixed("x", {1, 3, 8, 8})},
                    many = {{"x", {2, 3, 8, 8}, {8, 3, 8, 8}, {16, 3, 8, 8}}};
  const Engine engine(build(net, untuned({one, many})));
  EXPECT_EQ(engine.profile_count(), 2);
  EXPECT_EQ(engine.range("x", 1).max, (Extents{16, 3, 8, 8}));
  EXPECT_LT(engine.arena_bytes(0), engine.arena_bytes(1));
  Context first(engine, {.profile = 0}), second(engine, {.profile = 1});
  const auto x = random_values(3 * 192, 8);
  const auto wide = run(second, 3, x), narrow = run(first, 1, {x.begin(), x.begin() + 192});
  for (size_t i = 0; i < 10; ++i) EXPECT_NEAR(wide[i], narrow[i], 1e-5);
  EXPECT_EQ(error_of([&] { second.set_shape("x", {1, 3, 8, 8}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { build(net, untuned({{InputRange::fixed("z", {1})}})); }).code(), Code::not_found);
  EXPECT_EQ(error_of([&] {
              build(net, untuned({{InputRange::fixed("x", {1, 4, 8, 8})}}));
            }).code(),
            Code::invalid_argument);
}

// What one profile folds, and so takes as given, does not bind the other.
TEST(Build, ProfilesAssumeApart) {
  const auto body = [](const char* op) {
    Network inner;
    const Value part = inner.input("part", DataType::f32, {"N", 4});
    inner.mark_output(inner.add(op, {part, inner.constant({1}, std::vector<int64_t>{0}, "axes")},
                                std::string(op) == "squeeze" ? Attributes{} : Attributes{{"keepdims", 0}}));
    return inner;
  };
  Network net;
  const Value x = net.input("x", DataType::f32, {"N", 4});
  const Value rows = net.add("gather", {net.add("shape", {x}), net.scalar(int64_t{0})});
  const Value one = net.add("equal", {rows, net.scalar(int64_t{1})});
  net.mark_output(net.output(net.add_if(one, {x}, body("squeeze"), body("reduce_sum"))), "y");
  const InputRanges single = {InputRange::fixed("x", {1, 4})}, many = {{"x", {2, 4}, {2, 4}, {8, 4}}};
  const Engine engine(build(net, untuned({single, many})));
  std::vector<float> y(4);
  for (int profile : {0, 1}) {
    Context context(engine, {.profile = profile});
    const std::vector<float> data(profile == 0 ? 4 : 12, 2.f);
    context.set_shape("x", {profile == 0 ? 1 : 3, 4});
    context.bind("x", data);
    context.bind("y", y);
    context.run();
    EXPECT_EQ(y[3], profile == 0 ? 2 : 6);
  }
}

TEST(Build, EqualInputGivesEqualBytes) {
  const auto bytes = [](const Plan& plan) { return std::vector<std::byte>(plan.bytes().begin(), plan.bytes().end()); };
  EXPECT_EQ(bytes(build(small_network(), untuned())), bytes(build(small_network(), untuned())));
}

TEST(Build, ProgressIsToldAndCanCancel) {
  BuildOptions options = untuned();
  std::vector<std::string> phases;
  std::vector<CandidateReport> candidates;
  options.progress = [&](const BuildProgress& progress) {
    phases.push_back(progress.phase);
    return true;
  };
  options.candidates = [&](const CandidateReport& report) { candidates.push_back(report); };
  build(small_network(), options);
  EXPECT_GE(phases.size(), 4u);
  EXPECT_TRUE(std::any_of(candidates.begin(), candidates.end(),
                          [](const CandidateReport& r) { return r.chosen && r.microseconds >= 0; }));
  options.progress = [](const BuildProgress& progress) { return progress.phase != "tuning"; };
  EXPECT_EQ(error_of([&] { build(small_network(), options); }).code(), Code::cancelled);
  options.progress = [](const BuildProgress&) -> bool { throw std::domain_error("mine"); };
  EXPECT_THROW(build(small_network(), options), std::domain_error);
}

}  // namespace
}  // namespace planish::testing
