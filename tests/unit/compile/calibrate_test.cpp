// Ranges from samples, and networks of integers made with them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "compile/calibrate/calibrate.h"
#include "compile/calibrate/classes.h"
#include "compile/calibrate/equalise.h"
#include "compile/calibrate/fastest.h"
#include "compile/calibrate/observer.h"
#include "compile/calibrate/rounding.h"
#include "compile/calibrate/sensitivity.h"
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
  table.ranges = {{"a", {-0.5F, 3}}};
  table.channels = {{"a", {{1, 2}, {0.25F, 4}}}};
  table.weights = {{"conv", {1, -1, 127, -127, 0}}};
  table.weight_scales = {{"conv", {0.125F}}};
  const CalibrationTable found = parse_table(print_table(table));
  EXPECT_EQ(found.ranges, table.ranges);
  EXPECT_EQ(found.channels.at("a").largest, table.channels.at("a").largest);
  EXPECT_EQ(found.channels.at("a").power, table.channels.at("a").power);
  EXPECT_EQ(found.weights, table.weights);
  EXPECT_EQ(found.weight_scales, table.weight_scales);
  EXPECT_EQ(found.scales, table.scales);
  EXPECT_EQ(found.means.at("a"), table.means.at("a"));
  EXPECT_EQ(found.algorithm, table.algorithm);
  EXPECT_EQ(parse_table("TRT-7000-MinMaxCalibration\r\nx: 3c010a14\r\n").scales.at("x"), 0x1.021428p-7F);
}

TEST(CalibrationHistogram, GrowsByDoubling) {
  const Tensor small = random_tensor({100000}, 1, 1), large = random_tensor({100000}, 2, 3);
  Histogram histogram;
  for (const Tensor& tensor : {small, large}) {
    const auto values = tensor.as<float>();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    histogram.widen(*low, *high);
    histogram.add(values);
  }
  int64_t expected = 0;
  EXPECT_EQ(std::accumulate(histogram.bins.begin(), histogram.bins.end(), int64_t{0}), 200000);
  for (const Tensor& tensor : {small, large})
    for (float value : tensor.as<float>()) expected += std::fabs(value) < histogram.width * 100 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(std::accumulate(histogram.bins.begin(), histogram.bins.begin() + 100, int64_t{0})),
              static_cast<double>(expected), 4);  // rounding of 1 / width at the edge
}

// By plain loops in double.
void expect_figures(const ValueObserver& observer, const std::vector<Tensor>& tensors, size_t axis) {
  for (size_t c = 0; c < observer.channels().size(); ++c) {
    double least = 1e30, most = -1e30, sum = 0, squares = 0;
    for (const Tensor& tensor : tensors) {
      const std::vector<double> values = tensor.to_doubles();
      size_t inner = 1;
      for (size_t k = axis + 1; k < tensor.extents().size(); ++k) inner *= static_cast<size_t>(tensor.extents()[k]);
      for (size_t i = 0; i < values.size(); ++i) {
        if (i / inner % observer.channels().size() != c) continue;
        least = std::min(least, values[i]);
        most = std::max(most, values[i]);
        sum += values[i];
        squares += values[i] * values[i];
      }
    }
    EXPECT_EQ(observer.channels()[c].least, static_cast<float>(least));
    EXPECT_EQ(observer.channels()[c].most, static_cast<float>(most));
    EXPECT_NEAR(observer.channels()[c].sum, sum, 1e-3 * std::sqrt(squares));
    EXPECT_NEAR(observer.channels()[c].squares, squares, 1e-4 * squares);
  }
}

TEST(ValueObserver, CountsEveryElementWhateverTheOrderAndTheThreads) {
  const std::vector<int64_t> extents = {2, 24, 37, 31};
  const std::vector<Tensor> tensors = {random_tensor(extents, 1, 2), random_tensor(extents, 2, 5)};
  ThreadPool alone(1), together(4);
  ValueObserver one(1), four(1), last(1), matrix(3);
  for (const Tensor& tensor : tensors) {
    ASSERT_TRUE(one.add(tensor.view(), alone));
    ASSERT_TRUE(four.add(tensor.view(), together));
    ASSERT_TRUE(matrix.add(tensor.view(), together));
    std::vector<float> memory(static_cast<size_t>(tensor.element_count()));
    const TensorView view = make_view(memory.data(), DataType::f32, extents, Layout::channels_last);
    copy_view(tensor.view(), view);
    ASSERT_TRUE(last.add(view, together));
  }
  EXPECT_EQ(one.rows(), 2 * 2 * 37 * 31);
  EXPECT_EQ(one.histogram().bins, four.histogram().bins);
  for (size_t c = 0; c < 24; ++c) EXPECT_EQ(one.channels()[c].sum, four.channels()[c].sum);
  for (const ValueObserver* observer : {&one, &last}) expect_figures(*observer, tensors, 1);
  expect_figures(matrix, tensors, 3);
  EXPECT_EQ(one.histogram().least, last.histogram().least);
  EXPECT_EQ(one.histogram().width, last.histogram().width);
  EXPECT_EQ(one.histogram().count, 2 << 14);
}

