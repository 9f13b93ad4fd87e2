#pragma once
// Expand, depthwise and project as one step (kernels/depthwise_block.h) on products of bf16, a strip of rows of the
// result at a time:
//   a panel of hidden channels after the other, the lines of the image under the strip times the expanding weights,
//   into lines that take turns: line l lies in place l modulo their number, and what the next strip reads, too, stays
//   there; depthwise from there into rows of hidden channels, one a pixel; the product of these with the projecting
//   weights, once for all of their depth.
// Threads share rows, and compute lines that two of them need twice; or they share panels of hidden channels of the
// whole image, and then the last product.

#include <optional>

#include "kernels/cpu/common/depthwise_block.h"
#include "kernels/cpu/common/half_depthwise_rows.h"
#include "kernels/cpu/common/mma_direct.h"

namespace planish::kernels::cpu::PLANISH_ISA {
constexpr MmaFormat kHalfFormat = mma_format(Mma::dot_bf16, Isa::avx512);
static_assert(kHalfFormat.columns == kHalfLanes && kHalfFormat.depth == 2);

// Rows of pixels, one behind the other: words where they are of bf16.
inline void check_pixel_rows(const Slot& slot) {
  const TensorView& view = slot.view();
  const bool whole = view.dims[2] <= 1 || view.strides[2] == view.dims[3] * view.strides[3];
  const bool even = view.strides[0] % 2 == 0 && view.strides[2] % 2 == 0 && view.strides[3] % 2 == 0;
  if (!whole || (view.dtype == DataType::bf16 && !even)) slot.misfit("one whose pixels lie evenly apart");
}

[[gnu::cold]] inline void check_half_block(const KernelArgs& args) {
  const DepthwiseBlockAttrs& a = args.as<BlockParams>().attrs;
  check_block_form(args, kFloatTypes);
  const Operands o(args, 3, args.inputs.size());
  const Slot x = o.in(0), y = o.out();
  require(a.hidden % 2 == 0 && (a.expands == 0 || x.extent(1) % 2 == 0), "an odd number of channels");
  require(half_depthwise::takes(a.kernel, a.strides, {1, 1}),
          "a kernel of {} columns; 3 or 5, and strides of 1 or 2 across, are accepted", a.kernel[1]);
  if (a.expands != 0) check_pixel_rows(x);
  if (a.projects != 0) check_pixel_rows(y);
  const int64_t panels = ceil_div(a.hidden, kHalfLanes);
  const auto weights = [&](size_t i, int64_t count, int64_t depth, int64_t columns) {
    o.in(i).is({DataType::bf16}).shape({1, count, 1, depth / 2, kHalfLanes, 2}).dense();
    o.in(i + 1).is({DataType::f32}).shape({columns}).dense();
  };
  size_t i = 1;
  if (a.expands != 0) {
    weights(i, panels, x.extent(1), a.hidden);
    i += 2;
  }
  o.in(i).is({DataType::bf16}).shape({panels, ceil_div(a.kernel[0], 2), a.kernel[1], 2, kHalfLanes / 2, 2}).dense();
  o.in(i + 1).is({DataType::f32}).shape({a.hidden}).dense();
  if (a.projects != 0) weights(i + 2, ceil_div(y.extent(1), kHalfLanes), a.hidden, y.extent(1));
  if (a.residual != 0) check_pixel_rows(o.in(args.inputs.size() - 1));
}

// What lies in the scratch, in elements of bf16: zeros, an image of f32 rounded, then what each part expands, then what
// is filtered, of each part or of all of them.
struct HalfBlockShape {
  int64_t rows = 0, lines = 0, line = 0;  // of a strip's result, of the image under it; elements of one in a panel
  int64_t panels = 0, kept = 0;           // of hidden channels; panels whose lines are there at once
  int64_t zeros = 0, image = 0, expanded = 0, filtered = 0;
  int64_t all = 0;

