#pragma once
// Shape: the extents of a tensor, and the order in which they lie in memory.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dim.h"

namespace planish {

// Largest rank anywhere: importers refuse more.
constexpr int kMaxRank = 10;

// Memory order of a tensor; extents are always listed in logical order (N, C, spatial…).
enum class Layout : uint8_t {
  row_major,
  channels_last,  // N, spatial…, C: axis 1 is the fastest
};
std::string_view layout_name(Layout layout);
Layout parse_layout(std::string_view name);

class Shape {
 public:
  Shape() = default;  // rank 0
  Shape(std::initializer_list<Dim> dims) : dims_(dims) {}
  explicit Shape(std::vector<Dim> dims) : dims_(std::move(dims)) {}
  static Shape of(std::span<const int64_t> extents);

  int rank() const { return static_cast<int>(dims_.size()); }
  Dim operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  const std::vector<Dim>& dims() const { return dims_; }
  auto begin() const { return dims_.begin(); }
  auto end() const { return dims_.end(); }

  bool is_static() const;
  std::vector<int64_t> extents() const;  // of a static shape; Error(internal) otherwise
  Dim element_count() const;
  std::vector<int64_t> evaluate(const SymbolValues& values) const;

  // Strides in elements of a dense tensor in this order.
  std::vector<Dim> strides(Layout layout) const;

  std::string str() const;  // "[N,3,224,224]"
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::vector<Dim> dims_;
};

// Brings an axis in [-rank, rank) into [0, rank); Error(invalid_model) names both otherwise.
int normalize_axis(int64_t axis, int rank);

}  // namespace planish
