#pragma once
// Contracts of kernels: which operands, element types, extents and strides a row accepts. A row's `check` is written
// with these words; each throws Error(invalid_plan) that says what was found and what is accepted. Data pointers are
// not looked at, and parameters are taken as the row's `decode` left them.

#include <initializer_list>
#include <span>

#include "kernels/kernel.h"

namespace planish {

// One operand or result. An optional one that is absent passes every test.
class Slot {
 public:
  Slot(const TensorView& view, size_t index, bool is_result) : view_(&view), index_(index), is_result_(is_result) {}

  const TensorView& view() const { return *view_; }
  bool present() const { return view_->present(); }
  int64_t extent(int axis) const;   // negative axes count from the end; 1 where there is no such axis
  size_t axis(int64_t axis) const;  // in [-rank, rank), made positive
  std::span<const int64_t> extents() const { return view_->extents(); }

  const Slot& is(std::initializer_list<DataType> accepted) const;
  const Slot& integers() const;  // truth values included
  const Slot& type_of(const Slot& other) const;
  const Slot& rank(int least, int most) const;
  const Slot& shape(std::span<const int64_t> accepted) const;
  const Slot& shape(std::initializer_list<int64_t> accepted) const {
    return shape(std::span<const int64_t>(accepted.begin(), accepted.size()));
  }
  const Slot& like(const Slot& other) const { return type_of(other).shape(other.extents()); }
  const Slot& spreads_over(std::span<const int64_t> extents) const;  // NumPy broadcasting
  const Slot& elements(int64_t count) const;
  const Slot& list(int64_t least = 0) const;  // a row, or one element, of at least so many
  const Slot& dense() const;                  // row-major
  const Slot& adjacent(int axis) const;       // steps by one element along the axis

  [[noreturn]] void misfit(std::string_view accepted) const;

 private:
  const TensorView* view_;
  size_t index_;
  bool is_result_;
};

// How many operands and results there are; the first `least` and the first `results` are present.
class Operands {
 public:
  Operands(const KernelArgs& args, size_t least, size_t most, size_t results = 1, size_t most_results = 1);
  Slot in(size_t i) const;  // those that were not given are absent
  Slot out(size_t i = 0) const;

 private:
  const KernelArgs& args_;
};

// For the conditions between operands that have no word above.
template <class... Args>
void require(bool fits, fmt::format_string<Args...> text, Args&&... args) {
  if (!fits) fail(Code::invalid_plan, text, std::forward<Args>(args)...);
}

// One axis of a window that slides over `in` elements `step` apart: stride, dilation and kernel are at least 1, and no
// position that it reaches is so far out that arithmetic on it could overflow.
struct WindowReach {
  int64_t in, out, kernel, stride, dilation, pad, step;
};
void check_window(const WindowReach& window);
void check_pad_extent(int64_t pad);  // of at most 31 bits

// Any operands: the kernel reads none.
void check_nothing(const KernelArgs& args);

// Results of `inputs[0]`'s type and extents, one operand.
void check_unary(const KernelArgs& args);

}  // namespace planish
