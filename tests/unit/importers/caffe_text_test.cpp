// Protobuf's text format, with the messages of Caffe.

#include "importers/caffe/text/lexer.h"
#include "importers/caffe/text/parser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace planish::caffe::text {
namespace {

Message net(const std::string& text) { return parse(text, message_type("NetParameter")); }

std::string message_of(const std::string& text) {
  try {
    net(text);
  } catch (const Error& error) {
    return error.code() == Code::invalid_model ? error.what() : "another code";
  }
  return "";
}

TEST(CaffeText, FieldsListsAndMessages) {
  const Message message = net(R"(
    name: "net"  # a comment
    input: ["a", 'b'] ; input: "c",
    input_dim: 1 input_dim: [2, 0x10, 010]
    state < phase: TEST, level: -3; stage: "s" >
    layer { name: "l" bottom: "x" lrn_param: { alpha: 1e-4 norm_region: 1 k: 2f } include { phase: TRAIN } }
    force_backward: t)");
  EXPECT_EQ(message.text("name"), "net");
  EXPECT_EQ(message.texts("input"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(message.integers("input_dim"), (std::vector<int64_t>{1, 2, 16, 8}));
  EXPECT_EQ(message.message("state").integer("level"), -3);
  EXPECT_EQ(message.message("state").choice("phase", ""), "TEST");
  const Message& layer = *message.messages("layer").at(0);
  EXPECT_EQ(layer.place().line, 6);
  EXPECT_EQ(layer.message("lrn_param").number("alpha"), 1e-4);
  EXPECT_EQ(layer.message("lrn_param").number("k"), 2);
  EXPECT_EQ(layer.message("lrn_param").choice("norm_region", ""), "WITHIN_CHANNEL");
  EXPECT_TRUE(message.flag("force_backward"));
  EXPECT_FALSE(message.has("debug_info"));
  EXPECT_EQ(message.message("state").choice("phase", "TRAIN"), "TEST");
}

TEST(CaffeText, AbsentMessagesAreEmpty) {
  const Message message = net("layer { }");
  const Message& param = message.messages("layer")[0]->message("convolution_param");
  EXPECT_EQ(param.type().name, "ConvolutionParameter");
  EXPECT_TRUE(param.flag("bias_term", true));
  EXPECT_THROW(static_cast<void>(param.flag("no_such_field")), Error);
}

TEST(CaffeText, Strings) {
  EXPECT_EQ(net(R"(name: "a\n\t\"\x41\101\\" 'b' "c")").text("name"), "a\n\t\"AA\\bc");
  EXPECT_EQ(net(R"(name: "\u00e9\U0001F600")").text("name"), "\xC3\xA9\xF0\x9F\x98\x80");
}

TEST(CaffeText, Numbers) {
  const auto number = [](const std::string& text) {
    return net("layer { power_param { power: " + text + " } }")
        .messages("layer")[0]
        ->message("power_param")
        .number("power");
  };
  EXPECT_EQ(number("1"), 1);
  EXPECT_EQ(number("-.5"), -0.5);
  EXPECT_EQ(number("1."), 1);
  EXPECT_EQ(number("1e3f"), 1000);
  EXPECT_EQ(number("2.5F"), 2.5);
  EXPECT_EQ(number("0x1F"), 31);
  EXPECT_EQ(number("-inf"), -INFINITY);
  EXPECT_EQ(number("Infinity"), INFINITY);
  EXPECT_TRUE(std::isnan(number("nan")));
}

TEST(CaffeText, ErrorsNameLineAndColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"nam: \"x\"", "1:1: NetParameter has no field 'nam' (did you mean 'name'?)"},
      {"layer {\n  convolution_param {\n    num_outputs: 3 } }",
       "3:5: ConvolutionParameter has no field 'num_outputs' (did you mean 'num_output'?)"},
      {"layer { frobnicator_of_things: 1 }", "1:9: LayerParameter has no field 'frobnicator_of_things'"},
      {"name: 3", "1:7: field 'name' is '3'; a string in quotes is accepted"},
      {"input_dim: \"x\"",
       "1:12: field 'input_dim' is \"x\"; a whole number from -9223372036854775808 to 9223372036854775807 is accepted"},
      {"layer { convolution_param { num_output: -1 } }",
       "1:42: field 'num_output' is '-1'; a whole number from 0 to 4294967295 is accepted"},
      {"layer { convolution_param { num_output: 3.5 } }",
       "1:41: field 'num_output' is '3.5'; a whole number from 0 to 4294967295 is accepted"},
      {"layer { convolution_param { num_output: 5000000000 } }",
       "1:41: field 'num_output' is '5000000000'; a whole number from 0 to 4294967295 is accepted"},
      {"layer { pooling_param { pool: AVG } }",
       "1:31: field 'pool' is 'AVG'; one of MAX, AVE, STOCHASTIC (did you mean 'AVE'?) is accepted"},
      {"layer { pooling_param { pool: 7 } }", "1:31: field 'pool' is '7'; one of MAX, AVE, STOCHASTIC is accepted"},
      {"force_backward: yes", "1:17: field 'force_backward' is 'yes'; true or false is accepted"},
      {"layer { power_param { power: one } }", "1:30: field 'power' is 'one'; a number is accepted"},
      {"layer { power_param { power: 1.2.3 } }", "1:30: field 'power' is '1.2.3'; a number is accepted"},
      {"name: \"a\"\nname: \"b\"", "2:1: field 'name' is given twice, first at 1:7"},
      {"name \"a\"", "1:6: \"a\" where ':' is accepted, behind 'name'"},
      {"state: 3", "1:8: field 'state' is '3'; '{' and the fields of NetState are accepted"},
      {"layer {\n  name: \"x\"\n", "3:1: the text ends inside of LayerParameter, which begins at 1:7; '}' is missing"},
      {"layer { name: \"x\" >", "1:19: '>' where the name of a field of LayerParameter is accepted"},
      {"}", "1:1: '}' where the name of a field of NetParameter is accepted"},
      {"name: \"abc\n\"", "1:7: a string that is not closed on its line"},
      {"name: \"a\\q\"", "1:10: the escape '\\q' is not known"},
      {"name: \"\\u12\"", "1:10: a hexadecimal escape of 2 digits"},
      {"name: ", "1:7: field 'name' is the end of the text; a value is accepted"},
      {"name: [\"a\"]", "1:7: a list for field 'name', which has one value"},
      {"input: [\"a\" \"b\" 3]", "1:17: '3' where ',' or ']' is accepted"},
      {"name: @", "1:7: the character '@' has no meaning here"},
      {"[ext]: 1", "1:1: '[' where the name of a field of NetParameter is accepted"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(message_of(text), expected) << text;
}

TEST(CaffeText, EveryTypeOfTheTableIsKnown) {
  for (const SchemaRow& row : message_rows())
    for (const Field& field : message_type(row.name).fields)
      if (field.kind == Kind::number) {
        EXPECT_TRUE(field.type == "float" || field.type == "double")
            << row.name << '.' << field.name << ':' << field.type;
      }
}

}  // namespace
}  // namespace planish::caffe::text
