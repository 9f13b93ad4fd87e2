#pragma once
// Scanner: tokens of the project's text forms (graphs, attributes, types), with positions for messages.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace planish {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end();                        // only blanks and // comments are left
  bool peek(std::string_view literal);  // the next characters, after blanks; does not consume
  bool accept(std::string_view literal);
  void expect(std::string_view literal);
  bool accept_word(std::string_view word);  // as accept, but a whole word

  // Letters, digits, '_', '.' and whatever `extra` lists.
  std::string word(std::string_view extra = "");
  std::string quoted();  // "…" with \" \\ \n \t
  int64_t integer();
  // A number: an integer, or a floating-point value (has '.', 'e', "inf" or "nan").
  struct Number {
    bool is_integer = false;
    int64_t integer = 0;
    double value = 0;
  };
  Number number();
  // Everything up to the bracket that closes the one just consumed; consumes it too.
  std::string_view balanced(char open, char close);
  std::string_view until_line_end();

  size_t position() { return skip(); }
  std::string_view text_between(size_t begin, size_t end) const { return text_.substr(begin, end - begin); }

  [[noreturn]] void fail_here(std::string_view wanted);

 private:
  size_t skip();
  std::string_view text_;
  size_t at_ = 0;
};

std::string quote(std::string_view text);
std::string print_double(double value);  // shortest form that reads back equal, always distinct from an integer

}  // namespace planish
