// Casts. Integers keep their low bits, floats that become integers lose their fraction; narrow floats round to nearest
// even and saturate where asked.

#include "kernels/reference/cast.h"

#include "kernels/reference/contracts.h"
#include "tensor/narrow.h"

namespace planish::kernels::reference {
namespace {

struct NarrowCast {
  bool saturate;
  ScaleRounding rounding;
};

NarrowCast narrow_cast_of(const CastAttrs& attrs) {
  const std::string& mode = attrs.round_mode;
  return {attrs.saturate != 0, mode == "down"      ? ScaleRounding::down
                               : mode == "nearest" ? ScaleRounding::nearest
                                                   : ScaleRounding::up};
}

void store_cast(const TensorView& y, int64_t offset, double value, const NarrowCast& how) {
  if (!is_narrow(y.dtype)) return store_double(y, offset, value);
  if (!is_integer(y.dtype)) {
    y.as<uint8_t>()[offset] = encode_narrow(y.dtype, value, how.saturate, how.rounding);
    return;
  }
  int64_t whole = 0;
  store_double(make_view(&whole, DataType::i64, {}), 0, value);
  store_int(y, offset, whole);
}

void run_cast(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const bool floats = is_float(x.dtype) || is_float(y.dtype);
  const NarrowCast how = narrow_cast_of(args.as<CastAttrs>());
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    if (floats)
      store_cast(y, at.offset[1], load_double(x, at.offset[0]), how);
    else
      store_int(y, at.offset[1], load_int(x, at.offset[0]));
  }
}

// Elements of one size keep their bits.
void check_bit_cast(const KernelArgs& args) {
  check_cast(args);
  const Operands o(args, 1, 1);
  const int from = element_bits(o.in(0).view().dtype), to = element_bits(o.out().view().dtype);
  require(from == to, "elements of {} bits become elements of {}", from, to);
}

void run_bit_cast(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (!is_narrow(y.dtype)) {
    TensorView same = y;
    same.dtype = x.dtype;
    return copy_view(x, same);
  }
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    const uint8_t code = x.as<const uint8_t>()[at.offset[0]];
    unpack_narrow(y.dtype, {&code, 1}, {y.as<uint8_t>() + at.offset[1], 1});
  }
}

}  // namespace

void check_cast(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.out().shape(o.in(0).extents());
}

void register_cast(KernelTable& table) {
  table.add(make_kernel<CastAttrs>("cast", check_cast, run_cast));
  table.add(make_kernel<CastAttrs>("bit_cast", check_bit_cast, run_bit_cast));
}

}  // namespace planish::kernels::reference
