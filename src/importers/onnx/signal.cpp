// Signals: DFT, STFT, the windows, MelWeightMatrix.

#include <cmath>
#include <numbers>

#include "importers/onnx/importer.h"

namespace planish::onnx {
namespace {

ValueId index_constant(NodeContext& context, int64_t value) { return context.constant(Tensor::scalar<int64_t>(value)); }

// An integer of any type, of rank 0 or 1, as an i64 scalar.
ValueId as_index(NodeContext& context, ValueId value) {
  if (context.value(value).type.dtype != DataType::i64) value = context.add("cast", {value}, {{"to", DataType::i64}});
  return context.value(value).type.shape.rank() == 0 ? value : context.add("reshape", {value, context.ints({})});
}

// 0, 1, … below a scalar
ValueId count_to(NodeContext& context, ValueId limit) {
  return context.add("range", {index_constant(context, 0), limit, index_constant(context, 1)});
}

DataType output_type(NodeContext& context) {
  const int64_t number = context.get_or<int64_t>("output_datatype", 1);
  const DataType found = wire::dtype_of(number);
  if (found == DataType::none || found == DataType::string || found == DataType::boolean)
    fail(Code::unsupported, "attribute 'output_datatype' is element type {} of ONNX", number);
  return found;
}

// Opset < 20: the axis is an attribute, 1 by default.
void import_dft(NodeContext& context) {
  const Attrs attrs = {{"inverse", context.get_or<int64_t>("inverse", 0)},
                       {"onesided", context.get_or<int64_t>("onesided", 0)}};
  if (context.opset() >= 20) return context.emit("dft", context.inputs(), attrs);
  context.emit("dft", {context.input(0), context.input(1), index_constant(context, context.get_or<int64_t>("axis", 1))},
               attrs);
}

// The signal as [N, length, 1 or 2]: ONNX Runtime takes one of reals without the last axis, too, and networks rely on
// it.
ValueId framed_signal(NodeContext& context) {
  const int rank = context.type(0).shape.rank();
  if (rank == 2) return context.add("unsqueeze", {context.input(0), context.ints({2})});
  if (rank != 3) fail(Code::invalid_model, "operand 0 is {}; ranks 2 and 3 are accepted", context.type(0).str());
  return context.input(0);
}

// signal, frame_step, window?, frame_length? -> [N, frames, bins, 2]:
// frame f is the transform of signal[f * step + 0, 1, …] * window
void import_stft(NodeContext& context) {
  const ValueId signal = framed_signal(context), step = as_index(context, context.input(1));
  const auto extent = [&](ValueId value, int64_t axis) {
    return context.add("gather", {context.add("shape", {value}), index_constant(context, axis)});
  };
  const ValueId length = context.has_input(3)   ? as_index(context, context.input(3))
                         : context.has_input(2) ? extent(context.input(2), 0)
                                                : extent(signal, 1);
  const ValueId room = context.add("sub", {extent(signal, 1), length});
  const ValueId frames = context.add("add", {context.add("div", {room, step}), index_constant(context, 1)});
  const ValueId starts = context.add("mul", {count_to(context, frames), step});
  const ValueId positions = context.add(
      "add", {context.add("unsqueeze", {starts, context.ints({1})}), count_to(context, length)});  // [frames, length]
  ValueId cut = context.add("gather", {signal, positions}, {{"axis", int64_t{1}}});
  if (context.has_input(2))
    cut = context.add("mul", {cut, context.add("unsqueeze", {context.input(2), context.ints({1})})});
  context.emit("dft", {cut, ValueId{}, index_constant(context, 2)},
               {{"onesided", context.get_or<int64_t>("onesided", 1)}});
}

// A sum of cosines: terms[0] - terms[1] cos(x) + terms[2] cos(2 x), where x goes once around in `size` steps (periodic)
// or in one less.
void emit_window(NodeContext& context, const std::vector<double>& terms) {
  const ValueId size = as_index(context, context.input(0));
  const auto real = [&](double value) { return context.constant(Tensor::scalar<double>(value)); };
  const auto as_real = [&](ValueId value) { return context.add("cast", {value}, {{"to", DataType::f64}}); };
  const bool periodic = context.get_or<int64_t>("periodic", 1) != 0;
  const ValueId steps = periodic ? size : context.add("sub", {size, index_constant(context, 1)});
  const ValueId turns = context.add("div", {as_real(count_to(context, size)), as_real(steps)});
  ValueId sum = real(terms[0]);
  for (size_t i = 1; i < terms.size(); ++i) {
    const double times = 2 * std::numbers::pi * static_cast<double>(i);
    const ValueId wave = context.add("cos", {context.add("mul", {turns, real(times)})});
    sum = context.add("add", {sum, context.add("mul", {wave, real(i % 2 == 1 ? -terms[i] : terms[i])})});
  }
  context.emit("cast", {sum}, {{"to", output_type(context)}});
}

void import_hann_window(NodeContext& context) { emit_window(context, {0.5, 0.5}); }
void import_hamming_window(NodeContext& context) { emit_window(context, {25.0 / 46, 21.0 / 46}); }
void import_blackman_window(NodeContext& context) { emit_window(context, {0.42, 0.5, 0.08}); }

void import_mel_weight_matrix(NodeContext& context) {
  context.emit("mel_weight_matrix", context.inputs(), {{"output_datatype", output_type(context)}});
}

}  // namespace

void register_signal(ImporterTable& table) {
  table.add("DFT", import_dft, 3);
  table.add("STFT", import_stft, 4);
  table.add("HannWindow", import_hann_window, 1);
  table.add("HammingWindow", import_hamming_window, 1);
  table.add("BlackmanWindow", import_blackman_window, 1);
  table.add("MelWeightMatrix", import_mel_weight_matrix, 5);
}

}  // namespace planish::onnx
