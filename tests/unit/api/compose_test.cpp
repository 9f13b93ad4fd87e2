// Networks made of networks: loops, parts, operators that stand for several, bytes.

#include <gtest/gtest.h>

#include "unit/api/common.h"

namespace planish::testing {
namespace {

std::vector<float> result_of(const Network& net, const std::vector<float>& x, size_t count) {
  const Engine engine(build(net, untuned({})));
  Context context(engine);
  std::vector<float> y(count);
  context.bind("x", x);
  context.bind("y", y);
  context.run();
  return y;
}

// s -> s + x, as many turns as `trips` says; rows are s before the turn.
Network adding_loop(int64_t trips) {
  Network body("turn");
  body.input("i", DataType::i64, {});
  const Value goes_on = body.input("goes_on", DataType::boolean, {});
  const Value state = body.input("state", DataType::f32, {2}), x = body.input("outer", DataType::f32, {2});
  body.mark_output(goes_on, "still");
  body.mark_output(body.add("add", {state, x}), "next");
  body.mark_output(state, "row");
  Network net;
  const Value input = net.input("x", DataType::f32, {2});
  const Node loop =
      net.add_loop(net.scalar(trips), {}, {net.constant({2}, std::vector<float>{10, 20})}, {input}, body, "loop");
  net.mark_output(net.output(loop), "y");
  net.mark_output(net.output(loop, 1), "rows");
  return net;
}

TEST(Compose, LoopsCarryStateAndStackRows) {
  const Engine engine(build(adding_loop(3), untuned({})));
  Context context(engine);
  const std::vector<float> x = {1, 2};
  std::vector<float> y(2);
  context.bind("x", x);
  context.bind("y", y);
  context.run();
  EXPECT_EQ(y, (std::vector<float>{13, 26}));
  EXPECT_EQ(context.shape("rows"), (Extents{3, 2}));
}

TEST(Compose, BodiesThatDoNotFitAreRefused) {
  Network net, body("turn");
  body.input("i", DataType::i64, {});
  EXPECT_EQ(error_of([&] { net.add_loop(net.scalar(int64_t{1}), {}, {}, {}, body); }).code(), Code::invalid_argument);
  EXPECT_TRUE(net.nodes().empty());
}

TEST(Compose, OperatorsThatStandForSeveral) {
  Network net;
  const Value x = net.input("x", DataType::f32, {2, 3});
  net.mark_output(net.expand("Einsum", {x, x}, {{"equation", "ij,kj->ik"}})[0], "y");
  EXPECT_EQ(result_of(net, {0, 1, 2, 3, 4, 5}, 4), (std::vector<float>{5, 14, 14, 50}));
  const size_t nodes = net.nodes().size();
  EXPECT_EQ(error_of([&] { net.expand("Einsum", {x}, {{"equation", "ijk->i"}}); }).code(), Code::invalid_model);
  EXPECT_EQ(error_of([&] { net.expand("Nonsense", {x}); }).code(), Code::not_found);
  EXPECT_EQ(net.nodes().size(), nodes);
}

TEST(Compose, APartIsTakenOutAndWrittenInAgain) {
  Network net;
  const Value x = net.input("x", DataType::f32, {3}), other = net.add("neg", {x});
  const Value y = net.add("add", {net.add("mul", {x, net.scalar(2.f)}), other});
  std::vector<Value> captured;
  const Network part = net.extract({x}, {y}, captured);
  EXPECT_TRUE(captured.empty());
  EXPECT_EQ(part.nodes().size(), 3u);
  // Cut behind `other`, which becomes an input.
  const Value inner = net.add("identity", {x});
  const Value z = net.add("sub", {inner, other});
  const Network cut = net.extract({inner}, {z}, captured);
  EXPECT_EQ(captured, std::vector<Value>{other});
  EXPECT_EQ(cut.inputs().size(), 2u);
  net.mark_output(net.append(part, {net.append(cut, {y, x})[0]})[0], "y");
  // y = x; cut: y - x = 0; part: 2 * 0 - 0
  EXPECT_EQ(result_of(net, {1, 2, 3}, 3), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(error_of([&] { net.append(part, {}); }).code(), Code::invalid_argument);
}

TEST(Compose, BytesHoldTheWholeNetwork) {
  const Network net = small_network();
  const std::string bytes = net.bytes();
  const Network again = Network::of_bytes(bytes);
  EXPECT_EQ(again.text(), net.text());
  EXPECT_EQ(again.bytes(), bytes);
  for (size_t size = 0; size < bytes.size(); size += 97)
    EXPECT_NE(error_of([&] { Network::of_bytes(bytes.substr(0, size)); }).code(), Code::ok) << size;
  Network loop = Network::of_bytes(adding_loop(2).bytes());
  EXPECT_EQ(loop.text(), adding_loop(2).text());
}

TEST(Compose, ConstantsAreExchanged) {
  Network net;
  const Value x = net.input("x", DataType::f32, {2}), w = net.constant({2}, std::vector<float>{1, 1});
  net.mark_output(net.add("mul", {x, w}), "y");
  const std::vector<float> other = {3, 4};
  net.set_constant(w, other.data());
  EXPECT_EQ(result_of(net, {1, 2}, 2), (std::vector<float>{3, 8}));
  EXPECT_EQ(error_of([&] { net.set_constant(x, other.data()); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace planish::testing
