#pragma once
// What happens to sums before they are stored: an activation, a residual and a clamp in registers, or any pointwise
// program over rows that are still in cache.

#include <cmath>

#include "kernels/check.h"
#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/tile.h"
#include "kernels/cpu/common/walk.h"
#include "kernels/gemm.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int kMaxExtras = 15;
constexpr int64_t kMostColumns = int64_t{1} << 44;

// An epilogue as its attributes say it.
struct EpilogueSetup {
  PointwiseProgram program;
  bool has_program = false;
  size_t extras = 0;  // operands behind the product's own
  float low = -INFINITY, high = INFINITY;
};

struct GemmParams : EpilogueSetup {
  GemmAttrs attrs;
  Activation activation;  // the form of the program, if it has one
};

inline EpilogueSetup decode_epilogue(const GemmAttrs& a) {
  EpilogueSetup setup;
  setup.has_program = !a.program.empty();
  if (setup.has_program) setup.program = PointwiseProgram::parse(a.program);
  if (setup.has_program && (setup.program.inputs < 1 || setup.program.inputs > kMaxExtras + 1))
    fail(Code::invalid_plan, "an epilogue of {} operands; 1 to {} are accepted", setup.program.inputs, kMaxExtras + 1);
  const size_t axes = a.kernel.size();
  if (a.group < 1 || a.columns < 0 || a.columns > kMostColumns || axes > 3 || a.strides.size() != axes ||
      a.dilations.size() != axes || a.pads.size() != axes ||
      (setup.has_program && (a.residual != 0 || setup.program.results.size() != 1)))
    fail(Code::invalid_plan, "damaged parameters of a matrix kernel");
  setup.extras = setup.has_program ? static_cast<size_t>(setup.program.inputs) - 1 : a.residual != 0 ? 1 : 0;
  if (a.clamped != 0) {
    setup.low = static_cast<float>(a.low);
    setup.high = static_cast<float>(a.high);
  }
  return setup;
}

inline std::shared_ptr<const void> decode_gemm(const Attrs& attrs) {
  auto params = std::make_shared<GemmParams>();
  params->attrs = attrs_to<GemmAttrs>(attrs);
  static_cast<EpilogueSetup&>(*params) = decode_epilogue(params->attrs);
  if (params->has_program) params->activation = activation_of(params->program);
  return params;
}

inline Kernel make_gemm_kernel(const char* name, void (*check)(const KernelArgs&), void (*run)(const KernelArgs&),
                               int64_t (*workspace)(const KernelArgs&) = nullptr) {
  Kernel kernel;
  kernel.name = name;
  kernel.version = 3;
  kernel.decode = decode_gemm;
  kernel.check = check;
  kernel.workspace = workspace;
  kernel.run = run;
  return kernel;
}

// Whether sums become what is stored while they are in registers: what they are added to lies along the columns.
inline bool ends_in_registers(const GemmParams& params, int64_t addend_step) {
  return !params.has_program || (params.activation.present() && (!params.activation.adds || addend_step == 1));
}

// What matrix kernels ask for in common: fp32 but for the weights and for what is of the `stored` types, a result whose
// columns (all groups', along `axis`) are adjacent, a bias of one value a column, extras that spread over the result; a
// residual is read along its columns.
inline void check_product(const KernelArgs& args, int axis, std::initializer_list<DataType> stored = {DataType::f32}) {
  const auto& params = args.as<GemmParams>();
  const size_t bias = params.attrs.has_bias != 0 ? 1 : 0, count = 2 + bias + params.extras;
  const Operands o(args, count, count);
  for (size_t i = 0; i < count; ++i)
    if (i == 2 && bias != 0)
      o.in(i).is({DataType::f32});
    else if (i != 1)
      o.in(i).is(stored);
  const Slot y = o.out().is(stored).rank(2, kMaxRank).adjacent(axis);
  if (bias != 0) o.in(2).shape({y.extent(axis)}).dense();
  for (size_t i = 2 + bias; i < count; ++i) o.in(i).spreads_over(y.extents()).rank(0, y.view().rank);
  if (params.attrs.residual == 0 || y.extent(axis) <= 1) return;
  const Slot residual = o.in(count - 1);
  const auto strides = broadcast_strides(residual.view(), y.extents());
  if (strides[y.axis(axis)] != 1) residual.misfit("one whose elements are adjacent along the columns");
}

// Packed weights: [group][panel][tap][channel][kPanel].
inline void check_panels(const Slot& weights, int64_t group, int64_t columns, int64_t taps, int64_t channels) {
  weights.shape({group, (columns + kPanel - 1) / kPanel, taps, channels, kPanel}).dense();
}

// A strided operand of the epilogue, or the result itself; `step`: elements from one column to the next.
template <class T>
struct RowOperand {
  T* data = nullptr;
  RowStrides rows{};
  int64_t step = 0;
  T* row(const RowWalk& walk) const { return data + walk.offset(rows); }
};

struct Epilogue {
  const GemmParams* params = nullptr;
  RowOperand<float> out;
  std::array<RowOperand<const float>, kMaxExtras> extra;
  const Activation* activation = nullptr;  // of the sums, in registers, before the residual; or null
  bool has_program = false;                // over rows, behind all else

  const RowOperand<const float>* residual() const {
    return params->attrs.residual != 0 || (activation != nullptr && activation->adds) ? extra.data() : nullptr;
  }
};

