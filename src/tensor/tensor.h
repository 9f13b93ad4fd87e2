#pragma once
// Tensor: immutable, shared, dense row-major host data. Weights, samples, goldens.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "tensor/type.h"
#include "tensor/view.h"

namespace planish {

class Tensor {
 public:
  Tensor() = default;  // absent: dtype none

  // Uninitialised memory, 64-byte aligned, that `fill(std::byte*)` writes before the tensor is shared.
  template <class Fill>
  static Tensor make(DataType dtype, std::vector<int64_t> extents, Fill&& fill) {
    auto storage = allocate(dtype, extents);
    fill(storage.get());
    return Tensor(dtype, std::move(extents), std::move(storage));
  }
  // Wraps memory that `owner` keeps alive (a mapped file). Data that is not aligned for its element type is
  // copied: kernels read elements through typed pointers.
  static Tensor wrap(DataType dtype, std::vector<int64_t> extents, const std::byte* data,
                     std::shared_ptr<const void> owner);
  static Tensor zeros(DataType dtype, std::vector<int64_t> extents);
  template <class T>
  static Tensor of(std::vector<int64_t> extents, std::span<const T> values);
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, std::span<const T>(&value, 1));
  }
  static Tensor ints(std::span<const int64_t> values) {
    return of<int64_t>({static_cast<int64_t>(values.size())}, values);
  }
  static Tensor copy_of(const TensorView& view);

  bool present() const { return dtype_ != DataType::none; }
  DataType dtype() const { return dtype_; }
  const std::vector<int64_t>& extents() const { return extents_; }
  int rank() const { return static_cast<int>(extents_.size()); }
  TensorType type() const { return {dtype_, Shape::of(extents_)}; }
  int64_t element_count() const;
  int64_t byte_count() const;
  const std::byte* data() const { return data_.get(); }
  std::span<const std::byte> bytes() const { return {data_.get(), static_cast<size_t>(byte_count())}; }

  // Checked: Error(internal) when T is not the element type.
  template <class T>
  std::span<const T> as() const {
    require_type(data_type_of<T>());
    return {reinterpret_cast<const T*>(data_.get()), static_cast<size_t>(element_count())};
  }
  std::vector<int64_t> to_ints() const;    // any integer or bool dtype
  std::vector<double> to_doubles() const;  // any numeric dtype

  Tensor reshaped(std::vector<int64_t> extents) const;  // same data; equal element count required
  TensorView view() const;                              // read-only by contract

  Hash128 content_hash() const;  // dtype, extents and bytes
  friend bool operator==(const Tensor& a, const Tensor& b);

 private:
  Tensor(DataType dtype, std::vector<int64_t> extents, std::shared_ptr<const std::byte> data)
      : dtype_(dtype), extents_(std::move(extents)), data_(std::move(data)) {}
  static std::shared_ptr<std::byte> allocate(DataType dtype, std::span<const int64_t> extents);
  void require_type(DataType dtype) const;

  DataType dtype_ = DataType::none;
  std::vector<int64_t> extents_;
  std::shared_ptr<const std::byte> data_;
};

template <class T>
Tensor Tensor::of(std::vector<int64_t> extents, std::span<const T> values) {
  return make(data_type_of<T>(), std::move(extents), [&](std::byte* out) {
    std::copy_n(reinterpret_cast<const std::byte*>(values.data()), values.size_bytes(), out);
  });
}

}  // namespace planish
