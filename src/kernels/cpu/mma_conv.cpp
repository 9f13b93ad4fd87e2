// Convolution of reduced precision. Where it can be, A is the image with its borders, put down once: the taps of a line
// of the kernel lie side by side in it, and the rows of neighbours in a line a stride apart. Tiles want the rows of a
// block evenly apart over all lines: there a position is a pixel, tap t of the result at position p is position p +
// shift(t), and the sums of the border's own positions are dropped. Else the taps of each output pixel are put down
// together.

#include "kernels/cpu/common/mma_kernel.h"
#include "kernels/cpu/common/window.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// X [N, C, spatial…], any strides -> Y [N, M, spatial…], channels adjacent
void check_mma_conv(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const Operands o(args, 3, args.inputs.size());
  const ConvReach reach = check_conv_reach(params.attrs, o.in(0), o.out());
  const ImageRuns runs = image_runs(params.format, params.attrs, reach.channels);
  check_mma(args, 1, runs.count, checked_mul(reach.taps / runs.count, runs.channels));
}

// Axis i of three: the last ones are spatial.
int64_t extent3(const TensorView& view, size_t i) {
  const size_t spatial = static_cast<size_t>(view.rank) - 2;
  return i + spatial < 3 ? 1 : view.dims[2 + i + spatial - 3];
}

// Pixels of the image with its borders along axis i that windows reach.
int64_t bordered_extent(const Window<std::byte>& window, const TensorView& y, size_t i) {
  return checked_add(checked_mul(extent3(y, i) - 1, window.stride[i]), window.dilation[i] * (window.kernel[i] - 1) + 1);
}

MmaPlaces bordered(const MmaParams& params, const Window<std::byte>& window, const TensorView& y,
                   const ImageRuns& runs) {
  const bool lines = runs.form == ImageForm::lines;
  const int64_t across = window.kernel[2];
  MmaPlaces places = mma_places(params, runs.count, lines ? across * runs.channels : runs.channels, 0);
  places.form = runs.form;
  places.pixel = runs.channels;
  places.rows = y.dims[1] == 0 ? 0 : y.element_count() / y.dims[1];
  places.items = y.dims[0];
  for (size_t i = 0; i < 3; ++i) {
    places.results[i] = extent3(y, i);
    places.grid[i] = bordered_extent(window, y, i);
    if (i < 2 || !lines) places.items = checked_mul(places.items, places.grid[i]);
  }
  const auto& grid = places.grid;
  if (lines) {
    const int64_t depth = params.format.depth;
    places.item_words = (checked_mul(grid[2], runs.channels) + depth - 1) / depth;
    places.pitch = window.stride[2] * runs.channels / depth;
    places.width = places.results[2];
    places.line = {grid[0] * grid[1] * places.item_words, window.stride[0] * grid[1] * places.item_words,
                   window.stride[1] * places.item_words};
  }
  if (!lines) {
    const auto& results = places.results;
    places.positions =
        places.items - (((grid[0] - results[0]) * grid[1] + grid[1] - results[1]) * grid[2] + grid[2] - results[2]);
  }
  int64_t run = 0, reach = 0;
  for (int64_t kz = 0; kz < window.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < window.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < (lines ? 1 : across); ++kx, ++run) {
        reach = kz * window.dilation[0] * grid[1] + ky * window.dilation[1];
        if (!lines) reach = reach * grid[2] + kx * window.dilation[2];
        places.offsets[run] = reach * places.item_words;
      }
  close_places(places, reach);
  if (lines) places.plane = (places.items + 1) * places.item_words;  // no window reaches beyond the borders
  return places;
}

