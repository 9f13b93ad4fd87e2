// Matrix product with packed weights, and convolution as the same product with indirect rows: the rows of A
// are found through pointers, one for each output pixel and kernel tap, and padding is a row of zeros.

#include <algorithm>
#include <vector>

#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kMostTaps = 1024;

// One product: `rows_of` fills [taps][kRows] pointers for rows m … m + count - 1, `store` takes finished sums.
struct Product {
  int64_t rows = 0, columns = 0, taps = 1, channels = 0, group = 1;
  const float* weights = nullptr;  // [group][panel][taps][channels][kPanel]
  const float* bias = nullptr;     // [group * columns] or null
  bool panel_outer = false;

  int64_t panels() const { return (columns + kPanel - 1) / kPanel; }
  int64_t panel_floats() const { return taps * channels * kPanel; }
};

template <class RowsOf, class Finish>
void run_block(const Product& p, int64_t g, int64_t m, int64_t panel, const float* const* rows, Finish& finish) {
  alignas(64) float tile[kRows * kPanel], init[kPanel];
  const int64_t column = panel * kPanel, width = std::min<int64_t>(kPanel, p.columns - column);
  for (int64_t i = 0; i < kPanel; ++i) init[i] = p.bias != nullptr && i < width ? p.bias[g * p.columns + column + i] : 0.f;
  const int count = static_cast<int>(std::min<int64_t>(kRows, p.rows - m));
  multiply_rows(count, rows, p.taps, p.channels, p.weights + (g * p.panels() + panel) * p.panel_floats(), init, tile);
  for (int r = 0; r < count; ++r) finish(m + r, g * p.columns + column, width, tile + r * kPanel);
}

template <class RowsOf, class Finish>
void run_product(const Product& p, ThreadPool& pool, RowsOf rows_of, Finish finish) {
  const int64_t blocks = (p.rows + kRows - 1) / kRows, panels = p.panels();
  if (p.taps > kMostTaps) fail(Code::invalid_plan, "a kernel of {} taps; at most {}", p.taps, kMostTaps);
  if (p.panel_outer) {
    // Tasks are (group, panel, part of the rows); a thread keeps its panel.
    const int64_t parts = std::clamp<int64_t>(4 * pool.size() / std::max<int64_t>(1, panels * p.group), 1, blocks);
    pool.parallel_for(p.group * panels * parts, 1, [&](int64_t begin, int64_t end) {
      const float* rows[kMostTaps * kRows];
      for (int64_t task = begin; task < end; ++task) {
        const int64_t part = task % parts, panel = task / parts % panels, g = task / parts / panels;
        for (int64_t block = blocks * part / parts; block < blocks * (part + 1) / parts; ++block) {
          rows_of(g, block * kRows, rows);
          run_block<RowsOf>(p, g, block * kRows, panel, rows, finish);
        }
      }
    });
    return;
  }
  pool.parallel_for(p.group * blocks, 1, [&](int64_t begin, int64_t end) {
    const float* rows[kMostTaps * kRows];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t g = task / blocks, m = task % blocks * kRows;
      rows_of(g, m, rows);
      for (int64_t panel = 0; panel < panels; ++panel) run_block<RowsOf>(p, g, m, panel, rows, finish);
    }
  });
}

// Offset of the flat row `m` of a view whose last axis is the row itself.
int64_t row_offset(const TensorView& view, const std::array<int64_t, kMaxRank>& strides, int64_t m) {
  int64_t offset = 0;
  for (int axis = view.rank - 1; axis-- > 0;) {
    const auto i = static_cast<size_t>(axis);
    offset += m % view.dims[i] * strides[i];
    m /= view.dims[i];
  }
  return offset;
}

