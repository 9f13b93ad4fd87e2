// Layer normalisation over the last axis of a dense tensor, which lies in memory as f32 or bf16.

#include <algorithm>
#include <cmath>

#include "kernels/cpu/common/half.h"
#include "kernels/reference/contracts.h"
#include "kernels/reference/normalization.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// term(at, n) of all vectors of a row, in a fixed order: n lanes count, the rest of the row's last vector are zeros.
template <class Term>
float sum_vectors(int64_t count, Term term) {
  constexpr int kSums = 4;
  constexpr int64_t kStep = kSums * Vec::kWidth;
  Vec sums[kSums];
  for (Vec& sum : sums) sum = Vec::splat(0.f);
  int64_t i = 0;
  for (; i + kStep <= count; i += kStep)
#pragma GCC unroll 4
    for (int k = 0; k < kSums; ++k) sums[k] = sums[k] + term(i + k * Vec::kWidth, Vec::kWidth);
  for (; i < count; i += Vec::kWidth)
    sums[0] = sums[0] + term(i, static_cast<int>(std::min<int64_t>(Vec::kWidth, count - i)));
  float lanes[Vec::kWidth];
  ((sums[0] + sums[1]) + (sums[2] + sums[3])).store(lanes);
  for (int width = Vec::kWidth / 2; width > 0; width /= 2)
    for (int k = 0; k < width; ++k) lanes[k] += lanes[k + width];
  return lanes[0];
}

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias
struct RowNorm {
  const float *scale, *bias;  // of n elements, or null
  float every_scale, epsilon;
  int64_t n;
  HalfStore store;

  static Vec load(const Elements& x, int64_t at, int n) {
    return n == Vec::kWidth ? load_some<false>(x, at, n) : load_some<true>(x, at, n);
  }
  static Vec row_value(const float* row, int64_t at, int n) {
    return n == Vec::kWidth ? Vec::load(row + at) : Vec::load_part(row + at, n);
  }

  void run(const Elements& x, const Elements& y) const {
    const Vec zero = Vec::splat(0.f);
    const float mean = sum_vectors(n, [&](int64_t at, int k) { return load(x, at, k); }) / static_cast<float>(n);
    const Vec means = Vec::splat(mean);
    const float variance = sum_vectors(n,
                                       [&](int64_t at, int k) {
                                         const Vec from_mean = load(x, at, k) - means;
                                         if (k == Vec::kWidth) return from_mean * from_mean;
                                         float lanes[Vec::kWidth];
                                         from_mean.store(lanes);
                                         const Vec some = Vec::load_part(lanes, k);
                                         return Vec::fma(some, some, zero);
                                       }) /
                           static_cast<float>(n);
    const Vec inverse = Vec::splat(1.f / std::sqrt(variance + epsilon));
    for (int64_t at = 0; at < n; at += Vec::kWidth) {
      const int k = static_cast<int>(std::min<int64_t>(Vec::kWidth, n - at));
      const Vec factor = scale == nullptr ? Vec::splat(every_scale) : row_value(scale, at, k);
      Vec value = (load(x, at, k) - means) * inverse * factor;
      if (bias != nullptr) value = value + row_value(bias, at, k);
      k == Vec::kWidth ? store_some<false>(store, value, y, at, k) : store_some<true>(store, value, y, at, k);
    }
  }
};

// Dense, normalised over the last axis; a scale and a bias? for each of its positions
void check_layer_norm(const KernelArgs& args) {
  reference::check_layer_norm(args);
  const Operands o(args, 2, 3);
  const Slot x = o.in(0);
  require(x.axis(args.as<LayerNormAttrs>().axis) + 1 == x.extents().size(), "an axis other than the last of {}",
          x.extents().size());
  x.is(kFloatTypes).dense();
  for (size_t i : {1, 2}) o.in(i).is({DataType::f32}).dense();
  if (o.in(2).present() || o.in(1).view().element_count() != 1)
    for (size_t i : {1, 2}) o.in(i).elements(x.extent(-1));
  o.out().is(kFloatTypes).dense();
}

void run_layer_norm(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  if (x.element_count() == 0) return;
  const float *scale = args.inputs[1].as<const float>(),
              *bias = args.has_input(2) ? args.inputs[2].as<const float>() : nullptr;
  const int64_t n = x.dims[static_cast<size_t>(x.rank) - 1];
  const bool one_scale = bias == nullptr && args.inputs[1].element_count() == 1;
  RowNorm norm{
      one_scale ? nullptr : scale, bias, scale[0], static_cast<float>(args.as<LayerNormAttrs>().epsilon), n, {}};
  const Elements from = elements_of(x), to = elements_of(args.outputs[0]);
  args.pool->parallel_for(x.element_count() / n, std::max<int64_t>(1, 2048 / n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) norm.run(from.at(row * n), to.at(row * n));
  });
}

}  // namespace

void register_normalization(KernelTable& table) {
  table.add(make_kernel<LayerNormAttrs>("layer_normalization", check_layer_norm, run_layer_norm));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
