#pragma once
// Attrs: named values of a node or step; and the bridge to typed structs.
//
// An operator or kernel declares its attributes once:
//
//   struct ConvAttrs {
//     std::vector<int64_t> strides;
//     int64_t group = 1;
//     template <class Visitor> void fields(Visitor& v) { v("strides", strides); v("group", group); }
//   };
//
// attrs_to<ConvAttrs>(attrs) reads it (defaults where absent, Error(invalid_model) for a wrong kind or an
// unknown name), attrs_of(value) writes it. Print, parse, hash, comparison and serialization work on Attrs.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace planish {

using AttrValue = std::variant<int64_t, double, std::string, DataType, std::vector<int64_t>, std::vector<double>,
                               std::vector<std::string>, std::vector<Dim>, Tensor>;

std::string_view attr_kind_name(const AttrValue& value);  // "int", "float", "string", "type", "ints", …

class Attrs {
 public:
  using Entry = std::pair<std::string, AttrValue>;

  Attrs() = default;
  Attrs(std::initializer_list<Entry> entries);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const AttrValue* find(std::string_view name) const;
  void set(std::string_view name, AttrValue value);
  void erase(std::string_view name);
  const std::vector<Entry>& entries() const { return entries_; }  // sorted by name
  bool empty() const { return entries_.empty(); }

  // The value; Error(invalid_model) names the attribute and both kinds when it has another one.
  template <class T>
  const T& get(std::string_view name) const;
  template <class T>
  T get_or(std::string_view name, T fallback) const {
    return has(name) ? get<T>(name) : std::move(fallback);
  }

  std::string str() const;                    // {group=1, strides=[2, 2]}; a large tensor prints as its hash
  static Attrs parse(std::string_view text);  // inverse of str() where every tensor is printed in full
  uint64_t hash() const;
  friend bool operator==(const Attrs&, const Attrs&) = default;

 private:
  std::vector<Entry> entries_;
};

bool is_empty_list(const AttrValue& value);  // of ints or floats
[[noreturn]] void fail_attr_kind(std::string_view name, const AttrValue& found, const AttrValue& wanted);
[[noreturn]] void fail_attr_unknown(std::string_view name, const std::vector<std::string>& accepted);

template <class T>
const T& Attrs::get(std::string_view name) const {
  const AttrValue* value = find(name);
  if (value == nullptr) fail(Code::invalid_model, "attribute '{}' is missing", name);
  if (!std::holds_alternative<T>(*value)) fail_attr_kind(name, *value, AttrValue(T{}));
  return std::get<T>(*value);
}

namespace detail {

template <class T>
constexpr bool is_list = false;
template <class T>
constexpr bool is_list<std::vector<T>> = true;

struct AttrReader {
  const Attrs& attrs;
  std::vector<std::string> seen;
  template <class T>
  void operator()(const char* name, T& field) {
    seen.emplace_back(name);
    if (attrs.has(name)) field = read<T>(name);
  }
  // An empty list of ints or floats fits any list field; bool fields are stored as ints.
  template <class T>
  T read(const char* name) {
    if constexpr (std::is_same_v<T, bool>) return attrs.get<int64_t>(name) != 0;
    if constexpr (is_list<T>)
      if (is_empty_list(*attrs.find(name))) return {};
    if constexpr (!std::is_same_v<T, bool>) return attrs.get<T>(name);
  }
};

struct AttrWriter {
  Attrs& attrs;
  template <class T>
  void operator()(const char* name, T& field) {
    if constexpr (std::is_same_v<T, bool>)
      attrs.set(name, int64_t{field});
    else if constexpr (std::is_same_v<T, Tensor>) {
      if (field.present()) attrs.set(name, field);
    } else
      attrs.set(name, field);
  }
};

}  // namespace detail

template <class T>
T attrs_to(const Attrs& attrs) {
  T value;
  detail::AttrReader reader{attrs, {}};
  value.fields(reader);
  for (const auto& [name, ignored] : attrs.entries()) {
    if (std::find(reader.seen.begin(), reader.seen.end(), name) == reader.seen.end())
      fail_attr_unknown(name, reader.seen);
  }
  return value;
}

template <class T>
Attrs attrs_of(T value) {
  Attrs attrs;
  detail::AttrWriter writer{attrs};
  value.fields(writer);
  return attrs;
}

struct NoAttrs {
  template <class Visitor>
  void fields(Visitor&) {}
};

}  // namespace planish
