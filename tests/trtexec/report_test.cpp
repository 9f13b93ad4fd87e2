#include "trtexec/report.h"

#include <gtest/gtest.h>

#include <cmath>

#include "trtexec/profile.h"
#include "trtexec/values.h"

namespace planish::trtexec {
namespace {

TEST(Report, StatisticsOfKnownNumbers) {
  std::vector<double> values;
  for (int i = 100; i > 0; --i) values.push_back(i);
  const Statistics s = statistics(values, {0, 50, 90, 99, 100});
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.max, 100);
  EXPECT_EQ(s.mean, 50.5);
  EXPECT_EQ(s.median, 50.5);
  EXPECT_EQ(s.percentiles, (std::vector<double>{1, 50, 90, 99, 100}));
  EXPECT_NEAR(s.deviation, 57.16, 0.01);
  EXPECT_EQ(statistics({3}, {90}).percentiles, std::vector<double>{3});
}

TEST(Report, WarmUpsAreLeftOut) {
  std::vector<Trace> traces(4);
  for (size_t i = 0; i < traces.size(); ++i) traces[i].compute_start = 100.0 * static_cast<double>(i);
  EXPECT_EQ(measured(traces, 0).size(), 4U);
  EXPECT_EQ(measured(traces, 200).size(), 2U);
  EXPECT_EQ(measured(traces, 1000).size(), 1U);
  EXPECT_TRUE(measured({}, 0).empty());
}

TEST(Report, LayersOfOneNameAreTold) {
  Profiler profiler;
  for (int run = 0; run < 3; ++run)
    for (const char* name : {"a", "b", "b"}) profiler.reportLayerTime(name, static_cast<float>(run + 1));
  const std::string json = profiler.json();
  EXPECT_NE(json.find("{ \"count\" : 3 }"), std::string::npos) << json;
  EXPECT_NE(
      json.find("\"name\" : \"a\", \"timeMs\" : 6, \"averageMs\" : 2, \"medianMs\" : 2, \"percentage\" : 33.3333"),
      std::string::npos)
      << json;
  EXPECT_NE(profiler.table().find("=== Profile (3 iterations ) ==="), std::string::npos);
}

TEST(Values, AreMadeAndShown) {
  using nvinfer1::DataType;
  const std::string floats = random_values(DataType::kFLOAT, 4000, 1);
  EXPECT_EQ(floats, random_values(DataType::kFLOAT, 4000, 1));
  EXPECT_NE(floats, random_values(DataType::kFLOAT, 4000, 2));
  for (int i = 0; i < 1000; ++i) EXPECT_LE(std::abs(reinterpret_cast<const float*>(floats.data())[i]), 1.0F);
  const int64_t wide[] = {-5, 7};
  EXPECT_EQ(values_text(wide, DataType::kINT64, 2, ", "), "-5, 7");
  const float special[] = {0.5F, INFINITY, -INFINITY};
  EXPECT_EQ(values_text(special, DataType::kFLOAT, 3, " "), "0.5 Infinity -Infinity");
  const uint16_t halves[] = {0x3c00, 0xc000};
  EXPECT_EQ(values_text(halves, DataType::kHALF, 2, " "), "1 -2");
  const uint16_t brains[] = {0x3f80, 0xc000};
  EXPECT_EQ(values_text(brains, DataType::kBF16, 2, " "), "1 -2");
}

}  // namespace
}  // namespace planish::trtexec
