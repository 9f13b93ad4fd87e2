// Squeeze and excite behind a depthwise convolution, of halves:
//   y = conv(x), s = conv1x1(conv1x1(global_average_pool(y)))  ->  y, s = fused(…)
// each conv with its epilogue: the kernel of the depthwise convolution sums what it stores, another makes factors of
// the sums.

#include "kernels/reference/conv.h"

#include "passes/common/fusion.h"
#include "passes/common/product_node.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr int64_t kSqueezeRun = 8, kMostTaps = 5, kMostStride = 4, kMostDilation = 2, kMostChannels = 4096;

bool all_equal_up_to(const std::vector<int64_t>& values, int64_t most) {
  return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == values[0] && v <= most; });
}

bool is_depthwise(const Graph& graph, NodeId id) {
  const auto product = conv_product(graph, id);
  if (!product || product->others > 0) return false;
  const auto& filter = graph.value(graph.node(id).inputs[1]).constant.extents();
  const auto attrs = attrs_to<ConvAttrs>(product->anchor->attrs);
  const Shape &x = graph.value(graph.node(id).inputs[0]).type.shape,
              &y = graph.value(graph.node(id).outputs[0]).type.shape;
  const bool known =
      x[1].is_constant() && x[2].is_constant() && x[3].is_constant() && y[2].is_constant() && y[3].is_constant();
  return known && x[1] == Dim(filter[0]) && attrs.group == filter[0] && filter[1] == 1 &&
         filter[0] % kSqueezeRun == 0 && filter[0] <= kMostChannels && filter[2] <= kMostTaps &&
         filter[3] <= kMostTaps && all_equal_up_to(attrs.strides, kMostStride) &&
         all_equal_up_to(attrs.dilations, kMostDilation);
}

// The one user of a node's result, if that is a product of one tap with constants alone behind it.
std::optional<NodeId> next_product(const Graph& graph, NodeId from) {
  const ValueId result = graph.node(from).outputs[0];
  if (!is_private(graph, result)) return std::nullopt;
  const NodeId user = graph.users(result)[0];
  const auto product = one_pixel_product(graph, user);
  const bool fits =
      product && product->others == 0 && product->columns <= kMostChannels && graph.node(user).inputs[0] == result;
  return fits ? std::optional(user) : std::nullopt;
}

bool fuse_squeeze_of(Graph& graph, NodeId id) {
  if (graph.node(id).op != "global_average_pool") return false;
  const NodeId depthwise = graph.value(graph.node(id).inputs[0]).producer;
  if (!depthwise.valid() || !is_depthwise(graph, depthwise)) return false;
  const auto first = next_product(graph, id);
  const auto second = first ? next_product(graph, *first) : std::nullopt;
  if (!second ||
      graph.value(graph.node(*second).outputs[0]).type.shape[1] != graph.value(graph.node(id).outputs[0]).type.shape[1])
    return false;
  fuse(graph, {depthwise, id, *first, *second});
  return true;
}

}  // namespace

Pass fuse_squeeze() {
  return {"fuse_squeeze", [](Graph& graph) {
            const bool changed = sweep(graph, fuse_squeeze_of);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
