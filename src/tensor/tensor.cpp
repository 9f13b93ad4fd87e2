#include "tensor/tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/checked.h"
#include "base/error.h"

namespace planish {

std::shared_ptr<std::byte> Tensor::allocate(DataType dtype, std::span<const int64_t> extents) {
  const int64_t bytes = checked_mul(checked_product(extents), element_bytes(dtype));
  if (bytes > (int64_t{1} << 40)) fail(Code::out_of_memory, "a tensor of {} bytes", bytes);
  void* memory = std::aligned_alloc(kAlignment, static_cast<size_t>(align_up(std::max<int64_t>(bytes, 1), kAlignment)));
  if (memory == nullptr) fail(Code::out_of_memory, "no memory for a tensor of {} bytes", bytes);
  return {static_cast<std::byte*>(memory), [](std::byte* p) { std::free(p); }};
}

Tensor Tensor::wrap(DataType dtype, std::vector<int64_t> extents, const std::byte* data,
                    std::shared_ptr<const void> owner) {
  const int64_t bytes = checked_mul(checked_product(extents), element_bytes(dtype));
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(element_bytes(dtype)) != 0)
    return make(dtype, std::move(extents), [&](std::byte* out) { std::memcpy(out, data, static_cast<size_t>(bytes)); });
  return Tensor(dtype, std::move(extents), std::shared_ptr<const std::byte>(std::move(owner), data));
}

Tensor Tensor::zeros(DataType dtype, std::vector<int64_t> extents) {
  const auto bytes = static_cast<size_t>(checked_mul(checked_product(extents), element_bytes(dtype)));
  return make(dtype, std::move(extents), [&](std::byte* out) { std::memset(out, 0, bytes); });
}

Tensor Tensor::copy_of(const TensorView& view) {
  const std::vector<int64_t> extents(view.extents().begin(), view.extents().end());
  return make(view.dtype, extents, [&](std::byte* out) { copy_view(view, make_view(out, view.dtype, extents)); });
}

int64_t Tensor::element_count() const { return checked_product(extents_); }
int64_t Tensor::byte_count() const { return present() ? element_count() * element_bytes(dtype_) : 0; }

void Tensor::require_type(DataType dtype) const {
  if (dtype_ != dtype) fail(Code::internal, "a tensor of {} read as {}", data_type_name(dtype_), data_type_name(dtype));
}

TensorView Tensor::view() const { return make_view(const_cast<std::byte*>(data_.get()), dtype_, extents_); }

std::vector<int64_t> Tensor::to_ints() const {
  const TensorView all = view();
  std::vector<int64_t> out(static_cast<size_t>(element_count()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = load_int(all, static_cast<int64_t>(i));
  return out;
}

std::vector<double> Tensor::to_doubles() const {
  const TensorView all = view();
  std::vector<double> out(static_cast<size_t>(element_count()));
  for (size_t i = 0; i < out.size(); ++i) out[i] = load_double(all, static_cast<int64_t>(i));
  return out;
}

Tensor Tensor::reshaped(std::vector<int64_t> extents) const {
  if (checked_product(extents) != element_count())
    fail(Code::internal, "{} elements reshaped to {}", element_count(), checked_product(extents));
  return Tensor(dtype_, std::move(extents), data_);
}

Hash128 Tensor::content_hash() const {
  const Hash128 data = hash128(data_.get(), static_cast<size_t>(byte_count()));
  std::vector<uint64_t> parts = {data.low, data.high, static_cast<uint64_t>(dtype_)};
  for (int64_t extent : extents_) parts.push_back(static_cast<uint64_t>(extent));
  return hash128(parts.data(), parts.size() * sizeof(uint64_t));
}

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.dtype_ != b.dtype_ || a.extents_ != b.extents_) return false;
  return a.data_ == b.data_ || a.byte_count() == 0 ||
         std::memcmp(a.data_.get(), b.data_.get(), static_cast<size_t>(a.byte_count())) == 0;
}

}  // namespace planish
