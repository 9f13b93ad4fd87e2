// Convolutions of any shape on ordinary cores, with any epilogue.

#include "kernels/reference/conv.h"

#include <algorithm>

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kConvTera = 8, kTeraOfPixels = 1;
constexpr int64_t kConvTile = 64, kFewChannels = 8;
constexpr int64_t kMostElements = INT32_MAX;

struct ConvProblem {
  EpilogueForm form;
  ConvAttrs attrs;
  Epilogue epilogue;
  std::vector<size_t> operands;  // x, w, bias? as operands of the node
  Shape x, w, y;
  std::vector<Dim> stride, dilation, pad;
  bool transposed = false;
};

Dim window_pad(const ConvProblem& p, size_t i) {
  const auto at = static_cast<int>(i) + 2;
  const bool same = p.attrs.auto_pad.starts_with("SAME");
  if (!same && (!p.transposed || p.attrs.output_shape.empty()))
    return p.attrs.auto_pad == "VALID" ? 0 : at_or(p.attrs.pads, i, 0);
  const Dim stride = p.stride[i], reach = (p.w[at] - Dim(1)) * p.dilation[i] + Dim(1);
  const Dim total =
      p.transposed
          ? max(Dim(0), (p.x[at] - Dim(1)) * stride + Dim(at_or(p.attrs.output_padding, i, 0)) + reach - p.y[at])
          : max(Dim(0), (p.y[at] - Dim(1)) * stride + reach - p.x[at]);
  const Dim half = floor_div(total, Dim(2));
  const bool upper = p.attrs.auto_pad == "SAME_UPPER";
  return upper ? half : total - half;
}

std::string read_problem(const TacticQuery& query, ConvProblem& p) {
  auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  p.form = std::move(*form);
  p.transposed = p.form.anchor->op == "conv_transpose";
  p.attrs = attrs_to<ConvAttrs>(p.form.anchor->attrs);
  for (size_t i = 0; i < p.form.anchor_inputs.size() && i < 3; ++i) {
    if (!p.form.anchor_inputs[i].valid()) continue;
    const TensorType& type = query.graph.value(p.form.anchor_inputs[i]).type;
    if (!is_float(type.dtype) || device_type(type.dtype).empty()) return "an operand is " + type.str();
    p.operands.push_back(operand_index(query.node, p.form.anchor_inputs[i]));
  }
  p.x = query.graph.value(p.form.anchor_inputs[0]).type.shape;
  p.w = query.graph.value(p.form.anchor_inputs[1]).type.shape;
  p.y = query.output(0).type.shape;
  if (p.x.rank() < 3 || p.x.rank() > 5) return "one to three spatial axes are accepted";
  for (const Shape* shape : {&p.x, &p.w, &p.y})
    if (shape->element_count().upper_bound(query.graph.symbols) > kMostElements) return "2^31 elements or more";
  for (size_t i = 0; i + 2 < static_cast<size_t>(p.x.rank()); ++i) {
    p.stride.push_back(at_or(p.attrs.strides, i, 1));
    p.dilation.push_back(at_or(p.attrs.dilations, i, 1));
    p.pad.push_back(window_pad(p, i));
  }
  if (std::string why = refuse_types(query); !why.empty()) return why;
  p.epilogue = epilogue_of(query, p.form);
  return p.epilogue.refusal;
}

Launch launch_of(const TacticQuery& query, const ConvProblem& p, const std::string& kernel) {
  Launch launch;
  launch.kernel = kernel;
  launch.source = p.epilogue.source + fmt::format("#include \"{}.cuh\"\n", kernel);
  const bool biased = p.operands.size() > 2;
  launch.options = {define("SPATIAL", p.x.rank() - 2),
                    define("TYPE_X", device_type(query.input(p.operands[0]).type.dtype)),
                    define("TYPE_W", device_type(query.input(p.operands[1]).type.dtype)),
                    define("TYPE_Y", device_type(query.output(0).type.dtype)), define("HAS_BIAS", biased ? 1 : 0)};
  if (biased) launch.options.push_back(define("TYPE_B", device_type(query.input(p.operands[2]).type.dtype)));
  launch.arguments = {"view:i0", "view:i1", "view:o0"};
  if (biased) launch.arguments.push_back("view:i2");
  launch.three(p.stride);
  launch.three(p.dilation);
  std::vector<Dim> pad = p.pad;
  pad.resize(3, Dim(0));
  launch.three(pad);
  return launch;
}

void offer_conv(const TacticQuery& query, CandidateSink& sink, const ConvProblem& p, Launch launch, double tera) {
  add_extras(p.epilogue, p.operands.size(), launch);
  std::vector<size_t> operands = p.operands;
  operands.insert(operands.end(), p.epilogue.extras.begin(), p.epilogue.extras.end());
  double flops = 2 * typical_elements(query, p.transposed ? p.x : p.y);
  for (int i = 1; i < p.w.rank(); ++i) flops *= static_cast<double>(query.typical(p.w)[static_cast<size_t>(i)]);
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda." + launch.kernel;
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.inputs[p.operands[0]] = LayoutRule::channels_last;
  candidate.outputs = {LayoutRule::channels_last};
  candidate.strided_inputs = candidate.strided_output = true;
  candidate.estimated_us = estimate_us(query, flops, tera);
  candidate.emit = [launch, operands, arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t operand : operands) inputs.push_back(builder.input(operand));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_conv(const TacticQuery& query, CandidateSink& sink) {
  ConvProblem p;
  if (std::string why = read_problem(query, p); !why.empty()) return sink.refuse("cuda.direct_conv", std::move(why));
  const Dim count = p.y.element_count();
  const bool few = p.transposed || query.typical(p.w)[1] < kFewChannels;
  if (few) {
    Launch launch = launch_of(query, p, "pixel_conv");
    launch.options.push_back(define("TRANSPOSED", p.transposed ? 1 : 0));
    launch.integer(p.attrs.group);
    launch.wide(count);
    launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
    offer_conv(query, sink, p, std::move(launch), kTeraOfPixels);
  }
  if (p.transposed) return;
  Launch launch = launch_of(query, p, "direct_conv");
  const Dim filters = floor_div(p.y[1], Dim(p.attrs.group)), positions = floor_div(count, p.y[1]);
  launch.grid = {ceil_div(positions, Dim(kConvTile)), ceil_div(filters, Dim(kConvTile)), p.attrs.group};
  if (filters.upper_bound(query.graph.symbols) > kConvTile * 65535 || p.attrs.group > 65535)
    return sink.refuse("cuda.direct_conv", "too many filters or groups");
  const double idle = few ? 0.1 : 1;
  offer_conv(query, sink, p, std::move(launch), kConvTera * idle);
}

}  // namespace

void register_conv(TacticTable& table) {
  table.add("conv", propose_conv);
  table.add("conv_transpose", propose_conv);
}

}  // namespace planish::tactics::cuda
