#include "kernels/reference/quantize.h"

#include <cmath>

#include "kernels/kernel.h"

namespace planish::kernels::reference {
namespace {

int64_t parameter_stride(const KernelArgs& args) {
  return args.inputs[1].element_count() > 1 ? args.inputs[1].strides[0] : 0;
}
size_t quantize_axis(const KernelArgs& args) {
  return parameter_stride(args) == 0
             ? 0
             : static_cast<size_t>(normalize_axis(args.as<QuantizeAttrs>().axis, args.inputs[0].rank));
}

template <class Body>
void for_elements(const KernelArgs& args, Body body) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t stride = parameter_stride(args);
  const size_t axis = quantize_axis(args);
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const int64_t parameter = stride == 0 ? 0 : at.index[axis] * stride;
    const int64_t zero = args.has_input(2) ? load_int(args.inputs[2], parameter) : 0;
    body(at.offset[0], at.offset[1], load_double(args.inputs[1], parameter), zero);
  }
}

// q = saturate(round_half_even(x / scale) + zero_point)
void run_quantize(const KernelArgs& args) {
  for_elements(args, [&](int64_t from, int64_t to, double scale, int64_t zero) {
    const float quotient = static_cast<float>(load_double(args.inputs[0], from)) / static_cast<float>(scale);
    store_double(args.outputs[0], to, std::nearbyint(quotient) + static_cast<double>(zero));
  });
}

// x = (q - zero_point) * scale
void run_dequantize(const KernelArgs& args) {
  for_elements(args, [&](int64_t from, int64_t to, double scale, int64_t zero) {
    store_double(args.outputs[0], to, static_cast<double>(load_int(args.inputs[0], from) - zero) * scale);
  });
}

}  // namespace

void register_quantize(KernelTable& table) {
  table.add(make_kernel<QuantizeAttrs>("quantize_linear", run_quantize));
  table.add(make_kernel<QuantizeAttrs>("dequantize_linear", run_dequantize));
}

}  // namespace planish::kernels::reference
