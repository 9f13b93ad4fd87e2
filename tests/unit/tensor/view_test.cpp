#include "tensor/view.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "base/error.h"
#include "tensor/copy.h"

namespace planish {
namespace {

TEST(View, DenseStridesOfBothLayouts) {
  const std::vector<int64_t> extents = {2, 3, 4, 5};
  const TensorView rows = make_view(nullptr, DataType::f32, extents),
                   last = make_view(nullptr, DataType::f32, extents, Layout::channels_last);
  EXPECT_EQ(std::vector<int64_t>(rows.strides.begin(), rows.strides.begin() + 4), (std::vector<int64_t>{60, 20, 5, 1}));
  EXPECT_EQ(std::vector<int64_t>(last.strides.begin(), last.strides.begin() + 4), (std::vector<int64_t>{60, 1, 15, 3}));
  EXPECT_TRUE(rows.is_dense());
  EXPECT_FALSE(rows.is_dense(Layout::channels_last));
  EXPECT_TRUE(last.is_dense(Layout::channels_last));
  EXPECT_FALSE(last.is_dense());
}

TEST(View, AxesOfExtentOneDoNotMatter) {
  TensorView view = make_view(nullptr, DataType::f32, std::vector<int64_t>{4, 1, 3});
  view.strides[1] = 77;
  EXPECT_TRUE(view.is_dense());
}

TEST(View, RefusesTooManyAxes) { EXPECT_THROW(make_view(nullptr, DataType::f32, std::vector<int64_t>(11, 1)), Error); }

TEST(View, OdometerVisitsNothingOfAnEmptyShape) {
  const std::vector<int64_t> extents = {3, 0, 2}, strides = {0, 2, 1};
  EXPECT_FALSE((Odometer<1>(extents, {strides}).valid()));
  int count = 0;
  for (Odometer<1> at({}, {std::span<const int64_t>{}}); at.valid(); at.next()) ++count;
  EXPECT_EQ(count, 1);
}

TEST(View, BroadcastStridesAlignAtTheLastAxis) {
  const TensorView view = make_view(nullptr, DataType::f32, std::vector<int64_t>{3, 1});
  const auto strides = broadcast_strides(view, std::vector<int64_t>{2, 3, 4});
  EXPECT_EQ(strides[0], 0);
  EXPECT_EQ(strides[1], 1);
  EXPECT_EQ(strides[2], 0);
}

// Random permutations of the memory order, repeated axes, every element size.
template <class T>
void copy_matches(std::mt19937& random, DataType dtype) {
  const size_t rank = random() % 5;
  std::vector<int64_t> extents;
  for (size_t i = 0; i < rank; ++i)
    extents.push_back(static_cast<int64_t>(1 + random() % (random() % 3 == 0 && rank < 4 ? 37 : 5)));
  const auto place = [&](TensorView& view, bool repeats) {
    std::vector<size_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    int64_t step = static_cast<int64_t>(1 + random() % 2);
    for (size_t axis : order) {
      view.strides[axis] = repeats && random() % 4 == 0 ? 0 : step;
      step *= extents[axis];
    }
    return static_cast<size_t>(step + 2);
  };
  TensorView from = make_view(nullptr, dtype, extents), to = from;
  std::vector<T> source(place(from, true)), target(place(to, false), T{99});
  for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<T>(i);
  from.data = source.data();
  to.data = target.data();
  copy_view(from, to);
  for (Odometer<2> at(extents, {from.strides, to.strides}); at.valid(); at.next())
    ASSERT_EQ(target[static_cast<size_t>(at.offset[1])], source[static_cast<size_t>(at.offset[0])]);
}

TEST(View, CopyBetweenAnyStrides) {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    copy_matches<uint8_t>(random, DataType::u8);
    copy_matches<uint16_t>(random, DataType::u16);
    copy_matches<int32_t>(random, DataType::i32);
    copy_matches<int64_t>(random, DataType::i64);
  }
}

// Cut among threads along whichever axis.
TEST(View, CopyByAllThreads) {
  ThreadPool pool(2);
  for (std::vector<size_t> order : {std::vector<size_t>{0, 1, 2, 3}, {3, 0, 2, 1}, {1, 3, 2, 0}, {2, 1, 0, 3}}) {
    const std::vector<int64_t> extents = {2, 58, 17, 19};
    TensorView to = make_view(nullptr, DataType::f32, extents), from = to;
    int64_t step = 1;
    for (size_t axis : order) {
      from.strides[axis] = step;
      step *= extents[axis];
    }
    std::vector<float> source(static_cast<size_t>(step)), target(source.size());
    std::iota(source.begin(), source.end(), 0.f);
    from.data = source.data();
    to.data = target.data();
    copy_view(from, to, pool);
    for (Odometer<2> at(extents, {from.strides, to.strides}); at.valid(); at.next())
      ASSERT_EQ(target[static_cast<size_t>(at.offset[1])], source[static_cast<size_t>(at.offset[0])]);
  }
}

}  // namespace
}  // namespace planish
