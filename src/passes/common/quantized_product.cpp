#include "passes/common/quantized_product.h"

#include "passes/common/values.h"

namespace planish::passes {
namespace {

// So many products of 255 by 255 are summed in 32 bits.
constexpr int64_t kMostDepth = 0x7fffffff / (255 * 255);
constexpr int64_t kLeastGroup = 8;  // channels of a group
constexpr int64_t kMostDepthwiseTaps = 256;

std::string refuse_windows(const Graph& graph, const Node& conv, const Shape& weights, ProductExtents& extents) {
  if (weights.rank() < 3 || weights.rank() > 5) return "one to three spatial axes are accepted";
  const int64_t group = conv.attrs.get_or<int64_t>("group", 1), channels = weights[1].value();
  const auto pad = conv.attrs.get_or<std::string>("auto_pad", "NOTSET");
  const bool pads_known = pad == "NOTSET" || pad == "VALID" || pad.empty();
  if (!pads_known && !graph.value(conv.inputs[0]).type.shape.is_static())
    return "auto_pad of an input of dynamic extents";
  extents.depth = 1;
  for (int i = 1; i < weights.rank(); ++i) extents.depth *= weights[i].value();
  const bool depthwise = channels == 1 && weights[0] == Dim(group) && extents.depth <= kMostDepthwiseTaps;
  if (group != 1 && channels < kLeastGroup && !depthwise)
    return fmt::format("groups of {} channels; 1 or at least {} are accepted", channels, kLeastGroup);
  return {};
}

}  // namespace

std::string refuse_numbers(const Graph& graph, const Node& product, ProductExtents& extents) {
  if (product.op != "conv" && product.op != "matmul") return "no product of constant weights";
  const Shape& weights = graph.value(product.inputs[1]).type.shape;
  if (!weights.is_static()) return "the weights' extents are dynamic";
  extents = {};
  if (product.op == "conv") {
    if (std::string why = refuse_windows(graph, product, weights, extents); !why.empty()) return why;
  } else {
    if (weights.rank() != 2 || graph.value(product.inputs[0]).type.shape.rank() < 2) return "no matrix [K, N]";
    extents = {1, weights[0].value()};
  }
  if (extents.depth < 1 || extents.depth > kMostDepth)
    return fmt::format("{} products in a sum; 1 to {} are accepted", extents.depth, kMostDepth);
  const bool has_bias = product.inputs.size() > 2 && product.inputs[2].valid();
  return has_bias && !is_float_constant(graph, product.inputs[2]) ? "the bias is computed" : "";
}

}  // namespace planish::passes
