// Layer normalisation over the last axis of a dense tensor.

#include <algorithm>
#include <cmath>

#include "kernels/reference/contracts.h"
#include "kernels/reference/normalization.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

template <class Body>
void for_rows(const KernelArgs& args, Body body) {
  const TensorView& x = args.inputs[0];
  const int64_t n = x.dims[static_cast<size_t>(x.rank) - 1];
  if (x.element_count() == 0) return;
  args.pool->parallel_for(x.element_count() / n, std::max<int64_t>(1, 2048 / n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      body(x.as<const float>() + row * n, args.outputs[0].as<float>() + row * n, n);
  });
}

// Sums in eight lanes, so that they vectorise and do not depend on the thread count.
template <class Term>
float lane_sum(int64_t n, Term term) {
  float lanes[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; ++k) lanes[k] += term(i + k);
  for (; i < n; ++i) lanes[i & 7] += term(i);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Dense fp32, normalised over the last axis; a scale and a bias? for each of its positions
void check_layer_norm(const KernelArgs& args) {
  reference::check_layer_norm(args);
  const Operands o(args, 2, 3);
  const Slot x = o.in(0);
  require(x.axis(args.as<LayerNormAttrs>().axis) + 1 == x.extents().size(), "an axis other than the last of {}",
          x.extents().size());
  for (size_t i : {0, 1, 2}) o.in(i).is({DataType::f32}).dense();
  if (o.in(2).present() || o.in(1).view().element_count() != 1)
    for (size_t i : {1, 2}) o.in(i).elements(x.extent(-1));
  o.out().is({DataType::f32}).dense();
}

void run_layer_norm(const KernelArgs& args) {
  const auto epsilon = static_cast<float>(args.as<LayerNormAttrs>().epsilon);
  const auto* scale = args.inputs[1].as<const float>();
  const float* bias = args.has_input(2) ? args.inputs[2].as<const float>() : nullptr;
  const bool one_scale = bias == nullptr && args.inputs[1].element_count() == 1;
  for_rows(args, [&](const float* x, float* y, int64_t n) {
    const float mean = lane_sum(n, [&](int64_t i) { return x[i]; }) / static_cast<float>(n);
    const float variance =
        lane_sum(n, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); }) / static_cast<float>(n);
    const float inverse = 1.f / std::sqrt(variance + epsilon);
    if (one_scale)
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * scale[0];
    else if (bias != nullptr)
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * scale[i] + bias[i];
    else
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * scale[i];
  });
}

}  // namespace

void register_normalization(KernelTable& table) {
  table.add(make_kernel<LayerNormAttrs>("layer_normalization", check_layer_norm, run_layer_norm));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
