// The text form of a Dim.
//
//   sum := product (('+' | '-') product)*      product := factor ('*' factor)*
//   factor := number | name | '-' factor | '(' sum ')' | function '(' sum ',' sum ')'; min and max: two or more

#include <cctype>

#include "base/scanner.h"
#include "tensor/dim_node.h"

namespace planish {
namespace {

// Deeper than any canonical expression, which has brackets of functions only.
constexpr int kDeepestText = 2 * dims::kDeepest;

Dim parse_sum(Scanner& scanner, int depth);

DimOp parse_function(Scanner& scanner, const std::string& word) {
  for (DimOp op : {DimOp::floor_div, DimOp::ceil_div, DimOp::mod, DimOp::min, DimOp::max})
    if (dims::function_name(op) == word) return op;
  scanner.fail_here("floor_div, ceil_div, mod, min or max before '('");
}

Dim parse_call(Scanner& scanner, const std::string& word, int depth) {
  const DimOp op = parse_function(scanner, word);
  Dim total = parse_sum(scanner, depth + 1);
  scanner.expect(",");
  do total = dims::combine(op, total, parse_sum(scanner, depth + 1));
  while ((op == DimOp::min || op == DimOp::max) && scanner.accept(","));
  scanner.expect(")");
  return total;
}

Dim parse_factor(Scanner& scanner, int depth) {
  if (depth > kDeepestText) fail(Code::invalid_argument, "a shape expression nested deeper than {}", kDeepestText);
  if (scanner.accept("(")) {
    const Dim inner = parse_sum(scanner, depth + 1);
    scanner.expect(")");
    return inner;
  }
  if (scanner.accept("-")) {
    if (scanner.peek("9223372036854775808")) {  // the one number whose magnitude has no positive form
      scanner.word();
      return INT64_MIN;
    }
    return Dim(0) - parse_factor(scanner, depth + 1);
  }
  const std::string word = scanner.word();
  if (std::isdigit(static_cast<unsigned char>(word[0])) != 0) return Scanner(word).integer();
  return scanner.accept("(") ? parse_call(scanner, word, depth) : Dim::symbol(word);
}

Dim parse_product(Scanner& scanner, int depth) {
  Dim product = parse_factor(scanner, depth);
  while (scanner.accept("*")) product = product * parse_factor(scanner, depth);
  return product;
}

Dim parse_sum(Scanner& scanner, int depth) {
  Dim sum = parse_product(scanner, depth);
  for (;;) {
    if (scanner.accept("+"))
      sum = sum + parse_product(scanner, depth);
    else if (scanner.accept("-"))
      sum = sum - parse_product(scanner, depth);
    else
      return sum;
  }
}

}  // namespace

Dim Dim::parse(std::string_view text) {
  Scanner scanner(text);
  const Dim dim = parse_sum(scanner, 0);
  if (!scanner.at_end()) scanner.fail_here("the end of the expression");
  return dim;
}

}  // namespace planish
