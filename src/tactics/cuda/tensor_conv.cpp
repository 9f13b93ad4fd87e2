// Convolutions of images channels last on tensor cores.

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

std::string read_conv(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  const auto attrs = attrs_to<ConvAttrs>(form->anchor->attrs);
  const Value &x = query.graph.value(form->anchor_inputs[0]), &w = query.graph.value(form->anchor_inputs[1]);
  const Shape &in = x.type.shape, &out = query.output(0).type.shape;
  if (attrs.group != 1) return "groups";
  if (!w.is_constant()) return "the weights are not constant";
  if (in.rank() != 3 && in.rank() != 4) return "one or two spatial axes are accepted";
  const std::vector<int64_t>& filter = w.constant.extents();
  const bool line = in.rank() == 3;
  p.type = x.type.dtype, p.result = query.output(0).type.dtype, p.weights = w.constant;
  p.columns = filter[0], p.channels = filter[1];
  p.taps_h = line ? 1 : filter[2], p.taps_w = filter.back();
  p.channel_step = p.taps_h * p.taps_w, p.tap_step = 1, p.column_step = p.channels * p.channel_step;
  p.extents = {in[0], line ? Dim(1) : in[2], in[in.rank() - 1]};
  p.out_extents = {line ? Dim(1) : out[2], out[out.rank() - 1]};
  p.rows = in[0] * p.out_extents[0] * p.out_extents[1];
  for (size_t i = line ? 1 : 0; i < 2; ++i) {
    const size_t axis = line ? 0 : i;
    p.strides[i] = at_or(attrs.strides, axis, 1), p.dilations[i] = at_or(attrs.dilations, axis, 1);
    const Dim extent = p.extents[i + 1], result = p.out_extents[i];
    const bool same = attrs.auto_pad.starts_with("SAME");
    if (same && (!extent.is_constant() || !result.is_constant())) return "auto_pad with symbolic extents";
    const int64_t taps = i == 0 ? p.taps_h : p.taps_w;
    p.pads[i] = same ? window_axis(attrs, axis, extent.value(), result.value(), taps).pad
                     : pad_begin(attrs.auto_pad, attrs.pads, axis, {});
  }
  p.image = p.taps_h * p.taps_w > 1 || p.strides[0] * p.strides[1] > 1 || p.pads[0] + p.pads[1] > 0 ||
            p.out_extents[0] != p.extents[1] || p.out_extents[1] != p.extents[2];
  if (form->anchor_inputs.size() > 2 && form->anchor_inputs[2].valid()) {
    const Value& bias = query.graph.value(form->anchor_inputs[2]);
    if (!bias.is_constant()) return "the bias is not constant";
    p.bias = bias.constant;
  }
  p.operand = operand_index(query.node, form->anchor_inputs[0]);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::channels_last;
  if (std::string why = read_epilogue(query, *form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::channels_last;
  return refuse_product(query, p);
}

void propose_tensor_conv(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_conv(query, *product); !why.empty()) return sink.refuse("cuda.tensor", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_tensor_conv(TacticTable& table) { table.add("conv", propose_tensor_conv); }

}  // namespace planish::tactics::cuda
