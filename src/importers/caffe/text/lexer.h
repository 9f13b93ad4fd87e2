#pragma once
// Tokens of protobuf's text format, with their places.

#include <string>
#include <string_view>

#include "base/error.h"
#include "importers/caffe/text/message.h"

namespace planish::caffe::text {

struct Token {
  enum Kind { word, number, string, sign, end };
  Kind kind = end;
  std::string text;  // of a string: its bytes; of a sign: that character
  Place place;

  bool is(char c) const { return kind == sign && text[0] == c; }
};

// What stands at a place is wrong: Error(invalid_model) "line:column: sentence".
template <class... Args>
[[noreturn]] void fail_at(Place place, fmt::format_string<Args...> text, Args&&... args) {
  fail(Code::invalid_model, "{}:{}: {}", place.line, place.column, fmt::format(text, std::forward<Args>(args)...));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void advance();
  void skip_blanks();
  Token word_token();
  Token number_token();
  Token string_token();
  void escape(std::string& out);
  void hex_escape(std::string& out, int digits, bool is_character);

  std::string_view text_;
  size_t at_ = 0;
  Place place_{1, 1};
};

// How a token is shown in messages.
std::string shown(const Token& token);

}  // namespace planish::caffe::text
