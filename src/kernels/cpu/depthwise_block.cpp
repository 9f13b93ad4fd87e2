// Expand, depthwise and project as one step (kernels/depthwise_block.h), a strip of rows of the result at a time, and
// of it a slice of the hidden channels at a time:
//   the lines of the image under the strip times the expanding weights, between columns of zeros, into a cacheful;
//   depthwise from there into another one;
//   that times the projecting weights, added to the sums of the slices before, which wait in the result.
// Lines that the next strip reads, too, are moved to where its own begin. Parts of the hidden channels have sums of
// their own, which meet at the end in the order of the parts; parts of the rows compute lines that two of them need
// twice. So results depend on neither strips nor threads.

#include <cstring>

#include "kernels/cpu/common/depthwise_block.h"
#include "kernels/cpu/common/depthwise_rows.h"
#include "kernels/cpu/common/micro.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kSlice = HiddenSlices::kSlice;

void check_block(const KernelArgs& args) {
  const DepthwiseBlockAttrs& a = args.as<BlockParams>().attrs;
  check_block_form(args, {DataType::f32});
  const Operands o(args, 3, args.inputs.size());
  const Slot x = o.in(0), y = o.out();
  for (size_t i = 1; i < args.inputs.size(); ++i) o.in(i).is({DataType::f32});
  require(a.by_channels == 0 || a.projects != 0, "hidden channels of parts that nothing sums");
  const int64_t taps = checked_mul(a.kernel[0], a.kernel[1]), slices = HiddenSlices(a).count();
  require(taps <= kMostTaps, "a kernel of {} taps; at most {}", taps, kMostTaps);
  size_t i = 1;
  if (a.expands != 0) {
    o.in(i++).shape({slices, kSlice / kPanel, x.extent(1), kPanel}).dense();
    o.in(i++).shape({slices, kSlice}).dense();
  }
  o.in(i++).shape({slices, taps, kSlice}).dense();
  o.in(i++).shape({slices, kSlice}).dense();
  if (a.projects != 0) {
    o.in(i++).shape({ceil_div(y.extent(1), kPanel), a.hidden, kPanel}).dense();
    o.in(i++).shape({y.extent(1)}).dense();
  }
  if (a.residual != 0) o.in(i).shape(y.extents()).adjacent(1);
}

// Floats of each part's scratch, and of its sums: the same at every level.
struct BlockShape {
  int64_t rows = 0, lines = 0;              // of a strip's result, and of the image under it
  int64_t before = 0, width = 0;            // columns of zeros at the left, and with all of them
  int64_t line = 0, slice = 0, slices = 0;  // floats of a line and of a slice; slices that are kept
  int64_t expanded = 0, filtered = 0, sums = 0;

  BlockShape(const DepthwiseBlockAttrs& a, const TensorView& x, const TensorView& y) {
    const int64_t all = a.by_channels != 0 ? y.dims[2] : std::min(y.dims[2], ceil_div(y.dims[0] * y.dims[2], a.parts));
    rows = std::max<int64_t>(a.rows > 0 ? std::min(a.rows, all) : all, 1);
    lines = std::min(x.dims[2], checked_mul(rows - 1, a.strides[0]) + a.kernel[0]);
    before = a.pads[1];
    width = std::max(before + x.dims[3], checked_mul(y.dims[3] - 1, a.strides[1]) + a.kernel[1]);
    line = checked_mul(width, kSlice);
    slice = checked_mul(lines, line);
    slices = rows < all ? HiddenSlices(a).count() : 1;  // lines are kept for the next strip
    if (a.expands != 0) expanded = checked_mul(slices, slice);
    if (a.projects != 0) filtered = checked_mul(checked_mul(rows, y.dims[3]), kSlice);
    if (a.by_channels != 0) sums = align_up(y.element_count(), kSlice);
  }
  int64_t part() const { return checked_add(checked_add(expanded, filtered), sums); }
};

int64_t zeros_floats(const TensorView& x) { return align_up(x.dims[1], kSlice); }

int64_t block_workspace(const KernelArgs& args) {
  const DepthwiseBlockAttrs& a = args.as<BlockParams>().attrs;
  const BlockShape shape(a, args.inputs[0], args.outputs[0]);
  return checked_mul(checked_add(checked_mul(a.parts, shape.part()), zeros_floats(args.inputs[0])), 4);
}

