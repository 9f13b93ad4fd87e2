#include "tensor/attrs.h"

#include <gtest/gtest.h>

namespace planish {
namespace {

Attrs every_kind() {
  const Dim n = Dim::symbol("N");
  Attrs attrs;
  attrs.set("i", int64_t{-3});
  attrs.set("f", 1.0);
  attrs.set("g", 0.1);
  attrs.set("s", std::string("a \"quoted\"\nname"));
  attrs.set("t", DataType::bf16);
  attrs.set("is", std::vector<int64_t>{1, -2});
  attrs.set("fs", std::vector<double>{1, 2.5});
  attrs.set("ss", std::vector<std::string>{"x", ""});
  attrs.set("ds", std::vector<Dim>{n, 64 * n, min(n, 3)});
  attrs.set("none_i", std::vector<int64_t>{});
  attrs.set("none_f", std::vector<double>{});
  attrs.set("none_s", std::vector<std::string>{});
  attrs.set("none_d", std::vector<Dim>{});
  attrs.set("w", Tensor::of<float>({2}, std::vector<float>{1.5f, 0.1f}));
  attrs.set("e", Tensor::of<int64_t>({0}, std::span<const int64_t>{}));
  attrs.set("z", Tensor::scalar<int64_t>(INT64_MAX));
  return attrs;
}

TEST(Attrs, TextRoundTripOfEveryKind) {
  const Attrs attrs = every_kind();
  const Attrs back = Attrs::parse(attrs.str());
  EXPECT_EQ(back, attrs) << attrs.str();
  EXPECT_EQ(back.str(), attrs.str());
  EXPECT_EQ(back.hash(), attrs.hash());
  EXPECT_EQ(Attrs::parse("{}"), Attrs());
}

TEST(Attrs, PrintsKindsApart) {
  EXPECT_EQ((Attrs{{"a", int64_t{1}}, {"b", 1.0}, {"c", DataType::f32}}).str(), "{a=1, b=1.0, c=type(f32)}");
  EXPECT_EQ((Attrs{{"d", std::vector<Dim>{Dim::symbol("N"), 2}}}).str(), "{d=dims[N, 2]}");
  EXPECT_EQ((Attrs{{"e", std::vector<double>{}}}).str(), "{e=floats[]}");
}

TEST(Attrs, LargeTensorsPrintAsTheirHash) {
  const Attrs attrs = {{"w", Tensor::zeros(DataType::f32, {64, 3})}};
  EXPECT_NE(attrs.str().find("tensor f32[64,3] #"), std::string::npos);
  EXPECT_THROW(Attrs::parse(attrs.str()), Error);
}

TEST(Attrs, RefusesBadText) {
  for (const char* text : {"", "{", "{a}", "{a=}", "{a=1", "{a=1 b=2}", "{a=[1}", "{a=tensor f32[2] [1.0]}",
                           "{a=type(f99)}", "{a=dims[N,,2]}", "{a=1} x"})
    EXPECT_THROW(Attrs::parse(text), Error) << text;
}

struct Sample {
  std::vector<int64_t> strides = {1, 1};
  std::vector<double> scales;
  int64_t group = 1;
  bool flag = false;
  std::string mode = "none";
  Tensor value;
  template <class V>
  void fields(V& v) {
    v("strides", strides);
    v("scales", scales);
    v("group", group);
    v("flag", flag);
    v("mode", mode);
    v("value", value);
  }
};

TEST(Attrs, StructsReadAndWrite) {
  Sample sample;
  sample.group = 4;
  sample.flag = true;
  const Attrs attrs = attrs_of(sample);
  EXPECT_FALSE(attrs.has("value"));
  const Sample back = attrs_to<Sample>(attrs);
  EXPECT_EQ(back.group, 4);
  EXPECT_TRUE(back.flag);
  EXPECT_EQ(attrs_to<Sample>({}).strides, (std::vector<int64_t>{1, 1}));
}

// An importer cannot tell which list an empty one is.
TEST(Attrs, AnEmptyListFitsAnyListField) {
  const Sample sample = attrs_to<Sample>({{"scales", std::vector<int64_t>{}}, {"strides", std::vector<double>{}}});
  EXPECT_TRUE(sample.scales.empty());
  EXPECT_TRUE(sample.strides.empty());
}

TEST(Attrs, ErrorsNameTheAttributeAndBothKinds) {
  try {
    attrs_to<Sample>({{"group", std::string("x")}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "attribute 'group' is of kind string, int is accepted");
  }
  try {
    attrs_to<Sample>({{"grop", int64_t{1}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("unknown attribute 'grop'"), std::string::npos);
  }
}

}  // namespace
}  // namespace planish
