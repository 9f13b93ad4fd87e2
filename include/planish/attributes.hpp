// Attributes of operators and plugins.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "planish/planish_plugin.h"
#include "planish/types.hpp"

namespace planish {
inline namespace v0 {

// Host data, dense and row-major.
struct TensorData {
  DataType dtype = DataType::none;
  Extents extents;
  std::vector<std::byte> bytes;

  template <class T>
  static TensorData of(Extents extents, const std::vector<T>& values) {
    TensorData data{DataTypeOf<T>::value, std::move(extents), std::vector<std::byte>(values.size() * sizeof(T))};
    if (!values.empty()) std::memcpy(data.bytes.data(), values.data(), data.bytes.size());
    return data;
  }
};

// A named value: {"group", 2}, {"alpha", 0.1}, {"mode", "linear"}, {"pads", Extents{1, 1, 1, 1}}.
struct Attribute {
  using Value = std::variant<int64_t, double, std::string, DataType, std::vector<int64_t>, std::vector<double>,
                             std::vector<std::string>, TensorData>;
  std::string name;
  Value value;

  Attribute(std::string attribute, int64_t number) : name(std::move(attribute)), value(number) {}
  Attribute(std::string attribute, int number) : Attribute(std::move(attribute), int64_t{number}) {}
  Attribute(std::string attribute, bool flag) : Attribute(std::move(attribute), int64_t{flag}) {}
  Attribute(std::string attribute, double number) : name(std::move(attribute)), value(number) {}
  Attribute(std::string attribute, const char* text) : name(std::move(attribute)), value(std::string(text)) {}
  Attribute(std::string attribute, Value any) : name(std::move(attribute)), value(std::move(any)) {}
};

class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<Attribute> entries) : entries_(entries) {}
  void add(Attribute entry) { entries_.push_back(std::move(entry)); }
  const std::vector<Attribute>& entries() const { return entries_; }

  const Attribute::Value* find(std::string_view name) const {
    for (const Attribute& entry : entries_)
      if (entry.name == name) return &entry.value;
    return nullptr;
  }
  // The value; Error(invalid_argument) when it is missing or of another kind.
  template <class T>
  const T& get(std::string_view name) const {
    const Attribute::Value* value = find(name);
    if (value == nullptr) throw Error(Code::invalid_argument, "attribute '" + std::string(name) + "' is missing");
    if (!std::holds_alternative<T>(*value))
      throw Error(Code::invalid_argument, "attribute '" + std::string(name) + "' is of another kind");
    return std::get<T>(*value);
  }
  template <class T>
  T get_or(std::string_view name, T fallback) const {
    return find(name) == nullptr ? std::move(fallback) : get<T>(name);
  }

 private:
  std::vector<Attribute> entries_;
};

namespace detail {

inline Attribute attribute_of(const planish_attr& attr) {
  const auto list = [&](const auto* values) { return std::vector(values, values + attr.count); };
  switch (attr.kind) {
    case PLANISH_ATTR_INT:
      return {attr.name, attr.integer};
    case PLANISH_ATTR_FLOAT:
      return {attr.name, attr.number};
    case PLANISH_ATTR_STRING:
      return {attr.name, attr.text};
    case PLANISH_ATTR_TYPE:
      return {attr.name, Attribute::Value(static_cast<DataType>(attr.dtype))};
    case PLANISH_ATTR_INTS:
      return {attr.name, Attribute::Value(list(attr.integers))};
    case PLANISH_ATTR_FLOATS:
      return {attr.name, Attribute::Value(list(attr.numbers))};
    case PLANISH_ATTR_STRINGS:
      return {attr.name, Attribute::Value(std::vector<std::string>(attr.texts, attr.texts + attr.count))};
    default:
      break;
  }
  TensorData data{static_cast<DataType>(attr.dtype), list(attr.integers), {}};
  const auto* bytes = static_cast<const std::byte*>(attr.data);
  data.bytes.assign(bytes, bytes + static_cast<size_t>(element_count(data.extents)) * element_bytes(data.dtype));
  return {attr.name, Attribute::Value(std::move(data))};
}

inline Attributes attributes_of(const planish_attr* attrs, size_t count) {
  Attributes attributes;
  for (size_t i = 0; i < count; ++i) attributes.add(attribute_of(attrs[i]));
  return attributes;
}

// Attributes as the C interface takes them; points into what it was made from.
class CAttributes {
 public:
  explicit CAttributes(const Attributes& attributes) {
    texts_.reserve(attributes.entries().size());
    for (const Attribute& entry : attributes.entries()) {
      auto attr = sized<planish_attr>();
      attr.name = entry.name.c_str();
      attr.kind = static_cast<planish_attr_kind>(entry.value.index());
      std::visit([&](const auto& value) { set(attr, value); }, entry.value);
      list_.push_back(attr);
    }
  }
  explicit CAttributes(Attributes&&) = delete;
  CAttributes(const CAttributes&) = delete;
  CAttributes& operator=(const CAttributes&) = delete;
  const planish_attr* data() const { return list_.data(); }
  size_t size() const { return list_.size(); }

 private:
  void set(planish_attr& attr, int64_t value) { attr.integer = value; }
  void set(planish_attr& attr, double value) { attr.number = value; }
  void set(planish_attr& attr, const std::string& value) { attr.text = value.c_str(); }
  void set(planish_attr& attr, DataType value) { attr.dtype = static_cast<planish_dtype>(value); }
  void set(planish_attr& attr, const std::vector<int64_t>& value) {
    attr.integers = value.data();
    attr.count = value.size();
  }
  void set(planish_attr& attr, const std::vector<double>& value) {
    attr.numbers = value.data();
    attr.count = value.size();
  }
  void set(planish_attr& attr, const std::vector<std::string>& value) {
    texts_.emplace_back();
    for (const std::string& text : value) texts_.back().push_back(text.c_str());
    attr.texts = texts_.back().data();
    attr.count = value.size();
  }
  void set(planish_attr& attr, const TensorData& value) {
    if (value.bytes.size() != static_cast<size_t>(element_count(value.extents)) * element_bytes(value.dtype))
      throw Error(Code::invalid_argument,
                  std::string("attribute '") + attr.name + "': the data do not have the size of the extents");
    set(attr, value.extents);
    set(attr, value.dtype);
    attr.data = value.bytes.data();
  }

  std::vector<planish_attr> list_;
  std::vector<std::vector<const char*>> texts_;
};

}  // namespace detail
}  // namespace v0
}  // namespace planish
