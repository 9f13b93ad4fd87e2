#include "kernels/check.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(Contracts, EveryRowHasOne) {
  for (const KernelTable* table : {&reference_kernels(), &cpu_kernels(Isa::scalar)})
    for (const Kernel* row : table->rows()) {
      EXPECT_NE(row->check, nullptr) << row->name;
      EXPECT_NE(row->decode, nullptr) << row->name;
      EXPECT_NE(row->run, nullptr) << row->name;
    }
}

// Also those that this processor cannot run.
TEST(Contracts, AreThoseOfEveryLevel) {
  const auto here = cpu_kernels(Isa::scalar).rows();
  for (Isa isa : {Isa::avx2, Isa::avx512}) {
    const auto there = cpu_kernels(isa).rows();
    ASSERT_EQ(here.size(), there.size());
    for (size_t i = 0; i < here.size(); ++i) {
      EXPECT_EQ(here[i]->name, there[i]->name);
      EXPECT_EQ(here[i]->version, there[i]->version);
      EXPECT_EQ(here[i]->check == nullptr, there[i]->check == nullptr);
    }
  }
}

std::string refusal(const Kernel& kernel, const Attrs& attrs, const std::vector<Tensor>& inputs,
                    const std::vector<Tensor>& outputs) {
  std::vector<TensorView> in, out;
  for (const Tensor& tensor : inputs) in.push_back(tensor.present() ? tensor.view() : TensorView{});
  for (const Tensor& tensor : outputs) out.push_back(tensor.view());
  KernelArgs args;
  args.inputs = in;
  args.outputs = out;
  try {
    const auto params = kernel.decode(attrs);
    args.params = params.get();
    kernel.check(args);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_plan);
    return error.what();
  }
  return "";
}

TEST(Contracts, NameTheOperandAndWhatIsAccepted) {
  const auto zeros = [](std::vector<int64_t> extents, DataType dtype = DataType::f32) {
    return Tensor::zeros(dtype, std::move(extents));
  };
  const Kernel& matmul = *reference_kernels().find("matmul");
  EXPECT_EQ(refusal(matmul, {}, {zeros({3, 4}), zeros({4, 5})}, {zeros({3, 5})}), "");
  EXPECT_EQ(refusal(matmul, {}, {zeros({3, 4})}, {zeros({3, 5})}), "1 operands, 2 are accepted");
  EXPECT_EQ(refusal(matmul, {}, {zeros({3, 4}), zeros({4, 5})}, {zeros({3, 6})}),
            "result 0 is f32[3,6], [3,5] is accepted");
  EXPECT_EQ(refusal(matmul, {}, {zeros({3, 4}), {}}, {zeros({3, 6})}), "operand 1 is absent");
  const Kernel& softmax = *cpu_kernels(Isa::scalar).find("softmax");
  EXPECT_EQ(refusal(softmax, {}, {zeros({3}, DataType::i32)}, {zeros({3})}), "operand 0 is i32[3], f32 is accepted");
  EXPECT_EQ(refusal(softmax, {{"axis", int64_t{2}}}, {zeros({3})}, {zeros({3})}),
            "operand 0 is f32[3], a tensor that has an axis 2 is accepted");
}

TEST(Contracts, WindowsStayClearOfOverflow) {
  const auto pool = [](std::vector<int64_t> strides, std::vector<int64_t> pads) {
    return refusal(*reference_kernels().find("max_pool"),
                   {{"kernel_shape", std::vector<int64_t>{2}}, {"strides", strides}, {"pads", pads}},
                   {Tensor::zeros(DataType::f32, {1, 2, 8})}, {Tensor::zeros(DataType::f32, {1, 2, 7})});
  };
  EXPECT_EQ(pool({1}, {0, 0}), "");
  for (int64_t stride : {int64_t{0}, int64_t{-1}, int64_t{1} << 40, INT64_MIN}) EXPECT_NE(pool({stride}, {0, 0}), "");
  for (int64_t pad : {INT64_MIN, INT64_MAX, int64_t{1} << 40}) {
    EXPECT_NE(pool({1}, {pad, 0}), "");
    EXPECT_NE(pool({1}, {0, pad}), "");
  }
}

// Axes, pads, starts and scales are data: that they do not fit the extents shows itself when they are read.
TEST(Contracts, DataThatDoesNotFitIsRefusedWhenRun) {
  const auto outcome = [](const char* op, const std::vector<Tensor>& operands, const Tensor& wrong) {
    Graph graph;
    std::vector<ValueId> ids;
    for (const Tensor& operand : operands) ids.push_back(graph.add_constant(operand));
    ids[0] = graph.add_input("x", operands[0].type());
    graph.add_output(add_op(graph, op, ids));
    auto device = create_cpu_device(1);
    BuildOptions options;
    options.optimize = false;
    Plan plan = build(std::move(graph), *device, options);
    for (Tensor& constant : plan.constants)
      if (constant.type() == wrong.type()) constant = wrong;
    try {
      run(plan, {{"x", operands[0]}});
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  const Tensor x = random_tensor({4, 6}, 1);
  EXPECT_NE(outcome("reduce_sum", {x, ints_of({1})}, ints_of({0})), "");
  EXPECT_NE(outcome("gather_nd", {x, ints_of({1, 1})}, ints_of({3, 6})), "");
  EXPECT_NE(outcome("pad", {x, ints_of({0, 1, 0, 1})}, ints_of({INT64_MAX, 1, INT64_MAX, 1})), "");
}

}  // namespace
}  // namespace planish
