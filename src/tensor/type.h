#pragma once
// TensorType: what is known of a tensor before it has data.

#include <string>
#include <string_view>

#include "tensor/data_type.h"
#include "tensor/shape.h"

namespace planish {

struct TensorType {
  DataType dtype = DataType::none;
  Shape shape;
  Layout layout = Layout::row_major;

  std::string str() const;                         // "f32[N,3,224,224]", "f32[1,8,7,7]@channels_last"
  static TensorType parse(std::string_view text);  // inverse of str()
  uint64_t hash() const;
  Dim bytes() const;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

}  // namespace planish
