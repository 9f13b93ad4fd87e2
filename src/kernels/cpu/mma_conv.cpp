// Convolution of reduced precision. Where all strides are 1, A is the image with its borders, a position a pixel: tap t
// of the result at position p is the position p + shift(t), so the rows of a block lie evenly apart for every tap, and
// the sums of the border's own positions are dropped. Else the taps of each output pixel are put down together.

#include "kernels/cpu/common/mma_kernel.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

bool shifts_of(const KernelArgs& args, int64_t channels) {
  const auto& params = args.as<MmaParams>();
  return shifts_image(params.format, params.attrs, channels);
}

// X [N, C, spatial…], any strides -> Y [N, M, spatial…], channels adjacent
void check_mma_conv(const KernelArgs& args) {
  const Operands o(args, 3, args.inputs.size());
  const ConvReach reach = check_conv_reach(args.as<MmaParams>().attrs, o.in(0), o.out());
  const bool shifts = shifts_of(args, reach.channels);
  check_mma(args, 1, shifts ? reach.taps : 1, checked_mul(shifts ? 1 : reach.taps, reach.channels));
}

// Axis i of three: the last ones are spatial.
int64_t extent3(const TensorView& view, size_t i) {
  const size_t spatial = static_cast<size_t>(view.rank) - 2;
  return i + spatial < 3 ? 1 : view.dims[2 + i + spatial - 3];
}

MmaPlaces bordered(const MmaParams& params, const Window<std::byte>& window, const TensorView& y) {
  std::array<int64_t, 3> grid{}, results{};
  int64_t pixels = 1;
  for (size_t i = 0; i < 3; ++i) {
    results[i] = extent3(y, i);
    grid[i] = checked_add(results[i], window.dilation[i] * (window.kernel[i] - 1));
    pixels = checked_mul(pixels, grid[i]);
  }
  const int64_t taps = window.tap_count();
  MmaPlaces places = mma_places(params, taps, window.channels, checked_mul(y.dims[0], pixels));
  int64_t tap = 0, reach = 0;
  for (int64_t kz = 0; kz < window.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < window.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < window.kernel[2]; ++kx, ++tap) {
        reach = (kz * window.dilation[0] * grid[1] + ky * window.dilation[1]) * grid[2] + kx * window.dilation[2];
        places.offsets[tap] = reach * places.pitch;
      }
  places.grid = grid;
  places.results = results;
  places.all_results = grid == results;
  close_places(places, reach);
  return places;
}

MmaPlaces places_of_image(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const TensorView& y = args.outputs[0];
  const auto window = window_of<std::byte>(params.attrs, args.inputs[0], y);
  if (shifts_of(args, window.channels)) return bordered(params, window, y);
  const int64_t rows = y.dims[1] == 0 ? 0 : y.element_count() / y.dims[1];
  MmaPlaces places = mma_places(params, 1, window.channels * window.tap_count(), rows);
  close_places(places, 0);
  return places;
}

int64_t mma_conv_workspace(const KernelArgs& args) {
  return mma_workspace(args.as<MmaParams>(), places_of_image(args));
}

// Position of the image with borders: a pixel, or beside it.
template <class T, class Store>
void put_pixel(const MmaProduct& p, const Window<T>& window, const Store& store, int64_t position, int32_t* words) {
  const auto& grid = p.places.grid;
  std::array<int64_t, 3> at{};
  for (size_t i = 3; i-- > 0; position /= grid[i]) at[i] = position % grid[i] - window.pad[i];
  const T* from = window.x + position * window.image;
  bool inside = true;
  for (size_t i = 0; i < 3; ++i) {
    inside = inside && at[i] >= 0 && at[i] < window.extent[i];
    from += at[i] * window.step[i];
  }
  inside ? store.put(words, 0, from, window.channel, window.channels)
         : store.fill(words, 0, p.params->attrs.x_zero, window.channels);
}

constexpr int64_t kMostGathered = 2048;

// The taps of a pixel of few or scattered channels, copied together before they are put down.
template <class T, class Store>
void put_gathered(const MmaProduct& p, const Window<T>& window, const Store& store, int64_t g, const RowWalk& walk,
                  int32_t* words) {
  T gathered[kMostGathered];
  T* to = gathered;
  const auto zero = static_cast<T>(p.params->attrs.x_zero);
  window.taps(g, walk, [&](int64_t, const T* data) {
    for (int64_t c = 0; c < window.channels; ++c) *to++ = data != nullptr ? data[c * window.channel] : zero;
  });
  store.put(words, 0, gathered, 1, to - gathered);
}

template <class T, class Store>
void put_taps(const MmaProduct& p, const Window<T>& window, const Store& store, int64_t g, int64_t row,
              int32_t* words) {
  RowWalk walk = p.rows;
  walk.seek(row);
  const bool scattered = window.channels < 8 || window.channel != 1;
  if (scattered && p.places.values <= kMostGathered) return put_gathered(p, window, store, g, walk, words);
  window.taps(g, walk, [&](int64_t tap, const T* data) {
    const int64_t at = tap * window.channels;
    data != nullptr ? store.put(words, at, data, window.channel, window.channels)
                    : store.fill(words, at, p.params->attrs.x_zero, window.channels);
  });
}

void run_mma_conv(const KernelArgs& args) {
  const MmaAttrs& conv = args.as<MmaParams>().attrs;
  const TensorView& x = args.inputs[0];
  if (args.outputs[0].element_count() == 0) return;
  const MmaProduct p = make_mma_product(args, 1, places_of_image(args));
  auto* const memory = reinterpret_cast<int32_t*>(args.workspace);
  with_mma_rows(p, x.dtype, [&](const auto& store) {
    using T = typename std::decay_t<decltype(store)>::Value;
    const auto window = window_of<T>(conv, x, args.outputs[0]);
    if (shifts_of(args, window.channels))
      put_down(p, *args.pool, memory,
               [&](int64_t, int64_t at, int32_t* words) { put_pixel(p, window, store, at, words); });
    else
      put_down(p, *args.pool, memory,
               [&](int64_t g, int64_t row, int32_t* words) { put_taps(p, window, store, g, row, words); });
  });
  multiply_mma(p, *args.pool);
}

}  // namespace

void register_mma_conv(KernelTable& table) {
  table.add(make_mma_kernel("mma_conv", check_mma_conv, run_mma_conv, mma_conv_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
