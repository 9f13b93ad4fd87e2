#include "importers/caffe/text/parser.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "importers/caffe/text/lexer.h"

namespace planish::caffe::text {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Decimal, hexadecimal and octal digits; nothing where they are no integer of 64 bits.
std::optional<uint64_t> unsigned_of(std::string_view digits) {
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
  }
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && stop == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

// What a scalar is written with.
struct Written {
  bool negative = false;
  Token token;
};

std::string shown(const Written& written) {
  return written.negative ? "'-" + written.token.text + "'" : shown(written.token);
}

[[noreturn]] void fail_type(const Field& field, const Written& written, std::string_view accepted) {
  fail_at(written.token.place, "field '{}' is {}; {} is accepted", field.name, shown(written), accepted);
}

int64_t integer_of(const Field& field, const Written& written) {
  const auto accepted = [&] { return fmt::format("a whole number from {} to {}", field.least, field.most); };
  if (written.token.kind != Token::number) fail_type(field, written, accepted());
  const auto digits = unsigned_of(written.token.text);
  if (!digits) fail_type(field, written, accepted());
  const auto limit =
      written.negative ? uint64_t{0} - static_cast<uint64_t>(field.least) : static_cast<uint64_t>(field.most);
  if (*digits > limit) fail_type(field, written, accepted());
  return static_cast<int64_t>(written.negative ? uint64_t{0} - *digits : *digits);
}

double number_of(const Field& field, const Written& written) {
  const std::string text = lower(written.token.text);
  const double sign = written.negative ? -1 : 1;
  if (written.token.kind == Token::word && (text == "inf" || text == "infinity"))
    return sign * std::numeric_limits<double>::infinity();
  if (written.token.kind == Token::word && text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (written.token.kind != Token::number) fail_type(field, written, "a number");
  if (const auto digits = unsigned_of(text); digits && text.find('.') == std::string::npos)
    return sign * static_cast<double>(*digits);
  const size_t length = text.ends_with('f') ? text.size() - 1 : text.size();
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + length, value);
  if ((error != std::errc() && error != std::errc::result_out_of_range) || stop != text.data() + length)
    fail_type(field, written, "a number");
  return sign * value;
}

bool flag_of(const Field& field, const Written& written) {
  const std::string& text = written.token.text;
  if (!written.negative && written.token.kind != Token::string) {
    if (text == "true" || text == "True" || text == "t" || text == "1") return true;
    if (text == "false" || text == "False" || text == "f" || text == "0") return false;
  }
  fail_type(field, written, "true or false");
}

int64_t choice_of(const Field& field, const Written& written) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& [name, number] : *field.choices) {
    if (written.token.kind == Token::word && !written.negative && written.token.text == name) return number;
    if (written.token.kind == Token::number && !written.negative &&
        unsigned_of(written.token.text) == static_cast<uint64_t>(number))
      return number;
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  const std::string near = written.token.kind == Token::word ? suggestion(written.token.text, names) : "";
  fail_type(field, written, fmt::format("one of {}{}", list, near));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { advance(); }

  // Fields up to `close` ('\0': the end), which is consumed.
  void parse_fields(Message& message, char close) {
    while (true) {
      if (close != '\0' ? token_.is(close) : token_.kind == Token::end) return advance();
      if (token_.kind == Token::end)
        fail_at(token_.place, "the text ends inside of {}, which begins at {}:{}; '{}' is missing", message.type().name,
                message.place().line, message.place().column, close);
      parse_field(message);
      if (token_.is(',') || token_.is(';')) advance();
    }
  }

 private:
  void advance() { token_ = lexer_.next(); }

  void parse_field(Message& message) {
    if (token_.kind != Token::word)
      fail_at(token_.place, "{} where the name of a field of {} is accepted", text::shown(token_), message.type().name);
    const Field* field = message.type().find(token_.text);
    if (field == nullptr) fail_unknown(message);
    const Place place = token_.place;
    refuse_twice(message, *field, place);
    advance();
    const bool colon = token_.is(':');
    if (colon) advance();
    if (token_.is('[')) return parse_list(message, *field);
    if (field->kind != Kind::message && !colon)
      fail_at(token_.place, "{} where ':' is accepted, behind '{}'", text::shown(token_), field->name);
    parse_value(message, *field);
  }

  void parse_value(Message& message, const Field& field) {
    Entry entry{&field, token_.place, int64_t{0}};
    if (field.kind == Kind::message) {
      entry.value = parse_message(field);
    } else {
      parse_scalar(field, entry);
    }
    message.add(std::move(entry));
  }

  std::unique_ptr<Message> parse_message(const Field& field) {
    const char close = token_.is('{') ? '}' : token_.is('<') ? '>' : '\0';
    if (close == '\0')
      fail_at(token_.place, "field '{}' is {}; '{{' and the fields of {} are accepted", field.name, text::shown(token_),
              field.type);
    auto message = std::make_unique<Message>(*field.message, token_.place);
    advance();
    parse_fields(*message, close);
    return message;
  }

  void parse_list(Message& message, const Field& field) {
    if (!field.repeated) fail_at(token_.place, "a list for field '{}', which has one value", field.name);
    advance();
    if (token_.is(']')) return advance();
    while (true) {
      parse_value(message, field);
      if (token_.is(']')) return advance();
      if (!token_.is(',')) fail_at(token_.place, "{} where ',' or ']' is accepted", text::shown(token_));
      advance();
    }
  }

  void parse_scalar(const Field& field, Entry& entry) {
    Written written{token_.is('-'), {}};
    if (written.negative) advance();
    written.token = token_;
    if (token_.kind == Token::sign || token_.kind == Token::end) fail_type(field, written, "a value");
    advance();
    switch (field.kind) {
      case Kind::integer:
        entry.value = integer_of(field, written);
        break;
      case Kind::number:
        entry.value = number_of(field, written);
        break;
      case Kind::flag:
        entry.value = flag_of(field, written);
        break;
      case Kind::choice:
        entry.value = choice_of(field, written);
        break;
      default:
        entry.value = joined_strings(field, written);
    }
  }

  std::string joined_strings(const Field& field, const Written& written) {
    if (written.negative || written.token.kind != Token::string) fail_type(field, written, "a string in quotes");
    std::string text = written.token.text;
    for (; token_.kind == Token::string; advance()) text += token_.text;
    return text;
  }

  [[noreturn]] void fail_unknown(const Message& message) const {
    std::vector<std::string> names;
    for (const Field& field : message.type().fields) names.push_back(field.name);
    fail_at(token_.place, "{} has no field '{}'{}", message.type().name, token_.text, suggestion(token_.text, names));
  }

  static void refuse_twice(const Message& message, const Field& field, Place place) {
    if (field.repeated) return;
    for (const Entry& entry : message.entries())
      if (entry.field == &field)
        fail_at(place, "field '{}' is given twice, first at {}:{}", field.name, entry.place.line, entry.place.column);
  }

  Lexer lexer_;
  Token token_;
};

}  // namespace

Message parse(std::string_view text, const MessageType& type) {
  Message message(type, {1, 1});
  Parser(text).parse_fields(message, '\0');
  return message;
}

}  // namespace planish::caffe::text
