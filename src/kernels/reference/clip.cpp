#include <limits>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

template <class T, class Load, class Store>
void clip_elements(const KernelArgs& args, T low, T high, Load load, Store store) {
  const TensorView &in = args.inputs[0], &out = args.outputs[0];
  for (Odometer<2> at(in.extents(), {in.strides, out.strides}); at.valid(); at.next()) {
    const T value = load(in, at.offset[0]);
    const T raised = value < low ? low : value;  // NaN passes both comparisons unchanged
    store(out, at.offset[1], raised > high ? high : raised);
  }
}

void run_clip(const KernelArgs& args) {
  if (is_float(args.inputs[0].dtype)) {
    const double inf = std::numeric_limits<double>::infinity();
    clip_elements<double>(args, args.has_input(1) ? load_double(args.inputs[1], 0) : -inf,
                          args.has_input(2) ? load_double(args.inputs[2], 0) : inf, load_double, store_double);
  } else {
    clip_elements<int64_t>(args, args.has_input(1) ? load_int(args.inputs[1], 0) : INT64_MIN,
                           args.has_input(2) ? load_int(args.inputs[2], 0) : INT64_MAX, load_int, store_int);
  }
}

// X, low?, high? of X's kind, one element each -> X's type and extents
void check_clip(const KernelArgs& args) {
  const Operands o(args, 1, 3);
  for (size_t i : {1, 2}) is_float(o.in(0).view().dtype) ? o.in(i).elements(1) : o.in(i).integers().elements(1);
  o.out().like(o.in(0));
}

}  // namespace

void register_clip(KernelTable& table) { table.add(make_kernel<NoAttrs>("clip", check_clip, run_clip)); }

}  // namespace planish::kernels::reference
