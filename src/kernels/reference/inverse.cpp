// inverse: elimination beside the unit matrix, by the largest pivot of each column.

#include <cmath>
#include <limits>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// n rows of [A | B] become rows of [1 | A^-1 B]; false: A is singular.
bool eliminate(std::vector<std::vector<double>>& rows) {
  const size_t n = rows.size();
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < n; ++i)
      if (std::abs(rows[i][k]) > std::abs(rows[pivot][k])) pivot = i;
    if (!(std::abs(rows[pivot][k]) > 0)) return false;
    std::swap(rows[k], rows[pivot]);
    const double scale = 1 / rows[k][k];
    for (double& value : rows[k]) value *= scale;
    for (size_t i = 0; i < n; ++i) {
      const double factor = rows[i][k];
      if (i == k || factor == 0) continue;
      for (size_t j = k; j < 2 * n; ++j) rows[i][j] -= factor * rows[k][j];
    }
  }
  return true;
}

void run_inverse(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto outer = static_cast<size_t>(x.rank) - 2, n = static_cast<size_t>(x.dims[outer]);
  const auto place = [&](const TensorView& view, size_t i, size_t j) {
    return static_cast<int64_t>(i) * view.strides[outer] + static_cast<int64_t>(j) * view.strides[outer + 1];
  };
  for (Odometer<2> at(x.extents().first(outer), {x.strides, y.strides}); at.valid(); at.next()) {
    std::vector<std::vector<double>> rows(n, std::vector<double>(2 * n));
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) rows[i][j] = load_double(x, at.offset[0] + place(x, i, j));
      rows[i][n + i] = 1;
    }
    const bool regular = eliminate(rows);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j)
        store_double(y, at.offset[1] + place(y, i, j),
                     regular ? rows[i][n + j] : std::numeric_limits<double>::quiet_NaN());
  }
}

// X [.., M, M] -> X's type and extents
void check_inverse(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0).rank(2, kMaxRank);
  require(is_float(x.view().dtype), "matrices of {}, floats are accepted", data_type_name(x.view().dtype));
  require(x.extent(-1) == x.extent(-2), "matrices of {} by {}", x.extent(-2), x.extent(-1));
  o.out().like(x);
}

}  // namespace

void register_inverse(KernelTable& table) { table.add(make_kernel<NoAttrs>("inverse", check_inverse, run_inverse)); }

}  // namespace planish::kernels::reference
