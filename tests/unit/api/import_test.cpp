#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "unit/api/allocations.h"
#include "unit/api/common.h"

namespace planish::testing {
namespace {

const std::string kModel = std::string(PLANISH_TESTS_DIR) + "/../demo/digits.onnx";

std::vector<std::byte> file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

TEST(Import, AModelBecomesANetworkThatCanBeRead) {
  const Network net = Network::import_file(kModel);
  ASSERT_EQ(net.inputs().size(), 1u);
  EXPECT_EQ(net.name(net.inputs()[0]), "image");
  EXPECT_EQ(net.dtype(net.inputs()[0]), DataType::f32);
  EXPECT_GE(net.nodes().size(), 5u);
  int convolutions = 0;
  for (Node node : net.nodes()) convolutions += net.op(node) == "conv" ? 1 : 0;
  EXPECT_GE(convolutions, 1);
  const Network copy = net.clone();
  EXPECT_EQ(copy.text(), net.text());
}

TEST(Import, MemoryAndFileGiveTheSamePlan) {
  std::vector<std::byte> bytes = file_bytes(kModel);
  const Network from_memory = Network::import_bytes(bytes, "digits");
  std::fill(bytes.begin(), bytes.end(), std::byte{0});  // the network has its own copy
  const Engine one(build(kModel, untuned({}))), two(build(from_memory, untuned({})));
  Context first(one), second(two);
  const Binding input = one.bindings()[0], output = one.bindings()[1];
  const auto x = random_values(static_cast<size_t>(element_count(input.extents)), 4);
  std::vector<float> a(static_cast<size_t>(element_count(output.extents))), b(a.size(), -1);
  for (auto [context, y] : {std::pair(&first, &a), std::pair(&second, &b)}) {
    context->bind(input.name, x);
    context->bind(output.name, *y);
    context->run();
  }
  EXPECT_EQ(a, b);
}

TEST(Import, ARealModelRunsWithoutAllocating) {
  const Engine engine(build(kModel, untuned({})), {.threads = 2});
  Context context(engine);
  const Binding input = engine.bindings()[0], output = engine.bindings()[1];
  const auto x = random_values(static_cast<size_t>(element_count(input.extents)), 4);
  std::vector<float> y(static_cast<size_t>(element_count(output.extents)));
  context.bind(input.name, x);
  context.bind(output.name, y);
  // A worker that the system lets run only now takes its scratch memory once.
  int64_t before = 0, since = 0;
  for (int i = 0; i < 2000 && since < 50; ++i) {
    if (since == 0) before = allocations();
    ASSERT_EQ(context.try_enqueue(), PLANISH_OK);
    since = allocations() == before ? since + 1 : 0;
  }
  EXPECT_EQ(since, 50);
}

constexpr const char* kCaffe =
    "input: 'x' input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 3\n"
    "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'y' convolution_param { num_output: 4 kernel_size: 3 } }\n"
    "layer { name: 'r' type: 'ReLU' bottom: 'y' top: 'y' }\n"
    "layer { name: 'm' type: 'Mine' bottom: 'y' top: 'z' }\n";

std::span<const std::byte> raw(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Doubles what layers of type Mine are given.
int32_t make_mine(void* user, planish_network* network, const planish_import_layer* layer, planish_value* outputs) {
  ++*static_cast<int*>(user);
  if (std::string_view(layer->type) != "Mine") return 0;
  const planish_value both[] = {layer->inputs[0], layer->inputs[0]};
  planish_node node = -1;
  if (planish_network_add_node(network, "add", layer->name, both, 2, nullptr, 0, -1, &node) != PLANISH_OK) return -1;
  outputs[0] = planish_network_node_output(network, node, 0);
  return 1;
}

TEST(Import, CaffeNetworksWithLayersOfTheCallers) {
  int asked = 0;
  planish_import_options options{};
  options.struct_size = sizeof options;
  options.path = "net.prototxt";
  options.bytes = kCaffe;
  options.size = std::strlen(kCaffe);
  options.random_weights = options.keep_values = 1;
  options.layer = make_mine;
  options.layer_user = &asked;
  planish_network* made = nullptr;
  ASSERT_EQ(planish_network_import_with(&options, &made), PLANISH_OK) << planish_last_error();
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(planish_network_output_count(made), 0);
  const planish_value z = planish_network_find_value(made, "z");
  EXPECT_EQ(planish_network_mark_output(made, z, "z"), PLANISH_OK);
  EXPECT_GE(planish_network_find_value(made, "y"), 0);
  planish_network_destroy(made);
}

TEST(Import, CaffeNetworksByFileName) {
  const std::string text = std::string(kCaffe).substr(0, std::string(kCaffe).find("layer { name: 'm'"));
  const Network net = Network::import_bytes(raw(text), "net.prototxt", {}, {.random_weights = true});
  EXPECT_EQ(net.name(net.outputs()[0]), "y");
  const Error none = error_of([&] { Network::import_bytes(raw(text), "net.prototxt"); });
  EXPECT_EQ(none.code(), Code::invalid_argument);
  const std::string bytes = "junk";
  const Error junk = error_of(
      [&] { Network::import_bytes(raw(text), "net.prototxt", {}, {.weights = "w", .weights_bytes = raw(bytes)}); });
  EXPECT_EQ(std::string(junk.what()).find("net.prototxt: w: "), 0u) << junk.what();
  const Error onnx = error_of([&] { Network::import_file(kModel, {}, {.weights = "w.caffemodel"}); });
  EXPECT_NE(std::string(onnx.what()).find("w.caffemodel: weights beside"), std::string::npos) << onnx.what();
  EXPECT_EQ(error_of([] { Network::import_file("a.caffemodel"); }).code(), Code::invalid_argument);
}

planish_import_options caffe_options(const std::string& text) {
  auto options = detail::sized<planish_import_options>();
  options.path = "the network";
  options.bytes = text.data();
  options.size = text.size();
  options.format = PLANISH_FORMAT_CAFFE;
  options.random_weights = options.keep_values = 1;
  return options;
}

Network imported(const planish_import_options& options) {
  planish_network* made = nullptr;
  detail::check(planish_network_import_with(&options, &made));
  return Network::take(made);
}

TEST(Import, CaffeNetworksWithANamedBatchAndWeightsInHalf) {
  const std::string text = std::string(kCaffe).substr(0, std::string(kCaffe).find("layer { name: 'm'"));
  planish_import_options options = caffe_options(text);
  options.batch = "count";
  const Network exact = imported(options);
  EXPECT_EQ(exact.type(*exact.find("x")).str(), "f32[count,2,3,3]");
  EXPECT_EQ(exact.type(*exact.find("y")).str(), "f32[count,4,1,1]");
  options.half_weights = 1;
  const Network half = imported(options);
  const auto kernel = [](const Network& net) {
    const Value value = *net.find("c.0");
    const auto* values = static_cast<const float*>(net.constant_data(value));
    return std::vector<float>(values, values + element_count(net.extents(value)));
  };
  const std::vector<float> a = kernel(exact), b = kernel(half);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_NE(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], 1e-3);
    uint32_t bits = 0;
    std::memcpy(&bits, &b[i], sizeof bits);
    EXPECT_EQ(bits & 0x1FFFU, 0u) << b[i];  // f16 has 13 bits less
  }
  const Error onnx = error_of([&] {
    options.format = PLANISH_FORMAT_ONNX;
    options.random_weights = options.keep_values = 0;
    imported(options);
  });
  EXPECT_EQ(onnx.code(), Code::unsupported) << onnx.what();
  options.format = 7;
  EXPECT_EQ(error_of([&] { imported(options); }).code(), Code::invalid_argument);
}

TEST(Import, CaffeNetworksBesideWhatIsThere) {
  std::string text = std::string(kCaffe).substr(0, std::string(kCaffe).find("layer { name: 'm'"));
  planish_import_options options = caffe_options(text);
  const Network first = imported(options);
  const Value y = *first.find("y");
  options.into = first.handle();
  const Error twice = error_of([&] { imported(options); });
  EXPECT_NE(std::string(twice.what()).find("an input 'x' already"), std::string::npos) << twice.what();
  for (size_t at = 0; (at = text.find("'x'", at)) != std::string::npos;) text.replace(at, 3, "'v'");
  options.bytes = text.data();
  const Network both = imported(options);
  EXPECT_EQ(both.inputs().size(), 2u);
  EXPECT_EQ(both.nodes().size(), 2 * first.nodes().size());
  EXPECT_NE(*both.find("y"), y);  // the name is the newer one's, the number stays
  EXPECT_EQ(both.op(*both.producer(y)), "relu");
  EXPECT_EQ(first.find("v"), std::nullopt);
  options.keep_values = 0;
  EXPECT_EQ(error_of([&] { imported(options); }).code(), Code::invalid_argument);
}

TEST(Import, NodesAreMadeAgainAsTheyWere) {
  const std::string text = std::string(kCaffe).substr(0, std::string(kCaffe).find("layer { name: 'm'"));
  planish_import_options options = caffe_options(text);
  options.batch = "count";
  Network net = imported(options);
  const Network copy = net.clone();
  const Node convolution = *net.producer(net.operands(*net.producer(*net.find("y")))[0]);
  const Node again = net.add_like(copy, convolution, net.operands(convolution), "again");
  EXPECT_EQ(net.op(again), "conv");
  EXPECT_EQ(net.name(again), "again");
  EXPECT_EQ(net.type(net.output(again)).str(), net.type(net.output(convolution)).str());
  EXPECT_EQ(error_of([&] { net.add_like(copy, Node{12345}, {}); }).code(), Code::invalid_argument);
}

TEST(Import, MeansAreRead) {
  const std::string bytes("\x08\x01\x10\x01\x18\x01\x20\x02\x2a\x08\0\0\x80\x3f\0\0\0\x40", 18);
  const Mean mean = Mean::read("mean.binaryproto", raw(bytes));
  EXPECT_EQ(mean.extents, (Extents{1, 1, 1, 2}));
  EXPECT_EQ(mean.values, (std::vector<float>{1, 2}));
}

TEST(Import, BadModelsAreErrorsThatNameThem) {
  EXPECT_EQ(error_of([] { Network::import_file("/nowhere/x.onnx"); }).code(), Code::not_found);
  const std::vector<std::byte> bytes = file_bytes(kModel);
  const Error half = error_of([&] { Network::import_bytes(std::span(bytes).first(bytes.size() / 2), "half.onnx"); });
  EXPECT_NE(half.code(), Code::ok);
  EXPECT_NE(std::string(half.what()).find("half.onnx"), std::string::npos) << half.what();
  const Error shape = error_of([] { Network::import_file(kModel, {InputRange::fixed("image", {1, 7, 8, 8})}); });
  EXPECT_EQ(shape.code(), Code::invalid_argument);
  EXPECT_NE(std::string(shape.what()).find("'image'"), std::string::npos) << shape.what();
}

}  // namespace
}  // namespace planish::testing
