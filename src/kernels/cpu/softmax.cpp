// softmax and log_softmax over any axis and any strides. Where the axis is contiguous each row is one vector;
// elsewhere a block of neighbouring columns is done at once.

#include "kernels/cpu/common/nest.h"
#include "kernels/cpu/common/softmax_row.h"
#include "kernels/reference/contracts.h"
#include "kernels/reference/normalization.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kSoftmaxColumns = 64;

template <bool logarithm>
void softmax_row(const float* x, int64_t n, float* y) {
  const float largest = row_max(x, n);
  const double sum = row_exp(x, largest, n, y);
  if constexpr (logarithm) {
    const auto shift = static_cast<float>(std::log(sum));
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - shift;
  } else {
    const auto scale = static_cast<float>(1 / sum);
    for (int64_t i = 0; i < n; ++i) y[i] *= scale;
  }
}

// Rows of few elements: several at once through one run of exponentials, as each has a price of its own.
constexpr int64_t kShortSoftmax = 16;

template <bool logarithm>
void softmax_short_rows(const float* x, int64_t x_step, int64_t n, int64_t rows, float* y, int64_t y_step) {
  float shifted[kSoftmaxColumns * kShortSoftmax], powers[kSoftmaxColumns * kShortSoftmax];
  for (int64_t r = 0; r < rows; ++r) {
    const float* const from = x + r * x_step;
    float largest = from[0];
    for (int64_t i = 1; i < n; ++i) largest = from[i] > largest ? from[i] : largest;
    for (int64_t i = 0; i < n; ++i) shifted[r * n + i] = from[i] - largest;
  }
  const int64_t whole = (rows * n + kSoftmaxLanes - 1) / kSoftmaxLanes * kSoftmaxLanes;
  std::fill(shifted + rows * n, shifted + whole, 0.f);
  for (int64_t i = 0; i < whole; ++i) powers[i] = exp_exact_range(shifted[i]);
  for (int64_t r = 0; r < rows; ++r) {
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += powers[r * n + i];
    const float last = logarithm ? std::log(sum) : 1 / sum;
    for (int64_t i = 0; i < n; ++i)
      y[r * y_step + i] = logarithm ? shifted[r * n + i] - last : powers[r * n + i] * last;
  }
}

// Steps along the axis, then between columns.
struct Grid {
  const float* x;
  float* y;
  int64_t extent, x_axis, y_axis, x_column, y_column;
};

// `adjacent`: the columns lie side by side on both sides.
template <bool logarithm, bool adjacent>
void softmax_columns(const Grid& g, int64_t n) {
  float largest[kSoftmaxColumns], sums[kSoftmaxColumns];
  double totals[kSoftmaxColumns] = {};
  const int64_t xc = adjacent ? 1 : g.x_column, yc = adjacent ? 1 : g.y_column;
  for (int64_t c = 0; c < n; ++c) largest[c] = g.x[c * xc];
  for (int64_t i = 1; i < g.extent; ++i) {
    const float* row = g.x + i * g.x_axis;
    for (int64_t c = 0; c < n; ++c) largest[c] = row[c * xc] > largest[c] ? row[c * xc] : largest[c];
  }
  for (int64_t i = 0; i < g.extent; i += kSoftmaxStretch) {
    std::fill_n(sums, n, 0.f);
    for (int64_t k = i; k < std::min(g.extent, i + kSoftmaxStretch); ++k) {
      const float* row = g.x + k * g.x_axis;
      float* out = g.y + k * g.y_axis;
      for (int64_t c = 0; c < n; ++c) {
        const float value = exp_exact_range(row[c * xc] - largest[c]);
        if (!logarithm) out[c * yc] = value;
        sums[c] += value;
      }
    }
    for (int64_t c = 0; c < n; ++c) totals[c] += sums[c];
  }
  for (int64_t c = 0; c < n; ++c) sums[c] = static_cast<float>(logarithm ? std::log(totals[c]) : 1 / totals[c]);
  for (int64_t i = 0; i < g.extent; ++i) {
    const float* row = g.x + i * g.x_axis;
    float* out = g.y + i * g.y_axis;
    for (int64_t c = 0; c < n; ++c)
      out[c * yc] = logarithm ? (row[c * xc] - largest[c]) - sums[c] : out[c * yc] * sums[c];
  }
}

void check_softmax(const KernelArgs& args) {
  reference::check_softmax(args);
  const Operands o(args, 1, 1);
  o.in(0).is({DataType::f32});
  o.out().is({DataType::f32});
}

template <bool logarithm>
void run_softmax(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0) return;
  const auto axis = static_cast<size_t>(normalize_axis(args.as<AxisAttrs>().axis, x.rank));
  std::array<int64_t, kMaxRank> kept = x.dims;
  kept[axis] = 1;
  const Nest<2> nest = make_nest<2>({kept.data(), static_cast<size_t>(x.rank)}, {y.strides, x.strides});
  const size_t in = nest.inner();
  const int64_t extent = x.dims[axis], x_step = nest.strides[1][in], y_step = nest.strides[0][in];
  const bool rows = x.strides[axis] == 1 && y.strides[axis] == 1, adjacent = x_step == 1 && y_step == 1;
  for_rows(*args.pool, nest, kSoftmaxColumns, std::max<int64_t>(1, 4096 / extent),
           [&](const std::array<int64_t, 2>& at, int64_t n) {
             const float* from = x.as<const float>() + at[1];
             float* to = y.as<float>() + at[0];
             if (rows && extent <= kShortSoftmax)
               return softmax_short_rows<logarithm>(from, x_step, extent, n, to, y_step);
             if (rows) {
               for (int64_t i = 0; i < n; ++i) softmax_row<logarithm>(from + i * x_step, extent, to + i * y_step);
               return;
             }
             const Grid grid{from, to, extent, x.strides[axis], y.strides[axis], x_step, y_step};
             if (adjacent)
               softmax_columns<logarithm, true>(grid, n);
             else
               softmax_columns<logarithm, false>(grid, n);
           });
}

}  // namespace

void register_softmax(KernelTable& table) {
  table.add(make_kernel<AxisAttrs>("softmax", check_softmax, run_softmax<false>));
  table.add(make_kernel<AxisAttrs>("log_softmax", check_softmax, run_softmax<true>));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
