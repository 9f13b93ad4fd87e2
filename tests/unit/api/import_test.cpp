#include <gtest/gtest.h>

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
  for (int i = 0; i < 20; ++i) context.run();  // every thread has taken part
  const int64_t before = allocations();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(context.try_enqueue(), PLANISH_OK);
  EXPECT_EQ(allocations() - before, 0);
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
