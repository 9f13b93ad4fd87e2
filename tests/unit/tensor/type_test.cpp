#include "tensor/type.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tensor/tensor.h"

namespace planish {
namespace {

TEST(TensorType, EveryFormRoundTrips) {
  for (const char* text :
       {"f32[]", "f32[N,3,224,224]", "i64[0]", "f16[1,8,7,7]@channels_last", "bool[floor_div(H + 1, 2),min(A, B)]"})
    EXPECT_EQ(TensorType::parse(text).str(), text);
}

TEST(TensorType, RefusesBadText) {
  for (const char* text :
       {"", "f32", "f32[", "f32[1,]", "f32[1,,2]", "f99[1]", "f32[1]@sideways", "f32[1] x", "f32[floor_div(1, 2]"})
    EXPECT_THROW(TensorType::parse(text), Error) << text;
}

TEST(Shape, NormalizesAxes) {
  EXPECT_THROW(normalize_axis(2, 2), Error);
  EXPECT_EQ(normalize_axis(-1, 3), 2);
}

TEST(Tensor, HoldsAlignedSharedData) {
  const Tensor tensor = Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
  EXPECT_EQ(tensor.reshaped({4}).data(), tensor.data());
  EXPECT_THROW(tensor.reshaped({5}), Error);
  EXPECT_THROW(tensor.as<int64_t>(), Error);
  EXPECT_EQ(tensor.to_doubles(), (std::vector<double>{1, 2, 3, 4}));
}

TEST(Tensor, HashDependsOnTypeAndShape) {
  const Tensor a = Tensor::zeros(DataType::f32, {4}), b = Tensor::zeros(DataType::i32, {4}),
               c = Tensor::zeros(DataType::f32, {2, 2});
  EXPECT_NE(a.content_hash(), b.content_hash());
  EXPECT_NE(a.content_hash(), c.content_hash());
  EXPECT_EQ(a.content_hash(), Tensor::zeros(DataType::f32, {4}).content_hash());
  EXPECT_TRUE(a == Tensor::zeros(DataType::f32, {4}));
  EXPECT_FALSE(a == c);
}

TEST(Tensor, WrapsInPlaceWhatIsAlignedAndCopiesWhatIsNot) {
  auto memory = std::make_shared<std::array<std::byte, 64>>();
  const std::byte* data = memory->data();
  EXPECT_EQ(Tensor::wrap(DataType::f32, {4}, data, memory).data(), data);
  const Tensor moved = Tensor::wrap(DataType::f32, {4}, data + 1, memory);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(moved.data()) % 4, 0u);
  EXPECT_THROW(Tensor::wrap(DataType::f32, {int64_t{1} << 62, 8}, data, memory), Error);
  EXPECT_THROW(Tensor::zeros(DataType::f32, {-1}), Error);
  EXPECT_THROW(Tensor::zeros(DataType::f32, {int64_t{1} << 50}), Error);
}

}  // namespace
}  // namespace planish