  HalfBlockShape(const DepthwiseBlockAttrs& a, const TensorView& x, const TensorView& y) {
    const bool apart = a.by_channels != 0;
    const int64_t most = apart ? y.dims[2] : std::min(y.dims[2], ceil_div(y.dims[0] * y.dims[2], a.parts));
    rows = std::max<int64_t>(a.rows > 0 ? std::min(a.rows, most) : most, 1);
    lines = std::min(x.dims[2], checked_mul(rows - 1, a.strides[0]) + a.kernel[0]);
    line = checked_mul(x.dims[3], kHalfLanes);
    panels = ceil_div(a.hidden, kHalfLanes);
    kept = rows < most ? panels : 1;
    zeros = align_up(a.hidden, kHalfLanes);
    if (!lies_half(x.dtype)) image = align_up(x.element_count(), kHalfLanes);
    if (a.expands != 0) expanded = checked_mul(kept, checked_mul(lines, line));
    if (a.projects != 0) {
      const int64_t pixels = checked_mul(apart ? y.dims[0] * y.dims[2] : rows, y.dims[3]);
      filtered = align_up(checked_mul(pixels, a.hidden), kHalfLanes);
    }
    all = checked_add(checked_add(zeros, image),
                      checked_add(checked_mul(a.parts, expanded), checked_mul(apart ? 1 : a.parts, filtered)));
  }
};

inline int64_t half_block_workspace(const KernelArgs& args) {
  const HalfBlockShape shape(args.as<BlockParams>().attrs, args.inputs[0], args.outputs[0]);
  return checked_mul(shape.all, int64_t{sizeof(BFloat16)});
}

#if defined(PLANISH_ISA_avx512)

// A product of the block: all but where its rows lie and go. A copy shares its parameters.
class HalfStage {
 public:
  [[gnu::noinline]] HalfStage(MmaParams& params, const StageEnd& stage, const TensorView& weights,
                              const TensorView& bias, int64_t depth, bool adds)
      : columns_(bias.dims[0]), steps_(depth / 2), weights_(weights.as<const int32_t>()) {
    params.mma = Mma::dot_bf16;
    params.low = stage.low;
    params.high = stage.high;
    params.extras = adds ? 1 : 0;
    end_.params = &params;
    end_.kind = MmaEnd::Kind::floats;
    end_.activation = stage.activation();
    end_.bias = bias.as<const float>();
  }

  int64_t panels() const { return ceil_div(columns_, kHalfLanes); }
  // Pixels in words, `pitch` elements apart.
  void from(const BFloat16* pixels, int64_t pitch) {
    words_ = reinterpret_cast<const int32_t*>(pixels);
    pitch_ = pitch / 2;
  }
  // Pixels of all columns.
  void to(const Elements& pixels, int64_t pitch) { end_.out = operand(pixels, pitch); }
  void add(const Elements& pixels, int64_t pitch) { end_.extra[0] = operand(pixels, pitch); }

  // Pixels [first, last) times a panel, in blocks that are about equal.
  [[gnu::noinline]] void multiply(int64_t panel, int64_t first, int64_t last) const {
    static constexpr int64_t kTogether = 0;
    MmaSpan span{.column = panel * kHalfLanes, .width = std::min(kHalfLanes, columns_ - panel * kHalfLanes)};
    const MmaColumns columns(end_, span);
    BlockArgs block;
    block.pitch = pitch_;
    block.steps = steps_;
    block.offsets = &kTogether;
    block.next = steps_ * kHalfLanes;
    block.b = weights_ + panel * block.next;
    for (int64_t left = ceil_div(last - first, kHalfFormat.rows); left > 0; --left, first += block.rows) {
      block.rows = static_cast<int>(ceil_div(last - first, left));
      block.a = words_ + first * pitch_;
      span.row = first;
      span.rows = block.rows;
      multiply_direct(block, {end_, columns, span});
    }
  }

 private:
  static MmaOperand operand(const Elements& pixels, int64_t pitch) {
    MmaOperand at;
    at.data = pixels.data;
    at.type = pixels.type;
    at.bytes = element_bytes(pixels.type);
    at.step = 1;
    at.even = true;
    at.pitch = pitch;
    return at;
  }

