#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

TEST(PadKernels, EveryModeOfAnyElementType) {
  for (const char* mode : {"constant", "edge", "reflect", "wrap"})
    for (bool last : {false, true})
      for (const auto& pads : std::vector<std::vector<int64_t>>{{0, 0, 1, 2, 0, 0, 3, 4},
                                                                {1, 2, 0, 0, 1, 1, 0, 0},
                                                                {0, 0, -1, 2, 0, 0, 1, -2},
                                                                {0, 0, 0, 0, 0, 0, 0, 1}}) {
        const Attrs attrs = {{"mode", std::string(mode)}};
        const std::string what = fmt::format("{} {}", mode, listed(pads));
        expect_matches(
            {"pad", attrs, {random_tensor({2, 3, 5, 6}, 1), ints_of(pads), Tensor::scalar<float>(-1.5f)}, 1, last}, 0,
            what);
        expect_matches({"pad", attrs, {random_integers<uint8_t>({2, 3, 5, 6}, 1, 0, 255), ints_of(pads)}, 1, last}, 0,
                       what);
        expect_matches({"pad",
                        attrs,
                        {random_integers<int64_t>({2, 3, 5, 6}, 1, -9, 9), ints_of(pads), Tensor::scalar<int64_t>(7)},
                        1,
                        last},
                       0, what);
      }
}

TEST(GatherKernels, RowsElementsAndTuples) {
  for (bool last : {false, true}) {
    for (int64_t axis : {0, 1, 2, -1}) {
      expect_matches({"gather",
                      {{"axis", axis}},
                      {random_tensor({4, 5, 6}, 1), random_integers<int64_t>({2, 3}, 2, -4, 3)},
                      1,
                      last},
                     0, "gather");
      expect_matches({"gather",
                      {{"axis", axis}},
                      {random_integers<uint8_t>({4, 5, 6}, 1, 0, 9), random_integers<int32_t>({}, 2, -4, 3)},
                      2,
                      last},
                     0, "a scalar index");
      expect_matches({"gather_elements",
                      {{"axis", axis}},
                      {random_tensor({4, 5, 6}, 3), random_integers<int64_t>({4, 5, 4}, 4, -4, 3)},
                      1,
                      last},
                     0, "elements");
    }
    expect_matches(
        {"gather_nd", {}, {random_tensor({4, 5, 6}, 5), random_integers<int64_t>({7, 2}, 6, -4, 3)}, 1, last}, 0,
        "nd, slices");
    expect_matches({"gather_nd",
                    {{"batch_dims", int64_t{1}}},
                    {random_tensor({2, 5, 6}, 5), random_integers<int64_t>({2, 7, 1}, 6, -5, 4)},
                    1,
                    last},
                   0, "gather_nd of batches");
    expect_matches(
        {"gather_nd", {}, {random_tensor({4, 5, 6}, 5), random_integers<int64_t>({2, 7, 3}, 6, -4, 3)}, 1, last}, 0,
        "nd, elements");
  }
}

TEST(GatherKernels, IndicesOutOfRangeAreErrors) {
  for (const char* op : {"gather", "gather_elements", "gather_nd"}) {
    const Tensor index = tensor_of<int64_t>({1, 1}, {4});
    KernelCase c{op, {}, {random_tensor({4, 3}, 1), index}};
    c.data = 2;
    auto device = create_cpu_device(1);
    std::map<std::string, Tensor> inputs;
    const Plan plan = build(case_graph(c, inputs), *device, {.tuning = Tuning::off});
    try {
      run(plan, inputs);
      FAIL() << op;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("index 4 into an extent of 4"), std::string::npos) << error.what();
    }
  }
}

TEST(RearrangeKernels, DepthAndSpace) {
  for (bool last : {false, true})
    for (int64_t b : {1, 2, 3}) {
      for (const char* mode : {"DCR", "CRD"})
        expect_matches({"depth_to_space",
                        {{"blocksize", b}, {"mode", std::string(mode)}},
                        {
                            random_tensor({2, 5 * b * b, 3, 4}, 1),
                        },
                        1,
                        last},
                       0, mode);
      expect_matches({"space_to_depth", {{"blocksize", b}}, {random_tensor({2, 5, 3 * b, 4 * b}, 2)}, 1, last}, 0);
    }
}

TEST(RearrangeKernels, Repetitions) {
  for (bool last : {false, true})
    for (const auto& repeats :
         std::vector<std::vector<int64_t>>{{1, 1, 1, 1}, {2, 1, 3, 1}, {1, 4, 1, 2}, {3, 2, 2, 5}})
      expect_matches({"tile", {}, {random_tensor({2, 3, 4, 5}, 1), ints_of(repeats)}, 1, last}, 0, listed(repeats));
}

}  // namespace
}  // namespace planish
