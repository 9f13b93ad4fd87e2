#include "trtexec/values.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <random>

#include "cuda_bf16.h"
#include "cuda_fp16.h"
#include "trtexec/grammar.h"

namespace planish::trtexec {
namespace {

template <class Element, class Make>
void fill(std::string& bytes, Make make) {
  for (size_t i = 0; i + sizeof(Element) <= bytes.size(); i += sizeof(Element)) {
    const Element value = make();
    std::memcpy(bytes.data() + i, &value, sizeof value);
  }
}

template <class Element, class Show>
std::string list(const void* data, int64_t count, const char* separator, Show show) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    Element value;
    std::memcpy(&value, static_cast<const char*>(data) + static_cast<size_t>(i) * sizeof value, sizeof value);
    if (i > 0) text += separator;
    text += show(value);
  }
  return text;
}

std::string number(float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{:.6g}", value);
}

}  // namespace

std::string random_values(nvinfer1::DataType type, size_t bytes, uint64_t seed) {
  using nvinfer1::DataType;
  std::string values(bytes, '\0');
  std::mt19937_64 engine(seed + 1);
  const auto unit = [&] { return static_cast<float>(engine() >> 40) / static_cast<float>(1 << 23) - 1.0F; };
  const auto bit = [&] { return static_cast<int>(engine() >> 63); };
  switch (type) {
    case DataType::kFLOAT:
      fill<float>(values, unit);
      break;
    case DataType::kHALF:
      fill<__half>(values, [&] { return __float2half(unit()); });
      break;
    case DataType::kBF16:
      fill<__nv_bfloat16>(values, [&] { return __float2bfloat16(unit()); });
      break;
    case DataType::kINT32:
      fill<int32_t>(values, bit);
      break;
    case DataType::kINT64:
      fill<int64_t>(values, bit);
      break;
    default:
      fill<uint8_t>(values, bit);
  }
  return values;
}

std::string values_text(const void* data, nvinfer1::DataType type, int64_t count, const char* separator) {
  using nvinfer1::DataType;
  const auto whole = [](auto value) { return std::to_string(value); };
  switch (type) {
    case DataType::kFLOAT:
      return list<float>(data, count, separator, number);
    case DataType::kHALF:
      return list<__half>(data, count, separator, [](__half v) { return number(__half2float(v)); });
    case DataType::kBF16:
      return list<__nv_bfloat16>(data, count, separator, [](__nv_bfloat16 v) { return number(__bfloat162float(v)); });
    case DataType::kINT32:
      return list<int32_t>(data, count, separator, whole);
    case DataType::kINT64:
      return list<int64_t>(data, count, separator, whole);
    case DataType::kINT8:
    case DataType::kINT4:
      return list<int8_t>(data, count, separator, whole);
    default:
      return list<uint8_t>(data, count, separator, whole);
  }
}

}  // namespace planish::trtexec
