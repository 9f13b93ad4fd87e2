#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "unit/api/allocations.h"
#include "unit/api/common.h"

namespace planish::testing {
namespace {

std::atomic<int> g_instances{0};

// y[n, 2c + k] = x[n, c] * gain[k]: gives twice as many channels; needs scratch for a copy of x.
class Twofold final : public Plugin {
 public:
  explicit Twofold(std::vector<double> gains) : gains_(std::move(gains)) {
    if (gains_.size() != 2) throw std::invalid_argument("two gains are needed");
    ++g_instances;
  }
  ~Twofold() override { --g_instances; }

  std::string serialize() const override {
    return {reinterpret_cast<const char*>(gains_.data()), gains_.size() * sizeof(double)};
  }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const override {
    if (inputs.size() != 1 || inputs[0].rank() != 2) throw std::invalid_argument("one operand of rank 2 is needed");
    return {{inputs[0].dtype, {inputs[0].dims[0], inputs[0].dims[1] * 2}}};
  }

  int64_t workspace(const PluginCall& call) const override {
    return call.inputs()[0].extents[0] * call.inputs()[0].extents[1] * 4;
  }

  void run(const PluginCall& call) override {
    const planish_view &x = call.inputs()[0], &y = call.outputs()[0];
    const int64_t rows = x.extents[0], columns = x.extents[1];
    auto* copy = static_cast<float*>(call.workspace());
    std::memcpy(copy, x.data, static_cast<size_t>(rows * columns) * 4);
    if (copy[0] == 666) throw std::runtime_error("the number of the beast");
    auto* out = static_cast<float*>(y.data);
    call.parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * columns; i < end * columns; ++i)
        for (int64_t k = 0; k < 2; ++k) out[2 * i + k] = copy[i] * static_cast<float>(gains_[static_cast<size_t>(k)]);
    });
  }

 private:
  std::vector<double> gains_;
};

class TwofoldCreator final : public PluginCreator {
 public:
  explicit TwofoldCreator(int version = 1) : version_(version) {}
  std::string name() const override { return "test::twofold"; }
  int version() const override { return version_; }
  std::unique_ptr<Plugin> create(const Attributes& attributes) const override {
    return std::make_unique<Twofold>(attributes.get<std::vector<double>>("gains"));
  }
  std::unique_ptr<Plugin> deserialize(std::string_view bytes) const override {
    std::vector<double> gains(bytes.size() / sizeof(double));
    std::memcpy(gains.data(), bytes.data(), gains.size() * sizeof(double));
    return std::make_unique<Twofold>(std::move(gains));
  }

 private:
  int version_;
};

class Registered {
 public:
  explicit Registered(int version = 1) { register_plugin(std::make_unique<TwofoldCreator>(version)); }
  ~Registered() { unregister_plugin("test::twofold"); }
};

const Attributes kGains = {{"gains", Attribute::Value(std::vector<double>{2, -1})}};

// relu(twofold(x + 1)): the plugin stands between nodes of the library.
Network network() {
  Network net("with_plugin");
  const Value x = net.input("x", DataType::f32, {"N", 3});
  const Value two = net.output(
      net.add_plugin("test::twofold", {elementwise(net, Elementwise::add, x, net.scalar(1.f))}, kGains, "twofold"));
  net.mark_output(activation(net, two, Activation::relu), "y");
  net.set_range("N", 1, 2, 8);
  return net;
}

std::vector<float> expected(const std::vector<float>& x) {
  std::vector<float> y;
  for (float value : x)
    for (float gain : {2.f, -1.f}) y.push_back(std::max(0.f, (value + 1) * gain));
  return y;
}

std::vector<float> run_row(Context& context, std::vector<float> x) {
  std::vector<float> y(x.size() * 2);
  context.set_shape("x", {static_cast<int64_t>(x.size()) / 3, 3});
  context.bind("x", x);
  context.bind("y", y);
  context.run();
  return y;
}

TEST(Plugin, RunsFromNetworkOverFileToResult) {
  const Registered plugin;
  const Network net = network();
  EXPECT_EQ(net.extents(net.outputs()[0]), (Extents{-1, 6}));
  for (bool fuse : {true, false}) {
    BuildOptions options = untuned({});
    options.fuse = fuse;
    const Plan plan = build(net, options);
    const auto path = (std::filesystem::temp_directory_path() / ("plugin" + std::to_string(getpid()))).string();
    plan.save(path);
    const Engine engine(path);
    std::filesystem::remove(path);
    Context context(engine);
    for (uint32_t rows : {1u, 8u, 3u}) {
      const auto x = random_values(rows * 3, rows);
      EXPECT_EQ(run_row(context, x), expected(x));
    }
  }
  EXPECT_EQ(g_instances.load(), 0);
}

TEST(Plugin, EachContextHasItsOwnInstance) {
  const Registered plugin;
  const Engine engine(build(network(), untuned({})));
  EXPECT_EQ(g_instances.load(), 0);
  Context one(engine), two(engine);
  EXPECT_EQ(g_instances.load(), 2);
}

