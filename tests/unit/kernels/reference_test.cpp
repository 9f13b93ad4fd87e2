#include "kernels/kernel.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

// What the reference kernel of one operator gives for these operands; `types` of its results.
std::vector<Tensor> outcome(const std::string& op, const Attrs& attrs, const std::vector<Tensor>& operands,
                            const std::vector<TensorType>& types) {
  const Kernel& kernel = *reference_kernels().find(op);
  std::vector<TensorView> inputs, outputs;
  std::vector<Tensor> results;
  for (const Tensor& operand : operands) inputs.push_back(operand.present() ? operand.view() : TensorView{});
  for (const TensorType& type : types) {
    results.push_back(Tensor::zeros(type.dtype, type.shape.extents()));
    outputs.push_back(results.back().view());
  }
  const auto params = kernel.decode(attrs);
  ThreadPool pool(2);
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = outputs;
  args.params = params.get();
  args.pool = &pool;
  kernel.check(args);
  kernel.run(args);
  return results;
}

TEST(ReferenceKernels, GridSampleOfAnEmptyPictureIsZeros) {
  const auto found = outcome("grid_sample", {}, {tensor_of<float>({1, 2, 0, 3}, {}), random_tensor({1, 2, 2, 2}, 3)},
                             {{DataType::f32, {1, 2, 2, 2}}});
  EXPECT_EQ(found[0].to_doubles(), std::vector<double>(8, 0));
}

TEST(ReferenceKernels, CastsToNarrowIntegersCutAndWrap) {
  const Tensor x = tensor_of<float>({5}, {-9.f, 7.9f, 8.f, -2.5f, 1e30f});
  const auto found = outcome("cast", {{"to", DataType::i4}}, {x}, {{DataType::i4, {5}}});
  EXPECT_EQ(found[0].to_ints(), (std::vector<int64_t>{7, 7, -8, -2, -1}));
  const auto wide = outcome("cast", {{"to", DataType::f64}}, {found[0]}, {{DataType::f64, {5}}});
  EXPECT_EQ(wide[0].to_doubles(), (std::vector<double>{7, 7, -8, -2, -1}));
}

TEST(ReferenceKernels, CastsToNarrowFloatsSaturateWhereAsked) {
  const Tensor x = tensor_of<float>({2}, {1e6f, -0.3f});
  const auto cast = [&](int64_t saturate) {
    return outcome("cast", {{"to", DataType::f8e5m2}, {"saturate", saturate}}, {x}, {{DataType::f8e5m2, {2}}})[0];
  };
  EXPECT_EQ(cast(1).to_doubles(), (std::vector<double>{57344, -0.3125}));
  EXPECT_EQ(cast(0).to_doubles()[0], INFINITY);
}

TEST(ReferenceKernels, BitCastKeepsTheCode) {
  const auto back =
      outcome("bit_cast", {{"to", DataType::i32}}, {tensor_of<float>({2}, {1.f, -0.f})}, {{DataType::i32, {2}}});
  EXPECT_EQ(back[0].to_ints(), (std::vector<int64_t>{0x3f800000, INT32_MIN}));
  const Tensor codes = outcome("cast", {{"to", DataType::u4}}, {ints_of({15, 8, 1})}, {{DataType::u4, {3}}})[0];
  const auto sign = outcome("bit_cast", {{"to", DataType::i4}}, {codes}, {{DataType::i4, {3}}});
  EXPECT_EQ(sign[0].to_ints(), (std::vector<int64_t>{-1, -8, 1}));
}

TEST(ReferenceKernels, ScalesOfBlocks) {
  const Tensor x = tensor_of<float>({1, 5}, {1, 2, 3, 4, 5}), scale = tensor_of<float>({1, 3}, {1, 2, 0.5f});
  const Attrs attrs = {{"axis", int64_t{1}}, {"block_size", int64_t{2}}, {"output_dtype", DataType::i4}};
  const Tensor q = outcome("quantize_linear", attrs, {x, scale}, {{DataType::i4, {1, 5}}})[0];
  EXPECT_EQ(q.to_ints(), (std::vector<int64_t>{1, 2, 2, 2, 7}));
  const Attrs back = {{"axis", int64_t{1}}, {"block_size", int64_t{2}}};
  EXPECT_EQ(outcome("dequantize_linear", back, {q, scale}, {{DataType::f32, {1, 5}}})[0].to_doubles(),
            (std::vector<double>{1, 2, 4, 4, 3.5}));
}