// Rows of a matrix in the order of pixels: `width` of them side by side, then the next line.
struct PixelRows {
  float* at;
  int64_t width, step, line;
  int64_t column = 0;
  float* next() {
    float* const row = at;
    at += step;
    if (++column == width) {
      column = 0;
      at += line - width * step;
    }
    return row;
  }
};

class BlockRun {
 public:
  explicit BlockRun(const KernelArgs& args)
      : params_(args.as<BlockParams>()),
        a_(params_.attrs),
        x_(args.inputs[0]),
        y_(args.outputs[0]),
        shape_(a_, x_, y_),
        slices_(a_),
        scratch_(reinterpret_cast<float*>(args.workspace)) {
    size_t i = 1;
    const auto next = [&] { return args.inputs[i++].as<const float>(); };
    if (a_.expands != 0) {
      expand_ = next();
      expand_bias_ = next();
    }
    filter_ = next();
    filter_bias_ = next();
    if (a_.projects != 0) {
      project_ = next();
      project_bias_ = next();
    }
    if (a_.residual != 0) residual_ = args.inputs[i];
    zeros_ = scratch_ + a_.parts * shape_.part();
    set_depthwise();
  }

  void run(ThreadPool& pool) {
    if (y_.element_count() == 0) return;
    std::fill_n(zeros_, zeros_floats(x_), 0.f);
    pool.parallel_for(a_.parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) run_part(part);
    });
    if (a_.by_channels == 0) return;
    const int64_t lines = y_.dims[0] * y_.dims[2];
    pool.parallel_for(lines, 1, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) meet(line / y_.dims[2], line % y_.dims[2]);
    });
  }

 private:
  void set_depthwise() {
    Depthwise& d = depthwise_;
    d.conv = a_.expands != 0 ? &params_.bordered : &params_.window;
    d.height = x_.dims[2];
    d.width = a_.expands != 0 ? shape_.width : x_.dims[3];
    d.line = a_.expands != 0 ? shape_.line : x_.strides[2];
    d.pixel = a_.expands != 0 ? kSlice : x_.strides[3];
    d.out_width = y_.dims[3];
    d.channels = kSlice;
    d.zeros = reinterpret_cast<const std::byte*>(zeros_);
    d.activation = params_.depthwise.activation();
    d.low = params_.depthwise.low;
    d.high = params_.depthwise.high;
    whole_ = whole_columns(d);
  }

  void run_part(int64_t part) {
    float* const scratch = scratch_ + part * shape_.part();
    if (a_.expands != 0) clear_borders(scratch);
    const int64_t rows = y_.dims[2], all = y_.dims[0] * rows;
    const bool alone = a_.by_channels != 0;
    if (alone && slices_.part(part).size() == 0) {
      std::fill_n(part_sums(part), shape_.sums, 0.f);
      return;
    }
    const int64_t last = alone ? all : all * (part + 1) / a_.parts;
    for (int64_t row = alone ? 0 : all * part / a_.parts; row < last;) {
      const int64_t image = row / rows, end = std::min(last, (image + 1) * rows);
      run_rows(part, scratch, image, row - image * rows, end - image * rows);
      row = end;
    }
  }

  // Nothing else is ever written there.
  void clear_borders(float* expanded) const {
    const int64_t inside = (shape_.before + x_.dims[3]) * kSlice;
    for (int64_t line = 0; line < shape_.slices * shape_.lines; ++line, expanded += shape_.line) {
      std::fill_n(expanded, shape_.before * kSlice, 0.f);
      std::fill(expanded + inside, expanded + shape_.line, 0.f);
    }
  }

  // Rows [begin, end) of an image.
  void run_rows(int64_t part, float* scratch, int64_t image, int64_t begin, int64_t end) {
    Strip before(image, begin);
    for (int64_t row = begin; row < end; row = before.end) {
      const Strip strip(a_, x_.dims[2], image, row, std::min(row + shape_.rows, end));
      const auto slices = slices_.part(a_.by_channels != 0 ? part : 0);
      for (int64_t s = slices.begin; s < slices.end; ++s) {
        float* const lines = scratch + (shape_.slices > 1 ? (s - slices.begin) * shape_.slice : 0);
        run_slice(part, s, strip, before, lines);
      }
      before = strip;
    }
  }

  void run_slice(int64_t part, int64_t slice, const Strip& strip, const Strip& before, float* lines) {
    const auto channels = slices_.channels(a_.by_channels != 0 ? part : 0, slice);
    const auto all = slices_.part(a_.by_channels != 0 ? part : 0);
    float* const filtered = scratch_ + part * shape_.part() + shape_.expanded;
    if (a_.expands != 0) {
      const int64_t kept = strip.kept_of(before);
      if (kept > 0)
        std::memmove(lines, lines + (strip.first - before.first) * shape_.line,
                     static_cast<size_t>(kept * shape_.line) * sizeof(float));
      expand(slice, channels.size(), strip, strip.first + kept, lines);
    }
    filter(slice, channels, strip, lines, filtered);
    if (a_.projects != 0) project(part, channels, strip, filtered, slice == all.begin, slice + 1 == all.end);
  }

  // Lines [first, strip.last) of the image, times a slice of the weights.
  void expand(int64_t slice, int64_t width, const Strip& strip, int64_t first, float* lines) const {
    const int64_t channels = x_.dims[1], count = (strip.last - first) * x_.dims[3];
    float* const image = x_.as<float>() + strip.image * x_.strides[0] + first * x_.strides[2];
    float* const out = lines + (first - strip.first) * shape_.line + shape_.before * kSlice;
    for (int64_t column = 0; column < width; column += kPanel) {
      PixelRows from{image, x_.dims[3], x_.strides[3], x_.strides[2]};
      PixelRows to{out + column, x_.dims[3], kSlice, shape_.line};
      TileTask task;
      task.channels = channels;
      task.b = expand_ + (slice * kSlice + column) * channels;
      task.init = expand_bias_ + slice * kSlice + column;
      TileEnd end;
      end.width = static_cast<int>(std::min<int64_t>(kPanel, width - column));
      end.low = params_.expand.low;
      end.high = params_.expand.high;
      end.activation = params_.expand.activation();
      multiply(task, end, count, [&](int r, const float** row) {
        row[r] = from.next();
        end.out[r] = to.next();
      });
    }
  }

  void filter(int64_t slice, HiddenSlices::Range channels, const Strip& strip, const float* lines, float* filtered) {
    Depthwise d = depthwise_;
    d.weights = filter_ + slice * kSlice * a_.kernel[0] * a_.kernel[1];
    d.bias = filter_bias_ + slice * kSlice;
    const DepthwiseColumns columns{whole_, {0, channels.size()}};
    for (int64_t row = strip.begin; row < strip.end; ++row) {
      const int64_t top = row * a_.strides[0] - a_.pads[0];
      DepthwisePlace<float> place;
      place.image = a_.expands != 0
                        ? lines + (top - strip.first) * shape_.line
                        : x_.as<const float>() + strip.image * x_.strides[0] + top * x_.strides[2] + channels.begin;
      place.row = row;
      place.residual_pixel = 0;
      if (a_.projects != 0) {
        place.out = {reinterpret_cast<std::byte*>(filtered + (row - strip.begin) * y_.dims[3] * kSlice)};
        place.out_pixel = kSlice;
      } else {
        place.out = elements_of(y_).at(strip.image * y_.strides[0] + row * y_.strides[2] + channels.begin);
        place.out_pixel = y_.strides[3];
      }
      DepthwiseRow<float>(d, columns, place).run();
    }
  }

  // Adds a slice's products to what waits in the result, or in the sums of the part.
  void project(int64_t part, HiddenSlices::Range channels, const Strip& strip, float* filtered, bool first, bool last) {
    const bool apart = a_.by_channels != 0, residual = a_.residual != 0 && !apart;
    const int64_t filters = y_.dims[1], width = y_.dims[3], count = (strip.end - strip.begin) * width;
    const Activation* const activation = apart ? nullptr : params_.project.activation();
    TileEnd end;
    end.low = last && !apart ? params_.project.low : -INFINITY;
    end.high = last && !apart ? params_.project.high : INFINITY;
    end.activation = last ? activation : nullptr;
    end.has_sums = !first;
    end.has_residual = activation == nullptr ? residual || !first : last ? residual : !first;
    const bool reads_sums = !first && end.activation == nullptr;
    for (int64_t column = 0; column < filters; column += kPanel) {
      end.width = static_cast<int>(std::min<int64_t>(kPanel, filters - column));
      alignas(64) float init[kPanel] = {};
      if (first && !apart) std::copy_n(project_bias_ + column, end.width, init);
      TileTask task;
      task.channels = channels.size();
      task.b = project_ + (column * a_.hidden + channels.begin * kPanel);
      task.init = init;
      PixelRows from{filtered, count, kSlice, 0};
      PixelRows to = apart ? sums_of(part, strip) : rows_of(y_, strip);
      PixelRows added = residual ? rows_of(residual_, strip) : to;
      to.at += column;
      added.at += column;
      multiply(task, end, count, [&](int r, const float** row) {
        row[r] = from.next();
        end.out[r] = to.next();
        const float* const other = added.next();
        end.residual[r] = reads_sums ? end.out[r] : other;
      });
    }
  }

  static PixelRows rows_of(const TensorView& view, const Strip& strip) {
    return {view.as<float>() + strip.image * view.strides[0] + strip.begin * view.strides[2], view.dims[3],
            view.strides[3], view.strides[2]};
  }

  // [N, H', W', M]
  float* part_sums(int64_t part) const { return scratch_ + (part + 1) * shape_.part() - shape_.sums; }
  PixelRows sums_of(int64_t part, const Strip& strip) const {
    const int64_t line = y_.dims[3] * y_.dims[1];
    return {part_sums(part) + (strip.image * y_.dims[2] + strip.begin) * line, y_.dims[3], y_.dims[1], line};
  }

  // row(r, pointers) for each row of a tile, then its sums.
  template <class Row>
  static void multiply(TileTask task, TileEnd& end, int64_t count, Row row) {
    const float* rows[kRows];
    task.rows = rows;
    for (int64_t m = 0; m < count; m += kRows) {
      const int height = static_cast<int>(std::min<int64_t>(kRows, count - m));
      for (int r = 0; r < height; ++r) row(r, rows);
      tile_function(height, end.width)(task, end);
    }
  }

  // A line of the result from the sums of all parts.
  void meet(int64_t image, int64_t row) const {
    const int64_t filters = y_.dims[1];
    for (int64_t x = 0; x < y_.dims[3]; ++x) {
      const int64_t at = ((image * y_.dims[2] + row) * y_.dims[3] + x) * filters;
      float* const to = y_.as<float>() + image * y_.strides[0] + row * y_.strides[2] + x * y_.strides[3];
      const float* const added = a_.residual == 0 ? nullptr
                                                  : residual_.as<const float>() + image * residual_.strides[0] +
                                                        row * residual_.strides[2] + x * residual_.strides[3];
      for (int64_t c = 0; c < filters; c += Vec::kWidth) {
        const int n = static_cast<int>(std::min<int64_t>(Vec::kWidth, filters - c));
        n == Vec::kWidth ? meet_vector<false>(at + c, c, n, to, added) : meet_vector<true>(at + c, c, n, to, added);
      }
    }
  }

  template <bool kPart>
  void meet_vector(int64_t at, int64_t c, int n, float* to, const float* added) const {
    Vec sum = load_some<kPart>(project_bias_ + c, n);
    for (int64_t part = 0; part < a_.parts; ++part) sum = sum + load_some<kPart>(part_sums(part) + at, n);
    if (const Activation* activation = params_.project.activation()) activate(*activation, &sum, 1);
    if (added != nullptr) sum = sum + load_some<kPart>(added + c, n);
    sum = Vec::min(Vec::splat(params_.project.high), Vec::max(Vec::splat(params_.project.low), sum));
    kPart ? sum.store_part(to + c, n) : sum.store(to + c);
  }

  const BlockParams& params_;
  const DepthwiseBlockAttrs& a_;
  const TensorView &x_, &y_;
  BlockShape shape_;
  HiddenSlices slices_;
  float *scratch_, *zeros_ = nullptr;
  const float *expand_ = nullptr, *expand_bias_ = nullptr, *filter_ = nullptr, *filter_bias_ = nullptr;
  const float *project_ = nullptr, *project_bias_ = nullptr;
  TensorView residual_;
  Depthwise depthwise_;
  PositionRange whole_;
};

void run_block(const KernelArgs& args) { BlockRun(args).run(*args.pool); }

}  // namespace

void register_depthwise_block(KernelTable& table) {
  Kernel kernel;
  kernel.name = "depthwise_block";
  kernel.decode = decode_block;
  kernel.check = check_block;
  kernel.workspace = block_workspace;
  kernel.run = run_block;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
