// Padding in every mode, any strides. Each axis has a table of source positions (-1: the constant); rows run along
// the innermost axis of the result.

#include <algorithm>
#include <cstring>

#include "kernels/cpu/common/nest.h"
#include "kernels/reference/contracts.h"
#include "kernels/reference/move.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

struct PadAxis {
  int64_t extent = 1, y_step = 0, x_step = 0;
  int64_t first = 0, last = 0;  // positions [first, last) take source 0, 1, … from `start` on
  int64_t start = 0;
  const int64_t* sources = nullptr;  // [extent]
};

int64_t pad_workspace(const KernelArgs& args) {
  int64_t entries = 0;
  for (int64_t extent : args.outputs[0].extents()) entries += extent;
  return entries * 8;
}

struct PadPlan {
  size_t count = 0;
  std::array<PadAxis, kMaxRank> axes{};  // slowest of the result first

  const PadAxis& row() const { return axes[count - 1]; }
  int64_t rows() const {
    int64_t total = 1;
    for (size_t i = 0; i + 1 < count; ++i) total *= axes[i].extent;
    return total;
  }
};

// An axis of one position is no row.
bool lies_before(const PadAxis& a, const PadAxis& b) {
  return a.extent == 1 || b.extent == 1 ? b.extent != 1 : a.y_step > b.y_step;
}

PadPlan plan_pad(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const std::string& mode = args.as<PadAttrs>().mode;
  const auto before = reference::pads_before(args);
  auto* table = reinterpret_cast<int64_t*>(args.workspace);
  PadPlan plan;
  for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i) {
    PadAxis axis{y.dims[i], y.strides[i], x.strides[i]};
    axis.sources = table;
    for (int64_t at = 0; at < axis.extent; ++at) *table++ = pad_source(at - before[i], x.dims[i], mode);
    axis.first = std::clamp(before[i], int64_t{0}, axis.extent);
    axis.last = std::clamp(before[i] + x.dims[i], axis.first, axis.extent);
    axis.start = axis.first - before[i];
    size_t slot = plan.count++;
    for (; slot > 0 && lies_before(axis, plan.axes[slot - 1]); --slot) plan.axes[slot] = plan.axes[slot - 1];
    plan.axes[slot] = axis;
  }
  if (plan.count == 0) {
    static constexpr int64_t kOnly = 0;
    plan.axes[plan.count++] = {.first = 0, .last = 1, .sources = &kOnly};
  }
  return plan;
}

template <class T>
void pad_row(const PadAxis& row, const T* from, T value, T* to) {
  const auto outside = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      to[i * row.y_step] = row.sources[i] < 0 ? value : from[row.sources[i] * row.x_step];
  };
  outside(0, row.first);
  const T* source = from + row.start * row.x_step;
  T* middle = to + row.first * row.y_step;
  const int64_t n = row.last - row.first;
  if (row.x_step == 1 && row.y_step == 1)
    std::memcpy(middle, source, static_cast<size_t>(n) * sizeof(T));
  else
    for (int64_t i = 0; i < n; ++i) middle[i * row.y_step] = source[i * row.x_step];
  outside(row.last, row.extent);
}

template <class T>
void pad_as(const KernelArgs& args) {
  const PadPlan plan = plan_pad(args);
  const PadAxis& row = plan.row();
  const T value = args.has_input(2) ? *args.inputs[2].as<const T>() : T{0};
  const auto* x = args.inputs[0].as<const T>();
  auto* y = args.outputs[0].as<T>();
  args.pool->parallel_for(plan.rows(), std::max<int64_t>(1, 16384 / std::max<int64_t>(1, row.extent)),
                          [&](int64_t begin, int64_t end) {
                            for (int64_t task = begin; task < end; ++task) {
                              int64_t rest = task, from = 0, to = 0;
                              bool inside = true;
                              for (size_t i = plan.count - 1; i-- > 0;) {
                                const PadAxis& axis = plan.axes[i];
                                const int64_t at = rest % axis.extent;
                                rest /= axis.extent;
                                inside = inside && axis.sources[at] >= 0;
                                from += axis.sources[at] * axis.x_step;
                                to += at * axis.y_step;
                              }
                              if (inside)
                                pad_row(row, x + from, value, y + to);
                              else
                                for (int64_t i = 0; i < row.extent; ++i) y[to + i * row.y_step] = value;
                            }
                          });
}

void run_pad(const KernelArgs& args) {
  if (args.outputs[0].element_count() == 0) return;
  switch (element_bytes(args.inputs[0].dtype)) {
    case 1:
      return pad_as<uint8_t>(args);
    case 2:
      return pad_as<uint16_t>(args);
    case 4:
      return pad_as<uint32_t>(args);
    default:
      return pad_as<uint64_t>(args);
  }
}

}  // namespace

void register_pad(KernelTable& table) {
  table.add(make_kernel<PadAttrs>("pad", reference::check_pad, run_pad, pad_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