MmaPlaces places_of_image(const KernelArgs& args) {
  const auto& params = args.as<MmaParams>();
  const TensorView& y = args.outputs[0];
  const auto window = window_of<std::byte>(params.attrs, args.inputs[0], y);
  const ImageRuns runs = image_runs(params.format, params.attrs, window.channels);
  if (runs.form != ImageForm::gathered) return bordered(params, window, y, runs);
  const int64_t rows = y.dims[1] == 0 ? 0 : y.element_count() / y.dims[1];
  MmaPlaces places = mma_places(params, 1, window.channels * window.tap_count(), rows);
  close_places(places, 0);
  return places;
}

int64_t mma_conv_workspace(const KernelArgs& args) {
  return mma_workspace(args.as<MmaParams>(), places_of_image(args));
}

constexpr int64_t kMostGathered = 2048;

template <class T>
T beside_image(int64_t value) {
  if constexpr (std::is_same_v<T, BFloat16>)
    return to_bfloat16(static_cast<float>(value));
  else
    return static_cast<T>(value);
}

// The taps of a pixel of few or scattered channels, copied together before they are put down.
template <class T, class Store>
void put_gathered(const MmaProduct& p, const Window<T>& window, const Store& store, int64_t g, const RowWalk& walk,
                  int32_t* words) {
  T gathered[kMostGathered];
  T* to = gathered;
  const auto zero = beside_image<T>(p.x_zero);
  window.taps(g, walk, [&](int64_t, const T* data) {
    for (int64_t c = 0; c < window.channels; ++c) *to++ = data != nullptr ? data[c * window.channel] : zero;
  });
  store.put(words, 0, gathered, 1, to - gathered);
}

template <class T, class Store>
void put_taps(const MmaProduct& p, const Window<T>& window, const Store& store, int64_t g, const RowWalk& walk,
              int32_t* words) {
  if (window.one_tap) return store.put(words, 0, window.only_tap(g, walk), window.channel, window.channels);
  const bool scattered = window.channels < 8 || window.channel != 1;
  if (scattered && p.places.values <= kMostGathered) return put_gathered(p, window, store, g, walk, words);
  window.taps(g, walk, [&](int64_t tap, const T* data) {
    const int64_t at = tap * window.channels;
    data != nullptr ? store.put(words, at, data, window.channel, window.channels)
                    : store.fill(words, at, p.x_zero, window.channels);
  });
}

// Pixels with zeros behind their channels, from value `at` on.
template <class Store, class T>
void put_padded_pixels(const Window<T>& window, const T* __restrict__ from, int64_t pixels, int64_t pixel,
                       int32_t* words, int64_t at) {
  if constexpr (requires { typename Store::Lane; }) {
    using Lane = typename Store::Lane;
    auto* __restrict__ to = reinterpret_cast<Lane*>(words) + at;
    const int64_t step = window.step[2], channel = window.channel;
    if (window.channels == 3 && pixel == 4) {
      const T* __restrict__ red = from, * __restrict__ green = from + channel, * __restrict__ blue = green + channel;
      if constexpr (sizeof(Lane) == 1) {
        int32_t* __restrict__ word = words + at / 4;  // pixels fill words
        if (step == 1) {
          for (int64_t x = 0; x < pixels; ++x)
            word[x] = Store::lane(red[x]) | Store::lane(green[x]) << 8 | Store::lane(blue[x]) << 16;
          return;
        }
      }
      const auto put = [=](int64_t x, int64_t from_x) {
        to[4 * x] = Store::lane(red[from_x]);
        to[4 * x + 1] = Store::lane(green[from_x]);
        to[4 * x + 2] = Store::lane(blue[from_x]);
        to[4 * x + 3] = 0;
      };
      if (step == 1) {
        int64_t x = 0;
        if constexpr (std::is_same_v<Store, Bf16Rows>) x = put_bf16_colours(red, green, blue, pixels, to);
        for (; x < pixels; ++x) put(x, x);
      } else
        for (int64_t x = 0; x < pixels; ++x) put(x, x * step);
      return;
    }
    for (int64_t x = 0; x < pixels; ++x)
      for (int64_t c = 0; c < pixel; ++c)
        to[x * pixel + c] = c < window.channels ? Store::lane(from[x * step + c * channel]) : Lane{};
  }
}