TEST(Plugin, NotRegisteredIsAMismatchThatNamesIt) {
  auto plugin = std::make_unique<Registered>();
  const Plan plan = build(network(), untuned({}));
  plugin.reset();
  const Error error = error_of([&] { Engine{plan}; });
  EXPECT_EQ(error.code(), Code::mismatch);
  EXPECT_NE(std::string(error.what()).find("plugin 'test::twofold' version 1"), std::string::npos) << error.what();
  const Registered other(2);
  EXPECT_NE(std::string(error_of([&] { Engine{plan}; }).what()).find("version 2 is registered"), std::string::npos);
}

// The same name and version, another meaning: the plan's views would not fit.
class Impostor final : public Plugin {
 public:
  std::string serialize() const override { return {}; }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const override {
    return {{inputs[0].dtype, {inputs[0].dims[0], inputs[0].dims[1] * 3}}};
  }
  void run(const PluginCall&) override {}
};

class ImpostorCreator final : public PluginCreator {
 public:
  std::string name() const override { return "test::twofold"; }
  std::unique_ptr<Plugin> create(const Attributes&) const override { return std::make_unique<Impostor>(); }
  std::unique_ptr<Plugin> deserialize(std::string_view) const override { return std::make_unique<Impostor>(); }
};

TEST(Plugin, AnotherMeaningIsNoticedBeforeItRuns) {
  auto plugin = std::make_unique<Registered>();
  const Plan plan = build(network(), untuned({}));
  plugin.reset();
  register_plugin(std::make_unique<ImpostorCreator>());
  {
    const Engine engine(plan);
    Context context(engine);
    const Error error = error_of([&] { context.set_shape("x", {2, 3}); });
    EXPECT_EQ(error.code(), Code::mismatch);
    EXPECT_NE(std::string(error.what()).find("gives f32[2,9] for step 'twofold', the plan has f32[2,6]"),
              std::string::npos)
        << error.what();
  }
  unregister_plugin("test::twofold");
}

TEST(Plugin, AnEngineKeepsItsPlugins) {
  auto plugin = std::make_unique<Registered>();
  const Engine engine(build(network(), untuned({})));
  Context context(engine);
  plugin.reset();
  const auto x = random_values(6, 2);
  EXPECT_EQ(run_row(context, x), expected(x));
}

TEST(Plugin, ItsExceptionsAreErrorsOfTheCall) {
  const Registered plugin;
  Network net("n");
  const Value x = net.input("x", DataType::f32, {2, 3, 4});
  const Error rank = error_of([&] { net.add_plugin("test::twofold", {x}, kGains); });
  EXPECT_NE(std::string(rank.what()).find("rank 2 is needed"), std::string::npos) << rank.what();
  const Error gains = error_of([&] {
    net.add_plugin("test::twofold", {x}, {{"gains", Attribute::Value(std::vector<double>{1})}});
  });
  EXPECT_NE(std::string(gains.what()).find("two gains are needed"), std::string::npos) << gains.what();
  EXPECT_EQ(error_of([&] { net.add_plugin("test::nothing", {x}); }).code(), Code::not_found);
  EXPECT_TRUE(net.nodes().empty());
  const Engine engine(build(network(), untuned({})));
  Context context(engine);
  const Error beast = error_of([&] { run_row(context, {665, 0, 0}); });
  EXPECT_NE(std::string(beast.what()).find("twofold"), std::string::npos) << beast.what();
  EXPECT_NE(std::string(beast.what()).find("the number of the beast"), std::string::npos) << beast.what();
  EXPECT_EQ(run_row(context, {1, 2, 3}), expected({1, 2, 3}));
}

TEST(Plugin, ResultsFollowChangedOperands) {
  const Registered plugin;
  Network net("n");
  const Value a = net.input("a", DataType::f32, {2, 3}), b = net.input("b", DataType::f32, {"M", 5});
  const Node first = net.add_plugin("test::twofold", {a}, kGains),
             second = net.add_plugin("test::twofold", {net.output(first)}, kGains);
  EXPECT_EQ(net.extents(net.output(second)), (Extents{2, 12}));
  net.set_operand(first, 0, b);
  EXPECT_EQ(net.type(net.output(second)).str(), "f32[M,20]");
}

TEST(Plugin, RunsWithoutAllocating) {
  const Registered plugin;
  const Engine engine(build(network(), untuned({})));
  Context context(engine);
  const auto x = random_values(6, 2);
  std::vector<float> y(12);
  context.set_shape("x", {2, 3});
  context.bind("x", x);
  context.bind("y", y);
  for (int i = 0; i < 20; ++i) context.run();  // every thread has taken part
  const int64_t before = allocations();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(context.try_enqueue(), PLANISH_OK);
  EXPECT_EQ(allocations(), before);
}

TEST(PluginTable, IncompleteTablesAreRefused) {
  auto type = detail::sized<planish_plugin_type>();
  type.name = "test::broken";
  EXPECT_EQ(planish_plugin_register(&type), PLANISH_MISMATCH);
  type.abi = PLANISH_PLUGIN_ABI;
  EXPECT_EQ(planish_plugin_register(&type), PLANISH_INVALID_ARGUMENT);
  EXPECT_NE(std::string(planish_last_error()).find("'test::broken' lacks a function"), std::string::npos);
  EXPECT_EQ(planish_plugin_register(nullptr), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_plugin_unregister("test::broken"), PLANISH_NOT_FOUND);
  const Registered plugin;
  EXPECT_EQ(error_of([] { register_plugin(std::make_unique<TwofoldCreator>()); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace planish::testing