  int64_t columns_, steps_;
  const int32_t *weights_, *words_ = nullptr;
  int64_t pitch_ = 0;
  MmaEnd end_;
};

class HalfBlockRun {
 public:
  explicit HalfBlockRun(const KernelArgs& args)
      : params_(args.as<BlockParams>()),
        a_(params_.attrs),
        x_(args.inputs[0]),
        y_(args.outputs[0]),
        shape_(a_, x_, y_),
        scratch_(reinterpret_cast<BFloat16*>(args.workspace)) {
    std::fill_n(scratch_, shape_.zeros, BFloat16{});
    if (!lies_half(x_.dtype)) x_ = rounded_image(x_, scratch_ + shape_.zeros, *args.pool);
    size_t i = 1;
    if (a_.expands != 0) {
      expand_.emplace(expand_params_, params_.expand, args.inputs[i], args.inputs[i + 1], x_.dims[1], false);
      i += 2;
    }
    set_depthwise(args.inputs[i], args.inputs[i + 1]);
    if (a_.projects != 0)
      project_.emplace(project_params_, params_.project, args.inputs[i + 2], args.inputs[i + 3], a_.hidden,
                       a_.residual != 0);
    if (a_.residual != 0) residual_ = args.inputs.back();
  }

  void run(ThreadPool& pool) const {
    pool.parallel_for(a_.parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) Part(*this, part).run();
    });
    if (a_.by_channels == 0 || a_.projects == 0) return;
    // The last product of all pixels: panels of some of the rows.
    const int64_t panels = project_->panels(), pixels = y_.dims[0] * y_.dims[2] * y_.dims[3];
    const int64_t blocks = ceil_div(pixels, kHalfFormat.rows);
    const int64_t pieces = std::clamp<int64_t>(ceil_div(int64_t{4} * a_.parts, panels), 1, blocks);
    pool.parallel_for(panels * pieces, 1, [&](int64_t begin, int64_t end) {
      HalfStage project(*project_);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t piece = i % pieces, first = blocks * piece / pieces * kHalfFormat.rows,
                      last = std::min(pixels, blocks * (piece + 1) / pieces * kHalfFormat.rows);
        for (int64_t n = first / image_pixels(), at = first; at < last; ++n) {
          const int64_t before = n * image_pixels(), until = std::min(last, before + image_pixels());
          set_ends(project, filtered(0) + before * a_.hidden, n, 0);
          project.multiply(i / pieces, at - before, until - before);
          at = until;
        }
      }
    });
  }

 private:
  void set_depthwise(const TensorView& weights, const TensorView& bias) {
    HalfDepthwise& d = depthwise_;
    d.conv = &params_.window;
    d.height = x_.dims[2];
    d.width = x_.dims[3];
    d.pixel = a_.expands != 0 ? kHalfLanes : x_.strides[3];
    d.out_width = y_.dims[3];
    d.weights = weights.as<const int32_t>();
    d.bias = bias.as<const float>();
    d.zeros = scratch_;
    d.activation = params_.depthwise.activation();
    d.low = params_.depthwise.low;
    d.high = params_.depthwise.high;
    sum_ = half_tile_function(*d.conv);
  }

  int64_t image_pixels() const { return y_.dims[2] * y_.dims[3]; }
  BFloat16* expanded(int64_t part) const { return scratch_ + shape_.zeros + shape_.image + part * shape_.expanded; }
  BFloat16* filtered(int64_t part) const {
    return expanded(a_.parts) + (a_.by_channels != 0 ? 0 : part) * shape_.filtered;
  }
  static Elements line_of(const TensorView& view, int64_t image, int64_t line) {
    return elements_of(view).at(image * view.strides[0] + line * view.strides[2]);
  }
  // The last product of the pixels of an image from line `line` of the result on.
  void set_ends(HalfStage& project, const BFloat16* from, int64_t image, int64_t line) const {
    project.from(from, a_.hidden);
    project.to(line_of(y_, image, line), y_.strides[3]);
    if (a_.residual != 0) project.add(line_of(residual_, image, line), residual_.strides[3]);
  }

  // What a thread does with its share.
  class Part {
   public:
    Part(const HalfBlockRun& run, int64_t index)
        : run_(run), a_(run.a_), shape_(run.shape_), index_(index), expand_(run.expand_), project_(run.project_) {}

    void run() {
      const int64_t rows = run_.y_.dims[2], all = run_.y_.dims[0] * rows;
      const bool apart = a_.by_channels != 0;
      const int64_t last = apart ? all : all * (index_ + 1) / a_.parts;
      for (int64_t row = apart ? 0 : all * index_ / a_.parts; row < last;) {
        const int64_t image = row / rows, end = std::min(last, (image + 1) * rows);
        run_rows(image, row - image * rows, end - image * rows);
        row = end;
      }
    }

   private:
    // Rows [begin, end) of an image.
    void run_rows(int64_t image, int64_t begin, int64_t end) {
      const bool apart = a_.by_channels != 0;
      const int64_t first = apart ? shape_.panels * index_ / a_.parts : 0,
                    last = apart ? shape_.panels * (index_ + 1) / a_.parts : shape_.panels;
      Strip before(image, begin);
      for (int64_t row = begin; row < end; row = before.end) {
        const Strip strip(a_, run_.x_.dims[2], image, row, std::min(row + shape_.rows, end));
        const int64_t kept = strip.kept_of(before);
        for (int64_t panel = first; panel < last; ++panel) {
          BFloat16* const lines =
              run_.expanded(index_) + (shape_.kept > 1 ? panel - first : 0) * shape_.lines * shape_.line;
          if (a_.expands != 0) expand(panel, strip, strip.first + kept, lines);
          filter(panel, strip, lines);
        }
        if (a_.projects != 0 && !apart) project(strip);
        before = strip;
      }
    }

    // Lines [first, strip.last) of the image, in runs of lines that lie one behind the other.
    void expand(int64_t panel, const Strip& strip, int64_t first, BFloat16* lines) {
      const int64_t width = run_.x_.dims[3];
      for (int64_t line = first; line < strip.last;) {
        const int64_t place = line % shape_.lines, count = std::min(strip.last - line, shape_.lines - place);
        BFloat16* const to = lines + place * shape_.line - panel * kHalfLanes;
        expand_->from(reinterpret_cast<const BFloat16*>(line_of(run_.x_, strip.image, line).data), run_.x_.strides[3]);
        expand_->to({reinterpret_cast<std::byte*>(to), DataType::bf16}, kHalfLanes);
        expand_->multiply(panel, 0, count * width);
        line += count;
      }
    }

    void filter(int64_t panel, const Strip& strip, const BFloat16* lines) const {
      const TensorView &x = run_.x_, &y = run_.y_;
      const int64_t first = panel * kHalfLanes, last = std::min(first + kHalfLanes, a_.hidden);
      const bool apart = a_.by_channels != 0;
      for (int64_t row = strip.begin; row < strip.end; ++row) {
        const HalfLines under = half_lines(run_.depthwise_, row, [&](int64_t line) {
          return a_.expands != 0 ? lines + line % shape_.lines * shape_.line - first
                                 : reinterpret_cast<const BFloat16*>(line_of(x, strip.image, line).data);
        });
        const int64_t at = apart ? strip.image * y.dims[2] + row : row - strip.begin;
        auto* const to = reinterpret_cast<std::byte*>(run_.filtered(index_) + at * y.dims[3] * a_.hidden);
        const HalfRow out = a_.projects != 0 ? HalfRow{{to, DataType::bf16}, a_.hidden}
                                             : HalfRow{line_of(y, strip.image, row), y.strides[3]};
        run_half_row(run_.depthwise_, run_.sum_, under, first, last, out);
      }
    }

    void project(const Strip& strip) {
      run_.set_ends(*project_, run_.filtered(index_), strip.image, strip.begin);
      for (int64_t panel = 0; panel < project_->panels(); ++panel)
        project_->multiply(panel, 0, (strip.end - strip.begin) * run_.y_.dims[3]);
    }

    const HalfBlockRun& run_;
    const DepthwiseBlockAttrs& a_;
    const HalfBlockShape& shape_;
    int64_t index_;
    std::optional<HalfStage> expand_, project_;
  };

  const BlockParams& params_;
  const DepthwiseBlockAttrs& a_;
  TensorView x_, y_, residual_;
  HalfBlockShape shape_;
  BFloat16* scratch_;
  MmaParams expand_params_, project_params_;
  std::optional<HalfStage> expand_, project_;
  HalfDepthwise depthwise_;
  HalfTileFn sum_ = nullptr;
};

inline void run_half_block(const KernelArgs& args) {
  if (!cpu_info().has(Isa::avx512_bf16)) fail(Code::mismatch, "products of bf16, which this processor lacks");
  if (args.outputs[0].element_count() > 0) HalfBlockRun(args).run(*args.pool);
}

#else

inline void run_half_block(const KernelArgs&) { fail(Code::mismatch, "products of bf16, which this processor lacks"); }

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
