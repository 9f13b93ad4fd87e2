// dft and mel_weight_matrix.

#include "kernels/reference/signal.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

// One integer that decides an extent.
Dim one_of(const InferContext& context, size_t i) {
  context.require_one_element(i);
  return context.list(i)[0];
}

// Length of the transform: as given, else what there is; of half a spectrum of m values, 2 (m - 1).
Dim transform_length(const InferContext& context, const DftAttrs& attrs, Dim extent) {
  const bool half = attrs.onesided != 0 && attrs.inverse != 0;
  const Dim length = context.has_input(1) ? one_of(context, 1) : half ? (extent - 1) * 2 : extent;
  if (length.is_constant() && length.value() < 1)
    fail(Code::invalid_model, "a transform of length {}; 1 and more is accepted", length.value());
  return length;
}

// X [.., 1 or 2], dft_length?, axis? -> [.., 2]; onesided: half the spectrum of real signals, or a real signal of it
void dft_infer(InferContext& context) {
  const auto attrs = context.attrs<DftAttrs>();
  context.require_flag("inverse", attrs.inverse);
  context.require_flag("onesided", attrs.onesided);
  context.require_dtype(0, kFloats);
  context.require_rank(0, 2);
  const int last = context.rank(0) - 1;
  std::vector<Dim> dims = context.shape(0).dims();
  const Dim parts = dims.back();
  if (parts.is_constant() && parts != Dim(1) && parts != Dim(2))
    fail(Code::invalid_model, "{} is {}; a last extent of 1 or 2 is accepted", context.operand(0),
         context.input(0).str());
  const bool half_out = attrs.onesided != 0 && attrs.inverse == 0, half_in = attrs.onesided != 0 && !half_out;
  if (half_out && !context.assume_equal(parts, 1))
    fail(Code::invalid_model, "onesided=1 for {}; real signals, of a last extent of 1, are accepted",
         context.input(0).str());
  dims.back() = half_in ? 1 : 2;
  const auto named = context.has_input(2) ? context.known_ints(2) : std::vector<int64_t>{-2};
  if (named && named->size() != 1) fail(Code::invalid_model, "{} axes; one is accepted", named->size());
  const bool length_known = !context.has_input(1) || context.contents(1);
  // Where no extent changes, the axis may be anything.
  if (!length_known || (!named && (context.has_input(1) || attrs.onesided != 0))) {
    auto found = context.measured(context.rank(0));
    found.back() = dims.back();
    dims = std::move(found);
  } else if (named) {
    const int axis = normalize_axis((*named)[0], context.rank(0));
    if (axis == last) fail(Code::invalid_model, "axis {}; the last one holds real and imaginary parts", axis);
    const Dim length = transform_length(context, attrs, dims[static_cast<size_t>(axis)]);
    dims[static_cast<size_t>(axis)] = half_out ? floor_div(length, 2) + 1 : length;
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void mel_weight_matrix_infer(InferContext& context) {
  for (size_t i = 0; i < 5; ++i) context.require_one_element(i);
  for (size_t i : {0, 1, 2}) context.require_dtype(i, kIndices);
  for (size_t i : {3, 4}) context.require_dtype(i, kFloats);
  const DataType type = context.attrs<MelAttrs>().output_datatype;
  if (!is_float(type) && !is_integer(type))
    fail(Code::invalid_model, "attribute 'output_datatype' is {}; numbers are accepted", data_type_name(type));
  if (!context.contents(0) || !context.contents(1)) return context.output(0, type, Shape(context.measured(2)));
  const Dim filters = one_of(context, 0), length = one_of(context, 1);
  for (Dim given : {filters, length})
    if (given.is_constant() && given.value() < 0)
      fail(Code::invalid_model, "{} filters over a transform of {}", filters.str(), length.str());
  context.output(0, type, Shape{floor_div(length, 2) + 1, filters});
}

}  // namespace

void register_signal(OpTable& table) {
  OpDef dft;
  dft.name = "dft";
  dft.min_inputs = 1;
  dft.max_inputs = 3;
  dft.operand_names = {"input", "dft_length", "axis"};
  dft.check_attrs = check_attrs_as<DftAttrs>;
  dft.infer = dft_infer;
  table.add(std::move(dft));
  OpDef mel;
  mel.name = "mel_weight_matrix";
  mel.min_inputs = mel.max_inputs = 5;
  mel.operand_names = {"num_mel_bins", "dft_length", "sample_rate", "lower_edge_hertz", "upper_edge_hertz"};
  mel.check_attrs = check_attrs_as<MelAttrs>;
  mel.infer = mel_weight_matrix_infer;
  table.add(std::move(mel));
}

}  // namespace planish::ops