TEST(ReferenceKernels, CumulativeProducts) {
  const auto product = [](Attrs attrs) {
    return outcome("cum_prod", attrs, {tensor_of<int32_t>({4}, {2, 3, 4, 5}), Tensor::scalar<int64_t>(-1)},
                   {{DataType::i32, {4}}})[0]
        .to_ints();
  };
  EXPECT_EQ(product({}), (std::vector<int64_t>{2, 6, 24, 120}));
  EXPECT_EQ(product({{"exclusive", int64_t{1}}, {"reverse", int64_t{1}}}), (std::vector<int64_t>{60, 20, 5, 1}));
}

// One head, keys of two elements, values of one: S = [s0, s1] by hand.
TEST(ReferenceKernels, LinearAttentionCarriesItsState) {
  const Tensor q = tensor_of<float>({1, 2, 2}, {1, 1, 1, 0}), k = tensor_of<float>({1, 2, 2}, {1, 0, 1, 2});
  const Tensor v = tensor_of<float>({1, 2, 1}, {3, 5}), half = tensor_of<float>({1, 2, 1}, {0.5f, 0.5f});
  const Tensor decay = tensor_of<float>({1, 2, 1}, {0.f, std::log(0.5f)});
  const std::vector<TensorType> types = {{DataType::f32, {1, 2, 1}}, {DataType::f32, {1, 1, 2, 1}}};
  const auto found = [&](const char* rule) {
    const auto results = outcome(
        "linear_attention",
        {{"q_num_heads", int64_t{1}}, {"kv_num_heads", int64_t{1}}, {"scale", 1.0}, {"update_rule", std::string(rule)}},
        {q, k, v, {}, decay, half}, types);
    auto all = results[0].to_doubles();
    for (double value : results[1].to_doubles()) all.push_back(value);
    return all;
  };
  EXPECT_EQ(found("linear"), (std::vector<double>{3, 8, 8, 10}));
  EXPECT_EQ(found("gated"), (std::vector<double>{3, 6.5, 6.5, 10}));
  EXPECT_EQ(found("delta"), (std::vector<double>{1.5, 3.25, 3.25, 3.5}));
  EXPECT_EQ(found("gated_delta"), (std::vector<double>{1.5, 2.875, 2.875, 4.25}));
}

TEST(ReferenceKernels, RandomNumbersFollowTheirSeed) {
  const auto draw = [](const char* op, int64_t seed, double first, double second) {
    return outcome(op, {{"seed", seed}, {"first", first}, {"second", second}}, {ints_of({40000})},
                   {{DataType::f32, {40000}}})[0]
        .to_doubles();
  };
  EXPECT_EQ(draw("random_uniform", 5, 0, 1), draw("random_uniform", 5, 0, 1));
  EXPECT_NE(draw("random_uniform", 5, 0, 1), draw("random_uniform", 6, 0, 1));
  EXPECT_NE(draw("random_uniform", -1, 0, 1), draw("random_uniform", -1, 0, 1));
  double sum = 0, squares = 0;
  for (double value : draw("random_uniform", 1, -2, 4)) {
    EXPECT_TRUE(value >= -2 && value <= 4);
    sum += value;
  }
  EXPECT_NEAR(sum / 40000, 1, 0.05);
  sum = 0;
  for (double value : draw("random_normal", 1, 3, 2)) {
    sum += value;
    squares += (value - 3) * (value - 3);
  }
  EXPECT_NEAR(sum / 40000, 3, 0.05);
  EXPECT_NEAR(squares / 40000, 4, 0.15);
}

}  // namespace
}  // namespace planish
