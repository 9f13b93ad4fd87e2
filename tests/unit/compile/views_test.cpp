#include "compile/views.h"

#include <gtest/gtest.h>

namespace planish {
namespace {

ViewDesc view(std::vector<Dim> dims, std::vector<Dim> strides) {
  return {0, 0, DataType::f32, std::move(dims), std::move(strides)};
}

std::string strides_of(const std::optional<ViewDesc>& found) { return found ? Shape(found->strides).str() : "none"; }

TEST(Views, AnAxisSplitsUnderAnyStrides) {
  EXPECT_EQ(strides_of(reshaped(view({1, 6, 4, 4}, {96, 1, 24, 6}), {1, 2, 3, 4, 4})), "[1,3,1,24,6]");
  EXPECT_EQ(strides_of(reshaped(view({5, 12}, {100, 2}), {5, 3, 4})), "[100,8,2]");
}

TEST(Views, AxesJoinWhereTheyFollowEachOther) {
  EXPECT_EQ(strides_of(reshaped(view({2, 8, 3, 5}, {120, 1, 40, 8}), {2, 8, 15})), "[120,1,8]");
  EXPECT_EQ(strides_of(reshaped(view({2, 3, 8}, {100, 8, 1}), {6, 8})), "none");
  EXPECT_EQ(strides_of(reshaped(view({4, 6}, {1, 4}), {24})), "none");
}

TEST(Views, SplitAndJoinInOne) { EXPECT_EQ(strides_of(reshaped(view({4, 6}, {6, 1}), {3, 8})), "[8,1]"); }

TEST(Views, AxesOfExtentOneComeAndGo) {
  EXPECT_EQ(strides_of(reshaped(view({3, 1, 4}, {1, 7, 3}), {1, 3, 4, 1})), "[1,1,3,1]");
  EXPECT_EQ(strides_of(reshaped(view({1, 1}, {9, 9}), Shape{})), "[]");
}

TEST(Views, SymbolicExtents) {
  const Dim n = Dim::symbol("N"), s = Dim::symbol("S");
  EXPECT_EQ(strides_of(reshaped(view({n, s, 12}, {s * Dim(36), 36, 1}), {n * s, 3, 4})), "[36,4,1]");
  EXPECT_EQ(strides_of(reshaped(view({n, s, 12}, {12, n * Dim(12), 1}), {n * s, 12})), "none");
}

}  // namespace
}  // namespace planish
