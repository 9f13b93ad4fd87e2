// Transposed convolution as one convolution a phase of the output. Along an axis of stride s, the positions
// o = r + s j  (0 <= r < s) meet only the taps k with (r + pad - k d) mod s = 0. In increasing input order these are
//   Y[r + s j] = sum over t < T of X[j + t g - p] * W[k(T - 1 - t)],   k(t) = k0 + t s / gcd(s, d),   g = d / gcd(s, d)
// which is a convolution of stride 1, dilation g and padding p, written to every s-th position of the result.

#include <numeric>

#include "kernels/reference/conv.h"
#include "tactics/cpu/common/conv_operands.h"

namespace planish::tactics::cpu {
namespace {

constexpr int64_t kMostPhases = 64;

// One axis of one phase.
struct PhaseAxis {
  int64_t residue = 0;
  std::vector<int64_t> taps;  // kernel positions, in increasing order of what they read; empty: none falls here
  int64_t dilation = 1, pad = 0;
};

PhaseAxis phase_axis(const WindowAxis& axis, int64_t residue) {
  PhaseAxis phase;
  phase.residue = residue;
  phase.dilation = axis.dilation / std::gcd(axis.stride, axis.dilation);
  for (int64_t k = axis.kernel; k-- > 0;) {
    const int64_t at = residue + axis.pad - k * axis.dilation;
    if (at % axis.stride != 0) continue;
    if (phase.taps.empty()) phase.pad = -(at / axis.stride);
    phase.taps.push_back(k);
  }
  if (phase.taps.size() < 2) phase.dilation = 1;
  return phase;
}

struct TransposeProblem : ConvOperands {
  std::vector<WindowAxis> axes;
  EpilogueParams epilogue;
  int64_t channels = 0, columns = 0, phases = 1;  // of a group; of the result
  double flops = 0, bytes = 0;
};

// Padding before the first element; what depends on extents needs them fixed.
std::optional<int64_t> transpose_pad(const ConvAttrs& attrs, size_t i, const WindowAxis& axis, Dim in, Dim out) {
  if (!attrs.auto_pad.starts_with("SAME") && attrs.output_shape.empty()) return at_or(attrs.pads, i, 0);
  if (!in.is_constant() || !out.is_constant()) return std::nullopt;
  const int64_t reach = axis.dilation * (axis.kernel - 1) + 1 + at_or(attrs.output_padding, i, 0);
  const int64_t total = std::max<int64_t>(0, (in.value() - 1) * axis.stride + reach - out.value());
  return attrs.auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
}

std::string describe_axes(const Shape& in, const Shape& out, TransposeProblem& p) {
  for (size_t i = 0; i + 2 < p.weights.extents().size(); ++i) {
    WindowAxis axis;
    axis.kernel = p.weights.extents()[i + 2];
    axis.stride = at_or(p.attrs.strides, i, 1);
    axis.dilation = at_or(p.attrs.dilations, i, 1);
    const auto pad = transpose_pad(p.attrs, i, axis, in[static_cast<int>(i) + 2], out[static_cast<int>(i) + 2]);
    if (!pad) return "padding that depends on symbolic extents";
    axis.pad = *pad;
    p.axes.push_back(axis);
    p.phases *= axis.stride;
    if (p.phases > kMostPhases) return "strides of more than " + std::to_string(kMostPhases) + " phases";
  }
  return "";
}

std::string describe_transpose(const TacticQuery& query, TransposeProblem& p) {
  if (std::string why = describe_operands(query, p); !why.empty()) return why;
  const Value& x = query.graph.value(p.form.anchor_inputs[0]);
  p.channels = p.weights.extents()[0] / p.attrs.group;
  p.columns = p.weights.extents()[1];
  const Shape& out = query.output(0).type.shape;
  if (std::string why = describe_axes(x.type.shape, out, p); !why.empty()) return why;
  p.epilogue = epilogue_params(query, p.form, p.bias, p.columns * p.attrs.group, 1);
  const double taps = static_cast<double>(p.weights.element_count() / p.weights.extents()[0]);
  p.flops = 2 * typical_elements(query, x.type.shape) * taps;
  p.bytes = 4 * (typical_elements(query, out) + static_cast<double>(p.phases) * typical_elements(query, x.type.shape)) +
            static_cast<double>(p.weights.byte_count());
  return "";
}

// Kernel position of flat tap `t` of a phase; -1 where an axis has none: the weight is 0.
int64_t flat_kernel_position(const TransposeProblem& p, const std::vector<PhaseAxis>& phase, int64_t t) {
  int64_t position = 0, scale = 1;
  for (size_t i = phase.size(); i-- > 0;) {
    if (phase[i].taps.empty()) return -1;
    const auto count = static_cast<int64_t>(phase[i].taps.size());
    position += phase[i].taps[static_cast<size_t>(t % count)] * scale;
    t /= count;
    scale *= p.axes[i].kernel;
  }
  return position;
}

Tensor pack_phase(Isa isa, const TransposeProblem& p, const std::vector<PhaseAxis>& phase) {
  int64_t taps = 1, kernel = 1;
  for (size_t i = 0; i < phase.size(); ++i) {
    taps *= std::max<int64_t>(1, static_cast<int64_t>(phase[i].taps.size()));
    kernel *= p.axes[i].kernel;
  }
  const auto* w = p.weights.as<float>().data();
  return pack_panels(isa, p.attrs.group, p.columns, taps, p.channels, [&](int64_t g, int64_t n, int64_t t, int64_t c) {
    const int64_t position = flat_kernel_position(p, phase, t);
    return position < 0 ? 0.f : w[((g * p.channels + c) * p.columns + n) * kernel + position];
  });
}

GemmAttrs phase_attrs(const TransposeProblem& p, const std::vector<PhaseAxis>& phase, int64_t row_blocks) {
  GemmAttrs gemm;
  gemm.group = p.attrs.group;
  gemm.columns = p.columns;
  gemm.row_blocks = row_blocks;
  for (const PhaseAxis& axis : phase) {
    gemm.kernel.push_back(std::max<int64_t>(1, static_cast<int64_t>(axis.taps.size())));
    gemm.strides.push_back(1);
    gemm.dilations.push_back(axis.dilation);
    gemm.pads.push_back(axis.pad);
  }
  apply(p.epilogue, gemm);
  return gemm;
}

// The positions of `of` that a phase covers, on the axes that have the result's extent.
Operand phase_window(StepBuilder& builder, Operand of, const Shape& shape, const Shape& out,
                     const std::vector<PhaseAxis>& phase, const std::vector<WindowAxis>& axes) {
  for (size_t i = 0; i < phase.size(); ++i) {
    const int axis = shape.rank() - static_cast<int>(phase.size() - i), whole = static_cast<int>(i) + 2;
    if (axis < 0 || axes[i].stride == 1 || shape[axis] != out[whole]) continue;
    const Dim extent = ceil_div(out[whole] - Dim(phase[i].residue), axes[i].stride);
    of = builder.window(of, axis, phase[i].residue, extent, axes[i].stride);
  }
  return of;
}

// Two operations a multiply-add; taps that fall beside the input are counted.
Dim phase_flops(const TransposeProblem& p, const std::vector<PhaseAxis>& phase, const Shape& out) {
  Dim count = out[0] * out[1] * Dim(2 * p.channels);
  for (size_t i = 0; i < phase.size(); ++i)
    count = count * Dim(static_cast<int64_t>(phase[i].taps.size())) *
            ceil_div(out[static_cast<int>(i) + 2] - Dim(phase[i].residue), p.axes[i].stride);
  return count;
}

// fn(axes) for every phase.
template <class Fn>
void for_phases(const TransposeProblem& p, Fn fn) {
  for (int64_t index = 0; index < p.phases; ++index) {
    std::vector<PhaseAxis> phase(p.axes.size());
    int64_t rest = index;
    for (size_t i = p.axes.size(); i-- > 0; rest /= p.axes[i].stride)
      phase[i] = phase_axis(p.axes[i], rest % p.axes[i].stride);
    fn(phase);
  }
}

void emit_transpose(StepBuilder& builder, const Graph& graph, const Node& node, Isa isa, const TransposeProblem& p,
                    int64_t row_blocks) {
  const Shape out = graph.value(node.outputs[0]).type.shape;
  const Operand x = builder.input(operand_index(node, p.form.anchor_inputs[0])), y = builder.output(0);
  std::vector<Operand> extras;
  for (ValueId extra : p.epilogue.extras) extras.push_back(builder.input(operand_index(node, extra)));
  for_phases(p, [&](const std::vector<PhaseAxis>& phase) {
    for (size_t i = 0; i < phase.size(); ++i)
      if (const Dim extent = out[static_cast<int>(i) + 2]; extent.is_constant() && extent.value() <= phase[i].residue)
        return;
    std::vector<Operand> inputs = {x, builder.constant(pack_phase(isa, p, phase))};
    if (p.epilogue.bias.present())
      inputs.push_back(builder.constant(p.epilogue.bias.reshaped({p.epilogue.bias.element_count()})));
    for (size_t i = 0; i < extras.size(); ++i)
      inputs.push_back(
          phase_window(builder, extras[i], graph.value(p.epilogue.extras[i]).type.shape, out, phase, p.axes));
    builder.flops(phase_flops(p, phase, out));
    builder.step(StepKind::cpu, "igemm", attrs_of(phase_attrs(p, phase, row_blocks)), std::move(inputs),
                 {phase_window(builder, y, out, out, phase, p.axes)});
  });
}

void propose_transpose(const TacticQuery& query, CandidateSink& sink) {
  auto p = std::make_shared<TransposeProblem>();
  if (std::string why = describe_transpose(query, *p); !why.empty()) return sink.refuse("igemm_phases", std::move(why));
  const int64_t depth = std::max<int64_t>(
      1, p->channels * p->weights.element_count() / (p->weights.extents()[0] * p->columns * p->phases));
  const double rows = typical_elements(query, query.output(0).type.shape) /
                      static_cast<double>(p->phases * p->columns * p->attrs.group);
  double efficiency = 0.7;
  for (int64_t row_blocks : row_block_choices(query.isa, query.threads, rows, depth, p->columns)) {
    Candidate candidate;
    candidate.name = "igemm_phases.r" + std::to_string(row_blocks);
    candidate.inputs = operand_rules(query, p->form, p->epilogue);
    candidate.outputs = {LayoutRule::channels_last};
    candidate.strided_inputs = candidate.strided_output = true;
    candidate.estimated_us = estimate_us(query, p->flops, p->bytes, efficiency) + static_cast<double>(p->phases);
    efficiency -= 0.02;
    candidate.emit = [p, graph = &query.graph, node = &query.node, isa = query.isa, row_blocks](StepBuilder& builder) {
      emit_transpose(builder, *graph, *node, isa, *p, row_blocks);
    };
    sink.offer(std::move(candidate));
  }
}

}  // namespace

void register_conv_transpose(TacticTable& table) { table.add("conv_transpose", propose_transpose); }

}  // namespace planish::tactics::cpu
