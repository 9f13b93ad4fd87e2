// LSTM, GRU and RNN as two steps: X [T N, I] times all input weights at once, then the recurrence.
//   G[t, n, column] = X[t, n, :] . W[d, row, :] + bias of the column,  column = (d, block of units, gate, unit)

#include "kernels/recurrent.h"

#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {
namespace {

// Gates that one product with the recurrent weights serves: GRU with reset_first has two.
struct GateRange {
  int64_t first, count;
};

struct Recurrent {
  std::string kernel;
  RecurrentStepAttrs attrs;
  Tensor input, recurrent, bias, peepholes;  // as the operator has them; the last two may be absent
  int64_t gates = 0, directions = 0, inputs = 0;

  int64_t hidden() const { return attrs.hidden; }
  int64_t block_columns() const { return gates * kBlockUnits; }
  int64_t columns() const { return directions * unit_blocks(hidden()) * block_columns(); }
  bool has_candidate_bias() const { return kernel == "gru.recurrent" && attrs.reset_first == 0 && bias.present(); }
  std::vector<GateRange> products() const {
    if (attrs.reset_first != 0) return {{0, 2}, {2, 1}};
    return {{0, gates}};
  }
};

// The row of [gates * hidden] of a gate of a unit; -1 for a unit beyond the last.
int64_t gate_row(const Recurrent& r, int64_t gate, int64_t unit) {
  return unit < r.hidden() ? gate * r.hidden() + unit : -1;
}

// Where the weights of a column of the input's product lie: direction and row.
struct ColumnSource {
  int64_t direction, gate, row;
};
ColumnSource column_source(const Recurrent& r, int64_t column) {
  const int64_t width = r.block_columns(), blocks = unit_blocks(r.hidden());
  const int64_t unit = column / width % blocks * kBlockUnits + column % kBlockUnits;
  const int64_t gate = column % width / kBlockUnits;
  return {column / width / blocks, gate, gate_row(r, gate, unit)};
}

// mma: of reduced precision; none: of fp32.
Tensor packed_input(Isa isa, const Recurrent& r, std::optional<Mma> mma) {
  const auto* from = r.input.as<float>().data();
  const auto weight = [&](int64_t column, int64_t i) {
    const ColumnSource at = column_source(r, column);
    return at.row < 0 ? 0.f : from[(at.direction * r.gates * r.hidden() + at.row) * r.inputs + i];
  };
  if (mma)
    return pack_words(*mma, isa, 1, r.columns(), r.inputs,
                      [&](int64_t, int64_t column, int64_t i) { return weight(column, i); });
  return pack_panels(isa, 1, r.columns(), 1, r.inputs,
                     [&](int64_t, int64_t column, int64_t, int64_t i) { return weight(column, i); });
}

// T: f32, or bf16 in pairs of rows.
template <class T>
Tensor packed_recurrent(const Recurrent& r) {
  constexpr bool kHalf = std::is_same_v<T, BFloat16>;
  constexpr int64_t kTogether = kHalf ? 2 : 1;
  const auto* from = r.recurrent.as<float>().data();
  const int64_t blocks = unit_blocks(r.hidden()), hidden = r.hidden(),
                depth = (hidden + kTogether - 1) / kTogether * kTogether;
  const auto type = kHalf ? DataType::bf16 : DataType::f32;
  return Tensor::make(type, {r.directions, blocks, depth, r.block_columns()}, [&](std::byte* out) {
    auto* to = reinterpret_cast<T*>(out);
    for (int64_t block = 0; block < r.directions * blocks; ++block)
      for (const GateRange& range : r.products())
        for (int64_t first = 0; first < depth; first += kTogether)
          for (int64_t j = 0; j < range.count * kBlockUnits; ++j)
            for (int64_t k = first; k < first + kTogether; ++k) {
              const int64_t row =
                  gate_row(r, range.first + j / kBlockUnits, block % blocks * kBlockUnits + j % kBlockUnits);
              const float value =
                  row < 0 || k >= hidden ? 0.f : from[(block / blocks * r.gates * hidden + row) * hidden + k];
              if constexpr (kHalf)
                *to++ = to_bfloat16(value);
              else
                *to++ = value;
            }
  });
}

// Both biases of a column, but for the recurrent one that r multiplies.
Tensor packed_bias(const Recurrent& r) {
  return Tensor::make(DataType::f32, {r.columns()}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    if (!r.bias.present()) {
      std::fill_n(to, r.columns(), 0.f);
      return;
    }
    for (int64_t column = 0; column < r.columns(); ++column) {
      const ColumnSource at = column_source(r, column);
      const float* from = r.bias.as<float>().data() + at.direction * 2 * r.gates * r.hidden();
      const bool apart = r.has_candidate_bias() && at.gate == 2;
      to[column] = at.row < 0 ? 0.f : from[at.row] + (apart ? 0.f : from[r.gates * r.hidden() + at.row]);
    }
  });
}

