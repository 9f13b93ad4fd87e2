// y = x / sqrt(mean(x^2) + epsilon) * scale over the last axis of a dense tensor.

#include <algorithm>
#include <cmath>

#include "kernels/reference/contracts.h"
#include "kernels/reference/normalization.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// In sixteen lanes, so that the sum vectorises and does not depend on the thread count.
float sum_of_squares(const float* x, int64_t n) {
  constexpr int kLanes = 16;
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int k = 0; k < kLanes; ++k) lanes[k] += x[i + k] * x[i + k];
  for (; i < n; ++i) lanes[i % kLanes] += x[i] * x[i];
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int k = 0; k < width; ++k) lanes[k] += lanes[k + width];
  return lanes[0];
}

// Dense fp32, normalised over the last axis; a scale for each of its positions
void check_rms_norm(const KernelArgs& args) {
  reference::check_layer_norm(args);
  const Operands o(args, 2, 2);
  const Slot x = o.in(0);
  require(x.axis(args.as<LayerNormAttrs>().axis) + 1 == x.extents().size(), "an axis other than the last of {}",
          x.extents().size());
  for (size_t i : {0, 1}) o.in(i).is({DataType::f32}).dense();
  o.in(1).elements(x.extent(-1));
  o.out().is({DataType::f32}).dense();
}

void run_rms_norm(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const int64_t n = x.dims[static_cast<size_t>(x.rank) - 1];
  if (x.element_count() == 0) return;
  const auto epsilon = static_cast<float>(args.as<LayerNormAttrs>().epsilon);
  const float* scale = args.inputs[1].as<const float>();
  args.pool->parallel_for(x.element_count() / n, std::max<int64_t>(1, 4096 / n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x.as<const float>() + row * n;
      float* to = args.outputs[0].as<float>() + row * n;
      const float inverse = 1.f / std::sqrt(sum_of_squares(from, n) / static_cast<float>(n) + epsilon);
      for (int64_t i = 0; i < n; ++i) to[i] = from[i] * inverse * scale[i];
    }
  });
}

}  // namespace

void register_rms_norm(KernelTable& table) {
  table.add(make_kernel<LayerNormAttrs>("rms_normalization", check_rms_norm, run_rms_norm));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
