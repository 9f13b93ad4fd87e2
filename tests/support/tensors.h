#pragma once
// Tensors of integers, what two tensors have in common, and orders of axes.

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace planish::testing {

// Values -4 … 4, so that sums are exact in any order.
inline Tensor integer_tensor(std::vector<int64_t> extents, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(make_view(nullptr, DataType::f32, extents).element_count()));
  for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 9) - 4);
  return Tensor::of<float>(std::move(extents), values);
}

template <class T>
Tensor tensor_of(std::vector<int64_t> extents, std::vector<T> values) {
  return Tensor::of<T>(std::move(extents), std::span<const T>(values));
}
template <>
inline Tensor tensor_of<bool>(std::vector<int64_t> extents, std::vector<bool> values) {
  return Tensor::make(DataType::boolean, std::move(extents), [&](std::byte* out) {
    for (size_t i = 0; i < values.size(); ++i) out[i] = values[i] ? std::byte{1} : std::byte{0};
  });
}
inline Tensor ints_of(std::vector<int64_t> values) { return Tensor::ints(values); }

// Integers low … high of any integer type.
template <class T>
Tensor random_integers(std::vector<int64_t> extents, uint32_t seed, int64_t low, int64_t high) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int64_t> any(low, high);
  std::vector<T> values(static_cast<size_t>(make_view(nullptr, DataType::f32, extents).element_count()));
  for (T& value : values) value = static_cast<T>(any(random));
  return Tensor::of<T>(std::move(extents), std::span<const T>(values));
}

inline bool has_equal_bits(const Tensor& a, const Tensor& b) {
  return a.byte_count() == b.byte_count() && std::memcmp(a.data(), b.data(), static_cast<size_t>(a.byte_count())) == 0;
}

// [N, C, spatial…] to [N, spatial…, C] and back.
inline std::vector<int64_t> rotation(int rank, bool to_last) {
  std::vector<int64_t> perm(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) perm[static_cast<size_t>(i)] = i;
  if (to_last)
    std::rotate(perm.begin() + 1, perm.begin() + 2, perm.end());
  else
    std::rotate(perm.begin() + 1, perm.end() - 1, perm.end());
  return perm;
}

}  // namespace planish::testing
