// affine_grid and det.

#include "kernels/reference/geometry.h"

#include <cmath>
#include <numeric>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// Position `i` of `count` spread over [-1, 1]: the first and last at its ends, or half a step inside.
double grid_coordinate(int64_t i, int64_t count, bool align_corners) {
  const auto at = static_cast<double>(i), n = static_cast<double>(count);
  if (align_corners) return count == 1 ? 0 : 2 * at / (n - 1) - 1;
  return (2 * at + 1) / n - 1;
}

// Y[n, i.., k] = sum over d of theta[n, k, d] * x[d] + theta[n, k, D], where x is the position, last axis first.
void run_affine_grid(const KernelArgs& args) {
  const bool align = args.as<AffineGridAttrs>().align_corners != 0;
  const TensorView &theta = args.inputs[0], &y = args.outputs[0];
  const auto last = static_cast<size_t>(y.rank) - 1, axes = last - 1;
  for (Odometer<1> at(y.extents(), {std::span<const int64_t>(y.strides)}); at.valid(); at.next()) {
    const int64_t row = at.index[0] * theta.strides[0] + at.index[last] * theta.strides[1];
    double sum = load_double(theta, row + static_cast<int64_t>(axes) * theta.strides[2]);
    for (size_t d = 0; d < axes; ++d) {
      const size_t axis = axes - d;
      sum += load_double(theta, row + static_cast<int64_t>(d) * theta.strides[2]) *
             grid_coordinate(at.index[axis], y.dims[axis], align);
    }
    store_double(y, at.offset[0], sum);
  }
}

// theta [N, D, D + 1], N, C and extents -> [N, extents.., D]
void check_affine_grid(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot y = o.out().rank(4, 5);
  const int64_t axes = y.view().rank - 2;
  o.in(0).type_of(y).shape({y.extent(0), axes, axes + 1});
  o.in(1).integers().list(axes + 2);
  require(y.extent(-1) == axes, "points of {} coordinates over {} axes", y.extent(-1), axes);
}

// N, C and extents, which are data -> [N, extents.., D]
void extents_affine_grid(const KernelArgs& args) {
  std::vector<int64_t> extents = extents_list(args, 1);
  extents.erase(extents.begin() + 1);
  extents.push_back(static_cast<int64_t>(extents.size()) - 1);
  bind_extents(args, extents);
}

void check_extents_affine_grid(const KernelArgs& args) {
  const Operands o(args, 2, 2, 0, 0);
  o.in(1).integers().list(2);
}

// Elimination with the largest pivot of each column.
double determinant(std::vector<double>& a, size_t n) {
  double product = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    if (a[pivot * n + k] == 0) return 0;
    if (pivot != k) {
      product = -product;
      for (size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    }
    product *= a[k * n + k];
    for (size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (size_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return product;
}

void run_det(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto outer = static_cast<size_t>(x.rank) - 2;
  const int64_t n = x.dims[outer];
  std::vector<double> matrix(static_cast<size_t>(n * n));
  for (Odometer<2> at(y.extents(), {std::span<const int64_t>(x.strides), std::span<const int64_t>(y.strides)});
       at.valid(); at.next()) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        matrix[static_cast<size_t>(i * n + j)] =
            load_double(x, at.offset[0] + i * x.strides[outer] + j * x.strides[outer + 1]);
    store_double(y, at.offset[1], determinant(matrix, static_cast<size_t>(n)));
  }
}

// X [.., M, M] -> [..]
void check_det(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0).rank(2, kMaxRank);
  require(x.extent(-1) == x.extent(-2), "matrices of {} by {}", x.extent(-2), x.extent(-1));
  o.out().type_of(x).shape(x.extents().first(x.extents().size() - 2));
}

}  // namespace

void register_geometry(KernelTable& table) {
  table.add(make_kernel<AffineGridAttrs>("affine_grid", check_affine_grid, run_affine_grid));
  table.add(make_kernel<AffineGridAttrs>("extents.affine_grid", check_extents_affine_grid, extents_affine_grid));
  table.add(make_kernel<NoAttrs>("det", check_det, run_det));
}

}  // namespace planish::kernels::reference
