#include "kernels/reference/quantize.h"

#include <cmath>

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// Between the values of a parameter along the axis of quantisation; 0 where there is one for all.
int64_t parameter_stride(const KernelArgs& args, size_t operand) {
  return args.has_input(operand) && args.inputs[operand].element_count() > 1 ? args.inputs[operand].strides[0] : 0;
}
size_t quantize_axis(const KernelArgs& args) {
  return parameter_stride(args, 1) == 0 && parameter_stride(args, 2) == 0
             ? 0
             : static_cast<size_t>(normalize_axis(args.as<QuantizeAttrs>().axis, args.inputs[0].rank));
}

template <class Body>
void for_elements(const KernelArgs& args, Body body) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t scale_stride = parameter_stride(args, 1), zero_stride = parameter_stride(args, 2);
  const size_t axis = quantize_axis(args);
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const int64_t zero = args.has_input(2) ? load_int(args.inputs[2], at.index[axis] * zero_stride) : 0;
    body(at.offset[0], at.offset[1], load_double(args.inputs[1], at.index[axis] * scale_stride), zero);
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
    store_double(args.outputs[0], to,
                 (static_cast<double>(load_int(args.inputs[0], from)) - static_cast<double>(zero)) * scale);
  });
}

void check_dequantize(const KernelArgs& args) {
  check_quantize(args);
  Operands(args, 2, 3).in(0).integers();
}

}  // namespace

// X, scale and zero point? of one element or one for each position of the axis -> X's extents
void check_quantize(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const Slot x = o.in(0);
  for (size_t i : {1, 2})
    if (o.in(i).present() && o.in(i).view().element_count() != 1)
      o.in(i).shape({x.extents()[x.axis(args.as<QuantizeAttrs>().axis)]});
  o.in(2).integers();
  o.out().shape(x.extents());
}

void register_quantize(KernelTable& table) {
  table.add(make_kernel<QuantizeAttrs>("quantize_linear", check_quantize, run_quantize));
  table.add(make_kernel<QuantizeAttrs>("dequantize_linear", check_dequantize, run_dequantize));
}

}  // namespace planish::kernels::reference
