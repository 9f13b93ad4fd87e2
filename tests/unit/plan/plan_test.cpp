#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "api/build/profiles.h"
#include "base/error.h"
#include "plan/header.h"
#include "plan/plan.h"
#include "support/networks.h"

namespace planish {
namespace {

Plan reload(const std::vector<std::byte>& bytes) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes);
  return deserialize(*owner, owner);
}

TEST(Plan, RoundTripIsExactAndBytesAreStable) {
  const Plan plan = testing::build_small(true);
  const auto bytes = serialize(plan);
  const Plan again = reload(bytes);
  EXPECT_EQ(print(again), print(plan));
  EXPECT_EQ(diff(plan, again), "");
  EXPECT_EQ(serialize(again), bytes);
  EXPECT_EQ(serialize(testing::build_small(true)), bytes);
}

TEST(Plan, EveryTruncationIsRefused) {
  const auto bytes = serialize(testing::build_small(true));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(reload({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}), Error) << size;
}

TEST(Plan, EveryFlippedBitIsRefused) {
  const auto bytes = serialize(testing::build_small(true));
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<std::byte>(1 << (random() % 8));
    EXPECT_THROW(reload(damaged), Error);
  }
}

// With the checksums made good again the checks behind them stand alone: an Error or a sound plan, no crash.
TEST(Plan, ResealedDamageDoesNotCrash) {
  const auto bytes = serialize(testing::build_small(true));
  std::mt19937 random(2);
  for (int i = 0; i < 5000; ++i) {
    auto damaged = bytes;
    PlanHeader header;
    std::memcpy(&header, damaged.data(), sizeof header);
    damaged[header.index_offset + random() % header.index_bytes] ^= static_cast<std::byte>(1 << (random() % 8));
    header.index_checksum = plan_index_checksum(header, {damaged.data() + header.index_offset, header.index_bytes});
    header.checksum = plan_checksum(header, damaged);
    std::memcpy(damaged.data(), &header, sizeof header);
    try {
      verify(reload(damaged));
    } catch (const Error&) {
    }
  }
}

std::string why_refused(Plan plan) {
  try {
    verify(plan);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_plan);
    return error.what();
  }
  return "";
}

TEST(Plan, ExpressionsNameSymbolsOfTheProfile) {
  Plan plan = testing::build_small(true);
  plan.profiles[0].steps[0].inputs[0].dims[0] = Dim::symbol("M");
  EXPECT_NE(why_refused(plan).find("'M'"), std::string::npos);
  plan = testing::build_small(true);
  plan.bindings[1].type.shape = Shape{Dim::symbol("M"), 10};
  EXPECT_NE(why_refused(plan).find("'M'"), std::string::npos);
  for (const Guard& guard : {Guard{Dim::symbol("N"), Dim::symbol("M"), "here"}, Guard{Dim::symbol("M"), 2, "here"}}) {
    plan = testing::build_small(true);
    plan.profiles[0].guards = {guard};
    EXPECT_NE(why_refused(plan).find("'M'"), std::string::npos);
  }
}

// One may have folded what the other leaves open.
TEST(Plan, EveryProfileHasItsOwnGuards) {
  Plan plan = testing::build_small(true), other = plan;
  const Guard first{Dim::symbol("N"), 2, "first"}, second{Dim::symbol("N"), 3, "second"};
  plan.profiles[0].guards = {first};
  other.profiles[0].guards = {first, second};
  api::merge_profiles(plan, other);
  const auto bytes = serialize(plan);
  const Plan again = deserialize(bytes, nullptr);
  ASSERT_EQ(again.profiles.size(), 2u);
  EXPECT_EQ(again.profiles[0].guards, std::vector<Guard>{first});
  EXPECT_EQ(again.profiles[1].guards, (std::vector<Guard>{first, second}));
}

TEST(Plan, WindowsOfWildStridesAreRefused) {
  for (int64_t stride : {INT64_MIN, INT64_MAX, int64_t{-1}, int64_t{1} << 40}) {
    Plan plan = testing::build_small(true);
    ViewDesc& weights = plan.profiles[0].steps[0].inputs[1];
    weights.dims[0] = 2;
    weights.strides[0] = stride;
    EXPECT_THROW(verify(plan), Error) << stride;
  }
}

TEST(Plan, WorkspacesAreRowsOfBytes) {
  Plan plan = testing::build_small(true);
  for (Step& step : plan.profiles[0].steps) step.workspace = step.inputs[0];
  EXPECT_NE(why_refused(plan).find("workspace"), std::string::npos);
}

}  // namespace
}  // namespace planish
