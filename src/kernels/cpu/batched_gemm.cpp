// Matrix products of two run-time operands: B of every entry is packed into the workspace, then rows times panels.

#include "base/checked.h"
#include "kernels/cpu/common/product.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// One operand as a stack of matrices, with the batch axes of the result.
struct Matrices {
  const float* data = nullptr;
  int axes = 0;
  std::array<int64_t, kMaxRank> batch{};
  int64_t row = 0, column = 0;
  const float* entry(const RowWalk& walk) const {
    int64_t offset = 0;
    for (size_t i = 0; i < static_cast<size_t>(axes); ++i) offset += walk.at[i] * batch[i];
    return data + offset;
  }
};

Matrices matrices_of(const TensorView& view, const TensorView& y) {
  Matrices m;
  const auto rank = static_cast<size_t>(view.rank);
  TensorView batch = view;
  batch.rank -= 2;
  m.data = view.as<const float>();
  m.axes = y.rank - 2;
  m.batch = broadcast_strides(batch, y.extents().subspan(0, static_cast<size_t>(y.rank) - 2));
  m.row = view.strides[rank - 2];
  m.column = view.strides[rank - 1];
  return m;
}

// One panel of B, zero padded: [k][kPanel].
void pack_panel(const float* source, int64_t row, int64_t column, int64_t k, int64_t width, float* to) {
  for (int64_t i = 0; i < k; ++i, to += kPanel) {
    const float* from = source + i * row;
    for (int64_t j = 0; j < width; ++j) to[j] = from[j * column];
    for (int64_t j = width; j < kPanel; ++j) to[j] = 0.f;
  }
}

struct BatchedShape {
  int64_t entries, m, k, n, panels, packed, copied;  // floats of packed B and copied A an entry
};

BatchedShape shape_of(const KernelArgs& args) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  BatchedShape s{1,
                 y.dims[static_cast<size_t>(y.rank) - 2],
                 a.dims[static_cast<size_t>(a.rank) - 1],
                 b.dims[static_cast<size_t>(b.rank) - 1],
                 0,
                 0,
                 0};
  for (int64_t extent : y.extents().subspan(0, static_cast<size_t>(y.rank) - 2)) s.entries *= extent;
  s.panels = (s.n + kPanel - 1) / kPanel;
  s.packed = s.panels * s.k * kPanel;
  s.copied = a.strides[static_cast<size_t>(a.rank) - 1] == 1 || s.k == 1 ? 0 : s.m * s.k;
  return s;
}

// A [.., M, K] x B [.., K, N], broadcast over the batch -> Y [.., M, N], columns adjacent
void check_batched(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot a = o.in(0).is({DataType::f32}).rank(2, kMaxRank), b = o.in(1).is({DataType::f32}).rank(2, kMaxRank);
  const Slot y = o.out().is({DataType::f32}).rank(2, kMaxRank).adjacent(-1);
  std::vector<int64_t> dims(y.extents().begin(), y.extents().end());
  const size_t row = dims.size() - 2, column = dims.size() - 1;
  require(a.extent(-1) == b.extent(-2) && a.view().rank <= y.view().rank && b.view().rank <= y.view().rank,
          "{} columns against {} rows", a.extent(-1), b.extent(-2));
  require(dims[row] == a.extent(-2) && dims[column] == b.extent(-1), "a result of {} by {} for {} by {}", dims[row],
          dims[column], a.extent(-2), b.extent(-1));
  dims[column] = a.extent(-1);
  a.spreads_over(dims);
  dims[row] = b.extent(-2);
  dims[column] = b.extent(-1);
  b.spreads_over(dims);
}

void multiply_entry(const BatchedShape& s, const float* a, int64_t a_row, const float* packed, float* y, int64_t y_row,
                    int64_t first, int64_t count) {
  alignas(64) static constexpr float kZero[kPanel] = {};
  for (int64_t panel = 0; panel < s.panels; ++panel) {
    TileEnd end;
    end.width = static_cast<int>(std::min<int64_t>(kPanel, s.n - panel * kPanel));
    end.low = -INFINITY;
    end.high = INFINITY;
    for (int64_t m = first; m < first + count; m += kRows) {
      const int height = static_cast<int>(std::min<int64_t>(kRows, first + count - m));
      const float* rows[kRows];
      for (int r = 0; r < height; ++r) {
        rows[r] = a + (m + r) * a_row;
        end.out[r] = y + (m + r) * y_row + panel * kPanel;
      }
      tile_function(height, end.width)(
          {.rows = rows, .channels = s.k, .b = packed + panel * s.k * kPanel, .init = kZero}, end);
    }
  }
}

void run_batched(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  if (y.element_count() == 0) return;
  const BatchedShape s = shape_of(args);
  const Matrices a = matrices_of(args.inputs[0], y), b = matrices_of(args.inputs[1], y), out = matrices_of(y, y);
  auto* workspace = reinterpret_cast<float*>(args.workspace);
  RowWalk batch;
  batch.axes = y.rank - 2;
  batch.dims = y.dims;
  args.pool->parallel_for(s.entries * s.panels, 1, [&](int64_t begin, int64_t end) {
    RowWalk walk = batch;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t entry = task / s.panels, panel = task % s.panels;
      walk.seek(entry);
      float* pack = workspace + entry * (s.packed + s.copied);
      pack_panel(b.entry(walk) + panel * kPanel * b.column, b.row, b.column, s.k,
                 std::min<int64_t>(kPanel, s.n - panel * kPanel), pack + panel * s.k * kPanel);
      if (panel != 0 || s.copied == 0) continue;
      const float* from = a.entry(walk);
      for (int64_t r = 0; r < s.m; ++r)
        for (int64_t i = 0; i < s.k; ++i) pack[s.packed + r * s.k + i] = from[r * a.row + i * a.column];
    }
  });
  const int64_t blocks = (s.m + kRows - 1) / kRows,
                parts = std::clamp<int64_t>(4 * args.pool->size() / s.entries, 1, blocks);
  args.pool->parallel_for(s.entries * parts, 1, [&](int64_t begin, int64_t end) {
    RowWalk walk = batch;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t entry = task / parts, part = task % parts, first = blocks * part / parts * kRows;
      walk.seek(entry);
      const float* pack = workspace + entry * (s.packed + s.copied);
      multiply_entry(s, s.copied != 0 ? pack + s.packed : a.entry(walk), s.copied != 0 ? s.k : a.row, pack,
                     const_cast<float*>(out.entry(walk)), out.row, first,
                     std::min(blocks * (part + 1) / parts * kRows, s.m) - first);
    }
  });
}

// The same at every level, so that a plan for another level than this one can be laid out.
int64_t batched_workspace(const KernelArgs& args) {
  const BatchedShape s = shape_of(args);
  const int64_t widest = (s.n + kWidestPanel - 1) / kWidestPanel * kWidestPanel;
  return checked_mul(s.entries, checked_add(checked_mul(widest, s.k), s.copied) * 4);
}

}  // namespace

void register_batched_gemm(KernelTable& table) {
  Kernel kernel = make_kernel<NoAttrs>("batched_gemm", check_batched, run_batched, batched_workspace);
  kernel.version = 3;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
