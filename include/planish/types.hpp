// Element types, extents, and types of tensors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planish/error.hpp"

namespace planish {
inline namespace v0 {

enum class DataType : planish_dtype {
  none = PLANISH_NONE,
  f32 = PLANISH_F32,
  f64 = PLANISH_F64,
  f16 = PLANISH_F16,
  bf16 = PLANISH_BF16,
  i8 = PLANISH_I8,
  u8 = PLANISH_U8,
  i16 = PLANISH_I16,
  u16 = PLANISH_U16,
  i32 = PLANISH_I32,
  u32 = PLANISH_U32,
  i64 = PLANISH_I64,
  u64 = PLANISH_U64,
  boolean = PLANISH_BOOL,
  string = PLANISH_STRING,
  f8e4m3fn = PLANISH_F8E4M3FN,
  f8e4m3fnuz = PLANISH_F8E4M3FNUZ,
  f8e5m2 = PLANISH_F8E5M2,
  f8e5m2fnuz = PLANISH_F8E5M2FNUZ,
  f8e8m0 = PLANISH_F8E8M0,
  f4e2m1 = PLANISH_F4E2M1,
  i4 = PLANISH_I4,
  u4 = PLANISH_U4,
  i2 = PLANISH_I2,
  u2 = PLANISH_U2,
};

inline const char* name(DataType type) { return planish_dtype_name(static_cast<planish_dtype>(type)); }
inline size_t element_bytes(DataType type) { return planish_dtype_bytes(static_cast<planish_dtype>(type)); }

inline DataType parse_data_type(std::string_view text) {
  for (planish_dtype type = PLANISH_F32; type <= PLANISH_U2; ++type)
    if (text == planish_dtype_name(type)) return static_cast<DataType>(type);
  throw Error(Code::invalid_argument, "'" + std::string(text) + "' is no element type");
}

template <class T>
struct DataTypeOf;
template <>
struct DataTypeOf<float> {
  static constexpr DataType value = DataType::f32;
};
template <>
struct DataTypeOf<double> {
  static constexpr DataType value = DataType::f64;
};
template <>
struct DataTypeOf<int8_t> {
  static constexpr DataType value = DataType::i8;
};
template <>
struct DataTypeOf<uint8_t> {
  static constexpr DataType value = DataType::u8;
};
template <>
struct DataTypeOf<int16_t> {
  static constexpr DataType value = DataType::i16;
};
template <>
struct DataTypeOf<uint16_t> {
  static constexpr DataType value = DataType::u16;
};
template <>
struct DataTypeOf<int32_t> {
  static constexpr DataType value = DataType::i32;
};
template <>
struct DataTypeOf<uint32_t> {
  static constexpr DataType value = DataType::u32;
};
template <>
struct DataTypeOf<int64_t> {
  static constexpr DataType value = DataType::i64;
};
template <>
struct DataTypeOf<uint64_t> {
  static constexpr DataType value = DataType::u64;
};
template <>
struct DataTypeOf<bool> {
  static constexpr DataType value = DataType::boolean;
};

// Numbers of elements along each axis, outermost first: [N, C, H, W] for pictures. -1: decided at run time.
using Extents = std::vector<int64_t>;

inline int64_t element_count(const Extents& extents) {
  int64_t count = 1;
  for (int64_t extent : extents) count *= extent;
  return count;
}

// An extent as an expression: a number, a name (equal names are equal extents), or arithmetic on them.
//   Dim n = "N";  Dim half = floor_div(n + 1, 2);
class Dim {
 public:
  Dim(int64_t value) : text_(std::to_string(value)) {}  // NOLINT: implicit, so that {"N", 3, 224} reads as a shape
  Dim(int value) : Dim(int64_t{value}) {}               // NOLINT
  Dim(std::string expression) : text_(std::move(expression)) {}  // NOLINT
  Dim(const char* expression) : text_(expression) {}             // NOLINT

  const std::string& text() const { return text_; }
  bool is_number() const { return !text_.empty() && text_.find_first_not_of("0123456789") == std::string::npos; }
  int64_t value() const {
    if (!is_number()) throw Error(Code::invalid_argument, "the extent " + text_ + " is no number");
    return std::stoll(text_);
  }

  friend Dim operator+(const Dim& a, const Dim& b) { return joined(a, " + ", b); }
  friend Dim operator-(const Dim& a, const Dim& b) { return joined(a, " - ", b); }
  friend Dim operator*(const Dim& a, const Dim& b) { return joined(a, " * ", b); }
  friend Dim floor_div(const Dim& a, const Dim& b) { return call("floor_div", a, b); }
  friend Dim ceil_div(const Dim& a, const Dim& b) { return call("ceil_div", a, b); }
  friend Dim mod(const Dim& a, const Dim& b) { return call("mod", a, b); }
  friend Dim min(const Dim& a, const Dim& b) { return call("min", a, b); }
  friend Dim max(const Dim& a, const Dim& b) { return call("max", a, b); }
  // Of the text: equal expressions may be written differently.
  friend bool operator==(const Dim& a, const Dim& b) { return a.text_ == b.text_; }

 private:
  static Dim joined(const Dim& a, const char* op, const Dim& b) {
    return "(" + a.text_ + ")" + op + "(" + b.text_ + ")";
  }
  static Dim call(const char* function, const Dim& a, const Dim& b) {
    return std::string(function) + "(" + a.text_ + ", " + b.text_ + ")";
  }
  std::string text_;
};

struct TensorType {
  DataType dtype = DataType::none;  // none: an operand that is absent
  std::vector<Dim> dims;

  int rank() const { return static_cast<int>(dims.size()); }
  std::string str() const {  // "f32[N,3,224,224]"
    std::string text = std::string(name(dtype)) + "[";
    for (size_t i = 0; i < dims.size(); ++i) text += (i > 0 ? "," : "") + dims[i].text();
    return text + "]";
  }
  static TensorType parse(std::string_view text);  // inverse of str(); "" is an absent operand
};

inline TensorType TensorType::parse(std::string_view text) {
  TensorType type;
  if (text.empty()) return type;
  const size_t open = text.find('[');
  if (open == std::string_view::npos || text.back() != ']')
    throw Error(Code::invalid_argument, "'" + std::string(text) + "' is no type of a tensor; write f32[N,3,224,224]");
  type.dtype = parse_data_type(text.substr(0, open));
  const std::string_view list = text.substr(open + 1, text.size() - open - 2);
  int depth = 0;
  for (size_t begin = 0, at = 0; at <= list.size() && !list.empty(); ++at) {
    if (at < list.size() && list[at] == '(') ++depth;
    if (at < list.size() && list[at] == ')') --depth;
    if (at < list.size() && (list[at] != ',' || depth > 0)) continue;
    type.dims.emplace_back(std::string(list.substr(begin, at - begin)));
    begin = at + 1;
  }
  return type;
}

}  // namespace v0
}  // namespace planish
