#include "kernels/reference/matmul.h"

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// A matrix inside a view: rows and columns with their strides.
struct Matrix {
  const TensorView* view;
  int64_t offset, row_stride, column_stride;
};

double dot(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k) {
  const int64_t ao = a.offset + m * a.row_stride, bo = b.offset + n * b.column_stride;
  double sum = 0;
  if (a.view->dtype == DataType::f32 && b.view->dtype == DataType::f32) {
    const auto *af = a.view->as<const float>() + ao, *bf = b.view->as<const float>() + bo;
    for (int64_t i = 0; i < k; ++i) sum += static_cast<double>(af[i * a.column_stride]) * bf[i * b.row_stride];
    return sum;
  }
  for (int64_t i = 0; i < k; ++i)
    sum += load_double(*a.view, ao + i * a.column_stride) * load_double(*b.view, bo + i * b.row_stride);
  return sum;
}

int64_t dot_int(const Matrix& a, const Matrix& b, int64_t m, int64_t n, int64_t k) {
  const int64_t ao = a.offset + m * a.row_stride, bo = b.offset + n * b.column_stride;
  uint64_t sum = 0;
  for (int64_t i = 0; i < k; ++i)
    sum += static_cast<uint64_t>(load_int(*a.view, ao + i * a.column_stride)) *
           static_cast<uint64_t>(load_int(*b.view, bo + i * b.row_stride));
  return static_cast<int64_t>(sum);
}

// A [.., M, K] x B [.., K, N] -> [.., M, N]; the row or column that a 1-D operand is vanishes.
void check_matmul(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot a = o.in(0).rank(1, kMaxRank), b = o.in(1).rank(1, kMaxRank), y = o.out();
  if (!is_float(y.view().dtype)) static_cast<void>(a.integers()), static_cast<void>(b.integers());
  const bool row = a.view().rank == 1, column = b.view().rank == 1;
  const int64_t depth = a.extent(-1), rows = b.extent(column ? 0 : -2);
  require(depth == rows, "{} columns against {} rows", depth, rows);
  const auto batch_of = [](const Slot& s) {
    TensorView view = s.view();
    view.rank = std::max(0, view.rank - 2);
    return view;
  };
  const TensorView ab = batch_of(a), bb = batch_of(b);
  const int batch = std::max(ab.rank, bb.rank), matrix = (row ? 0 : 1) + (column ? 0 : 1);
  y.rank(batch + matrix, batch + matrix);
  const auto outer = y.extents().subspan(0, static_cast<size_t>(batch));
  Slot(ab, 0, false).spreads_over(outer);
  Slot(bb, 1, false).spreads_over(outer);
  std::vector<int64_t> dims(outer.begin(), outer.end());
  if (!row) dims.push_back(a.extent(-2));
  if (!column) dims.push_back(b.extent(-1));
  y.shape(dims);
}

void run_matmul(const KernelArgs& args) {
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const auto ra = static_cast<size_t>(a.rank), rb = static_cast<size_t>(b.rank);
  const bool row = ra == 1, column = rb == 1;
  const int64_t k = a.dims[ra - 1], rows = row ? 1 : a.dims[ra - 2], columns = column ? 1 : b.dims[rb - 1];
  const size_t batch_rank = static_cast<size_t>(y.rank) - (row ? 0 : 1) - (column ? 0 : 1);
  const std::span<const int64_t> batch(y.dims.data(), batch_rank);
  TensorView ab = a, bb = b;  // the batch axes alone
  ab.rank = std::max(0, a.rank - 2);
  bb.rank = std::max(0, b.rank - 2);
  const auto sa = broadcast_strides(ab, batch), sb = broadcast_strides(bb, batch);
  const int64_t row_stride = row ? 0 : y.strides[batch_rank],
                column_stride = column ? 0 : y.strides[static_cast<size_t>(y.rank) - 1];
  for (Odometer<3> at(
           batch, {std::span<const int64_t>(sa), std::span<const int64_t>(sb), std::span<const int64_t>(y.strides)});
       at.valid(); at.next()) {
    const Matrix ma{&a, at.offset[0], row ? 0 : a.strides[ra - 2], a.strides[ra - 1]};
    const Matrix mb{&b, at.offset[1], column ? b.strides[0] : b.strides[rb - 2], column ? 0 : b.strides[rb - 1]};
    args.pool->parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m)
        for (int64_t n = 0; n < columns; ++n) {
          const int64_t to = at.offset[2] + m * row_stride + n * column_stride;
          if (is_float(y.dtype))
            store_double(y, to, dot(ma, mb, m, n, k));
          else
            store_int(y, to, dot_int(ma, mb, m, n, k));
        }
    });
  }
}

void check_gemm(const KernelArgs& args) {
  const auto& p = args.as<GemmAttrs>();
  const Operands o(args, 2, 3);
  const Slot a = o.in(0).rank(2, 2), b = o.in(1).rank(2, 2);
  const int at = p.transA != 0 ? 1 : 0, bt = p.transB != 0 ? 1 : 0;
  require(a.extent(1 - at) == b.extent(bt), "{} columns against {} rows", a.extent(1 - at), b.extent(bt));
  o.out().shape({a.extent(at), b.extent(1 - bt)});
  o.in(2).spreads_over(o.out().extents());
}

// Y = alpha * op(A) op(B) + beta * C
void run_gemm(const KernelArgs& args) {
  const auto& p = args.as<GemmAttrs>();
  const TensorView &a = args.inputs[0], &b = args.inputs[1], &y = args.outputs[0];
  const size_t ar = p.transA != 0 ? 1 : 0, br = p.transB != 0 ? 1 : 0;
  const Matrix ma{&a, 0, a.strides[ar], a.strides[1 - ar]}, mb{&b, 0, b.strides[br], b.strides[1 - br]};
  const int64_t k = a.dims[1 - ar];
  std::array<int64_t, kMaxRank> cs{};
  if (args.has_input(2)) cs = broadcast_strides(args.inputs[2], y.extents());
  args.pool->parallel_for(y.dims[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t m = begin; m < end; ++m)
      for (int64_t n = 0; n < y.dims[1]; ++n) {
        double value = p.alpha * dot(ma, mb, m, n, k);
        if (args.has_input(2)) value += p.beta * load_double(args.inputs[2], m * cs[0] + n * cs[1]);
        store_double(y, m * y.strides[0] + n * y.strides[1], value);
      }
  });
}

}  // namespace

void register_matmul(KernelTable& table) {
  table.add(make_kernel<NoAttrs>("matmul", check_matmul, run_matmul));
  table.add(make_kernel<GemmAttrs>("gemm", check_gemm, run_gemm));
}

}  // namespace planish::kernels::reference