// inputs: A, packed B, bias?, extras…
void run_gemm(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  const auto last = static_cast<size_t>(y.rank - 1);
  const auto a_last = static_cast<size_t>(a.rank - 1);
  if (y.element_count() == 0) return;
  Product p;
  p.columns = params.attrs.columns;
  p.rows = y.element_count() / p.columns;
  p.channels = a.dims[a_last];
  p.weights = args.inputs[1].as<const float>();
  p.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.panel_outer = params.attrs.panel_outer != 0;
  // Rows whose elements are not adjacent are gathered first.
  const bool gathered = a.strides[a_last] != 1 && p.channels > 1;
  if (gathered) copy_view(a, make_view(args.workspace, DataType::f32, a.extents()));
  const TensorView rows_view = gathered ? make_view(args.workspace, DataType::f32, a.extents()) : a;
  const size_t extras = params.has_program ? static_cast<size_t>(params.program.inputs) - 1 : 0;
  const std::span<const TensorView> extra_views = args.inputs.subspan(args.inputs.size() - extras);
  std::vector<std::array<int64_t, kMaxRank>> extra_strides;
  for (const TensorView& view : extra_views) extra_strides.push_back(broadcast_strides(view, y.extents()));
  const auto rows_of = [&](int64_t, int64_t m, const float** rows) {
    for (int r = 0; r < kRows; ++r)
      rows[r] = rows_view.as<const float>() + row_offset(rows_view, rows_view.strides, std::min(m + r, p.rows - 1));
  };
  run_product(p, *args.pool, rows_of, [&](int64_t m, int64_t column, int64_t width, const float* sums) {
    TileOperand operands[32];
    for (size_t i = 0; i < extras; ++i)
      operands[i] = {extra_views[i].as<const float>() + row_offset(y, extra_strides[i], m) + column * extra_strides[i][last], extra_strides[i][last]};
    finish_row(params, sums, width, operands, y.as<float>() + row_offset(y, y.strides, m) + column);
  });
}

int64_t gemm_workspace(const KernelArgs& args) {
  const TensorView& a = args.inputs[0];
  return a.strides[static_cast<size_t>(a.rank - 1)] == 1 ? 0 : a.element_count() * 4;
}

// inputs: X channels-last [N, C, spatial…], packed W, bias?, extras (channels-last, or one value a channel)
void run_igemm(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const size_t spatial = conv.kernel.size();
  Product p;
  p.group = conv.group;
  p.columns = conv.columns;
  p.channels = x.dims[1] / conv.group;
  for (int64_t k : conv.kernel) p.taps *= k;
  p.rows = y.dims[0];
  for (size_t i = 0; i < spatial; ++i) p.rows *= y.dims[i + 2];
  p.weights = args.inputs[1].as<const float>();
  p.bias = conv.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.panel_outer = conv.panel_outer != 0;
  auto* zeros = reinterpret_cast<float*>(args.workspace);
  std::fill_n(zeros, x.dims[1], 0.f);
  const size_t extras = params.has_program ? static_cast<size_t>(params.program.inputs) - 1 : 0;
  const std::span<const TensorView> extra_views = args.inputs.subspan(args.inputs.size() - extras);
  std::vector<std::array<int64_t, kMaxRank>> extra_strides;
  for (const TensorView& view : extra_views) extra_strides.push_back(broadcast_strides(view, y.extents()));
  // Flat pixel -> (n, position).
  const auto position_of = [&](int64_t m, std::array<int64_t, kMaxRank>& at) {
    for (size_t i = spatial; i-- > 0;) {
      at[i + 2] = m % y.dims[i + 2];
      m /= y.dims[i + 2];
    }
    at[0] = m;
    at[1] = 0;
  };
  const auto rows_of = [&](int64_t g, int64_t m, const float** rows) {
    for (int r = 0; r < kRows; ++r) {
      std::array<int64_t, kMaxRank> at{};
      position_of(std::min(m + r, p.rows - 1), at);
      const float* base = x.as<const float>() + at[0] * x.strides[0] + g * p.channels;
      for (int64_t tap = 0; tap < p.taps; ++tap) {
        int64_t rest = tap, offset = 0;
        bool inside = true;
        for (size_t i = spatial; i-- > 0;) {
          const int64_t k = rest % conv.kernel[i];
          rest /= conv.kernel[i];
          const int64_t from = at[i + 2] * conv.strides[i] + k * conv.dilations[i] - conv.pads[i];
          inside = inside && from >= 0 && from < x.dims[i + 2];
          offset += from * x.strides[i + 2];
        }
        rows[tap * kRows + r] = inside ? base + offset : zeros;
      }
    }
  };
  run_product(p, *args.pool, rows_of, [&](int64_t m, int64_t column, int64_t width, const float* sums) {
    std::array<int64_t, kMaxRank> at{};
    position_of(m, at);
    const auto offset_in = [&](const std::array<int64_t, kMaxRank>& strides) {
      int64_t offset = at[0] * strides[0] + column * strides[1];
      for (size_t i = 0; i < spatial; ++i) offset += at[i + 2] * strides[i + 2];
      return offset;
    };
    TileOperand operands[32];
    for (size_t i = 0; i < extras; ++i) operands[i] = {extra_views[i].as<const float>() + offset_in(extra_strides[i]), extra_strides[i][1]};
    finish_row(params, sums, width, operands, y.as<float>() + offset_in(y.strides));
  });
}