// Elements from one column of the first extra to the next, columns along axis 1; 1 where there is no choice.
inline int64_t addend_step(const KernelArgs& args) {
  const size_t extras = args.as<GemmParams>().extras;
  const TensorView& y = args.outputs[0];
  if (extras == 0 || y.rank < 2 || y.dims[1] == 1) return 1;
  return broadcast_strides(args.inputs[args.inputs.size() - extras], y.extents())[1];
}

// A program that does not end sums in registers runs over f32.
inline void check_program_types(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  if (ends_in_registers(params, addend_step(args))) return;
  const size_t count = args.inputs.size();
  const Operands o(args, count, count);
  for (size_t i = count - params.extras; i < count; ++i) o.in(i).is({DataType::f32});
  o.out().is({DataType::f32});
}

// The first operand behind a product's own; null: there is none.
inline Elements first_extra(const KernelArgs& args) {
  const size_t extras = args.as<GemmParams>().extras;
  return extras == 0 ? Elements{} : elements_of(args.inputs[args.inputs.size() - extras]);
}

// The operands behind `first` of a step whose result has its columns along `axis`.
inline Epilogue make_epilogue(const KernelArgs& args, int axis) {
  const auto& params = args.as<GemmParams>();
  const TensorView& y = args.outputs[0];
  const auto column = static_cast<size_t>(axis);
  Epilogue epilogue;
  epilogue.params = &params;
  epilogue.out = {y.as<float>(), without_axis(y.strides, y.rank, axis), y.strides[column]};
  const size_t first = args.inputs.size() - params.extras;
  for (size_t i = 0; i < params.extras; ++i) {
    const auto strides = broadcast_strides(args.inputs[first + i], y.extents());
    epilogue.extra[i] = {args.inputs[first + i].as<const float>(), without_axis(strides, y.rank, axis),
                         strides[column]};
  }
  const Activation& form = params.activation;
  const bool reads_along = !form.adds || epilogue.extra[0].step == 1 || y.dims[column] == 1;
  if (form.present() && reads_along) epilogue.activation = &form;
  epilogue.has_program = params.has_program && epilogue.activation == nullptr;
  return epilogue;
}

// Long rows: a program on pieces of one.
inline void finish_long_rows(const Epilogue& epilogue, RowWalk walk, int64_t count, int64_t begin, int64_t end) {
  TileOperand operands[kMaxExtras + 1];
  for (int64_t r = 0; r < count; ++r, walk.next()) {
    float* const out = epilogue.out.row(walk);
    for (int64_t c = begin; c < end; c += kTile) {
      operands[0] = {out + c, 1};
      for (size_t i = 0; i < epilogue.params->extras; ++i)
        operands[i + 1] = {epilogue.extra[i].row(walk) + c * epilogue.extra[i].step, epilogue.extra[i].step};
      run_tile(epilogue.params->program, operands, std::min(kTile, end - c), out + c);
    }
  }
}

// Some rows of a strided operand, columns from `begin` on.
template <class T>
struct RowPiece {
  const RowOperand<T>& operand;
  RowWalk walk;
  int64_t count, begin, width;

  T* first() const { return operand.row(walk) + begin * operand.step; }
  bool repeats_one() const { return operand.step == 0 && operand.rows == RowStrides{}; }
  // Whether the rows follow one another in memory without a gap.
  bool lies_together() const {
    const T* expected = first();
    bool together = operand.step == 1;
    visit([&](int64_t, const T* row) { together = together && row == expected, expected += width; });
    return together;
  }
  template <class Body>
  void visit(Body body) const {
    RowWalk at = walk;
    for (int64_t r = 0; r < count; ++r, at.next()) body(r, operand.row(at) + begin * operand.step);
  }
  void gather(float* to) const {
    visit([&](int64_t r, const float* row) {
      for (int64_t i = 0; i < width; ++i) to[r * width + i] = row[i * operand.step];
    });
  }
  TileOperand tile(float* place) const {
    if (repeats_one()) return {first(), 0};
    if (lies_together()) return {first(), 1};
    gather(place);
    return {place, 1};
  }
};

// Short rows: a program on several together, as each call has a price of its own.
inline void finish_short_rows(const Epilogue& epilogue, const RowWalk& walk, int64_t count, int64_t begin,
                              int64_t width) {
  float gathered[kMaxExtras + 1][kTile];
  TileOperand operands[kMaxExtras + 1];
  const RowPiece<float> out{epilogue.out, walk, count, begin, width};
  operands[0] = out.tile(gathered[0]);
  for (size_t i = 0; i < epilogue.params->extras; ++i)
    operands[i + 1] = RowPiece<const float>{epilogue.extra[i], walk, count, begin, width}.tile(gathered[i + 1]);
  auto* const sums = const_cast<float*>(operands[0].data);
  run_tile(epilogue.params->program, operands, count * width, sums);
  if (sums != gathered[0]) return;
  out.visit([&](int64_t r, float* row) { std::copy_n(sums + r * width, width, row); });
}

// Runs the program over columns [begin, end) of `count` rows from `walk` on; the sums lie in the result.
inline void finish_rows(const Epilogue& epilogue, RowWalk walk, int64_t count, int64_t begin, int64_t end) {
  const int64_t width = end - begin;
  if (width > kTile / 2) return finish_long_rows(epilogue, walk, count, begin, end);
  for (int64_t r = 0; r < count;) {
    const int64_t rows = std::min(kTile / width, count - r);
    finish_short_rows(epilogue, walk, rows, begin, width);
    for (const int64_t next = r + rows; r < next; ++r) walk.next();
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
