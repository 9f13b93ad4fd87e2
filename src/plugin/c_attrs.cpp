#include "plugin/c_attrs.h"

#include "base/checked.h"
#include "base/sized.h"

namespace planish {
namespace {

template <class T>
std::vector<T> list_of(const planish_attr& attr, const T* values) {
  if (values == nullptr && attr.count > 0)
    fail(Code::invalid_argument, "attribute '{}': {} values at NULL", attr.name, attr.count);
  return values == nullptr ? std::vector<T>{} : std::vector<T>(values, values + attr.count);
}

std::vector<std::string> texts_of(const planish_attr& attr) {
  std::vector<std::string> texts;
  for (const char* text : list_of(attr, attr.texts)) {
    if (text == nullptr) fail(Code::invalid_argument, "attribute '{}': a text is NULL", attr.name);
    texts.emplace_back(text);
  }
  return texts;
}

DataType type_of(const planish_attr& attr) {
  if (attr.dtype < 0 || attr.dtype > static_cast<int32_t>(kLastDataType))
    fail(Code::invalid_argument, "attribute '{}': element type {}", attr.name, attr.dtype);
  return static_cast<DataType>(attr.dtype);
}

Tensor tensor_of(const planish_attr& attr) {
  const auto extents = list_of(attr, attr.integers);
  const int64_t bytes = checked_mul(checked_product(extents), element_bytes(type_of(attr)));
  if (bytes > 0 && attr.data == nullptr)
    fail(Code::invalid_argument, "attribute '{}': {} bytes at NULL", attr.name, bytes);
  return Tensor::make(type_of(attr), extents,
                      [&](std::byte* out) { std::copy_n(static_cast<const std::byte*>(attr.data), bytes, out); });
}

AttrValue value_of(const planish_attr& attr) {
  switch (attr.kind) {
    case PLANISH_ATTR_INT:
      return attr.integer;
    case PLANISH_ATTR_FLOAT:
      return attr.number;
    case PLANISH_ATTR_STRING:
      return std::string(attr.text == nullptr ? "" : attr.text);
    case PLANISH_ATTR_TYPE:
      return type_of(attr);
    case PLANISH_ATTR_INTS:
      return list_of(attr, attr.integers);
    case PLANISH_ATTR_FLOATS:
      return list_of(attr, attr.numbers);
    case PLANISH_ATTR_STRINGS:
      return texts_of(attr);
    case PLANISH_ATTR_TENSOR:
      return tensor_of(attr);
    default:
      fail(Code::invalid_argument, "attribute '{}' is of kind {}, 0 to 7 are known", attr.name, attr.kind);
  }
}

}  // namespace

Attrs::Entry from_c(const planish_attr& given) {
  const planish_attr attr = read_sized(&given, "an attribute");
  if (attr.name == nullptr || *attr.name == '\0') fail(Code::invalid_argument, "an attribute without a name");
  return {attr.name, value_of(attr)};
}

// Entries stand as far apart as their struct_size says.
Attrs from_c(std::span<const planish_attr> given) {
  Attrs attrs;
  const auto* at = reinterpret_cast<const std::byte*>(given.data());
  for (size_t i = 0; i < given.size(); ++i) {
    const auto* attr = reinterpret_cast<const planish_attr*>(at);
    auto [name, value] = from_c(*attr);
    if (attrs.has(name)) fail(Code::invalid_argument, "attribute '{}' is given twice", name);
    attrs.set(name, std::move(value));
    at += attr->struct_size;
  }
  return attrs;
}

CAttrs::CAttrs(const Attrs& attrs) {
  for (const auto& entry : attrs.entries()) add(entry);
}

void CAttrs::add(const Attrs::Entry& entry) {
  planish_attr attr{};
  attr.struct_size = sizeof attr;
  attr.name = entry.first.c_str();
  const auto list = [&](planish_attr_kind kind, size_t count) {
    attr.kind = kind;
    attr.count = count;
  };
  if (const auto* v = std::get_if<int64_t>(&entry.second)) {
    attr.kind = PLANISH_ATTR_INT;
    attr.integer = *v;
  } else if (const auto* v = std::get_if<double>(&entry.second)) {
    attr.kind = PLANISH_ATTR_FLOAT;
    attr.number = *v;
  } else if (const auto* v = std::get_if<std::string>(&entry.second)) {
    attr.kind = PLANISH_ATTR_STRING;
    attr.text = v->c_str();
  } else if (const auto* v = std::get_if<DataType>(&entry.second)) {
    attr.kind = PLANISH_ATTR_TYPE;
    attr.dtype = static_cast<planish_dtype>(*v);
  } else if (const auto* v = std::get_if<std::vector<int64_t>>(&entry.second)) {
    list(PLANISH_ATTR_INTS, v->size());
    attr.integers = v->data();
  } else if (const auto* v = std::get_if<std::vector<double>>(&entry.second)) {
    list(PLANISH_ATTR_FLOATS, v->size());
    attr.numbers = v->data();
  } else if (const auto* v = std::get_if<std::vector<std::string>>(&entry.second)) {
    list(PLANISH_ATTR_STRINGS, v->size());
    texts_.emplace_back();
    for (const std::string& text : *v) texts_.back().push_back(text.c_str());
    attr.texts = texts_.back().data();
  } else if (const auto* v = std::get_if<Tensor>(&entry.second)) {
    list(PLANISH_ATTR_TENSOR, v->extents().size());
    attr.dtype = static_cast<planish_dtype>(v->dtype());
    attr.integers = v->extents().data();
    attr.data = v->data();
  } else {
    fail(Code::unsupported, "attribute '{}' holds expressions", entry.first);
  }
  entries_.push_back(attr);
}

}  // namespace planish
