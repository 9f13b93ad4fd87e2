#include "tactics/cuda/common/tensor_map.h"

namespace planish::tactics::cuda {

void TensorMapFields::append_to(std::vector<Dim>& out) const {
  const auto add = [&](const auto& list, size_t count, int64_t fill) {
    for (size_t i = 0; i < count; ++i) out.push_back(i < list.size() ? Dim(list[i]) : Dim(fill));
  };
  for (int64_t x : {operand, im2col, element, static_cast<int64_t>(dims.size())}) out.push_back(x);
  add(dims, 5, 0);
  add(strides, 5, 0);
  add(box, 5, 0);
  add(steps, 5, 1);
  add(lower, 3, 0);
  add(upper, 3, 0);
  const int64_t swizzle = row_bytes == 128 ? 3 : row_bytes == 64 ? 2 : 1, promotion = 3;
  for (int64_t x : {channels, pixels, int64_t{0}, swizzle, promotion, int64_t{0}}) out.push_back(x);
}

int64_t tensor_map_element(DataType type) {
  if (element_bytes(type) == 1) return 0;
  return type == DataType::f16 ? 6 : type == DataType::bf16 ? 9 : 7;
}

}  // namespace planish::tactics::cuda
