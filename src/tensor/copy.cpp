// Copies between stridings. The axes are put in the destination's memory order and merged where both sides step
// evenly; what is left is rows (both sides contiguous), blocks of a transpose (each side contiguous along an axis
// of its own), or single elements.

#include "tensor/copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace planish {
namespace {

struct CopyAxis {
  int64_t extent, from, to;
};

struct CopyPlan {
  size_t rank = 0;
  std::array<CopyAxis, kMaxRank> axes{};  // slowest of the destination first
};

bool steps_before(const CopyAxis& a, const CopyAxis& b) {
  return std::abs(a.to) != std::abs(b.to) ? std::abs(a.to) > std::abs(b.to) : std::abs(a.from) > std::abs(b.from);
}

CopyPlan plan_copy(const TensorView& source, const TensorView& destination) {
  CopyPlan all;
  for (size_t i = 0; i < static_cast<size_t>(source.rank); ++i)
    if (source.dims[i] != 1) all.axes[all.rank++] = {source.dims[i], source.strides[i], destination.strides[i]};
  for (size_t i = 1; i < all.rank; ++i)  // insertion: few axes, and no allocation
    for (size_t k = i; k > 0 && steps_before(all.axes[k], all.axes[k - 1]); --k)
      std::swap(all.axes[k], all.axes[k - 1]);
  CopyPlan plan;
  for (size_t i = 0; i < all.rank; ++i) {
    const CopyAxis& axis = all.axes[i];
    CopyAxis* outer = plan.rank > 0 ? &plan.axes[plan.rank - 1] : nullptr;
    if (outer != nullptr && outer->from == axis.extent * axis.from && outer->to == axis.extent * axis.to)
      *outer = {outer->extent * axis.extent, axis.from, axis.to};
    else
      plan.axes[plan.rank++] = axis;
  }
  return plan;
}

// body(from, to) for every position of the first `count` axes.
template <class T, class Body>
void for_positions(const CopyPlan& plan, size_t count, const T* from, T* to, Body body) {
  std::array<int64_t, kMaxRank> index{};
  for (;;) {
    body(from, to);
    size_t i = count;
    for (; i-- > 0;) {
      const CopyAxis& axis = plan.axes[i];
      from += axis.from;
      to += axis.to;
      if (++index[i] < axis.extent) break;
      index[i] = 0;
      from -= axis.extent * axis.from;
      to -= axis.extent * axis.to;
    }
    if (i == SIZE_MAX) return;
  }
}

constexpr int64_t kBlock = 16;  // 16 elements of 4 bytes are a cache line

// to[r * to_step + c] = from[c * from_step + r] for r < rows, c < columns
template <class T>
void transpose_block(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[r * to_step + c] = from[c * from_step + r];
}

#if defined(__SSE2__)
void transpose_block(const uint32_t* from, int64_t from_step, uint32_t* to, int64_t to_step, int64_t rows,
                     int64_t columns) {
  const auto* in = reinterpret_cast<const float*>(from);
  auto* out = reinterpret_cast<float*>(to);
  const int64_t whole_rows = rows & ~int64_t{3}, whole_columns = columns & ~int64_t{3};
  for (int64_t r = 0; r < whole_rows; r += 4)
    for (int64_t c = 0; c < whole_columns; c += 4) {
      __m128 a = _mm_loadu_ps(in + c * from_step + r), b = _mm_loadu_ps(in + (c + 1) * from_step + r);
      __m128 x = _mm_loadu_ps(in + (c + 2) * from_step + r), y = _mm_loadu_ps(in + (c + 3) * from_step + r);
      _MM_TRANSPOSE4_PS(a, b, x, y);
      _mm_storeu_ps(out + r * to_step + c, a);
      _mm_storeu_ps(out + (r + 1) * to_step + c, b);
      _mm_storeu_ps(out + (r + 2) * to_step + c, x);
      _mm_storeu_ps(out + (r + 3) * to_step + c, y);
    }
  transpose_block<uint32_t>(from + whole_columns * from_step, from_step, to + whole_columns, to_step, whole_rows,
                            columns - whole_columns);
  transpose_block<uint32_t>(from + whole_rows, from_step, to + whole_rows * to_step, to_step, rows - whole_rows,
                            columns);
}

// Two rows become pairs: a shuffle of channels.
void interleave(const uint32_t* from, int64_t from_step, uint32_t* to, int64_t rows) {
  const auto* in = reinterpret_cast<const float*>(from);
  auto* out = reinterpret_cast<float*>(to);
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const __m128 a = _mm_loadu_ps(in + r), b = _mm_loadu_ps(in + from_step + r);
    _mm_storeu_ps(out + 2 * r, _mm_unpacklo_ps(a, b));
    _mm_storeu_ps(out + 2 * r + 4, _mm_unpackhi_ps(a, b));
  }
  transpose_block<uint32_t>(from + r, from_step, to + 2 * r, 2, rows - r, 2);
}
#endif

