#include "importers/caffe/text/lexer.h"

#include <cctype>

namespace planish::caffe::text {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

uint32_t hex_value(char c) {
  return static_cast<uint32_t>(is_digit(c) ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
}

void append_utf8(std::string& out, uint32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

std::string shown(const Token& token) {
  constexpr size_t kMost = 40;
  if (token.kind == Token::end) return "the end of the text";
  std::string text;
  for (char c : token.text.substr(0, kMost)) text += std::iscntrl(static_cast<unsigned char>(c)) != 0 ? '?' : c;
  if (token.text.size() > kMost) text += "…";
  return token.kind == Token::string ? "\"" + text + "\"" : "'" + text + "'";
}

void Lexer::advance() {
  if (text_[at_] == '\n') {
    ++place_.line;
    place_.column = 1;
  } else {
    ++place_.column;
  }
  ++at_;
}

void Lexer::skip_blanks() {
  while (at_ < text_.size()) {
    if (peek() == '#')
      while (at_ < text_.size() && peek() != '\n') advance();
    else if (std::isspace(static_cast<unsigned char>(peek())) != 0)
      advance();
    else
      return;
  }
}

Token Lexer::word_token() {
  Token token{Token::word, "", place_};
  while (is_letter(peek()) || is_digit(peek())) {
    token.text += peek();
    advance();
  }
  return token;
}

// Digits, hexadecimal ones, a fraction, an exponent, the suffix f: what it means is the parser's.
Token Lexer::number_token() {
  Token token{Token::number, "", place_};
  for (char before = '\0'; at_ < text_.size(); before = token.text.back()) {
    const bool exponent_sign = (peek() == '+' || peek() == '-') && (before == 'e' || before == 'E') &&
                               !token.text.starts_with("0x") && !token.text.starts_with("0X");
    if (!is_letter(peek()) && !is_digit(peek()) && peek() != '.' && !exponent_sign) break;
    token.text += peek();
    advance();
  }
  return token;
}

void Lexer::hex_escape(std::string& out, int digits, bool is_character) {
  const Place begin = place_;
  uint32_t value = 0;
  int found = 0;
  for (; found < digits && is_hex(peek()); ++found, advance()) value = value * 16 + hex_value(peek());
  if (found == 0 || (is_character && found != digits)) fail_at(begin, "a hexadecimal escape of {} digits", found);
  if (!is_character) return static_cast<void>(out += static_cast<char>(value));
  if (value > 0x10FFFF) fail_at(begin, "an escape beyond the last character of Unicode");
  append_utf8(out, value);
}

void Lexer::escape(std::string& out) {
  static constexpr std::string_view kNames = "abfnrtv\\'\"?", kValues = "\a\b\f\n\r\t\v\\'\"?";
  const Place begin = place_;
  const char c = peek();
  if (const size_t i = kNames.find(c); c != '\0' && i != std::string_view::npos) {
    advance();
    out += kValues[i];
  } else if (is_octal(c)) {
    int value = 0;
    for (int i = 0; i < 3 && is_octal(peek()); ++i, advance()) value = value * 8 + (peek() - '0');
    out += static_cast<char>(value);
  } else if (c == 'x' || c == 'X' || c == 'u' || c == 'U') {
    advance();
    hex_escape(out, c == 'u' ? 4 : c == 'U' ? 8 : 2, c == 'u' || c == 'U');
  } else {
    fail_at(begin, "the escape '\\{}' is not known", c);
  }
}

Token Lexer::string_token() {
  Token token{Token::string, "", place_};
  const char quote = peek();
  advance();
  while (peek() != quote) {
    if (at_ >= text_.size() || peek() == '\n') fail_at(token.place, "a string that is not closed on its line");
    const char c = peek();
    advance();
    if (c == '\\')
      escape(token.text);
    else
      token.text += c;
  }
  advance();
  return token;
}

Token Lexer::next() {
  skip_blanks();
  if (at_ >= text_.size()) return {Token::end, "", place_};
  const char c = peek();
  if (is_letter(c)) return word_token();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number_token();
  if (c == '"' || c == '\'') return string_token();
  Token token{Token::sign, std::string(1, c), place_};
  if (std::string_view("{}<>[]:,;-").find(c) == std::string_view::npos || c == '\0')
    fail_at(place_, "the character {} has no meaning here", shown(token));
  advance();
  return token;
}

}  // namespace planish::caffe::text
