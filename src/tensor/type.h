#pragma once
// TensorType: what is known of a tensor before it has data.

#include <string>
#include <string_view>
#include <vector>

#include "tensor/data_type.h"
#include "tensor/shape.h"

namespace planish {

// "N, 64*H, min(A, B)": expressions with commas between them; blank: none. Error(invalid_argument) otherwise.
std::vector<Dim> parse_dims(std::string_view list);

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
