#pragma once
// Values of enumerations that come in through the interface. They are looked at once, where they come in; what is
// decided by them later may rely on it.

#include <string>
#include <string_view>
#include <type_traits>

#include "NvInfer.h"

namespace planish::tensorrt {

// How many values are known, of whatever version. EnumMax counts those of the version compiled for.
template <class Enum>
inline constexpr int32_t kValuesOf = nvinfer1::EnumMax<Enum>();
template <>
inline constexpr int32_t kValuesOf<nvinfer1::ActivationType> = 14;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::BuilderFlag> = 31;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::CausalMaskKind> = 3;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::FillOperation> = 3;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::InterpolationMode> = 3;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::MemoryPoolType> = 6;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::NetworkDefinitionCreationFlag> = 5;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::PaddingMode> = 6;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::PreviewFeature> = 6;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::ReduceOperation> = 6;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::SampleMode> = 5;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::UnaryOperation> = 25;
template <>
inline constexpr int32_t kValuesOf<nvinfer1::WeightsRole> = 6;

// "ActivationType"
template <class Enum>
std::string_view name_of_enum() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Enum = ") + 7);
  text = text.substr(0, text.find_first_of(";]"));
  return text.substr(text.rfind(':') + 1);
}

// Throws Error(invalid_argument) for what is none of `count` values.
void require_value(int64_t value, int32_t count, std::string_view name);

// The value; Error where it is none of its enumeration's. What is no enumeration passes.
template <class T>
const T& known(const T& value) {
  if constexpr (std::is_enum_v<T>) require_value(static_cast<int64_t>(value), kValuesOf<T>, name_of_enum<T>());
  return value;
}

// Its bit in a word of flags.
template <class Enum>
uint32_t bit_of(Enum flag) {
  return 1U << static_cast<uint32_t>(known(flag));
}

}  // namespace planish::tensorrt
