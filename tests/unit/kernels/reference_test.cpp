#include "kernels/kernel.h"
#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(ReferenceKernels, GridSampleOfAnEmptyPictureIsZeros) {
  const Kernel& kernel = *reference_kernels().find("grid_sample");
  const Tensor x = tensor_of<float>({1, 2, 0, 3}, {}), grid = random_tensor({1, 2, 2, 2}, 3);
  std::vector<float> found(8, 7.0f);
  const TensorView inputs[] = {x.view(), grid.view()};
  const int64_t extents[] = {1, 2, 2, 2};
  const TensorView outputs[] = {make_view(found.data(), DataType::f32, extents)};
  const auto params = kernel.decode({});
  ThreadPool pool(1);
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = outputs;
  args.params = params.get();
  args.pool = &pool;
  kernel.check(args);
  kernel.run(args);
  EXPECT_EQ(found, std::vector<float>(8, 0.0f));
}

}  // namespace
}  // namespace planish
