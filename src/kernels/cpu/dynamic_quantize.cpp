// Floats to numbers of 8 bits by a scale that is found on the way: each row's own, or one for all. Dense.

#include "kernels/reference/dynamic_quantize.h"

#include <bit>

#include "kernels/cpu/common/simd.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kDynamicPiece = 8192;  // elements of a task

void check_dynamic(const KernelArgs& args) {
  reference::check_dynamic_quantize(args);
  const Operands o(args, 1, 1, 3, 3);
  for (const Slot& slot : {o.in(0), o.out(0), o.out(1), o.out(2)}) slot.dense();
}

struct Extremes {
  float low = 0, high = 0;
  uint32_t largest = 0;  // magnitude, in bits

  void join(const Extremes& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
    largest = std::max(largest, other.largest);
  }
  DynamicScale scale(bool symmetric) const { return dynamic_scale(low, high, largest < 0x7f800000u, symmetric); }
};

Extremes extremes_of(const float* __restrict__ x, int64_t n) {
  float low = 0, high = 0;
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  }
  return {low, high, largest};
}

template <class Q>
void put_numbers(const float* __restrict__ x, int64_t n, const DynamicScale& by, Q* __restrict__ to) {
  constexpr float kMagic = 12582912.f;  // 1.5 * 2^23: adding it rounds half to even
  const float low = std::is_signed_v<Q> ? -127.f : static_cast<float>(-by.zero),
              high = std::is_signed_v<Q> ? 127.f : static_cast<float>(255 - by.zero);
  const auto zero = static_cast<float>(by.zero);
  if (by.scale != by.scale) {
    std::fill_n(to, n, Q{});
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    const float steps = x[i] / by.scale;
    const float raised = steps > low ? steps : low;
    const float bounded = raised < high ? raised : high;
    to[i] = static_cast<Q>(std::bit_cast<int32_t>((bounded + kMagic) + zero));
  }
}

struct DynamicTask {
  const KernelArgs& args;
  const float* x;
  bool symmetric;

  void leave(int64_t row, const DynamicScale& by) const {
    args.outputs[1].as<float>()[row] = by.scale;
    static_cast<uint8_t*>(args.outputs[2].data)[row] = static_cast<uint8_t>(by.zero);
  }
  void put(int64_t from, int64_t n, const DynamicScale& by) const {
    if (symmetric)
      put_numbers(x + from, n, by, args.outputs[0].as<int8_t>() + from);
    else
      put_numbers(x + from, n, by, args.outputs[0].as<uint8_t>() + from);
  }
};

void run_dynamic_rows(const DynamicTask& task, int64_t width, int64_t rows) {
  const int64_t at_once = std::max<int64_t>(1, kDynamicPiece / std::max<int64_t>(1, width));
  task.args.pool->parallel_for(rows, at_once, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const DynamicScale by = extremes_of(task.x + row * width, width).scale(task.symmetric);
      task.leave(row, by);
      task.put(row * width, width, by);
    }
  });
}

// The extremes of each piece wait in the workspace.
void run_dynamic_whole(const DynamicTask& task, int64_t count) {
  const int64_t pieces = (count + kDynamicPiece - 1) / kDynamicPiece;
  auto* const found = reinterpret_cast<Extremes*>(task.args.workspace);
  const auto size = [&](int64_t piece) { return std::min(kDynamicPiece, count - piece * kDynamicPiece); };
  task.args.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) found[i] = extremes_of(task.x + i * kDynamicPiece, size(i));
  });
  Extremes all;
  for (int64_t i = 0; i < pieces; ++i) all.join(found[i]);
  const DynamicScale by = all.scale(task.symmetric);
  task.leave(0, by);
  task.args.pool->parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) task.put(i * kDynamicPiece, size(i), by);
  });
}

int64_t dynamic_workspace(const KernelArgs& args) {
  if (args.as<DynamicQuantizeAttrs>().rows != 0) return 0;
  const int64_t pieces = (args.inputs[0].element_count() + kDynamicPiece - 1) / kDynamicPiece;
  return pieces * static_cast<int64_t>(sizeof(Extremes));
}

void run_dynamic(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const auto& attrs = args.as<DynamicQuantizeAttrs>();
  const DynamicTask task{args, x.as<const float>(), attrs.symmetric != 0};
  if (attrs.rows == 0) return run_dynamic_whole(task, x.element_count());
  const int64_t width = x.dims[static_cast<size_t>(x.rank - 1)];
  if (x.element_count() > 0) run_dynamic_rows(task, width, x.element_count() / width);
}

}  // namespace

void register_dynamic_quantize(KernelTable& table) {
  table.add(
      make_kernel<DynamicQuantizeAttrs>("dynamic_quantize_linear", check_dynamic, run_dynamic, dynamic_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
