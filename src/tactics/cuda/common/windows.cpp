#include "tactics/cuda/common/windows.h"

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostElements = INT32_MAX;

Dim window_pad(const Windows& p, size_t i) {
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

}  // namespace

std::string read_conv_windows(const TacticQuery& query, Windows& p) {
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
  return "";
}

}  // namespace planish::tactics::cuda
