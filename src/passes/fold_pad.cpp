// Padding with constants, into the window of what reads it (p: pads of `pad`, q: pads of the reader):
//   conv(pad(x, p, 0), pads=q)                  -> conv(x, pads=p+q)
//   average_pool(pad(x, p, 0), pads=q)          -> average_pool(x, pads=p+q, count_include_pad=1)
//                                                  where q = 0 or padding is counted already
//   max_pool(pad(x, p, -inf), pads=q)           -> max_pool(x, pads=p+q)
//   max_pool(pad(x, p, 0), pads=q), x >= 0      -> max_pool(x, pads=p+q)    where every window meets x
// p is on spatial axes only and not negative.

#include <algorithm>
#include <limits>

#include "ir/patch.h"
#include "kernels/reference/conv.h"
#include "kernels/reference/move.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct SpatialPad {
  std::vector<int64_t> pads;  // begins of the spatial axes, then their ends
  double value = 0;
};

// What a `pad` node adds, when it adds a constant around spatial axes and takes nothing away.
std::optional<SpatialPad> spatial_pad_of(const Graph& graph, const Node& node) {
  if (node.op != "pad" || attrs_to<PadAttrs>(node.attrs).mode != "constant") return std::nullopt;
  const int rank = graph.value(node.inputs[0]).type.shape.rank();
  const auto given = ints_of(graph, node, 1);
  const bool has_value = node.inputs.size() > 2 && node.inputs[2].valid(),
             has_axes = node.inputs.size() > 3 && node.inputs[3].valid();
  const auto value = has_value ? scalar_of(graph, node.inputs[2]) : std::optional(0.0);
  std::optional<std::vector<int64_t>> axes = std::vector<int64_t>{};
  for (int i = 0; i < rank && !has_axes; ++i) axes->push_back(i);
  if (has_axes) axes = ints_of(graph, node, 3);
  if (rank < 3 || !given || !value || !axes || given->size() != 2 * axes->size()) return std::nullopt;
  const auto spatial = static_cast<size_t>(rank) - 2;
  SpatialPad pad{std::vector<int64_t>(2 * spatial, 0), *value};
  for (size_t i = 0; i < axes->size(); ++i) {
    const int axis = normalize_axis((*axes)[i], rank);
    const int64_t begin = (*given)[i], end = (*given)[i + axes->size()];
    if (begin < 0 || end < 0 || (axis < 2 && (begin != 0 || end != 0))) return std::nullopt;
    if (axis < 2) continue;
    pad.pads[static_cast<size_t>(axis) - 2] += begin;
    pad.pads[static_cast<size_t>(axis) - 2 + spatial] += end;
  }
  return pad;
}

bool sets_own_pads(const std::string& auto_pad) { return auto_pad == "NOTSET" || auto_pad == "VALID"; }

// p + q; `auto_pad` VALID means q = 0.
std::vector<int64_t> summed_pads(const SpatialPad& pad, const std::string& auto_pad, const std::vector<int64_t>& own) {
  std::vector<int64_t> sum = pad.pads;
  for (size_t i = 0; i < sum.size() && auto_pad != "VALID"; ++i) sum[i] += at_or(own, i, 0);
  return sum;
}

bool is_never_negative(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid()) return false;
  const Node& node = graph.node(producer);
  for (const char* op : {"relu", "sigmoid", "hard_sigmoid", "softmax", "abs", "exp", "softplus"})
    if (node.op == op) return true;
  const auto bound = node.op == "max" && node.inputs.size() == 2 ? scalar_of(graph, node.inputs[1]) : std::nullopt;
  return bound && *bound >= 0;
}

// No window lies in the padding alone.
bool windows_meet_data(const PoolAttrs& attrs, const std::vector<int64_t>& pads) {
  for (size_t i = 0; i < pads.size(); ++i)
    if (pads[i] >= attrs.kernel_shape[i % attrs.kernel_shape.size()]) return false;
  return std::all_of(attrs.dilations.begin(), attrs.dilations.end(), [](int64_t d) { return d == 1; });
}

std::optional<Attrs> padded_conv(const Node& node, const SpatialPad& pad) {
  auto attrs = attrs_to<ConvAttrs>(node.attrs);
  if (pad.value != 0 || !sets_own_pads(attrs.auto_pad)) return std::nullopt;
  Attrs changed = node.attrs;
  changed.set("pads", summed_pads(pad, attrs.auto_pad, attrs.pads));
  changed.erase("auto_pad");
  return changed;
}

std::optional<Attrs> padded_pool(const Graph& graph, const Node& node, const SpatialPad& pad, ValueId x) {
  const auto attrs = attrs_to<PoolAttrs>(node.attrs);
  if (!sets_own_pads(attrs.auto_pad) || attrs.ceil_mode != 0 || node.outputs.size() > 1) return std::nullopt;
  const auto pads = summed_pads(pad, attrs.auto_pad, attrs.pads);
  if (!windows_meet_data(attrs, pads)) return std::nullopt;
  Attrs changed = node.attrs;
  changed.set("pads", pads);
  changed.erase("auto_pad");
  if (node.op == "max_pool") {
    const bool lowest = pad.value <= -std::numeric_limits<float>::max();
    return lowest || (pad.value == 0 && is_never_negative(graph, x)) ? std::optional(changed) : std::nullopt;
  }
  const bool counted = attrs.count_include_pad != 0 || pads == pad.pads;
  if (pad.value != 0 || !counted) return std::nullopt;
  changed.set("count_include_pad", int64_t{1});
  return changed;
}

bool fold_into_reader(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool conv = node.op == "conv", pool = node.op == "max_pool" || node.op == "average_pool";
  if ((!conv && !pool) || !graph.value(node.inputs[0]).producer.valid()) return false;
  const Node& padding = graph.node(graph.value(node.inputs[0]).producer);
  const auto pad = spatial_pad_of(graph, padding);
  if (!pad) return false;
  const ValueId x = padding.inputs[0];
  const auto attrs = conv ? padded_conv(node, *pad) : padded_pool(graph, node, *pad, x);
  if (!attrs) return false;
  std::vector<ValueId> inputs = node.inputs;
  inputs[0] = x;
  Patch patch(graph);
  const ValueId result = add_op(patch, node.op, std::move(inputs), *attrs);
  if (graph.value(result).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], result);
  patch.apply();
  return true;
}

}  // namespace

Pass fold_pad() {
  return {"fold_pad", [](Graph& graph) { return until_settled(graph, fold_into_reader); }};
}

}  // namespace planish::passes
