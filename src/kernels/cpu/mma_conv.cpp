// Convolution of reduced precision: the rows of a product are the windows of output pixels, gathered tap by tap.

#include "kernels/cpu/common/mma_kernel.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// X [N, C, spatial…], any strides -> Y [N, M, spatial…], channels adjacent
void check_mma_conv(const KernelArgs& args) {
  const Operands o(args, 3, args.inputs.size());
  const ConvReach reach = check_conv_reach(args.as<MmaParams>().attrs, o.in(0), o.out());
  check_mma(args, 1, reach.taps, reach.channels);
}

template <class T>
struct WindowRows {
  Window<T> window;
  template <class Writer>
  void operator()(int64_t g, const RowWalk& walk, Writer write) const {
    window.taps(g, walk, [&](int64_t, const T* data) { write(data, window.channel, window.channels); });
  }
};

void run_mma_conv(const KernelArgs& args) {
  const MmaAttrs& conv = args.as<MmaParams>().attrs;
  const TensorView& x = args.inputs[0];
  if (args.outputs[0].element_count() == 0) return;
  int64_t values = x.dims[1] / conv.group;
  for (int64_t k : conv.kernel) values *= k;
  const MmaProduct p = make_mma_product(args, 1, values);
  with_mma_rows(p, x.dtype, [&](const auto& store) {
    using T = typename std::decay_t<decltype(store)>::Value;
    run_mma_product(p, *args.pool, store, WindowRows<T>{window_of<T>(conv, x)});
  });
}

}  // namespace

void register_mma_conv(KernelTable& table) { table.add(make_mma_kernel("mma_conv", check_mma_conv, run_mma_conv)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
