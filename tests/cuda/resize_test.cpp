// Resizes on a GPU against the reference kernel: of extents that are constants, and of those that a run decides.

#include "cuda/support.h"

namespace planish {
namespace {

using namespace cuda_testing;

TEST(CudaKernels, Resizes) {
  const std::vector<int64_t> extents = {2, 3, 5, 7};
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"})
      for (const std::vector<float>& scales : {std::vector<float>{1, 1, 2, 2}, {1, 1, 1.5f, 0.6f}})
        compare(
            [&] {
              Graph g;
              const ValueId x = g.add_input("x", {DataType::f32, Shape::of(extents)});
              const ValueId s = g.add_constant(Tensor::of<float>({4}, scales));
              g.add_output(
                  add_op(g, "resize", {x, ValueId{}, s},
                         {{"mode", std::string(mode)}, {"coordinate_transformation_mode", std::string(coordinates)}},
                         "resize"));
              return g;
            },
            {{"x", random_tensor(extents, 1)}}, fmt::format("resize {} {}", mode, coordinates));
}

// More taps where it shrinks, and parts of an image with what is outside.
TEST(CudaKernels, ResizesWithWiderFiltersAndOfParts) {
  const std::vector<int64_t> extents = {2, 3, 9, 13};
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (bool part : {false, true}) {
      if (!part && std::string(mode) == "nearest") continue;
      compare(
          [&] {
            Graph g;
            const ValueId x = g.add_input("x", {DataType::f32, Shape::of(extents)});
            const ValueId sizes = g.add_constant(index_list({4}, {2, 3, 4, 21}));
            const ValueId roi =
                part ? g.add_constant(Tensor::of<float>({8}, std::vector<float>{0, 0, -0.2f, 0.1f, 1, 1, 0.7f, 1.3f}))
                     : ValueId{};
            const Attrs attrs = part ? Attrs{{"mode", std::string(mode)},
                                             {"coordinate_transformation_mode", "tf_crop_and_resize"},
                                             {"extrapolation_value", 2.5}}
                                     : Attrs{{"mode", std::string(mode)}, {"antialias", int64_t{1}}};
            g.add_output(add_op(g, "resize", {x, roi, ValueId{}, sizes}, attrs, "resize"));
            return g;
          },
          {{"x", random_tensor(extents, 1)}}, fmt::format("resize {} {}", mode, part));
    }
}

// Of extents that are known only when it runs: the device has no part of it left to the host.
TEST(CudaKernels, ResizesOfDynamicExtents) {
  if (!can_compile()) return;
  auto host = create_cpu_device(2);
  BuildOptions plain;
  plain.optimize = false;
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"})
      for (const std::vector<float>& scales : {std::vector<float>{1, 1, 2, 2}, {1, 1, 1.5f, 0.6f}, {1, 1, 1, 3}}) {
        const auto make = [&] {
          Graph g;
          for (const char* name : {"H", "W"}) g.symbols[name] = {SymbolKind::shape, {2, 5, 9}};
          const ValueId x = g.add_input("x", {DataType::f32, {2, 3, Dim::symbol("H"), Dim::symbol("W")}});
          g.add_output(add_op(
              g, "resize", {x, ValueId{}, g.add_constant(Tensor::of<float>({4}, scales))},
              {{"mode", std::string(mode)}, {"coordinate_transformation_mode", std::string(coordinates)}}, "resize"));
          infer_all(g);
          return g;
        };
        EmitOptions emit;
        emit.target.isa = active_isa();
        emit.target.threads = 2;
        emit.target.arch = arch();
        emit.fallback = false;
        const Plan plan = read_back(emit_plan(make(), emit)), reference = build(make(), *host, plain);
        for (const auto& [h, w] : {std::pair<int64_t, int64_t>{5, 7}, {9, 2}}) {
          if (gpu() == nullptr) continue;
          const Inputs inputs = {{"x", random_tensor({2, 3, h, w}, 1)}};
          expect_equal(testing::run(plan, inputs, gpu()), testing::run(reference, inputs), 1e-5,
                       fmt::format("resize {} {} {}x{}", mode, coordinates, h, w));
        }
      }
}

}  // namespace
}  // namespace planish
