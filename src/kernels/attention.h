#pragma once
// Parameters of the attention kernels, shared by the kernels of every level and by the tactic.

#include <cstdint>

namespace planish {

constexpr int64_t kMostAttentionSlots = 1024;

// slots: parts of the work, each with scratch of its own; as many as there are threads.
struct AttentionKernelAttrs {
  double scale = 1;
  int64_t rows_first = 0, slots = 1;
  template <class V>
  void fields(V& v) {
    v("scale", scale);
    v("rows_first", rows_first);
    v("slots", slots);
  }
};

}  // namespace planish
