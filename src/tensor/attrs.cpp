#include "tensor/attrs.h"

#include <algorithm>

#include "base/hash.h"
#include "base/scanner.h"

namespace planish {
namespace {

constexpr int64_t kInlineElements = 16;

template <class T, class Print>
std::string list_text(std::string_view empty_prefix, const std::vector<T>& values, Print print) {
  if (values.empty()) return std::string(empty_prefix) + "[]";
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + print(values[i]);
  return text + "]";
}

std::string tensor_text(const Tensor& tensor) {
  const std::string head = "tensor " + tensor.type().str() + " ";
  if (tensor.element_count() > kInlineElements) return head + "#" + tensor.content_hash().hex();
  if (is_float(tensor.dtype())) return head + list_text("", tensor.to_doubles(), print_double);
  return head + list_text("", tensor.to_ints(), [](int64_t v) { return std::to_string(v); });
}

struct Printer {
  std::string operator()(int64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return print_double(v); }
  std::string operator()(const std::string& v) const { return quote(v); }
  std::string operator()(DataType v) const { return fmt::format("type({})", data_type_name(v)); }
  std::string operator()(const std::vector<int64_t>& v) const {
    return list_text("ints", v, [](int64_t x) { return std::to_string(x); });
  }
  std::string operator()(const std::vector<double>& v) const { return list_text("floats", v, print_double); }
  std::string operator()(const std::vector<std::string>& v) const { return list_text("strings", v, quote); }
  std::string operator()(const std::vector<Dim>& v) const {
    return "dims" + list_text("", v, [](Dim d) { return d.str(); });
  }
  std::string operator()(const Tensor& v) const { return tensor_text(v); }
};

std::vector<Scanner::Number> parse_numbers(Scanner& scanner) {
  std::vector<Scanner::Number> numbers;
  while (!scanner.accept("]")) {
    if (!numbers.empty()) scanner.expect(",");
    numbers.push_back(scanner.number());
  }
  return numbers;
}

Tensor parse_tensor(Scanner& scanner) {
  const size_t begin = scanner.position();
  scanner.word();
  scanner.expect("[");
  scanner.balanced('[', ']');
  const TensorType type = TensorType::parse(scanner.text_between(begin, scanner.position()));
  if (!type.shape.is_static()) fail(Code::invalid_argument, "a tensor of {}; fixed extents are accepted", type.str());
  if (scanner.accept("#")) fail(Code::invalid_argument, "a tensor given by its hash alone cannot be read back");
  scanner.expect("[");
  const auto numbers = parse_numbers(scanner);
  const auto extents = type.shape.extents();
  const TensorView probe = make_view(nullptr, type.dtype, extents);
  if (probe.element_count() != static_cast<int64_t>(numbers.size()))
    fail(Code::invalid_argument, "{} takes {} elements, {} found", type.str(), probe.element_count(), numbers.size());
  return Tensor::make(type.dtype, extents, [&](std::byte* out) {
    const TensorView view = make_view(out, type.dtype, extents);
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (is_float(type.dtype))
        store_double(view, static_cast<int64_t>(i), numbers[i].value);
      else
        store_int(view, static_cast<int64_t>(i), numbers[i].integer);
    }
  });
}

AttrValue parse_list(Scanner& scanner) {
  if (scanner.peek("\"")) {
    std::vector<std::string> strings;
    do strings.push_back(scanner.quoted());
    while (scanner.accept(","));
    scanner.expect("]");
    return strings;
  }
  const auto numbers = parse_numbers(scanner);
  const bool ints = std::all_of(numbers.begin(), numbers.end(), [](const auto& n) { return n.is_integer; });
  std::vector<int64_t> integers;
  std::vector<double> doubles;
  for (const auto& number : numbers) {
    integers.push_back(number.integer);
    doubles.push_back(number.value);
  }
  if (ints) return integers;
  return doubles;
}

AttrValue parse_value(Scanner& scanner) {
  if (scanner.peek("\"")) return scanner.quoted();
  if (scanner.accept("ints[]")) return std::vector<int64_t>{};
  if (scanner.accept("floats[]")) return std::vector<double>{};
  if (scanner.accept("strings[]")) return std::vector<std::string>{};
  if (scanner.accept("dims[")) return parse_dims(scanner.balanced('[', ']'));
  if (scanner.accept("type(")) {
    const DataType type = parse_data_type(scanner.word());
    scanner.expect(")");
    return type;
  }
  if (scanner.accept_word("tensor")) return parse_tensor(scanner);
  if (scanner.accept("[")) return parse_list(scanner);
  const auto number = scanner.number();
  if (number.is_integer) return number.integer;
  return number.value;
}

}  // namespace

std::string_view attr_kind_name(const AttrValue& value) {
  static constexpr std::string_view kNames[] = {"int",    "float",   "string", "type",  "ints",
                                                "floats", "strings", "dims",   "tensor"};
  return kNames[value.index()];
}

Attrs::Attrs(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) set(entry.first, entry.second);
}

const AttrValue* Attrs::find(std::string_view name) const {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), name,
                             [](const Entry& e, std::string_view n) { return e.first < n; });
  return at != entries_.end() && at->first == name ? &at->second : nullptr;
}

void Attrs::set(std::string_view name, AttrValue value) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), name,
                             [](const Entry& e, std::string_view n) { return e.first < n; });
  if (at != entries_.end() && at->first == name)
    at->second = std::move(value);
  else
    entries_.emplace(at, std::string(name), std::move(value));
}

void Attrs::erase(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.first == name; });
}

std::string Attrs::str() const {
  std::string text = "{";
  for (size_t i = 0; i < entries_.size(); ++i)
    text += (i > 0 ? ", " : "") + entries_[i].first + "=" + std::visit(Printer{}, entries_[i].second);
  return text + "}";
}

Attrs Attrs::parse(std::string_view text) {
  Scanner scanner(text);
  Attrs attrs;
  scanner.expect("{");
  while (!scanner.accept("}")) {
    if (!attrs.empty()) scanner.expect(",");
    const std::string name = scanner.word();
    scanner.expect("=");
    attrs.set(name, parse_value(scanner));
  }
  if (!scanner.at_end()) scanner.fail_here("the end of the attributes");
  return attrs;
}

uint64_t Attrs::hash() const { return hash64(str()); }

bool is_empty_list(const AttrValue& value) {
  return std::visit(
      [](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, std::vector<int64_t>> || std::is_same_v<V, std::vector<double>>)
          return v.empty();
        else
          return false;
      },
      value);
}

void fail_attr_kind(std::string_view name, const AttrValue& found, const AttrValue& wanted) {
  fail(Code::invalid_model, "attribute '{}' is of kind {}, {} is accepted", name, attr_kind_name(found),
       attr_kind_name(wanted));
}

void fail_attr_unknown(std::string_view name, const std::vector<std::string>& accepted) {
  std::string list;
  for (const std::string& item : accepted) list += (list.empty() ? "" : ", ") + item;
  fail(Code::invalid_model, "unknown attribute '{}'; accepted: {}", name, list.empty() ? "none" : list);
}

}  // namespace planish