// `rows` rows of [hidden] a direction, from `first` on, each filled up with zeros.
Tensor padded_rows(const Recurrent& r, const Tensor& source, int64_t first, int64_t rows, int64_t direction_step) {
  const int64_t width = unit_blocks(r.hidden()) * kBlockUnits;
  const auto* from = source.as<float>().data();
  return Tensor::make(DataType::f32, {r.directions, rows, width}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t d = 0; d < r.directions; ++d)
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t k = 0; k < width; ++k)
          *to++ = k < r.hidden() ? from[d * direction_step + (first + row) * r.hidden() + k] : 0.f;
  });
}

Operand extra_operand(StepBuilder& builder, const Recurrent& r) {
  if (r.peepholes.present()) return builder.constant(padded_rows(r, r.peepholes, 0, 3, 3 * r.hidden()));
  if (r.has_candidate_bias()) return builder.constant(padded_rows(r, r.bias, 5, 1, 6 * r.hidden()));
  return builder.absent();
}

void emit_recurrent(StepBuilder& builder, const Shape& x, const Node& node, Isa isa, const Recurrent& r,
                    std::optional<Mma> mma) {
  MmaAttrs gemm;
  gemm.columns = r.columns();
  const Operand sums = builder.temporary({DataType::f32, Shape{x[0], x[1], r.columns()}});
  std::vector<Operand> operands = {builder.input(0), builder.constant(packed_input(isa, r, mma))};
  if (r.bias.present() || mma) operands.push_back(builder.constant(packed_bias(r)));
  const Dim rows = x[0] * x[1] * Dim(2 * r.columns());
  builder.flops(rows * Dim(r.inputs));
  if (mma) {
    gemm.mma = static_cast<int64_t>(*mma);
    builder.step(StepKind::cpu, "mma_gemm", attrs_of(gemm), std::move(operands), {sums});
  } else {
    gemm.has_bias = r.bias.present() ? 1 : 0;
    builder.step(StepKind::cpu, "gemm", attrs_of(static_cast<const GemmAttrs&>(gemm)), std::move(operands), {sums});
  }
  std::vector<Operand> inputs = {sums,
                                 builder.constant(mma ? packed_recurrent<BFloat16>(r) : packed_recurrent<float>(r)),
                                 extra_operand(builder, r)};
  for (size_t i : {4, 5, 6})
    inputs.push_back(i < node.inputs.size() && node.inputs[i].valid() ? builder.input(i) : builder.absent());
  std::vector<Operand> outputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) outputs.push_back(builder.output(i));
  builder.flops(rows * Dim(r.hidden()));
  builder.step(StepKind::cpu, r.kernel, attrs_of(r.attrs), std::move(inputs), std::move(outputs));
}

// Whether the activations are these, for each direction; none are the operator's own.
bool has_activations(const Attrs& attrs, const std::vector<std::string>& wanted) {
  const auto names = attrs.get_or<std::vector<std::string>>("activations", {});
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != wanted[i % wanted.size()]) return false;
  return true;
}

