#include <cmath>
#include <numbers>

#include "support/picture_cases.h"

namespace planish {
namespace {

using namespace testing;

std::map<std::string, Tensor> results_of(KernelCase c, bool channels_last) {
  c.channels_last = channels_last;
  std::map<std::string, Tensor> inputs;
  Graph graph = case_graph(c, inputs);
  auto device = create_cpu_device(2);
  BuildOptions options;
  options.tuning = Tuning::off;
  options.optimize = channels_last;  // so that the operand arrives as a view
  return run(build(std::move(graph), *device, options), inputs);
}

TEST(PictureKernels, ResultsDoNotDependOnStrides) {
  for (const KernelCase& c : picture_cases()) {
    const auto dense = results_of(c, false), strided = results_of(c, true);
    for (const auto& [name, tensor] : dense) {
      EXPECT_EQ(strided.at(name).extents(), tensor.extents()) << c.op;
      EXPECT_LE(relative_l2(strided.at(name), tensor), 1e-12) << c.op << " " << c.attrs.str();
    }
  }
}

std::vector<double> result_of(const KernelCase& c) { return results_of(c, false).begin()->second.to_doubles(); }

TEST(PictureKernels, DftOfAnyLengthIsTheSumThatDefinesIt) {
  for (int64_t n : {1, 2, 3, 4, 6, 7, 12, 13, 30, 49, 64}) {
    std::vector<double> x(static_cast<size_t>(2 * n));
    for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(1 + static_cast<double>(i * i));
    const Tensor signal = tensor_of<double>({n, 2}, x);
    const auto found = result_of({"dft", {}, {signal}});
    for (int64_t k = 0; k < n; ++k) {
      double real = 0, imaginary = 0;
      for (int64_t i = 0; i < n; ++i) {
        const double angle = -2 * std::numbers::pi * static_cast<double>(i * k % n) / static_cast<double>(n);
        const double a = x[static_cast<size_t>(2 * i)], b = x[static_cast<size_t>(2 * i + 1)];
        real += a * std::cos(angle) - b * std::sin(angle);
        imaginary += a * std::sin(angle) + b * std::cos(angle);
      }
      EXPECT_NEAR(found[static_cast<size_t>(2 * k)], real, 1e-11) << n;
      EXPECT_NEAR(found[static_cast<size_t>(2 * k + 1)], imaginary, 1e-11) << n;
    }
    const auto back = result_of({"dft", {{"inverse", int64_t{1}}}, {tensor_of<double>({n, 2}, found)}});
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-12) << n;
  }
}

TEST(PictureKernels, HalfASpectrumBecomesTheSignalAgain) {
  for (int64_t n : {6, 7}) {
    const Tensor x = random_tensor({3, n, 1}, 1);
    const Tensor half = results_of({"dft", {{"onesided", int64_t{1}}}, {x}}, false).begin()->second;
    EXPECT_EQ(half.extents(), (std::vector<int64_t>{3, n / 2 + 1, 2}));
    const auto back =
        results_of({"dft", {{"onesided", int64_t{1}}, {"inverse", int64_t{1}}}, {half, Tensor::scalar(n)}}, false);
    EXPECT_LE(relative_l2(back.begin()->second, x), 1e-6);
  }
}

TEST(PictureKernels, DeterminantsByHand) {
  EXPECT_EQ(result_of({"det", {}, {tensor_of<float>({2, 2}, {1, 2, 3, 4})}}), (std::vector<double>{-2}));
  EXPECT_EQ(
      result_of({"det", {}, {tensor_of<float>({2, 3, 3}, {0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2, 3, 2, 4, 6, 0, 1, 5})}}),
      (std::vector<double>{1, 0}));
  EXPECT_EQ(result_of({"det", {}, {tensor_of<float>({1, 0, 0}, {})}}), (std::vector<double>{1}));
}

// A bin that lies half outside; and one that no element is in.
TEST(PictureKernels, RegionsBesideThePicture) {
  const Tensor x = tensor_of<float>({1, 1, 2, 2}, {-1, -2, -3, -4});
  const Attrs one = {{"pooled_shape", std::vector<int64_t>{1, 1}}};
  EXPECT_EQ(result_of({"max_roi_pool", one, {x, tensor_of<float>({2, 5}, {0, 1, 1, 9, 9, 0, 7, 7, 9, 9})}}),
            (std::vector<double>{-4, 0}));
  const Tensor far = tensor_of<float>({1, 4}, {10, 10, 12, 12});
  EXPECT_EQ(result_of({"roi_align", {}, {x, far, ints_of({0})}}), (std::vector<double>{0}));
}

TEST(PictureKernels, DataThatDoesNotFitIsRefusedWhenItRuns) {
  const Tensor x = random_tensor({1, 1, 2, 2}, 1), roi = tensor_of<float>({1, 4}, {0, 0, 1, 1});
  const Attrs two = {{"kernel_shape", std::vector<int64_t>{2, 2}}};
  EXPECT_THROW(result_of({"roi_align", {}, {x, roi, ints_of({1})}, 3}), Error);
  EXPECT_THROW(result_of({"roi_align", {}, {x, tensor_of<float>({1, 4}, {0, 0, NAN, 1}), ints_of({0})}, 3}), Error);
  EXPECT_THROW(result_of({"max_unpool", two, {x, tensor_of<int64_t>({1, 1, 2, 2}, {0, 1, 2, 9})}, 2}), Error);
}

TEST(ResizeKernels, IntegersAreRoundedAndKept) {
  const auto sized = [](const char* mode, const Tensor& x, int64_t extent) {
    return result_of({"resize", {{"mode", std::string(mode)}}, {x, {}, {}, ints_of({extent})}});
  };
  EXPECT_EQ(sized("linear", tensor_of<uint8_t>({2}, {0, 255}), 4), (std::vector<double>{0, 64, 191, 255}));
  EXPECT_EQ(sized("cubic", tensor_of<uint8_t>({2}, {0, 255}), 4)[0], 0);  // below 0 otherwise
  const int64_t large = (int64_t{1} << 60) + 1;
  const KernelCase kept = {"resize", {}, {tensor_of<int64_t>({1}, {large}), {}, {}, ints_of({2})}};
  EXPECT_EQ(results_of(kept, false).begin()->second.to_ints(), (std::vector<int64_t>{large, large}));
}

TEST(ScatterKernels, SixtyFourBitsAreExact) {
  const int64_t large = (int64_t{1} << 60) + 1;
  const Tensor data = tensor_of<int64_t>({2}, {large, -large}), at = ints_of({0, 1});
  const auto scattered = [&](const char* how, const Tensor& values) {
    return results_of({"scatter_elements", {{"reduction", std::string(how)}}, {data, at, values}}, false)
        .begin()
        ->second.to_ints();
  };
  EXPECT_EQ(scattered("add", ints_of({2, 2})), (std::vector<int64_t>{large + 2, 2 - large}));
  EXPECT_EQ(scattered("max", ints_of({large + 1, 0})), (std::vector<int64_t>{large + 1, 0}));
  EXPECT_EQ(scattered("min", ints_of({large - 1, 0})), (std::vector<int64_t>{large - 1, -large}));
}

}  // namespace
}  // namespace planish
