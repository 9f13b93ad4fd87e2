// Convolution over channels-last results, as a product whose rows are found through pointers: one for each output
// pixel and kernel tap, padding is a row of zeros. Of few channels, in any order, the taps of a pixel are gathered into
// one row.

#include "base/checked.h"
#include "kernels/cpu/common/product.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kGathered = 24 << 10;  // floats of one chunk's gathered rows: on the stack

struct IndirectRows {
  Window<float> window;
  const float* zeros;
  int64_t offsets[kMostTaps];
  IndirectRows(const Window<float>& w, const float* z) : window(w), zeros(z) {
    window.offsets([&](int64_t tap, int64_t elements) { offsets[tap] = elements; });
  }
  bool is_even() const { return window.one_tap && window.spatial > 0; }
  int64_t apart() const { return window.stride[2] * window.step[2]; }
  void row(int64_t g, const RowWalk& walk, int64_t, const float** pointers) const {
    if (window.one_tap) return static_cast<void>(pointers[0] = window.only_tap(g, walk));
    if (const auto first = window.first_of(walk); window.is_inside(first)) {
      const float* const begin = window.begin(g, walk.at[0], first);
      for (int64_t t = 0, taps = window.tap_count(); t < taps; ++t) pointers[t * kRows] = begin + offsets[t];
      return;
    }
    window.taps(g, walk,
                [&](int64_t tap, const float* data) { pointers[tap * kRows] = data != nullptr ? data : zeros; });
  }
};

// Taps of a pixel, channel by channel.
struct GatheredRows {
  Window<float> window;
  int64_t length;  // taps * channels
  alignas(64) float rows[kGathered];
  GatheredRows(const Window<float>& w, int64_t n) : window(w), length(n) {}
  void row(int64_t g, const RowWalk& walk, int64_t index, const float** pointers) {
    float* const to = rows + index * length;
    pointers[0] = to;
    window.lines(g, walk, to);
  }
};

// X [N, C, spatial…], packed W, bias?, extras -> Y [N, M, spatial…], channels adjacent; X's are unless gathered
void check_convolution(const KernelArgs& args) {
  const GemmAttrs& conv = args.as<GemmParams>().attrs;
  check_product(args, 1);
  const Operands o(args, 2, args.inputs.size());
  const Slot x = o.in(0);
  const auto [taps, channels] = check_conv_reach(conv, x, o.out());
  check_panels(o.in(1).is({DataType::f32}), conv.group, conv.columns, taps, channels);
  if (conv.gathered != 0)
    require(checked_mul(taps, channels) <= kGathered / kRows, "gathered rows of {} values; at most {}", taps * channels,
            kGathered / kRows);
  else if (channels > 1)
    x.adjacent(1);
  require(conv.gathered != 0 || taps <= kMostTaps, "a kernel of {} taps; at most {}", taps, kMostTaps);
  require(conv.gathered == 0 || conv.slots == 0, "gathered rows are not packed");
  check_slots(conv);
}

void run_convolution(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  Product p;
  p.rows = rows_of(y, 1);
  p.row_count = p.rows.count();
  p.group = conv.group;
  p.columns = conv.columns;
  p.channels = x.dims[1] / conv.group;
  for (int64_t k : conv.kernel) p.taps *= k;
  p.weights = args.inputs[1].as<const float>();
  p.bias = conv.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.row_blocks = conv.row_blocks;
  p.epilogue = make_epilogue(args, 1);
  const Window<float> window = window_of<float>(conv, x, y);
  if (conv.gathered != 0) {
    p.channels *= std::exchange(p.taps, 1);
    return run_product(p, *args.pool, kGathered / std::max<int64_t>(p.channels * kRows, 1),
                       [&] { return GatheredRows(window, p.channels); });
  }
  auto* zeros = reinterpret_cast<float*>(args.workspace);
  std::fill_n(zeros, x.dims[1], 0.f);
  pack_into(args.workspace + round_to_lines(x.dims[1]) * 4, p);
  run_product(p, *args.pool, kMostBlocks, [&] { return IndirectRows(window, zeros); });
}

int64_t convolution_workspace(const KernelArgs& args) {
  const GemmAttrs& conv = args.as<GemmParams>().attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t rows = y.dims[1] == 0 ? 0 : y.element_count() / y.dims[1];
  int64_t depth = x.dims[1] / conv.group;
  for (int64_t k : conv.kernel) depth = checked_mul(depth, k);
  return conv.slots == 0 ? x.dims[1] * 4 : round_to_lines(x.dims[1]) * 4 + packed_bytes(conv, rows, depth);
}

}  // namespace

void register_convolution(KernelTable& table) {
  table.add(make_gemm_kernel("igemm", check_convolution, run_convolution, convolution_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