TEST(ValueObserver, RefusesWhatIsNotFinite) {
  ThreadPool pool(1);
  for (float odd : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                    std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()})
    for (size_t at : {0U, 16U, 32U}) {
      ValueObserver observer(0);
      std::vector<float> values(33, 1);
      values[at] = odd;
      EXPECT_FALSE(observer.add(make_view(values.data(), DataType::f32, std::vector<int64_t>{1, 33}), pool));
      EXPECT_EQ(observer.histogram().count, 0);
      EXPECT_EQ(observer.tensors(), 0);
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

// concat(relu6(conv(x)), relu(conv(x))) - max_pool - conv, and relu6(conv) of it - depthwise conv.
Graph clipped_network() {
  Graph graph;
  const auto weights = [&](std::vector<int64_t> extents, uint32_t seed) {
    std::vector<double> values = random_tensor(extents, seed).to_doubles();
    for (size_t i = 0; i < values.size(); ++i)  // filters of unlike sizes
      values[i] *= std::pow(2.0, static_cast<double>(i * static_cast<size_t>(extents[0]) / values.size() % 5));
    return graph.add_constant(Tensor::of<float>(extents, std::vector<float>(values.begin(), values.end())));
  };
  const auto relu6 = [&](ValueId x) {
    const ValueId low = graph.add_constant(Tensor::scalar(0.0F)), high = graph.add_constant(Tensor::scalar(6.0F));
    return add_op(graph, "clip", {x, low, high});
  };
  const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId x = graph.add_input("x", {DataType::f32, {2, 3, 8, 8}});
  const ValueId bias = graph.add_constant(random_tensor({6}, 9));
  const ValueId a = relu6(add_op(graph, "conv", {x, weights({6, 3, 3, 3}, 1), bias}, same, "a"));
  const ValueId b = add_op(graph, "relu", {add_op(graph, "conv", {x, weights({5, 3, 1, 1}, 2)}, {}, "b")});
  const ValueId all = add_op(graph, "concat", {a, b}, {{"axis", int64_t{1}}});
  const ValueId pooled =
      add_op(graph, "max_pool", {all},
             {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  const ValueId c = relu6(add_op(graph, "conv", {pooled, weights({7, 11, 1, 1}, 3)}, {}, "c"));
  const Attrs depthwise = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"group", int64_t{7}}};
  graph.add_output(add_op(graph, "conv", {c, weights({7, 1, 3, 3}, 4)}, depthwise, "d"));
  return graph;
}

TEST(Calibration, BringsChannelsToLikeRangesWithoutChangingResults) {
  const auto device = create_cpu_device(2);
  const Graph simple = simplified(clipped_network());
  CalibrateOptions options;
  options.method = CalibrationMethod::min_max;
  options.equalise = true;
  CalibrationTable table = calibrate(simple, *device, options, random_samples({2, 3, 8, 8}, 8));
  Graph equal = simple.clone();
  const auto factors = equalise(equal, table);
  EXPECT_EQ(factors.size(), 1U);  // of d: parts of the concat before c end with limits of their own
  BuildOptions plain;
  plain.optimize = false;
  const Sample sample{{"x", random_tensor({2, 3, 8, 8}, 5, 2)}};
  const Plan before = build(simple.clone(), *device, plain), after = build(std::move(equal), *device, plain);
  const std::string y = before.bindings.back().name;
  SignalToNoise ratio;
  ratio.add(testing::run(after, sample).at(y), testing::run(before, sample).at(y));
  EXPECT_GT(ratio.decibels(), 120);
}

// Channels that are nearly the same sum: what one weight's rounding costs, the others make up for.
TEST(Rounding, LosesLessThanTheNearestNumbers) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {1, 12, 9, 9}});
  const ValueId w = graph.add_constant(random_tensor({20, 12, 3, 3}, 3));
  graph.add_output(add_op(graph, "conv", {x, w}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}, "conv"));
  const NodeId conv = graph.nodes()[0];
  ThreadPool pool(2);
  const Tensor shared = random_tensor({1, 1, 9, 9}, 1), own = random_tensor({1, 12, 9, 9}, 2, 0.1F);
  std::vector<float> values(own.as<float>().begin(), own.as<float>().end());
  for (size_t i = 0; i < values.size(); ++i) values[i] += shared.as<float>()[i % 81];
  const Tensor input = Tensor::of<float>({1, 12, 9, 9}, values);
  InputMoments moments(graph, conv);
  moments.add(input.view(), 81, pool);
  const ProductWeights weights = weights_of(graph, conv);
  const std::vector<float> scales = weight_scales(weights, "conv");
  const auto rounded = rounded_weights(weights, scales, moments, {}, pool);
  const auto error = [&](const auto& number) {  // of results, by the rows that the moments have
    double sum = 0;
    const auto& block = moments.blocks()[0];
    const auto n = static_cast<size_t>(block.size);
    for (int64_t c = 0; c < weights.columns; ++c) {
      std::vector<double> off(n);
      for (size_t k = 0; k < n; ++k) {
        const size_t i = weights.index(c, static_cast<int64_t>(k));
        off[k] = weights.values[i] - number(i) * double{scales[static_cast<size_t>(c)]};
      }
      for (size_t i = 0; i < n; ++i)
        for (size_t j = i; j < n; ++j) sum += (i == j ? 1 : 2) * off[i] * off[j] * double{block.sums[i * n + j]};
    }
    return sum;
  };
  const double nearest = error([&](size_t i) { return nearest_number(weights.values[i], scales[weights.column(i)]); });
  EXPECT_LT(error([&](size_t i) { return rounded[i]; }), 0.3 * nearest);
}

