#include "trtexec/grammar.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace planish::trtexec {
namespace {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw std::invalid_argument(fmt::format(text, std::forward<Args>(args)...));
}

double number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    refuse("'{}' is no number", text);
  return value;
}

struct TypeRow {
  const char* name;
  nvinfer1::DataType type;
  size_t bits;
};
constexpr TypeRow kTypes[] = {
    {"fp32", nvinfer1::DataType::kFLOAT, 32},  {"fp16", nvinfer1::DataType::kHALF, 16},
    {"bf16", nvinfer1::DataType::kBF16, 16},   {"int32", nvinfer1::DataType::kINT32, 32},
    {"int64", nvinfer1::DataType::kINT64, 64}, {"int8", nvinfer1::DataType::kINT8, 8},
    {"uint8", nvinfer1::DataType::kUINT8, 8},  {"bool", nvinfer1::DataType::kBOOL, 8},
    {"fp8", nvinfer1::DataType::kFP8, 8},      {"int4", nvinfer1::DataType::kINT4, 8},
    {"fp4", nvinfer1::DataType::kFP4, 8},      {"e8m0", nvinfer1::DataType::kE8M0, 8},
};
// In the order of nvinfer1::TensorFormat.
constexpr const char* kFormats[] = {"chw",    "chw2", "hwc8",       "chw4",     "chw16", "chw32", "dhwc8",
                                    "cdhw32", "hwc",  "dla_linear", "dla_hwc4", "hwc16", "dhwc"};

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

int64_t integer(const std::string& text, int64_t least, int64_t most) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error == std::errc::invalid_argument || end != text.data() + text.size())
    refuse("'{}' is no integer", text);
  if (error != std::errc() || value < least || value > most) refuse("{} is not in {} to {}", text, least, most);
  return value;
}

double real(const std::string& text, double least) {
  const double value = number(text);
  if (value < least) refuse("{} is below {}", text, least);
  return value;
}

int64_t bytes(const std::string& text, char unit) {
  std::string digits = text;
  if (!digits.empty() && std::isdigit(static_cast<unsigned char>(digits.back())) == 0) {
    unit = static_cast<char>(std::toupper(static_cast<unsigned char>(digits.back())));
    digits.pop_back();
  }
  const size_t power = std::string_view("BKMG").find(unit);
  if (power == std::string_view::npos)
    refuse("'{}' has the unit '{}'; B (bytes), K, M and G (powers of 1024) are accepted", text, unit);
  const double value = number(digits) * std::pow(1024.0, static_cast<double>(power));
  if (value < 0 || value > 9e18) refuse("a size of {}", text);
  return static_cast<int64_t>(value);
}

std::pair<std::string, std::string> name_and_value(const std::string& text) {
  const auto quotes = std::count(text.begin(), text.end(), '\'');
  if (quotes != 0) {
    const size_t first = text.find('\''), last = text.rfind('\'');
    if (quotes != 2 || first != 0 || last + 1 >= text.size() || text[last + 1] != ':')
      refuse("'{}' has {} single quotes; 'name':value is accepted", text, quotes);
    return {text.substr(1, last - 1), text.substr(last + 2)};
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse("'{}' is not of the form name:value", text);
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::vector<std::pair<std::string, std::string>> names_and_values(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& part : split(text, ',')) all.push_back(name_and_value(part));
  if (all.empty()) refuse("the list is empty");
  return all;
}

Extents extents(const std::string& text) {
  Extents extents;
  if (text.empty() || text == "scalar") return extents;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('x', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    if (part.empty()) refuse("the shape '{}' has an axis without an extent", text);
    extents.push_back(integer(part, 0, std::numeric_limits<int64_t>::max()));
    begin = end + 1;
  }
  if (extents.size() > nvinfer1::Dims::MAX_DIMS)
    refuse("the shape '{}' has {} axes; {} are accepted", text, extents.size(), int{nvinfer1::Dims::MAX_DIMS});
  return extents;
}

std::map<std::string, Extents> shapes(const std::string& text) {
  std::map<std::string, Extents> all;
  for (const auto& [name, value] : names_and_values(text))
    if (!all.emplace(name, extents(value)).second) refuse("'{}' is given two shapes", name);
  return all;
}

nvinfer1::DataType data_type(const std::string& name) {
  for (const TypeRow& row : kTypes)
    if (name == row.name) return row.type;
  refuse("'{}' is no element type", name);
}

std::string name_of(nvinfer1::DataType type) {
  for (const TypeRow& row : kTypes)
    if (type == row.type) return row.name;
  return "?";
}

size_t bits_of(nvinfer1::DataType type) {
  for (const TypeRow& row : kTypes)
    if (type == row.type) return row.bits;
  return 0;
}

IoFormat io_format(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos) refuse("'{}' is not of the form type:format", text);
  IoFormat format{data_type(text.substr(0, colon)), 0};
  for (const std::string& name : split(text.substr(colon + 1), '+')) {
    uint32_t bit = 0;
    for (size_t i = 0; i < std::size(kFormats); ++i)
      if (name == kFormats[i]) bit = 1U << i;
    if (bit == 0) refuse("'{}' is no format", name);
    format.formats |= bit;
  }
  if (format.formats == 0) refuse("'{}' names no format", text);
  return format;
}

std::string text_of(const IoFormat& format) {
  std::string text;
  for (size_t i = 0; i < std::size(kFormats); ++i)
    if ((format.formats & (1U << i)) != 0) text += (text.empty() ? "" : "+") + std::string(kFormats[i]);
  return name_of(format.type) + ":" + text;
}

std::string text_of(const Extents& extents) {
  return extents.empty() ? "scalar" : fmt::format("{}", fmt::join(extents, "x"));
}

std::string text_of(const nvinfer1::Dims& dims) { return text_of(Extents(dims.d, dims.d + std::max(dims.nbDims, 0))); }

bool matches(const std::string& pattern, const std::string& name) {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern == name;
  const size_t tail = pattern.size() - star - 1;
  return name.size() + 1 >= pattern.size() && name.compare(0, star, pattern, 0, star) == 0 &&
         name.compare(name.size() - tail, tail, pattern, star + 1, tail) == 0;
}

}  // namespace planish::trtexec
