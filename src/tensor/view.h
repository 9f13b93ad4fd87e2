#pragma once
// TensorView: strided, non-owning access to a tensor's elements. What every kernel receives.

#include <array>
#include <cstdint>
#include <span>

#include "tensor/data_type.h"
#include "tensor/shape.h"

namespace planish {

struct TensorView {
  void* data = nullptr;  // nullptr: an optional operand that is absent (dtype none)
  DataType dtype = DataType::none;
  int rank = 0;
  std::array<int64_t, kMaxRank> dims{};
  std::array<int64_t, kMaxRank> strides{};  // in elements; 0 repeats

  bool present() const { return dtype != DataType::none; }
  std::span<const int64_t> extents() const { return {dims.data(), static_cast<size_t>(rank)}; }
  int64_t element_count() const;
  bool is_dense(Layout layout = Layout::row_major) const;  // axes of extent 1 do not matter

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

// A dense view; throws Error(unsupported) beyond kMaxRank.
TensorView make_view(void* data, DataType dtype, std::span<const int64_t> extents, Layout layout = Layout::row_major);

// Element access by value, whatever the dtype. `offset` is in elements. Integers of 64 bits go through the
// int64 pair only; the double pair rounds types of 16 bits and less correctly and saturates integers and narrow types.
double load_double(const TensorView& view, int64_t offset);
void store_double(const TensorView& view, int64_t offset, double value);
int64_t load_int(const TensorView& view, int64_t offset);
void store_int(const TensorView& view, int64_t offset, int64_t value);

// Copies elements of equal dtype and extents between any two stridings.
void copy_view(const TensorView& source, const TensorView& destination);

// Steps through the positions of `extents` in row-major order while tracking the element offset in each of
// several stridings: for (Odometer<2> at(extents, {s0, s1}); at.valid(); at.next()) use(at.offset[0]).
template <int N>
struct Odometer {
  std::span<const int64_t> extents;
  std::array<std::span<const int64_t>, N> strides;
  std::array<int64_t, N> offset{};
  std::array<int64_t, kMaxRank> index{};
  bool live = true;

  Odometer(std::span<const int64_t> dims, std::array<std::span<const int64_t>, N> steps)
      : extents(dims), strides(steps) {
    for (int64_t extent : dims) live = live && extent > 0;
  }
  bool valid() const { return live; }
  void next() {
    for (size_t axis = extents.size(); axis-- > 0;) {
      if (++index[axis] < extents[axis]) {
        for (int k = 0; k < N; ++k) offset[k] += strides[k][axis];
        return;
      }
      index[axis] = 0;
      for (int k = 0; k < N; ++k) offset[k] -= strides[k][axis] * (extents[axis] - 1);
    }
    live = false;
  }
};

// Strides of `view` seen with the (broadcast) extents: 0 where it repeats, aligned at the last axis.
std::array<int64_t, kMaxRank> broadcast_strides(const TensorView& view, std::span<const int64_t> extents);

}  // namespace planish
