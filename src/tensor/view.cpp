#include "tensor/view.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "base/error.h"
#include "tensor/narrow.h"

namespace planish {
namespace {

template <class T>
double load_as_double(const TensorView& view, int64_t offset) {
  return static_cast<double>(view.as<const T>()[offset]);
}

// Out of range values saturate: a cast would be undefined.
template <class T>
void store_from_double(const TensorView& view, int64_t offset, double value) {
  if constexpr (std::is_integral_v<T>) {
    constexpr auto low = static_cast<double>(std::numeric_limits<T>::lowest());
    constexpr auto high = static_cast<double>(std::numeric_limits<T>::max());
    view.as<T>()[offset] = std::isnan(value) ? T{0}
                           : value <= low    ? std::numeric_limits<T>::lowest()
                           : value >= high   ? std::numeric_limits<T>::max()
                                             : static_cast<T>(value);
  } else {
    view.as<T>()[offset] = static_cast<T>(value);
  }
}

// Rounds to odd: a later rounding to 16 bits is then the same as one from the double itself.
float narrow_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearest) == value) return nearest;
  const float towards_zero =
      std::abs(static_cast<double>(nearest)) > std::abs(value) ? std::nextafter(nearest, 0.f) : nearest;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(towards_zero) | 1);
}

[[noreturn]] void fail_type(const TensorView& view) {
  fail(Code::unsupported, "elements of type {} cannot be computed with", data_type_name(view.dtype));
}

}  // namespace

int64_t TensorView::element_count() const {
  int64_t count = 1;
  for (int64_t extent : extents()) count *= extent;
  return count;
}

bool TensorView::is_dense(Layout layout) const {
  int64_t expected = 1;
  const auto fits = [&](int axis) {
    const auto i = static_cast<size_t>(axis);
    const bool good = dims[i] == 1 || strides[i] == expected;
    expected *= dims[i];
    return good;
  };
  const bool rotated = layout == Layout::channels_last && rank >= 3;
  if (rotated && !fits(1)) return false;
  for (int axis = rank - 1; axis >= (rotated ? 2 : 0); --axis)
    if (!fits(axis)) return false;
  return !rotated || fits(0);
}

TensorView make_view(void* data, DataType dtype, std::span<const int64_t> extents, Layout layout) {
  if (extents.size() > kMaxRank) fail(Code::unsupported, "a tensor of rank {}; at most {}", extents.size(), kMaxRank);
  TensorView view;
  view.data = data;
  view.dtype = dtype;
  view.rank = static_cast<int>(extents.size());
  int64_t step = 1;
  const auto place = [&](size_t axis) {
    view.dims[axis] = extents[axis];
    view.strides[axis] = step;
    // What does not fit has no elements either: its owner has counted them.
    if (__builtin_mul_overflow(step, extents[axis], &step)) step = 0;
  };
  const bool rotated = layout == Layout::channels_last && view.rank >= 3;
  if (rotated) place(1);
  for (size_t axis = extents.size(); axis-- > (rotated ? 2 : 0);) place(axis);
  if (rotated) place(0);
  return view;
}

double load_double(const TensorView& view, int64_t offset) {
  switch (view.dtype) {
    case DataType::f32:
      return load_as_double<float>(view, offset);
    case DataType::f64:
      return load_as_double<double>(view, offset);
    case DataType::f16:
      return to_float(view.as<const Half>()[offset]);
    case DataType::bf16:
      return to_float(view.as<const BFloat16>()[offset]);
    case DataType::u64:
      return load_as_double<uint64_t>(view, offset);
    default:
      if (is_narrow(view.dtype)) return decode_narrow(view.dtype, view.as<const uint8_t>()[offset]);
      return static_cast<double>(load_int(view, offset));
  }
}

