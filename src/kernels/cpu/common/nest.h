#pragma once
// Nest: the loops over several strided operands of equal extents. Axes are put slowest first, as operand 0 lies
// in memory, and merged where every operand steps through them evenly. Nothing allocates.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

#include "base/thread_pool.h"
#include "tensor/view.h"

namespace planish::kernels::cpu::PLANISH_ISA {

using Strides = std::array<int64_t, kMaxRank>;

template <size_t N>
struct Nest {
  size_t rank = 0;  // at least 1 when made by make_nest
  std::array<int64_t, kMaxRank> dims{};
  std::array<Strides, N> strides{};

  size_t inner() const { return rank - 1; }
  int64_t outer_count() const {
    int64_t count = 1;
    for (size_t i = 0; i + 1 < rank; ++i) count *= dims[i];
    return count;
  }
  bool is_empty() const { return std::find(dims.begin(), dims.begin() + rank, 0) != dims.begin() + rank; }
};

namespace nest_detail {

// Descending by |step| of operand 0, then of the others.
template <size_t N>
bool lies_before(const std::array<Strides, N>& strides, size_t a, size_t b) {
  for (const Strides& s : strides)
    if (std::abs(s[a]) != std::abs(s[b])) return std::abs(s[a]) > std::abs(s[b]);
  return false;
}

template <size_t N>
bool merges(const Nest<N>& nest, const std::array<Strides, N>& strides, size_t axis, int64_t extent) {
  if (nest.rank == 0) return false;
  for (size_t k = 0; k < N; ++k)
    if (nest.strides[k][nest.rank - 1] != strides[k][axis] * extent) return false;
  return true;
}

}  // namespace nest_detail

template <size_t N>
Nest<N> make_nest(std::span<const int64_t> extents, const std::array<Strides, N>& strides) {
  std::array<size_t, kMaxRank> order{};
  size_t count = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 1) continue;
    size_t at = count++;
    for (; at > 0 && nest_detail::lies_before(strides, i, order[at - 1]); --at) order[at] = order[at - 1];
    order[at] = i;
  }
  Nest<N> nest;
  for (size_t k = 0; k < count; ++k) {
    const size_t axis = order[k];
    const bool merge = nest_detail::merges(nest, strides, axis, extents[axis]);
    const size_t at = merge ? nest.rank - 1 : nest.rank++;
    nest.dims[at] = merge ? nest.dims[at] * extents[axis] : extents[axis];
    for (size_t i = 0; i < N; ++i) nest.strides[i][at] = strides[i][axis];
  }
  if (nest.rank == 0) nest.dims[nest.rank++] = 1;
  return nest;
}

// A position in the axes of a nest but the last, with the offset of each operand there.
template <size_t N>
class NestPosition {
 public:
  NestPosition(const Nest<N>& nest, int64_t row) : nest_(nest) {
    for (size_t i = std::min<size_t>(nest.inner(), kMaxRank); i-- > 0;) {  // the bound is for the compiler to see
      index_[i] = row % nest.dims[i];
      row /= nest.dims[i];
      for (size_t k = 0; k < N; ++k) offset[k] += index_[i] * nest.strides[k][i];
    }
  }
  void next() {
    for (size_t i = nest_.inner(); i-- > 0;) {
      for (size_t k = 0; k < N; ++k) offset[k] += nest_.strides[k][i];
      if (++index_[i] < nest_.dims[i]) return;
      index_[i] = 0;
      for (size_t k = 0; k < N; ++k) offset[k] -= nest_.dims[i] * nest_.strides[k][i];
    }
  }
  std::array<int64_t, N> offset{};

 private:
  const Nest<N>& nest_;
  std::array<int64_t, kMaxRank> index_{};
};

// What is done with a row of a nest, behind an address: what walks is compiled once, and so is each body.
template <size_t N>
struct RowBody {
  void* self;
  void (*call)(void* self, const std::array<int64_t, N>& offsets, int64_t n);
};

template <size_t N>
[[gnu::noinline]] void walk_rows(ThreadPool& pool, const Nest<N>& nest, int64_t piece, int64_t grain, RowBody<N> body) {
  if (nest.is_empty()) return;
  const int64_t length = nest.dims[nest.inner()], pieces = (length + piece - 1) / piece;
  const int64_t share = std::max<int64_t>(1, grain / std::min(length, piece));
  pool.parallel_for(nest.outer_count() * pieces, share, [&](int64_t begin, int64_t end) {
    NestPosition<N> at(nest, begin / pieces);
    for (int64_t task = begin, part = begin % pieces; task < end; ++task) {
      std::array<int64_t, N> offset = at.offset;
      for (size_t k = 0; k < N; ++k) offset[k] += part * piece * nest.strides[k][nest.inner()];
      body.call(body.self, offset, std::min(piece, length - part * piece));
      if (++part == pieces) {
        part = 0;
        at.next();
      }
    }
  });
}

// body(offsets, n): every row along the innermost axis, cut into pieces of at most `piece` elements. Blocks given
// to a thread have about `grain` elements or more.
template <size_t N, class Body>
void for_rows(ThreadPool& pool, const Nest<N>& nest, int64_t piece, int64_t grain, Body body) {
  const auto call = [](void* self, const std::array<int64_t, N>& offsets, int64_t n) {
    (*static_cast<Body*>(self))(offsets, n);
  };
  walk_rows<N>(pool, nest, piece, grain, {&body, call});
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
