// Each public header compiles alone (this one first); the runtime's are all that running a plan takes.
#include "planish/runtime.hpp"

#include <gtest/gtest.h>

namespace planish {
namespace {

TEST(Types, TextsAreReadBack) {
  const TensorType type{DataType::f32, {"N", floor_div(Dim("H") + 1, 2), 3, max(Dim("A"), "B")}};
  EXPECT_EQ(type.str(), "f32[N,floor_div((H) + (1), 2),3,max(A, B)]");
  const TensorType again = TensorType::parse(type.str());
  EXPECT_EQ(again.dtype, DataType::f32);
  EXPECT_EQ(again.dims, type.dims);
  EXPECT_EQ(TensorType::parse("i64[]").rank(), 0);
  EXPECT_EQ(TensorType::parse("").dtype, DataType::none);
  EXPECT_THROW(TensorType::parse("f32"), Error);
  EXPECT_THROW(TensorType::parse("float[3]"), Error);
  EXPECT_EQ(TensorType::parse("u8[7]").dims[0].value(), 7);
  EXPECT_THROW(Dim("N").value(), Error);
}

}  // namespace
}  // namespace planish
