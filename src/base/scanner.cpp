#include "base/scanner.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace planish {
namespace {

bool is_word_char(char c, std::string_view extra) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ||
         extra.find(c) != std::string_view::npos;
}

}  // namespace

size_t Scanner::skip() {
  for (; at_ < text_.size(); ++at_) {
    if (text_.substr(at_, 2) == "//")
      at_ = std::min(text_.find('\n', at_), text_.size() - 1);
    else if (std::isspace(static_cast<unsigned char>(text_[at_])) == 0)
      break;
  }
  return at_;
}

bool Scanner::at_end() { return skip() == text_.size(); }

bool Scanner::peek(std::string_view literal) { return text_.substr(skip(), literal.size()) == literal; }

bool Scanner::accept(std::string_view literal) {
  if (!peek(literal)) return false;
  at_ += literal.size();
  return true;
}

bool Scanner::accept_word(std::string_view wanted) {
  if (!peek(wanted)) return false;
  const size_t end = at_ + wanted.size();
  if (end < text_.size() && is_word_char(text_[end], "")) return false;
  at_ = end;
  return true;
}

void Scanner::expect(std::string_view literal) {
  if (!accept(literal)) fail_here("'" + std::string(literal) + "'");
}

std::string Scanner::word(std::string_view extra) {
  const size_t begin = skip();
  while (at_ < text_.size() && is_word_char(text_[at_], extra)) ++at_;
  if (at_ == begin) fail_here("a name");
  return std::string(text_.substr(begin, at_ - begin));
}

std::string Scanner::quoted() {
  expect("\"");
  std::string out;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (text_[at_] != '\\' || at_ + 1 == text_.size()) {
      out += text_[at_];
      continue;
    }
    const char c = text_[++at_];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
  }
  if (at_ == text_.size()) fail_here("a closing quote");
  ++at_;
  return out;
}

int64_t Scanner::integer() {
  const Number found = number();
  if (!found.is_integer) fail_here("an integer");
  return found.integer;
}

Scanner::Number Scanner::number() {
  const size_t begin = skip();
  if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
  while (at_ < text_.size() &&
         (is_word_char(text_[at_], "") || ((text_[at_] == '-' || text_[at_] == '+') && (text_[at_ - 1] == 'e'))))
    ++at_;
  const std::string_view item = text_.substr(begin, at_ - begin);
  const char* first = item.data() + (!item.empty() && item[0] == '+' ? 1 : 0);
  const char* last = item.data() + item.size();
  Number result;
  if (auto [end, error] = std::from_chars(first, last, result.integer); error == std::errc() && end == last) {
    result.is_integer = true;
    result.value = static_cast<double>(result.integer);
    return result;
  }
  auto [end, error] = std::from_chars(first, last, result.value);
  if (item.empty() || error != std::errc() || end != last) {
    at_ = begin;
    fail_here("a number");
  }
  return result;
}

std::string_view Scanner::balanced(char open, char close) {
  const size_t begin = at_;
  for (int depth = 1; at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') {
      quoted();
      --at_;
      continue;
    }
    depth += text_[at_] == open ? 1 : text_[at_] == close ? -1 : 0;
    if (depth == 0) return text_.substr(begin, at_++ - begin);
  }
  fail_here(std::string(1, close));
}

std::string_view Scanner::until_line_end() {
  const size_t begin = at_;
  at_ = std::min(text_.find('\n', at_), text_.size());
  return text_.substr(begin, at_ - begin);
}

void Scanner::fail_here(std::string_view wanted) {
  skip();
  const std::string_view before = text_.substr(0, at_);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view found = text_.substr(at_, std::min(text_.find('\n', at_), at_ + 24) - at_);
  fail(Code::invalid_argument, "line {}, column {}: expected {}, found '{}'", line, at_ - line_start + 1, wanted,
       found);
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  return out + "\"";
}

std::string print_double(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace planish