int64_t igemm_workspace(const KernelArgs& args) { return (args.inputs[0].dims[1] + 64) * 4; }

Kernel gemm_row(const char* name, void (*run)(const KernelArgs&), int64_t (*workspace)(const KernelArgs&)) {
  Kernel kernel;
  kernel.name = name;
  kernel.decode = decode_gemm;
  kernel.workspace = workspace;
  kernel.run = run;
  return kernel;
}

// Both operands at run time: B is packed into the workspace, one batch entry after the other.
void run_batched(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const auto ra = static_cast<size_t>(a.rank), rb = static_cast<size_t>(b.rank), ry = static_cast<size_t>(y.rank);
  const int64_t m = a.dims[ra - 2], k = a.dims[ra - 1], n = b.dims[rb - 1];
  TensorView ab = a, bb = b;
  ab.rank -= 2;
  bb.rank -= 2;
  const auto batch = y.extents().subspan(0, ry - 2);
  const auto sa = broadcast_strides(ab, batch), sb = broadcast_strides(bb, batch);
  int64_t count = 1;
  for (int64_t extent : batch) count *= extent;
  const int64_t panels = (n + kPanel - 1) / kPanel, packed = panels * k * kPanel, a_row = a.strides[ra - 1] == 1 ? 0 : m * k;
  auto* workspace = reinterpret_cast<float*>(args.workspace);
  // Each thread takes whole entries and has scratch of its own, found by the entry it works on.
  args.pool->parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      int64_t rest = entry, ao = 0, bo = 0, yo = 0;
      for (size_t i = batch.size(); i-- > 0;) {
        const int64_t at = rest % batch[i];
        rest /= batch[i];
        ao += at * sa[i];
        bo += at * sb[i];
        yo += at * y.strides[i];
      }
      float* pack = workspace + entry * (packed + a_row);
      const float* source = b.as<const float>() + bo;
      for (int64_t panel = 0; panel < panels; ++panel)
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = 0; j < kPanel; ++j) {
            const int64_t column = panel * kPanel + j;
            pack[(panel * k + i) * kPanel + j] = column < n ? source[i * b.strides[rb - 2] + column * b.strides[rb - 1]] : 0.f;
          }
      const float* rows_base = a.as<const float>() + ao;
      int64_t row_stride = a.strides[ra - 2];
      if (a_row != 0) {
        float* dense = pack + packed;
        for (int64_t r = 0; r < m; ++r)
          for (int64_t i = 0; i < k; ++i) dense[r * k + i] = rows_base[r * a.strides[ra - 2] + i * a.strides[ra - 1]];
        rows_base = dense;
        row_stride = k;
      }
      Product p;
      p.rows = m;
      p.columns = n;
      p.channels = k;
      p.weights = pack;
      const auto finish = [&](int64_t row, int64_t column, int64_t width, const float* sums) {
        finish_row(params, sums, width, nullptr, y.as<float>() + yo + row * y.strides[ry - 2] + column);
      };
      const float* rows[kRows];
      for (int64_t r = 0; r < m; r += kRows) {
        for (int i = 0; i < kRows; ++i) rows[i] = rows_base + std::min(r + i, m - 1) * row_stride;
        for (int64_t panel = 0; panel < panels; ++panel) run_block<int>(p, 0, r, panel, rows, finish);
      }
    }
  });
}

int64_t batched_workspace(const KernelArgs& args) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const auto ra = static_cast<size_t>(a.rank), rb = static_cast<size_t>(b.rank), ry = static_cast<size_t>(y.rank);
  int64_t count = 1;
  for (int64_t extent : y.extents().subspan(0, ry - 2)) count *= extent;
  const int64_t k = a.dims[ra - 1], panels = (b.dims[rb - 1] + kPanel - 1) / kPanel;
  return count * (panels * k * kPanel + a.dims[ra - 2] * k) * 4;
}

}  // namespace

void register_gemm(KernelTable& table) {
  table.add(gemm_row("gemm", run_gemm, gemm_workspace));
  table.add(gemm_row("igemm", run_igemm, igemm_workspace));
  table.add(gemm_row("batched_gemm", run_batched, batched_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