TEST(Rounding, LeavesWeightsOnAGridAsTheyAre) {
  ProductWeights weights;
  weights.columns = 3;
  weights.channels = 40;
  std::mt19937 random(1);
  for (int i = 0; i < 120; ++i)
    weights.values.push_back(0.01 * (i / 40 + 1) * static_cast<double>(static_cast<int>(random() % 121) - 60));
  const std::vector<float> scales = weight_scales(weights, "grid");
  for (size_t i = 0; i < weights.values.size(); ++i)
    EXPECT_NEAR(nearest_number(weights.values[i], scales[weights.column(i)]) * double{scales[weights.column(i)]},
                weights.values[i], 1e-6);
}

TEST(ClassChanges, ExpectsThemFromMarginsAndNoise) {
  Graph graph;
  graph.add_output(graph.add_input("x", {DataType::f32, {1, 3}}));
  ASSERT_TRUE(ClassChanges::has_classes(graph));
  ClassChanges changes(graph);
  const Tensor expected = Tensor::of<float>({1, 3}, std::vector<float>{2, 1, -1e6F});
  changes.add(Tensor::of<float>({1, 3}, std::vector<float>{2.5F, 1, -1e6F}), expected);
  changes.add(Tensor::of<float>({1, 3}, std::vector<float>{0.5F, 1, -1e6F}), expected);
  EXPECT_EQ(changes.count(), 2);
  EXPECT_EQ(changes.changed(), 1);
  // Equal heights: of either sample the mean of its own noise and of both.
  const auto beyond = [](double square) { return 0.5 * std::erfc(1 / std::sqrt(square) / std::sqrt(2.0)); };
  EXPECT_NEAR(changes.share(), (beyond((0.25 + 1.25) / 2) + beyond((2.25 + 1.25) / 2)) / 2, 1e-6);
}

TEST(Sensitivity, KeepsWhatTheBoundNeedsInFp32) {
  const auto device = create_cpu_device(2);
  const Graph simple = simplified(testing::small_network());
  const CalibrationTable table = calibrate(simple, *device, {}, random_samples({2, 3, 8, 8}, 16));
  std::vector<Sample> samples;
  for (auto source = random_samples({2, 3, 8, 8}, 16); auto sample = source();) samples.push_back(std::move(*sample));
  Sensitivity sensitivity(simple, *device, samples);
  const Loss all = sensitivity.search(table, {}, {}).all_int8;
  EXPECT_GT(all.error, 0);
  EXPECT_GT(all.changed, 0);
  for (const LossBounds& bounds : {LossBounds{all.error / 2}, LossBounds{1, all.changed / 2}, LossBounds{1e-6}}) {
    const MixedPrecision mixed = sensitivity.search(table, {}, bounds);
    EXPECT_TRUE(mixed.loss.within(bounds));
    EXPECT_FALSE(mixed.kept.empty());
    EXPECT_LE(mixed.kept.size(), 3U);
  }
}

TEST(Fastest, IsOneOfThePlansThatWereTimed) {
  const auto device = create_cpu_device(1);
  const Graph simple = simplified(testing::small_network());
  const CalibrationTable table = calibrate(simple, *device, {}, random_samples({2, 3, 8, 8}, 16));
  BuildOptions how;
  how.tuning = Tuning::off;
  const FastestPlan fastest = build_fastest(simple, table, {}, device, how, nullptr);
  const double taken = fastest.taken == "int8"   ? fastest.int8_ms
                       : fastest.taken == "fp32" ? fastest.fp32_ms
                                                 : fastest.mixed_ms;
  EXPECT_LE(taken, std::min(fastest.int8_ms, fastest.fp32_ms));
  const Sample sample{{"x", random_tensor({2, 3, 8, 8}, 5, 2)}};
  const std::string y = fastest.plan.bindings.back().name;
  SignalToNoise ratio;
  ratio.add(testing::run(fastest.plan, sample).at(y), testing::run(build(simple.clone(), *device, how), sample).at(y));
  EXPECT_GT(ratio.decibels(), 20);
}

}  // namespace
}  // namespace planish