void store_double(const TensorView& view, int64_t offset, double value) {
  switch (view.dtype) {
    case DataType::f32:
      return store_from_double<float>(view, offset, value);
    case DataType::f64:
      return store_from_double<double>(view, offset, value);
    case DataType::f16:
      view.as<Half>()[offset] = to_half(narrow_to_odd(value));
      return;
    case DataType::bf16:
      view.as<BFloat16>()[offset] = to_bfloat16(narrow_to_odd(value));
      return;
    case DataType::i8:
      return store_from_double<int8_t>(view, offset, value);
    case DataType::u8:
      return store_from_double<uint8_t>(view, offset, value);
    case DataType::i16:
      return store_from_double<int16_t>(view, offset, value);
    case DataType::u16:
      return store_from_double<uint16_t>(view, offset, value);
    case DataType::i32:
      return store_from_double<int32_t>(view, offset, value);
    case DataType::u32:
      return store_from_double<uint32_t>(view, offset, value);
    case DataType::i64:
      return store_from_double<int64_t>(view, offset, value);
    case DataType::u64:
      return store_from_double<uint64_t>(view, offset, value);
    case DataType::boolean:
      view.as<uint8_t>()[offset] = value != 0;
      return;
    default:
      if (!is_narrow(view.dtype)) fail_type(view);
      view.as<uint8_t>()[offset] = encode_narrow(view.dtype, value);
  }
}

int64_t load_int(const TensorView& view, int64_t offset) {
  switch (view.dtype) {
    case DataType::i8:
      return view.as<const int8_t>()[offset];
    case DataType::u8:
      return view.as<const uint8_t>()[offset];
    case DataType::i16:
      return view.as<const int16_t>()[offset];
    case DataType::u16:
      return view.as<const uint16_t>()[offset];
    case DataType::i32:
      return view.as<const int32_t>()[offset];
    case DataType::u32:
      return view.as<const uint32_t>()[offset];
    case DataType::i64:
      return view.as<const int64_t>()[offset];
    case DataType::u64:
      return static_cast<int64_t>(view.as<const uint64_t>()[offset]);
    case DataType::boolean:
      return view.as<const uint8_t>()[offset] != 0;
    case DataType::none:
    case DataType::string:
      fail_type(view);
    default: {
      if (is_integer(view.dtype)) return decode_narrow_int(view.dtype, view.as<const uint8_t>()[offset]);
      int64_t value = 0;
      store_from_double<int64_t>(make_view(&value, DataType::i64, {}), 0, load_double(view, offset));
      return value;
    }
  }
}

void store_int(const TensorView& view, int64_t offset, int64_t value) {
  switch (view.dtype) {
    case DataType::i8:
      view.as<int8_t>()[offset] = static_cast<int8_t>(value);
      return;
    case DataType::u8:
      view.as<uint8_t>()[offset] = static_cast<uint8_t>(value);
      return;
    case DataType::i16:
      view.as<int16_t>()[offset] = static_cast<int16_t>(value);
      return;
    case DataType::u16:
      view.as<uint16_t>()[offset] = static_cast<uint16_t>(value);
      return;
    case DataType::i32:
      view.as<int32_t>()[offset] = static_cast<int32_t>(value);
      return;
    case DataType::u32:
      view.as<uint32_t>()[offset] = static_cast<uint32_t>(value);
      return;
    case DataType::i64:
      view.as<int64_t>()[offset] = value;
      return;
    case DataType::u64:
      view.as<uint64_t>()[offset] = static_cast<uint64_t>(value);
      return;
    case DataType::boolean:
      view.as<uint8_t>()[offset] = value != 0;
      return;
    case DataType::none:
    case DataType::string:
      fail_type(view);
    default:
      if (is_integer(view.dtype))
        view.as<uint8_t>()[offset] = encode_narrow_int(view.dtype, value);
      else
        store_double(view, offset, static_cast<double>(value));
      return;
  }
}

std::array<int64_t, kMaxRank> broadcast_strides(const TensorView& view, std::span<const int64_t> extents) {
  std::array<int64_t, kMaxRank> strides{};
  const auto lead = static_cast<int>(extents.size()) - view.rank;
  for (int axis = 0; axis < view.rank; ++axis) {
    const auto i = static_cast<size_t>(axis);
    if (axis + lead >= 0) strides[static_cast<size_t>(axis + lead)] = view.dims[i] == 1 ? 0 : view.strides[i];
  }
  return strides;
}

}  // namespace planish