template <class T, class Store>
struct ImageRows {
  const MmaProduct& p;
  const Window<T>& window;
  const Store& store;
  const MmaOperand* evenly = nullptr;  // the image, where rows are its pixels

  void fill(int32_t* words, int64_t at, int64_t n) const { store.fill(words, at, p.x_zero, n); }

  // The first pixel of a line of the image with borders; null: the line is beside the image.
  const T* line_of(int64_t g, int64_t line) const {
    const auto& grid = p.places.grid;
    const int64_t y = line % grid[1] - window.pad[1], z = line / grid[1] % grid[0] - window.pad[0];
    if (y < 0 || y >= window.extent[1] || z < 0 || z >= window.extent[0]) return nullptr;
    return window.x + line / grid[1] / grid[0] * window.image + g * window.channels * window.channel +
           z * window.step[0] + y * window.step[1];
  }

  void put_pixels(const T* from, int64_t pixels, int32_t* words) const {
#if defined(PLANISH_ISA_avx512)
    if constexpr (requires { Store::kFlip; })
      if (window.channel == 1)
        return copy_rows(from, window.step[2] * static_cast<int64_t>(sizeof(T)), words, p.places.item_words * 4,
                         p.places.steps * 4, pixels, window.channels * static_cast<int64_t>(sizeof(T)), Store::kFlip);
#endif
    for (int64_t i = 0; i < pixels; ++i, words += p.places.item_words) {
      clear_padding(p, words);
      store.put(words, 0, from + i * window.step[2], window.channel, window.channels);
    }
  }

  void fill_positions(int32_t* words, int64_t count) const {
    for (int64_t i = 0; i < count; ++i, words += p.places.item_words) {
      clear_padding(p, words);
      fill(words, 0, window.channels);
    }
  }

  // Positions of the image with borders, line by line: pixels, or beside them.
  void put_positions(int64_t begin, int64_t end) const {
    const int64_t width = p.places.grid[2], item = p.places.item_words;
    for (int64_t count; begin < end; begin += count) {
      const int64_t line = begin / width, x = begin - line * width - window.pad[2];
      count = std::min(end - begin, width - (begin - line * width));
      const T* const from = line_of(0, line);
      const int64_t first = std::clamp<int64_t>(-x, 0, count),
                    last = from == nullptr ? first : std::clamp(window.extent[2] - x, first, count);
      int32_t* const words = p.words + begin * item;
      fill_positions(words, first);
      fill_positions(words + last * item, count - last);
      if (first < last) put_pixels(from + (x + first) * window.step[2], last - first, words + first * item);
    }
  }

  // Line of the image with borders; pixels of one group lie one after the other.
  void put_line(int64_t g, int64_t line, int32_t* words) const {
    const auto& grid = p.places.grid;
    const int64_t pixel = p.places.pixel, all = grid[2] * pixel;
    words[p.places.item_words - 1] = 0;
    const T* const first = line_of(g, line);
    if (first == nullptr) return fill(words, 0, all);
    const int64_t left = std::clamp<int64_t>(window.pad[2], 0, grid[2]), skipped = left - window.pad[2];
    const int64_t inside = std::clamp<int64_t>(window.extent[2] - skipped, 0, grid[2] - left);
    const T* const from = first + skipped * window.step[2];
    fill(words, 0, left * pixel);
    if (window.channel == 1 && window.step[2] == pixel)
      store.put(words, left * pixel, from, 1, inside * pixel);
    else if (pixel == window.channels)
      for (int64_t x = 0; x < inside; ++x)
        store.put(words, (left + x) * pixel, from + x * window.step[2], window.channel, pixel);
    else
      put_padded_pixels<Store>(window, from, inside, pixel, words, left * pixel);
    fill(words, (left + inside) * pixel, all - (left + inside) * pixel);
  }

