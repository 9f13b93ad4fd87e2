#include "kernels/recurrent.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

struct LstmCase {
  std::string direction = "forward";
  int64_t steps = 5, batch = 1, inputs = 3, hidden = 4;
  bool lengths = false, states = false, peepholes = false, bias = true, bytes = false;
};

Graph lstm_graph(const LstmCase& t) {
  const int64_t d = t.direction == "bidirectional" ? 2 : 1, h = t.hidden;
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.steps, t.batch, t.inputs}});
  std::vector<ValueId> operands = {x, graph.add_constant(random_tensor({d, 4 * h, t.inputs}, 1)),
                                   graph.add_constant(random_tensor({d, 4 * h, h}, 2, 0.3f))};
  operands.push_back(t.bias ? graph.add_constant(random_tensor({d, 8 * h}, 3)) : ValueId{});
  operands.push_back(t.lengths ? graph.add_input("lengths", {DataType::i32, {t.batch}}) : ValueId{});
  operands.push_back(t.states ? graph.add_input("h", {DataType::f32, {d, t.batch, h}}) : ValueId{});
  operands.push_back(t.states ? graph.add_input("c", {DataType::f32, {d, t.batch, h}}) : ValueId{});
  operands.push_back(t.peepholes ? graph.add_constant(random_tensor({d, 3 * h}, 4)) : ValueId{});
  const NodeId node = add_node(graph, "lstm", operands,
                               {{"hidden_size", h}, {"direction", t.direction}, {"state_in_bytes", int64_t{t.bytes}}},
                               "lstm", 3, {"y", "y_h", "y_c"});
  for (ValueId output : std::vector<ValueId>(graph.node(node).outputs)) graph.add_output(output);
  return graph;
}

void check_lstm(const LstmCase& t, double tolerance = 2e-6) {
  const Graph graph = lstm_graph(t);
  std::map<std::string, Tensor> inputs;
  for (ValueId input : graph.inputs()) {
    const Value& value = graph.value(input);
    inputs[value.name] = value.name == "lengths" ? random_integers<int32_t>({t.batch}, 6, 0, t.steps)
                                                 : random_tensor(value.type.shape.extents(), 7);
  }
  expect_graph_matches([&] { return lstm_graph(t); }, inputs, tolerance,
                       fmt::format("lstm {} T{} N{} I{} H{} lengths {} states {} peepholes {} bytes {}", t.direction,
                                   t.steps, t.batch, t.inputs, t.hidden, t.lengths, t.states, t.peepholes, t.bytes));
}

TEST(LstmKernels, DirectionsBatchesAndTails) {
  for (const char* direction : {"forward", "reverse", "bidirectional"})
    for (int64_t batch : {1, 3})
      for (int64_t hidden : {1, 16, 37, 130})
        for (int64_t options = 0; options < 8; ++options)
          check_lstm({direction, 6, batch, 19, hidden, (options & 1) != 0, (options & 2) != 0, (options & 4) != 0,
                      options != 3});
}

// Behind the first step a state that float rounding moves across a tie is one step of its 255 apart.
TEST(LstmKernels, StatesInBytes) {
  for (const char* direction : {"forward", "bidirectional"})
    for (int64_t batch : {1, 3})
      for (int64_t hidden : {16, 37, 256}) {
        check_lstm({direction, 1, batch, 19, hidden, false, true, false, true, true});
        check_lstm({direction, 4, batch, 19, hidden, batch == 3, true, true, true, true}, 1e-3);
      }
}

TEST(LstmKernels, RoundingToBytes) {
  const float h[] = {-1, -0.5f, 0, 0.003f, 0.252f, 1.55f};
  float rounded[6];
  round_to_bytes(h, 6, rounded);  // 0.01 a step
  const float wanted[] = {-1, -0.5f, 0, 0, 0.25f, 1.55f};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(rounded[i], wanted[i], 1e-6);
  const float nothing[] = {0, 0};
  round_to_bytes(nothing, 2, rounded);
  EXPECT_EQ(rounded[0], 0);
  EXPECT_EQ(rounded[1], 0);
}

