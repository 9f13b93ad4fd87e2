#include "kernels/reference/quantize.h"

#include <cmath>

#include "base/checked.h"
#include "kernels/reference/contracts.h"
#include "tensor/narrow.h"

namespace planish::kernels::reference {
namespace {

// Where the values of a parameter lie, by the position in X.
class ParameterSteps {
 public:
  ParameterSteps(const KernelArgs& args, size_t operand) {
    if (!args.has_input(operand) || args.inputs[operand].element_count() == 1) return;
    const auto& attrs = args.as<QuantizeAttrs>();
    const TensorView& parameter = args.inputs[operand];
    axis_ = static_cast<size_t>(normalize_axis(attrs.axis, args.inputs[0].rank));
    if (attrs.block_size == 0) {
      strides_[axis_] = parameter.strides[0];
    } else {
      strides_ = parameter.strides;
      block_ = attrs.block_size;
    }
  }

  int64_t offset(const std::array<int64_t, kMaxRank>& index, int rank) const {
    int64_t sum = 0;
    for (size_t k = 0; k < static_cast<size_t>(rank); ++k)
      sum += (k == axis_ ? index[k] / block_ : index[k]) * strides_[k];
    return sum;
  }

 private:
  std::array<int64_t, kMaxRank> strides_{};
  size_t axis_ = 0;
  int64_t block_ = 1;
};

// body(offset in X, offset in the result, scale, zero point)
template <class Body>
void for_elements(const KernelArgs& args, Body body) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const ParameterSteps scales(args, 1), zeros(args, 2);
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const double zero = args.has_input(2) ? load_double(args.inputs[2], zeros.offset(at.index, x.rank)) : 0;
    body(at.offset[0], at.offset[1], load_double(args.inputs[1], scales.offset(at.index, x.rank)), zero);
  }
}

// q = saturate(round_half_even(x / scale) + zero_point); narrow floats round by themselves.
void run_quantize(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const bool floats = is_float(y.dtype), saturates = args.as<QuantizeAttrs>().saturate != 0;
  for_elements(args, [&](int64_t from, int64_t to, double scale, double zero) {
    const float quotient = static_cast<float>(load_double(args.inputs[0], from)) / static_cast<float>(scale);
    if (floats)
      y.as<uint8_t>()[to] = encode_narrow(y.dtype, static_cast<double>(quotient) + zero, saturates);
    else
      store_double(y, to, std::nearbyint(quotient) + zero);
  });
}

// x = (q - zero_point) * scale
void run_dequantize(const KernelArgs& args) {
  for_elements(args, [&](int64_t from, int64_t to, double scale, double zero) {
    store_double(args.outputs[0], to, (load_double(args.inputs[0], from) - zero) * scale);
  });
}

bool is_quantized(const Slot& slot) {
  return !slot.present() || is_integer(slot.view().dtype) || is_narrow(slot.view().dtype);
}

void check_quantize_to(const KernelArgs& args) {
  check_quantize(args);
  const Operands o(args, 2, 3);
  require(is_quantized(o.out()), "results of {}, integers and narrow floats are accepted",
          data_type_name(o.out().view().dtype));
  o.in(2).type_of(o.out());
}

void check_dequantize(const KernelArgs& args) {
  check_quantize(args);
  const Operands o(args, 2, 3);
  require(is_quantized(o.in(0)), "numbers of {}, integers and narrow floats are accepted",
          data_type_name(o.in(0).view().dtype));
  o.in(2).type_of(o.in(0));
}

}  // namespace

// X, scale and zero point? of one element, one for each position of the axis, or one a block -> X's extents
void check_quantize(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const Slot x = o.in(0);
  const auto& attrs = args.as<QuantizeAttrs>();
  require(attrs.block_size >= 0 && attrs.block_size <= INT32_MAX, "blocks of {}", attrs.block_size);
  for (size_t i : {1, 2}) {
    if (!o.in(i).present() || o.in(i).view().element_count() == 1) continue;
    const size_t axis = x.axis(attrs.axis);
    std::vector<int64_t> accepted = {x.extents()[axis]};
    if (attrs.block_size > 0) {
      accepted.assign(x.extents().begin(), x.extents().end());
      accepted[axis] = ceil_div(accepted[axis], attrs.block_size);
    }
    o.in(i).shape(accepted);
  }
  o.out().shape(x.extents());
}

void register_quantize(KernelTable& table) {
  table.add(make_kernel<QuantizeAttrs>("quantize_linear", check_quantize_to, run_quantize));
  table.add(make_kernel<QuantizeAttrs>("dequantize_linear", check_dequantize, run_dequantize));
}

}  // namespace planish::kernels::reference
