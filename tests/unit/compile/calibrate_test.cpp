// Ranges from samples, and networks of integers made with them.

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <utility>

#include "compile/calibrate/calibrate.h"
#include "support/networks.h"

namespace planish {
namespace {

using testing::random_tensor;

SampleSource random_samples(std::vector<int64_t> extents, int count) {
  return [=, next = 0]() mutable -> std::optional<Sample> {
    if (next == count) return std::nullopt;
    return Sample{{"x", random_tensor(extents, static_cast<uint32_t>(++next), 2)}};
  };
}

TEST(CalibrationTable, WhatIsPrintedIsParsed) {
  CalibrationTable table;
  table.scales = {{"a", 0.25F}, {"(Unnamed Layer* 3) [Convolution]_output", 1e-3F}, {"b: c", 0.0F}};
  table.means = {{"a", {0.5F, -1.25F}}};
  const CalibrationTable found = parse_table(print_table(table));
  EXPECT_EQ(found.scales, table.scales);
  EXPECT_EQ(found.means.at("a"), table.means.at("a"));
  EXPECT_EQ(found.algorithm, table.algorithm);
  EXPECT_EQ(parse_table("TRT-7000-MinMaxCalibration\r\nx: 3c010a14\r\n").scales.at("x"), 0x1.021428p-7F);
}

TEST(CalibrationHistogram, GrowsByDoublingWhateverTheThreads) {
  const Tensor small = random_tensor({100000}, 1, 1), large = random_tensor({100000}, 2, 3);
  Histogram one, four;
  ThreadPool alone(1), together(4);
  for (const Tensor& tensor : {small, large}) {
    ASSERT_TRUE(one.add(tensor.as<float>(), alone));
    ASSERT_TRUE(four.add(tensor.as<float>(), together));
  }
  EXPECT_EQ(one.bins, four.bins);
  EXPECT_EQ(one.width, four.width);
  int64_t sum = 0, expected = 0;
  for (int64_t bin : one.bins) sum += bin;
  EXPECT_EQ(sum, 200000);
  for (const Tensor& tensor : {small, large})
    for (float value : tensor.as<float>()) expected += std::fabs(value) < one.width * 100 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(std::accumulate(one.bins.begin(), one.bins.begin() + 100, int64_t{0})),
              static_cast<double>(expected), 4);  // rounding of 1 / width at the edge
}

TEST(CalibrationHistogram, RefusesWhatIsNotFinite) {
  ThreadPool pool(1);
  for (float odd : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Histogram histogram;
    std::vector<float> values(33, 1);
    values[32] = odd;
    EXPECT_FALSE(histogram.add(values, pool));
    EXPECT_EQ(histogram.count, 0);
  }
}

TEST(Calibration, MakesASmallNetworkOfIntegers) {
  const auto device = create_cpu_device(2);
  const Graph simple = simplified(testing::small_network());
  for (CalibrationMethod method : {CalibrationMethod::min_max, CalibrationMethod::mse, CalibrationMethod::best}) {
    CalibrateOptions options;
    options.method = method;
    options.correct_bias = true;
    const CalibrationTable found = calibrate(simple, *device, options, random_samples({2, 3, 8, 8}, 16));
    for (bool signed_only : {false, true}) {
      QuantizeOptions how;
      how.signed_activations = signed_only;
      QuantizedLayers layers;
      const Graph numbers = quantized(simple, found, how, &layers);
      EXPECT_EQ(layers.int8.size(), 3U);
      EXPECT_TRUE(layers.fp32.empty());
      const Sample sample{{"x", random_tensor({4, 3, 8, 8}, 77, 2)}};
      SignalToNoise beside_fp32, beside_reference;
      BuildOptions plain;
      plain.tuning = Tuning::off;
      const Plan plan = build(numbers.clone(), *device, plain);
      plain.optimize = false;
      const std::string y = plan.bindings.back().name;
      const Tensor fast = testing::run(plan, sample).at(y);
      beside_fp32.add(fast, testing::run(build(testing::small_network(), *device, plain), sample).at(y));
      beside_reference.add(fast, testing::run(build(numbers.clone(), *device, plain), sample).at(y));
      EXPECT_GT(beside_fp32.decibels(), 25);
      EXPECT_GT(beside_reference.decibels(), 50);
    }
  }
}

TEST(Calibration, SaysWhatIsWrongWithSamples) {
  const auto device = create_cpu_device(1);
  const Graph simple = simplified(testing::small_network());
  const auto why = [&](const SampleSource& source) -> std::string {
    try {
      calibrate(simple, *device, {}, source);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto once = [](Sample sample) -> SampleSource {
    return [left = std::optional(std::move(sample))]() mutable { return std::exchange(left, std::nullopt); };
  };
  EXPECT_EQ(why(random_samples({1, 3, 8, 8}, 0)), "there is no sample to calibrate with");
  EXPECT_NE(why(once({})).find("sample 1: it lacks input 'x'"), std::string::npos);
  EXPECT_NE(why(once({{"x", Tensor::zeros(DataType::i32, {1, 3, 8, 8})}})).find("the sample has i32"),
            std::string::npos);
  EXPECT_NE(why(once({{"x", random_tensor({1, 3, 9, 8}, 1)}})).find("'x'"), std::string::npos);
  CalibrateOptions cancelled;
  cancelled.progress = [](const BuildProgress&) { return false; };
  EXPECT_THROW(calibrate(simple, *device, cancelled, random_samples({1, 3, 8, 8}, 2)), Error);
}

}  // namespace
}  // namespace planish
