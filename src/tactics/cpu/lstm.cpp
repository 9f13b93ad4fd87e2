// LSTM as two steps: X [T N, I] times all input weights at once, then the recurrence.
//   G[t, n, column] = X[t, n, :] . W[d, row, :] + Wb[d, row] + Rb[d, row],  column = (d, block of units, gate, unit)

#include "kernels/lstm.h"

#include "kernels/reference/lstm.h"
#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

struct LstmWeights {
  Tensor input, recurrent, bias, peepholes;  // as the operator has them; the last two may be absent
  int64_t directions = 0, hidden = 0, inputs = 0;

  int64_t columns() const { return directions * lstm_blocks(hidden) * kLstmColumns; }
};

// Where a column's weights lie: direction and row of [4 * hidden]; row -1 for a unit beyond the last.
struct ColumnSource {
  int64_t direction, row;
};
ColumnSource column_source(const LstmWeights& w, int64_t column) {
  const int64_t blocks = lstm_blocks(w.hidden),
                unit = column / kLstmColumns % blocks * kLstmUnits + column % kLstmUnits;
  const int64_t gate = column % kLstmColumns / kLstmUnits, direction = column / kLstmColumns / blocks;
  return {direction, unit < w.hidden ? gate * w.hidden + unit : -1};
}

Tensor packed_input(Isa isa, const LstmWeights& w) {
  const auto* from = w.input.as<float>().data();
  return pack_panels(isa, 1, w.columns(), 1, w.inputs, [&](int64_t, int64_t column, int64_t, int64_t i) {
    const ColumnSource at = column_source(w, column);
    return at.row < 0 ? 0.f : from[(at.direction * 4 * w.hidden + at.row) * w.inputs + i];
  });
}

Tensor packed_recurrent(const LstmWeights& w) {
  const auto* from = w.recurrent.as<float>().data();
  const int64_t blocks = lstm_blocks(w.hidden);
  return Tensor::make(DataType::f32, {w.directions, blocks, w.hidden, kLstmColumns}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t block = 0; block < w.directions * blocks; ++block)
      for (int64_t k = 0; k < w.hidden; ++k)
        for (int64_t j = 0; j < kLstmColumns; ++j) {
          const ColumnSource at = column_source(w, block * kLstmColumns + j);
          *to++ = at.row < 0 ? 0.f : from[(at.direction * 4 * w.hidden + at.row) * w.hidden + k];
        }
  });
}

// The sum of both biases of a column.
Tensor packed_bias(const LstmWeights& w) {
  return Tensor::make(DataType::f32, {w.columns()}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t column = 0; column < w.columns(); ++column) {
      const ColumnSource at = column_source(w, column);
      const float* from = w.bias.as<float>().data() + at.direction * 8 * w.hidden;
      to[column] = at.row < 0 ? 0.f : from[at.row] + from[4 * w.hidden + at.row];
    }
  });
}

Tensor packed_peepholes(const LstmWeights& w) {
  const int64_t width = lstm_blocks(w.hidden) * kLstmUnits;
  const auto* from = w.peepholes.as<float>().data();
  return Tensor::make(DataType::f32, {w.directions, 3, width}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t row = 0; row < w.directions * 3; ++row)
      for (int64_t k = 0; k < width; ++k) *to++ = k < w.hidden ? from[row * w.hidden + k] : 0.f;
  });
}

void emit_lstm(StepBuilder& builder, const Shape& x, const Node& node, Isa isa, const LstmWeights& w,
               const LstmRecurrentAttrs& attrs) {
  GemmAttrs gemm;
  gemm.columns = w.columns();
  gemm.has_bias = w.bias.present() ? 1 : 0;
  const Operand sums = builder.temporary({DataType::f32, Shape{x[0], x[1], w.columns()}});
  std::vector<Operand> operands = {builder.input(0), builder.constant(packed_input(isa, w))};
  if (w.bias.present()) operands.push_back(builder.constant(packed_bias(w)));
  const Dim rows = x[0] * x[1] * Dim(2 * w.columns());
  builder.flops(rows * Dim(w.inputs));
  builder.step(StepKind::cpu, "gemm", attrs_of(gemm), std::move(operands), {sums});
  std::vector<Operand> inputs = {sums, builder.constant(packed_recurrent(w)),
                                 w.peepholes.present() ? builder.constant(packed_peepholes(w)) : builder.absent()};
  for (size_t i : {4, 5, 6})
    inputs.push_back(i < node.inputs.size() && node.inputs[i].valid() ? builder.input(i) : builder.absent());
  std::vector<Operand> outputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) outputs.push_back(builder.output(i));
  builder.flops(rows * Dim(w.hidden));
  builder.step(StepKind::cpu, "lstm.recurrent", attrs_of(attrs), std::move(inputs), std::move(outputs));
}

bool has_default_cell(const Attrs& attrs) {
  static const std::string kNames[] = {"Sigmoid", "Tanh", "Tanh"};
  const auto names = attrs.get_or<std::vector<std::string>>("activations", {});
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != kNames[i % 3]) return false;
  return attrs.get_or<double>("clip", 0) == 0 && attrs.get_or<int64_t>("input_forget", 0) == 0;
}

std::string describe_lstm(const TacticQuery& query, LstmWeights& w) {
  if (!has_default_cell(query.node.attrs)) return "other activations, a clip or input_forget";
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty()) return why;
  for (size_t i : {1, 2, 3, 7})
    if (query.has_input(i) && !query.input(i).is_constant()) return "operand " + std::to_string(i) + " is not constant";
  w.input = query.input(1).constant;
  w.recurrent = query.input(2).constant;
  if (query.has_input(3)) w.bias = query.input(3).constant;
  if (query.has_input(7)) w.peepholes = query.input(7).constant;
  w.directions = w.recurrent.extents()[0];
  w.hidden = w.recurrent.extents()[2];
  w.inputs = w.input.extents()[2];
  if (w.bias.present() && w.bias.element_count() != w.directions * 8 * w.hidden)
    return "a bias of " + w.bias.type().str();
  if (w.peepholes.present() && w.peepholes.element_count() != w.directions * 3 * w.hidden)
    return "peepholes of " + w.peepholes.type().str();
  return "";
}

void propose_lstm(const TacticQuery& query, CandidateSink& sink) {
  LstmWeights w;
  if (std::string why = describe_lstm(query, w); !why.empty()) return sink.refuse("lstm", std::move(why));
  LstmRecurrentAttrs attrs;
  attrs.hidden = w.hidden;
  attrs.reversed = query.node.attrs.get_or<std::string>("direction", "forward") == "reverse" ? 1 : 0;
  attrs.state_in_bytes = query.node.attrs.get_or<int64_t>("state_in_bytes", 0);
  Candidate candidate;
  candidate.name = "lstm";
  candidate.inputs = {LayoutRule::any};
  candidate.outputs.assign(query.node.outputs.size(), LayoutRule::row_major);
  const double steps = typical_elements(query, query.input(0).type.shape) / static_cast<double>(w.inputs);
  const double flops = 2 * steps * static_cast<double>(w.columns()) * static_cast<double>(w.inputs + w.hidden);
  candidate.estimated_us =
      estimate_us(query, flops, static_cast<double>(w.input.byte_count() + w.recurrent.byte_count()), 0.2);
  candidate.emit = [=, x = query.input(0).type.shape, node = &query.node, isa = query.isa](StepBuilder& builder) {
    emit_lstm(builder, x, *node, isa, w, attrs);
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_lstm(TacticTable& table) { table.add("lstm", propose_lstm); }

}  // namespace planish::tactics::cpu