std::string describe_cell(const Node& node, Recurrent& r) {
  static const std::string kRefused = "other activations, a clip or input_forget";
  const Attrs& attrs = node.attrs;
  if (attrs.get_or<double>("clip", 0) != 0 || attrs.get_or<int64_t>("input_forget", 0) != 0) return kRefused;
  r.kernel = node.op.str() + ".recurrent";
  r.attrs.reversed = attrs.get_or<std::string>("direction", "forward") == "reverse" ? 1 : 0;
  if (node.op == "lstm") {
    r.gates = 4;
    r.attrs.state_in_bytes = attrs.get_or<int64_t>("state_in_bytes", 0);
    return has_activations(attrs, {"Sigmoid", "Tanh", "Tanh"}) ? "" : kRefused;
  }
  if (node.op == "gru") {
    r.gates = 3;
    r.attrs.reset_first = attrs.get_or<int64_t>("linear_before_reset", 0) == 0 ? 1 : 0;
    return has_activations(attrs, {"Sigmoid", "Tanh"}) ? "" : kRefused;
  }
  r.gates = 1;
  if (has_activations(attrs, {"Tanh"})) return "";
  r.attrs.relu = 1;
  return has_activations(attrs, {"Relu"}) ? "" : kRefused;
}

std::string describe_recurrent(const TacticQuery& query, Recurrent& r) {
  if (std::string why = describe_cell(query.node, r); !why.empty()) return why;
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty()) return why;
  for (size_t i : {1, 2, 3, 7})
    if (query.has_input(i) && !query.input(i).is_constant()) return "operand " + std::to_string(i) + " is not constant";
  r.input = query.input(1).constant;
  r.recurrent = query.input(2).constant;
  if (query.has_input(3)) r.bias = query.input(3).constant;
  if (query.has_input(7)) r.peepholes = query.input(7).constant;
  r.directions = r.recurrent.extents()[0];
  r.attrs.hidden = r.recurrent.extents()[2];
  r.inputs = r.input.extents()[2];
  if (r.bias.present() && r.bias.element_count() != r.directions * 2 * r.gates * r.hidden())
    return "a bias of " + r.bias.type().str();
  if (r.peepholes.present() && r.peepholes.element_count() != r.directions * 3 * r.hidden())
    return "peepholes of " + r.peepholes.type().str();
  return "";
}

void propose_recurrent(const TacticQuery& query, CandidateSink& sink) {
  const std::string& name = query.node.op.str();
  Recurrent r;
  if (std::string why = describe_recurrent(query, r); !why.empty()) return sink.refuse(name, std::move(why));
  const double steps = typical_elements(query, query.input(0).type.shape) / static_cast<double>(r.inputs);
  const double flops = 2 * steps * static_cast<double>(r.columns()) * static_cast<double>(r.inputs + r.hidden());
  const auto bytes = static_cast<double>(r.input.byte_count() + r.recurrent.byte_count());
  const auto offer = [&](std::optional<Mma> mma) {
    Candidate candidate;
    candidate.name = mma ? name + ".bf16.dot" : name;
    candidate.inputs = {LayoutRule::any};
    candidate.outputs.assign(query.node.outputs.size(), LayoutRule::row_major);
    candidate.estimated_us = estimate_us(query, flops, bytes, 0.2) / (mma ? 2 : 1);
    candidate.emit = [=, x = query.input(0).type.shape, node = &query.node, isa = query.isa](StepBuilder& builder) {
      emit_recurrent(builder, x, *node, isa, r, mma);
    };
    sink.offer(std::move(candidate));
  };
  offer(std::nullopt);
  if (r.gates == 1 || r.attrs.reset_first != 0 || r.attrs.state_in_bytes != 0 || !query.precisions.bf16 ||
      !has_mma(query.isa, Mma::dot_bf16))
    return;
  offer(has_mma(query.isa, Mma::tile_bf16) ? Mma::tile_bf16 : Mma::dot_bf16);
}

}  // namespace

void register_recurrent(TacticTable& table) {
  for (const char* op : {"lstm", "gru", "rnn"}) table.add(op, propose_recurrent);
}

}  // namespace planish::tactics::cpu