TEST(LstmKernels, BlocksOfOneStepAreSharedOut) { check_lstm({"forward", 4, 1, 40, 256, false, true, false, true}); }

struct GruCase {
  std::string op = "gru", direction = "forward";
  int64_t steps = 5, batch = 1, inputs = 3, hidden = 4;
  bool lengths = false, states = false, bias = true, reset_first = true, relu = false;
};

Graph gru_graph(const GruCase& t) {
  const int64_t d = t.direction == "bidirectional" ? 2 : 1, h = t.hidden, gates = t.op == "gru" ? 3 : 1;
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.steps, t.batch, t.inputs}});
  std::vector<ValueId> operands = {x, graph.add_constant(random_tensor({d, gates * h, t.inputs}, 1)),
                                   graph.add_constant(random_tensor({d, gates * h, h}, 2, 0.3f))};
  operands.push_back(t.bias ? graph.add_constant(random_tensor({d, 2 * gates * h}, 3)) : ValueId{});
  operands.push_back(t.lengths ? graph.add_input("lengths", {DataType::i32, {t.batch}}) : ValueId{});
  operands.push_back(t.states ? graph.add_input("h", {DataType::f32, {d, t.batch, h}}) : ValueId{});
  Attrs attrs = {{"hidden_size", h}, {"direction", t.direction}, {"linear_before_reset", int64_t{!t.reset_first}}};
  if (t.relu) attrs.set("activations", std::vector<std::string>(static_cast<size_t>(d), "Relu"));
  const NodeId node = add_node(graph, t.op.c_str(), operands, attrs, t.op, 2, {"y", "y_h"});
  for (ValueId output : std::vector<ValueId>(graph.node(node).outputs)) graph.add_output(output);
  return graph;
}

void check_gru(const GruCase& t) {
  const Graph graph = gru_graph(t);
  std::map<std::string, Tensor> inputs;
  for (ValueId input : graph.inputs()) {
    const Value& value = graph.value(input);
    inputs[value.name] = value.name == "lengths" ? random_integers<int32_t>({t.batch}, 6, 0, t.steps)
                                                 : random_tensor(value.type.shape.extents(), 7);
  }
  expect_graph_matches(
      [&] { return gru_graph(t); }, inputs, 2e-6,
      fmt::format("{} {} T{} N{} I{} H{} lengths {} states {} bias {} reset first {} relu {}", t.op, t.direction,
                  t.steps, t.batch, t.inputs, t.hidden, t.lengths, t.states, t.bias, t.reset_first, t.relu));
}

TEST(RecurrentKernels, GruDirectionsBatchesAndTails) {
  for (const char* direction : {"forward", "reverse", "bidirectional"})
    for (int64_t batch : {1, 3})
      for (int64_t hidden : {1, 16, 37, 130})
        for (int64_t options = 0; options < 8; ++options)
          check_gru({"gru", direction, 6, batch, 19, hidden, (options & 1) != 0, (options & 2) != 0, options != 3,
                     (options & 4) != 0});
}

TEST(RecurrentKernels, RnnDirectionsBatchesAndTails) {
  for (const char* direction : {"forward", "reverse", "bidirectional"})
    for (int64_t batch : {1, 3})
      for (int64_t hidden : {1, 37, 130})
        for (bool relu : {false, true})
          check_gru({"rnn", direction, 6, batch, 19, hidden, batch == 3, relu, hidden != 37, false, relu});
}

TEST(RecurrentKernels, BlocksOfOneStepAreSharedOut) {
  for (bool reset_first : {false, true}) check_gru({"gru", "forward", 4, 1, 40, 320, false, true, true, reset_first});
}

}  // namespace
}  // namespace planish
