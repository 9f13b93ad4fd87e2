// deformable_attention: each query's sum over a few weighted points, interpolated in pictures of several sizes.

#include <cmath>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// values [N, S, M, D], extents [L, 2] (height, width), starts [L] (of each picture in S), places [N, Q, M, L, P, 2] (x,
// y in shares of a picture), weights [N, Q, M, L, P] -> [N, Q, M, D]
void check_deformable_attention(const KernelArgs& args) {
  const Operands o(args, 5, 5);
  const Slot values = o.in(0).rank(4, 4), places = o.in(3).rank(6, 6);
  const int64_t n = values.extent(0), heads = values.extent(2), levels = places.extent(3), points = places.extent(4);
  o.in(1).integers().shape({levels, 2});
  o.in(2).integers().shape({levels});
  places.shape({n, places.extent(1), heads, levels, points, 2});
  o.in(4).rank(5, 5).shape({n, places.extent(1), heads, levels, points});
  o.out().type_of(values).shape({n, places.extent(1), heads, values.extent(3)});
}

struct DeformableLevel {
  int64_t height = 0, width = 0, start = 0;
};

std::vector<DeformableLevel> deformable_levels(const KernelArgs& args) {
  const TensorView &extents = args.inputs[1], &starts = args.inputs[2];
  std::vector<DeformableLevel> levels;
  for (int64_t l = 0; l < extents.dims[0]; ++l) {
    const auto extent = [&](int64_t i) { return load_int(extents, l * extents.strides[0] + i * extents.strides[1]); };
    const DeformableLevel level{extent(0), extent(1), load_int(starts, l * starts.strides[0])};
    const int64_t rows = args.inputs[0].dims[1];
    const bool fits = level.height >= 0 && level.width >= 0 && level.start >= 0 && level.start <= rows &&
                      (level.width == 0 || level.height <= (rows - level.start) / level.width);
    if (!fits)
      fail(Code::invalid_argument, "picture {} of {} by {} from {} on, of {} elements", l, level.height, level.width,
           level.start, rows);
    levels.push_back(level);
  }
  return levels;
}

// Elements beside the picture are 0. Pixels have their centres at halves.
double deformable_sample(const TensorView& values, int64_t from, const DeformableLevel& level, double x, double y) {
  const double row = y * static_cast<double>(level.height) - 0.5, column = x * static_cast<double>(level.width) - 0.5;
  if (!(row > -1 && column > -1 && row < static_cast<double>(level.height) &&
        column < static_cast<double>(level.width)))
    return 0;
  const double top = std::floor(row), left = std::floor(column);
  double sum = 0;
  for (int corner = 0; corner < 4; ++corner) {
    const double i = top + (corner >= 2 ? 1 : 0), k = left + (corner % 2 != 0 ? 1 : 0);
    if (i < 0 || k < 0 || i >= static_cast<double>(level.height) || k >= static_cast<double>(level.width)) continue;
    const int64_t at = level.start + static_cast<int64_t>(i) * level.width + static_cast<int64_t>(k);
    sum += (1 - std::abs(row - i)) * (1 - std::abs(column - k)) * load_double(values, from + at * values.strides[1]);
  }
  return sum;
}

void run_deformable_attention(const KernelArgs& args) {
  const TensorView &values = args.inputs[0], &places = args.inputs[3], &weights = args.inputs[4], &y = args.outputs[0];
  const auto levels = deformable_levels(args);
  const int64_t queries = y.dims[1], heads = y.dims[2];
  args.pool->parallel_for(y.dims[0] * queries * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t m = item % heads, q = item / heads % queries, n = item / heads / queries;
      const int64_t place = n * places.strides[0] + q * places.strides[1] + m * places.strides[2],
                    weight = n * weights.strides[0] + q * weights.strides[1] + m * weights.strides[2];
      for (int64_t d = 0; d < y.dims[3]; ++d) {
        const int64_t from = n * values.strides[0] + m * values.strides[2] + d * values.strides[3];
        double sum = 0;
        for (int64_t l = 0; l < places.dims[3]; ++l)
          for (int64_t p = 0; p < places.dims[4]; ++p) {
            const int64_t at = place + l * places.strides[3] + p * places.strides[4];
            sum += load_double(weights, weight + l * weights.strides[3] + p * weights.strides[4]) *
                   deformable_sample(values, from, levels[static_cast<size_t>(l)], load_double(places, at),
                                     load_double(places, at + places.strides[5]));
          }
        store_double(y, n * y.strides[0] + q * y.strides[1] + m * y.strides[2] + d * y.strides[3], sum);
      }
    }
  });
}

}  // namespace

void register_deformable_attention(KernelTable& table) {
  table.add(make_kernel<NoAttrs>("deformable_attention", check_deformable_attention, run_deformable_attention));
}

}  // namespace planish::kernels::reference
