#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

template <class Q>
void quantize_cases(DataType dtype, int64_t low, int64_t high) {
  for (bool per_axis : {false, true})
    for (bool last : {false, true})
      for (int64_t width : {1, 7, 33}) {
        const int64_t n = per_axis ? 5 : 1;
        std::vector<int64_t> row = {n};
        if (!per_axis) row = {};
        const Tensor scale = tensor_of<float>(
            row, per_axis ? std::vector<float>{0.5f, 0.013f, 1.f, 2.25f, 0.1f} : std::vector<float>{0.017f});
        const Tensor zero = random_integers<Q>(row, 3, low / 8, high / 8);
        const std::string what = fmt::format("{} axis {} width {}", data_type_name(dtype), per_axis, width);
        const Attrs attrs = {{"axis", int64_t{1}}};
        const Tensor x = random_tensor({2, 5, 3, width}, static_cast<uint32_t>(width), 40);
        expect_matches({"quantize_linear", attrs, {x, scale, zero}, 1, last}, 0, what);
        const Tensor q = random_integers<Q>({2, 5, 3, width}, 9, low, high);
        expect_matches({"dequantize_linear", attrs, {q, scale, zero}, 1, last}, 0, what);
      }
}

TEST(QuantizeKernels, EightAndSixteenBitsPerTensorAndPerAxis) {
  quantize_cases<uint8_t>(DataType::u8, 0, 255);
  quantize_cases<int8_t>(DataType::i8, -128, 127);
  quantize_cases<uint16_t>(DataType::u16, 0, 65535);
  quantize_cases<int16_t>(DataType::i16, -32768, 32767);
}

TEST(QuantizeKernels, TiesSaturationAndNaN) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = tensor_of<float>(
      {14}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 1e9f, -1e9f, inf, -inf, NAN, 254.5f, 255.5f, -128.5f, 127.5f});
  const Tensor one = Tensor::scalar<float>(1);
  for (int zero : {0, 3, 127}) {
    expect_matches({"quantize_linear", {}, {x, one, Tensor::scalar<uint8_t>(static_cast<uint8_t>(zero))}}, 0, "u8");
    expect_matches({"quantize_linear", {}, {x, one, Tensor::scalar<int8_t>(static_cast<int8_t>(-zero))}}, 0, "i8");
  }
  expect_matches({"quantize_linear", {}, {x, one}}, 0, "no zero point");
}

TEST(QuantizeKernels, BiasesOf32BitsRoundOnce) {
  const Tensor q = tensor_of<int32_t>({5}, {INT32_MAX, INT32_MIN, 123456789, -7, 16777217});
  expect_matches(
      {"dequantize_linear", {{"axis", int64_t{0}}}, {q, tensor_of<float>({5}, {0.1f, 0.3f, 1e-4f, 3.f, 0.7f})}}, 0);
  expect_matches({"dequantize_linear", {}, {q, Tensor::scalar<float>(0.37f), Tensor::scalar<int32_t>(5)}}, 0);
}

// Functions of one tensor of bytes, through numbers of other steps, over windows and both orders; the values lie so
// that the reference's double arithmetic and fp32 decide no tie differently.
template <class Q>
void function_cases(int64_t low) {
  for (bool last : {false, true})
    for (int64_t width : {1, 9, 40, 300}) {
      const auto make = [&] {
        Graph graph;
        const DataType type = data_type_of<Q>();
        ValueId x = graph.add_input("x", {type, {2, 3, 5, width + 3}});
        if (last) x = add_op(graph, "transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
        const auto ints = [&](int64_t v) { return graph.add_constant(ints_of({v})); };
        x = add_op(graph, "slice", {x, ints(1), ints(1 + width), ints(last ? 1 : 3)});
        const auto step = [&](float scale) { return graph.add_constant(Tensor::scalar<float>(scale)); };
        const ValueId zero = graph.add_constant(Tensor::scalar<Q>(static_cast<Q>(low + 100)));
        const ValueId number = add_op(graph, "dequantize_linear", {x, step(0.25f), zero});
        ValueId gate = add_op(graph, "quantize_linear", {add_op(graph, "hard_sigmoid", {number}), step(0.02f), zero});
        gate = add_op(graph, "dequantize_linear", {gate, step(0.02f), zero});
        const ValueId y = add_op(graph, "mul", {number, gate});
        graph.add_output(add_op(graph, "quantize_linear", {y, step(0.3f), zero}));
        graph.add_output(add_op(graph, "dequantize_linear", {x, step(0.5f), zero}));
        return graph;
      };
      const Tensor x = random_integers<Q>({2, 3, 5, width + 3}, 7, low, low + 255);
      expect_graph_matches(make, {{"x", x}}, 0, fmt::format("width {} last {}", width, last));
    }
}

TEST(QuantizeKernels, FunctionsOfBytes) {
  function_cases<uint8_t>(0);
  function_cases<int8_t>(-128);
}

// Two tensors of bytes joined: rows of any length, rows and columns that repeat, both orders.
TEST(QuantizeKernels, PairsOfBytes) {
  uint32_t seed = 0;
  for (const char* op : {"add", "sub", "mul"})
    for (bool relu : {false, true})
      for (const std::vector<int64_t>& other :
           std::vector<std::vector<int64_t>>{{2, 7, 5, 41}, {7, 1, 1}, {1, 1, 1, 41}, {2, 7, 5, 1}, {}}) {
        const auto make = [&] {
          Graph graph;
          const ValueId a = graph.add_input("a", {DataType::u8, {2, 7, 5, 41}});
          const ValueId b = graph.add_input("b", {DataType::i8, Shape::of(other)});
          const auto step = [&](float scale) { return graph.add_constant(Tensor::scalar<float>(scale)); };
          const ValueId left =
              add_op(graph, "dequantize_linear", {a, step(0.25f), graph.add_constant(Tensor::scalar<uint8_t>(130))});
          const ValueId right = add_op(graph, "dequantize_linear", {b, step(0.5f)});
          ValueId y = add_op(graph, std::string_view(op), {left, right});
          if (relu) y = add_op(graph, "relu", {y});
          const ValueId zero = relu ? graph.add_constant(Tensor::scalar<int8_t>(-100)) : ValueId{};
          std::vector<ValueId> operands = {y, step(0.75f)};
          if (zero.valid()) operands.push_back(zero);
          graph.add_output(add_op(graph, "quantize_linear", operands));
          return graph;
        };
        ++seed;
        expect_graph_matches(make,
                             {{"a", random_integers<uint8_t>({2, 7, 5, 41}, seed, 0, 255)},
                              {"b", random_integers<int8_t>(other, seed + 50, -128, 127)}},
                             0, fmt::format("{} relu {} of {}", op, relu, listed(other)));
      }
}

}  // namespace
}  // namespace planish
