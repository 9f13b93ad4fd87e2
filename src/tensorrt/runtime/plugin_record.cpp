#include "tensorrt/runtime/plugin_record.h"

#include <cstring>

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

void put(std::string& out, int64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

void put(std::string& out, std::string_view text) {
  put(out, static_cast<int64_t>(text.size()));
  out.append(text);
}

class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}
  [[noreturn]] static void broken() { throw Error(Code::invalid_plan, "the record of a plugin is damaged"); }
  int64_t number() {
    int64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() {
    const int64_t size = number();
    if (size < 0) broken();
    return std::string(take(static_cast<size_t>(size)));
  }

 private:
  std::string_view take(size_t size) {
    if (size > rest_.size()) broken();
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }
  std::string_view rest_;
};

size_t field_bytes(const nvinfer1::PluginField& field) {
  using nvinfer1::PluginFieldType;
  const auto count = static_cast<size_t>(std::max(field.length, 0));
  switch (field.type) {
    case PluginFieldType::kFLOAT64:
    case PluginFieldType::kINT64:
      return count * 8;
    case PluginFieldType::kFLOAT32:
    case PluginFieldType::kINT32:
      return count * 4;
    case PluginFieldType::kFLOAT16:
    case PluginFieldType::kBF16:
    case PluginFieldType::kINT16:
      return count * 2;
    case PluginFieldType::kDIMS:
      return count * sizeof(nvinfer1::Dims);
    case PluginFieldType::kINT4:
    case PluginFieldType::kFP4:
      return (count + 1) / 2;
    default:
      return count;
  }
}

}  // namespace

std::string PluginRecord::str() const {
  std::string out;
  put(out, static_cast<int64_t>(generation));
  for (const std::string* text : {&layer, &type, &version, &space}) put(out, *text);
  put(out, max_batch);
  put(out, shape_inputs);
  put(out, payload);
  return out;
}

PluginRecord PluginRecord::parse(std::string_view bytes) {
  RecordReader reader(bytes);
  PluginRecord record;
  const int64_t generation = reader.number();
  if (generation < 0 || generation > static_cast<int64_t>(Generation::v3))
    throw Error(Code::invalid_plan, "a plugin of generation " + std::to_string(generation));
  record.generation = static_cast<Generation>(generation);
  for (std::string* text : {&record.layer, &record.type, &record.version, &record.space}) *text = reader.text();
  record.max_batch = reader.number();
  record.shape_inputs = reader.number();
  record.payload = reader.text();
  return record;
}

std::string text_of(const nvinfer1::PluginFieldCollection& fields) {
  std::string out;
  put(out, int64_t{fields.nbFields});
  for (int32_t i = 0; i < fields.nbFields; ++i) {
    const nvinfer1::PluginField& field = fields.fields[i];
    put(out, std::string_view(field.name));
    put(out, static_cast<int64_t>(field.type));
    put(out, int64_t{field.length});
    put(out, std::string_view(static_cast<const char*>(field.data), field_bytes(field)));
  }
  return out;
}

Fields::Fields(std::string_view bytes) {
  RecordReader reader(bytes);
  const int64_t count = reader.number();
  std::vector<std::pair<nvinfer1::PluginFieldType, int32_t>> kinds;
  for (int64_t i = 0; i < count; ++i) {
    names.push_back(reader.text());
    const auto type = static_cast<nvinfer1::PluginFieldType>(reader.number());
    kinds.emplace_back(type, static_cast<int32_t>(reader.number()));
    data.push_back(reader.text());
  }
  for (size_t i = 0; i < names.size(); ++i) {
    list.emplace_back(names[i].c_str(), data[i].data(), kinds[i].first, kinds[i].second);
    if (kinds[i].second < 0 || field_bytes(list.back()) != data[i].size()) RecordReader::broken();
  }
  collection.nbFields = static_cast<int32_t>(list.size());
  collection.fields = list.data();
}

}  // namespace planish::tensorrt
