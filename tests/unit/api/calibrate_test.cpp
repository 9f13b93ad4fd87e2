#include <gtest/gtest.h>

#include <cmath>

#include "unit/api/common.h"

namespace planish::testing {
namespace {

const InputRanges kRanges = {{"x", {1, 3, 8, 8}, {2, 3, 8, 8}, {4, 3, 8, 8}}};

std::string table_of(const Network& network, int samples, CalibrationOptions options = {}) {
  options.profile = kRanges;
  std::vector<float> values;
  int next = 0;
  return calibrate(
      network,
      [&](Samples& sample) {
        if (next == samples) return false;
        EXPECT_EQ(sample.at("x").extents, (Extents{2, 3, 8, 8}));
        sample.at("x").extents[0] = 1;
        values = random_values(192, static_cast<uint32_t>(++next));
        sample.at("x").data = values.data();
        return true;
      },
      options);
}

TEST(Calibrate, TableMakesAPlanOfIntegers) {
  const Network network = small_network();
  const std::string table = table_of(network, 16);
  EXPECT_EQ(table.rfind("TRT-8601-EntropyCalibration2\n", 0), 0U);
  EXPECT_NE(table.find("\nx: "), std::string::npos);
  BuildOptions options = untuned();
  const auto x = random_values(192, 99);
  const auto result = [&] {
    const Engine engine(build(network, options));
    Context context(engine);
    return run(context, 1, x);
  };
  const std::vector<float> exact = result();
  options.calibration = table;
  const std::vector<float> int8 = result();
  options.fp32_layers = {"conv1", "conv2", "fc"};
  const std::vector<float> none = result();
  EXPECT_NE(int8, exact);
  for (size_t i = 0; i < exact.size(); ++i) {
    EXPECT_NEAR(int8[i], exact[i], 0.05);
    EXPECT_NEAR(none[i], exact[i], 1e-3);
  }
}

TEST(Calibrate, SaysWhatIsWrong) {
  const Network network = small_network();
  EXPECT_EQ(error_of([&] { table_of(network, 0); }).code(), Code::invalid_argument);
  CalibrationOptions options;
  options.method = "median";
  EXPECT_NE(std::string(error_of([&] { table_of(network, 1, options); }).what()).find("entropy, minmax"),
            std::string::npos);
  EXPECT_EQ(error_of([&] { calibrate(network, [](Samples&) { return true; }, {.profile = kRanges}); }).code(),
            Code::invalid_argument);  // no data
  EXPECT_THROW(calibrate(network, [](Samples&) -> bool { throw std::runtime_error("mine"); }, {.profile = kRanges}),
               std::runtime_error);
  EXPECT_EQ(error_of([&] { calibrate(network, [](Samples&) { return false; }); }).code(), Code::invalid_argument);
  BuildOptions build_options = untuned();
  build_options.calibration = "TRT-8601-EntropyCalibration2\nother: 3c010a14\n";
  const std::string why = error_of([&] { build(network, build_options); }).what();
  EXPECT_NE(why.find("'x'"), std::string::npos);
  EXPECT_NE(why.find("'other'"), std::string::npos);
  build_options.calibration_partial = true;
  EXPECT_NO_THROW(build(network, build_options));
}

TEST(Weights, OfFewBits) {
  const Network network = small_network();
  BuildOptions options = untuned();
  const auto x = random_values(192, 99);
  const auto result = [&] {
    const Engine engine(build(network, options));
    Context context(engine);
    return run(context, 1, x);
  };
  const std::vector<float> exact = result();
  options.weight_bits = 4;
  EXPECT_NE(result(), exact);
  options.weight_bits = 8;
  const std::vector<float> numbers = result();
  EXPECT_NE(numbers, exact);
  for (size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(numbers[i], exact[i], 0.15);
  options.float_weights = {"fc"};
  EXPECT_EQ(result(), exact);
  options.weight_bits = 5;
  EXPECT_EQ(error_of([&] { build(network, options); }).code(), Code::invalid_argument);
  options.weight_bits = 8;
  options.float_weights = {"nobody"};
  EXPECT_EQ(error_of([&] { build(network, options); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace planish::testing