template <class T>
void transpose(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t rows, int64_t columns) {
#if defined(__SSE2__)
  if constexpr (std::is_same_v<T, uint32_t>)
    if (columns == 2 && to_step == 2) return interleave(from, from_step, to, rows);
#endif
  for (int64_t r = 0; r < rows; r += kBlock)
    for (int64_t c = 0; c < columns; c += kBlock)
      transpose_block(from + c * from_step + r, from_step, to + r * to_step + c, to_step, std::min(kBlock, rows - r),
                      std::min(kBlock, columns - c));
}

template <class T>
void copy_row(const T* from, int64_t from_step, T* to, int64_t to_step, int64_t n) {
  constexpr int64_t kShort = 16;  // a call costs more than the elements
  if (from_step == 1 && to_step == 1) {
    if (n >= kShort)
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    else
      for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  } else if (from_step == 0 && to_step == 1) {
    std::fill_n(to, n, *from);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * to_step] = from[i * from_step];
  }
}

template <class T>
void copy_elements(CopyPlan plan, const void* source, void* destination) {
  const auto* from = static_cast<const T*>(source);
  auto* to = static_cast<T*>(destination);
  if (plan.rank == 0) {
    *to = *from;
    return;
  }
  const size_t last = plan.rank - 1;
  const CopyAxis inner = plan.axes[last];
  size_t along = last;  // the axis along which the source is contiguous
  for (size_t i = 0; i < last; ++i)
    if (plan.axes[i].from == 1) along = i;
  if (inner.to != 1 || inner.from == 1 || inner.from == 0 || along == last)
    return for_positions(plan, last, from, to,
                         [&](const T* f, T* t) { copy_row(f, inner.from, t, inner.to, inner.extent); });
  const CopyAxis rows = plan.axes[along];
  std::rotate(plan.axes.begin() + static_cast<std::ptrdiff_t>(along),
              plan.axes.begin() + static_cast<std::ptrdiff_t>(along) + 1,
              plan.axes.begin() + static_cast<std::ptrdiff_t>(last));
  for_positions(plan, last - 1, from, to,
                [&](const T* f, T* t) { transpose(f, inner.from, t, rows.to, rows.extent, inner.extent); });
}

// The axis to cut along: the longest of those that are contiguous on neither side, so that rows stay whole.
size_t axis_to_share(const TensorView& source, const TensorView& destination) {
  const auto value = [&](size_t i) {
    const bool row = source.strides[i] == 1 || destination.strides[i] == 1;
    return row ? source.dims[i] / 64 : source.dims[i];
  };
  size_t best = 0;
  for (size_t i = 1; i < static_cast<size_t>(source.rank); ++i)
    if (value(i) > value(best)) best = i;
  return best;
}

TensorView part_of(TensorView view, size_t axis, int64_t begin, int64_t end) {
  view.data = view.as<std::byte>() + begin * view.strides[axis] * element_bytes(view.dtype);
  view.dims[axis] = end - begin;
  return view;
}

}  // namespace

void copy_view(const TensorView& source, const TensorView& destination) {
  if (source.element_count() == 0) return;
  const CopyPlan plan = plan_copy(source, destination);
  switch (element_bytes(source.dtype)) {
    case 1:
      return copy_elements<uint8_t>(plan, source.data, destination.data);
    case 2:
      return copy_elements<uint16_t>(plan, source.data, destination.data);
    case 4:
      return copy_elements<uint32_t>(plan, source.data, destination.data);
    default:
      return copy_elements<uint64_t>(plan, source.data, destination.data);
  }
}

void copy_view(const TensorView& source, const TensorView& destination, ThreadPool& pool) {
  constexpr int64_t kWorthSharing = 16384;  // elements
  if (source.rank == 0 || source.element_count() < kWorthSharing) return copy_view(source, destination);
  const size_t axis = axis_to_share(source, destination);
  pool.parallel_for(source.dims[axis], 1, [&](int64_t begin, int64_t end) {
    copy_view(part_of(source, axis, begin, end), part_of(destination, axis, begin, end));
  });
}

}  // namespace planish
