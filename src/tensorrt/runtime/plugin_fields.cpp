#include "tensorrt/runtime/plugin_fields.h"

#include <cstring>

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::PluginField;
using nvinfer1::PluginFieldType;

template <class T, class From>
std::string as_bytes(const std::vector<From>& values) {
  const std::vector<T> wanted(values.begin(), values.end());
  return {reinterpret_cast<const char*>(wanted.data()), wanted.size() * sizeof(T)};
}

struct FieldData {
  PluginFieldType type;
  std::string bytes;
  size_t count;
};

FieldData integer_data(const std::vector<int64_t>& values, PluginFieldType declared) {
  switch (declared) {
    case PluginFieldType::kINT8:
      return {declared, as_bytes<int8_t>(values), values.size()};
    case PluginFieldType::kINT16:
      return {declared, as_bytes<int16_t>(values), values.size()};
    case PluginFieldType::kINT64:
      return {declared, as_bytes<int64_t>(values), values.size()};
    case PluginFieldType::kFLOAT32:
      return {declared, as_bytes<float>(values), values.size()};
    default:
      return {PluginFieldType::kINT32, as_bytes<int32_t>(values), values.size()};
  }
}

FieldData number_data(const std::vector<double>& values, PluginFieldType declared) {
  if (declared == PluginFieldType::kFLOAT64) return {declared, as_bytes<double>(values), values.size()};
  return {PluginFieldType::kFLOAT32, as_bytes<float>(values), values.size()};
}

PluginFieldType field_type(DataType type) {
  switch (type) {
    case DataType::f16:
      return PluginFieldType::kFLOAT16;
    case DataType::f32:
      return PluginFieldType::kFLOAT32;
    case DataType::f64:
      return PluginFieldType::kFLOAT64;
    case DataType::i8:
      return PluginFieldType::kINT8;
    case DataType::i16:
      return PluginFieldType::kINT16;
    case DataType::i32:
      return PluginFieldType::kINT32;
    case DataType::i64:
      return PluginFieldType::kINT64;
    default:
      return PluginFieldType::kUNKNOWN;
  }
}

FieldData data_of(const Attribute::Value& value, PluginFieldType declared) {
  if (const auto* v = std::get_if<int64_t>(&value)) return integer_data({*v}, declared);
  if (const auto* v = std::get_if<double>(&value)) return number_data({*v}, declared);
  if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) return integer_data(*v, declared);
  if (const auto* v = std::get_if<std::vector<double>>(&value)) return number_data(*v, declared);
  if (const auto* v = std::get_if<std::string>(&value)) return {PluginFieldType::kCHAR, *v, v->size()};
  if (const auto* v = std::get_if<TensorData>(&value))
    return {field_type(v->dtype),
            {reinterpret_cast<const char*>(v->bytes.data()), v->bytes.size()},
            static_cast<size_t>(element_count(v->extents))};
  throw Error(Code::unsupported, "it is of a kind that no field has");
}

template <class T>
std::vector<T> list_of(const PluginField& field) {
  std::vector<T> values(static_cast<size_t>(field.length));
  if (!values.empty()) std::memcpy(values.data(), field.data, values.size() * sizeof(T));
  return values;
}

template <class T>
Attribute::Value integers_of(const PluginField& field) {
  const auto values = list_of<T>(field);
  return Extents(values.begin(), values.end());
}

constexpr int32_t kFewNumbers = 64;

Attribute::Value value_of(const PluginField& field) {
  switch (field.type) {
    case PluginFieldType::kFLOAT32:
      if (field.length > kFewNumbers) return TensorData::of<float>({field.length}, list_of<float>(field));
      {
        const auto values = list_of<float>(field);
        return std::vector<double>(values.begin(), values.end());
      }
    case PluginFieldType::kFLOAT64:
      return list_of<double>(field);
    case PluginFieldType::kFLOAT16: {
      TensorData half{DataType::f16, {field.length}, {}};
      const auto* from = static_cast<const std::byte*>(field.data);
      half.bytes.assign(from, from + 2 * static_cast<size_t>(field.length));
      return half;
    }
    case PluginFieldType::kINT8:
      return integers_of<int8_t>(field);
    case PluginFieldType::kINT16:
      return integers_of<int16_t>(field);
    case PluginFieldType::kINT32:
      return integers_of<int32_t>(field);
    case PluginFieldType::kINT64:
      return integers_of<int64_t>(field);
    case PluginFieldType::kCHAR:
      return std::string(static_cast<const char*>(field.data), static_cast<size_t>(field.length));
    default:
      break;
  }
  throw Error(Code::unsupported, std::string("field '") + field.name + "' is of type " +
                                     std::to_string(static_cast<int>(field.type)) + ", which is not taken");
}

}  // namespace

FieldList::FieldList(const Attributes& attributes, const nvinfer1::PluginFieldCollection* declared) {
  if (declared != nullptr && declared->nbFields > 0) {
    for (int32_t i = 0; i < declared->nbFields; ++i)
      for (const Attribute& attribute : attributes.entries())
        if (declared->fields[i].name != nullptr && attribute.name == declared->fields[i].name)
          add(attribute, declared->fields[i].type);
  } else {
    for (const Attribute& attribute : attributes.entries()) add(attribute, PluginFieldType::kUNKNOWN);
  }
  collection.nbFields = static_cast<int32_t>(list_.size());
  collection.fields = list_.data();
}

void FieldList::add(const Attribute& attribute, PluginFieldType declared) {
  try {
    FieldData made = data_of(attribute.value, declared);
    names_.push_back(attribute.name);
    data_.push_back(std::move(made.bytes));
    list_.emplace_back(names_.back().c_str(), data_.back().data(), made.type, static_cast<int32_t>(made.count));
  } catch (const Error& error) {
    throw Error(error.code(), "attribute '" + attribute.name + "': " + error.what());
  }
}

Attributes attributes_of(const nvinfer1::PluginFieldCollection& fields) {
  Attributes attributes;
  if (fields.nbFields > 0 && fields.fields == nullptr) refuse("the fields are null");
  for (int32_t i = 0; i < fields.nbFields; ++i) {
    const PluginField& field = fields.fields[i];
    if (field.name == nullptr) refuse("a field without a name");
    if (field.length < 0 || (field.data == nullptr && field.length > 0))
      refuse(std::string("field '") + field.name + "' has " + std::to_string(field.length) + " values at " +
             (field.data == nullptr ? "null" : "its address"));
    attributes.add({field.name, value_of(field)});
  }
  return attributes;
}

}  // namespace planish::tensorrt
