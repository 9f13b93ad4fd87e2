#pragma once
// copy_view shared among the threads of a pool.

#include "base/thread_pool.h"
#include "tensor/view.h"

namespace planish::kernels::cpu::PLANISH_ISA {

inline void copy_shared(ThreadPool& pool, const TensorView& from, const TensorView& to) {
  constexpr int64_t kWorthSharing = 16384;  // elements
  if (from.rank == 0 || from.element_count() < kWorthSharing) return copy_view(from, to);
  size_t longest = 0;
  for (size_t i = 1; i < static_cast<size_t>(from.rank); ++i)
    if (from.dims[i] > from.dims[longest]) longest = i;
  const int64_t bytes = element_bytes(from.dtype);
  const auto part = [&](TensorView view, int64_t begin, int64_t end) {
    view.data = view.as<std::byte>() + begin * view.strides[longest] * bytes;
    view.dims[longest] = end - begin;
    return view;
  };
  pool.parallel_for(from.dims[longest], 1,
                    [&](int64_t begin, int64_t end) { copy_view(part(from, begin, end), part(to, begin, end)); });
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