  // Whether the rows are the image, pixel by pixel.
  bool are_pixels() const {
    bool same = window.one_tap && window.channel == 1 && p.params->attrs.group == 1 &&
                p.places.pitch * p.params->format.depth == window.channels;
    int64_t expected = window.channels;
    for (size_t i = 3; i-- > 0; expected *= window.extent[i])
      same = same && (window.extent[i] == 1 || (window.step[i] == expected && window.stride[i] == 1));
    return same && (window.image == expected || p.end.rows.dims[0] == 1);
  }

  void put_rows(int64_t g, int64_t begin, int64_t end) const {
    int32_t* words = p.words + g * p.places.group() + begin * p.places.pitch;
    if (evenly && put_evenly<Store>(p, *evenly, begin, end)) return;
    if (are_pixels())
      return store.put(words, 0, window.x + begin * window.channels, 1, (end - begin) * window.channels);
    RowWalk walk = p.end.rows;
    walk.seek(begin);
    for (int64_t row = begin; row < end; ++row, walk.next(), words += p.places.pitch) {
      clear_padding(p, words);
      put_taps(p, window, store, g, walk, words);
    }
  }

  void operator()(int64_t g, int64_t begin, int64_t end) const {
    if (p.places.form == ImageForm::gathered) return put_rows(g, begin, end);
    if (p.places.form == ImageForm::positions) return put_positions(begin, end);
    for (int64_t item = begin; item < end; ++item)
      put_line(g, item, p.words + g * p.places.group() + item * p.places.item_words);
  }
};

// Of a kernel of one tap the pixels that it meets are rows of words where they lie, line by line.
void take_lines_in_place(MmaProduct& p, const Window<std::byte>& window, const TensorView& x, const TensorView& y) {
  const int64_t depth = p.params->format.depth;
  bool even = reinterpret_cast<uintptr_t>(x.data) % sizeof(int32_t) == 0 && window.channels % depth == 0;
  for (int64_t step : {window.image, window.step[0], window.step[1], window.step[2]}) even = even && step % depth == 0;
  if (is_tiled(p.params->mma) || !even || !are_words(p.params->mma, x.dtype) || window.channel != 1 ||
      p.params->attrs.group != 1)
    return;
  MmaPlaces& places = p.places;
  places.form = ImageForm::lines;
  for (size_t i = 0; i < 3; ++i) places.results[i] = extent3(y, i);
  places.width = places.results[2];
  places.pitch = window.stride[2] * window.step[2] / depth;
  places.line = {window.image / depth, window.stride[0] * window.step[0] / depth,
                 window.stride[1] * window.step[1] / depth};
  p.in_place = true;
  p.words = reinterpret_cast<int32_t*>(x.data);
}

void run_mma_conv(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  if (args.outputs[0].element_count() == 0) return;
  MmaProduct p = make_mma_product(args, 1, places_of_image(args));
  const auto image = window_of<std::byte>(p.params->attrs, x, args.outputs[0]);
  const MmaOperand pixels = mma_operand(p.end.rows, x, x.strides, x.rank, 1);
  if (image.is_image()) take_in_place(p, pixels);
  if (image.one_tap && !p.in_place) take_lines_in_place(p, image, x, args.outputs[0]);
  with_mma_rows(p, x.dtype, [&](const auto& store) {
    using T = typename std::decay_t<decltype(store)>::Value;
    const auto window = window_of<T>(p.params->attrs, x, args.outputs[0]);
    run_mma(p, *args.pool,
            ImageRows<T, std::decay_t<decltype(store)>>{p, window, store, image.is_image() ? &pixels : nullptr});
  });
}

}  // namespace

void register_mma_conv(KernelTable& table) {
  table.add(make_mma_kernel("mma_conv", check_mma_conv, run_mma_conv, mma_conv_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
