#pragma once
// The forms that values of the command line have. Functions throw std::invalid_argument with one sentence.

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "NvInferRuntime.h"

namespace planish::trtexec {

using Extents = std::vector<int64_t>;

struct IoFormat {
  nvinfer1::DataType type = nvinfer1::DataType::kFLOAT;
  nvinfer1::TensorFormats formats = 1;
};

// Without empty parts.
std::vector<std::string> split(std::string_view text, char separator);
int64_t integer(const std::string& text, int64_t least, int64_t most);
double real(const std::string& text, double least);
// "64M": bytes; B, K, M, G are powers of 1024, `unit` is taken where none is given. Decimals are rounded down.
int64_t bytes(const std::string& text, char unit);

// "name:value" at its last colon; 'the:name':value keeps what stands in single quotes whole.
std::pair<std::string, std::string> name_and_value(const std::string& text);
std::vector<std::pair<std::string, std::string>> names_and_values(const std::string& text);
// "1x3x224x224"; "scalar" and "" have no axes.
Extents extents(const std::string& text);
std::map<std::string, Extents> shapes(const std::string& text);

nvinfer1::DataType data_type(const std::string& name);  // "fp32", …
std::string name_of(nvinfer1::DataType type);           // "fp32"
size_t bits_of(nvinfer1::DataType type);
IoFormat io_format(const std::string& text);  // "fp16:chw+hwc8"
std::string text_of(const IoFormat& format);
std::string text_of(const Extents& extents);  // "1x3x224x224", "scalar"
std::string text_of(const nvinfer1::Dims& dims);

// The pattern may hold one `*`.
bool matches(const std::string& pattern, const std::string& name);
// The entry of that very name, else the first whose pattern matches; end() where there is none.
template <class Value>
typename std::map<std::string, Value>::const_iterator find_plausible(const std::map<std::string, Value>& map,
                                                                     const std::string& name) {
  auto at = map.find(name);
  for (auto i = map.begin(); at == map.end() && i != map.end(); ++i)
    if (matches(i->first, name)) at = i;
  return at;
}

}  // namespace planish::trtexec
