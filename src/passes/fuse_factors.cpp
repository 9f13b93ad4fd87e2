// conv1x1(x * s) with s of one element a channel and image -> fused(mul, conv1x1 with its epilogue), of halves: kernels
// of products multiply what they read.

#include "kernels/reference/conv.h"

#include "passes/common/fusion.h"
#include "passes/common/product_node.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr int64_t kFactorRun = 8;  // channels that kernels read at once

// [N, C, H, W] and [N, C, 1, 1]
bool are_image_and_factors(const Graph& graph, ValueId image, ValueId factors) {
  const TensorType &x = graph.value(image).type, &s = graph.value(factors).type;
  if (x.dtype != DataType::f16 || s.dtype != DataType::f16 || x.shape.rank() != 4 || s.shape.rank() != 4) return false;
  return s.shape[0] == x.shape[0] && s.shape[1] == x.shape[1] && s.shape[2] == Dim(1) && s.shape[3] == Dim(1) &&
         !graph.value(image).is_constant() && !graph.value(factors).is_constant();
}

bool multiplies_channels(const Graph& graph, const Node& mul) {
  const TensorType& type = graph.value(mul.outputs[0]).type;
  return mul.op == "mul" && is_private(graph, mul.outputs[0]) && type.shape.rank() == 4 &&
         type.shape[1].is_constant() && type.shape[1].value() % kFactorRun == 0 &&
         (are_image_and_factors(graph, mul.inputs[0], mul.inputs[1]) ||
          are_image_and_factors(graph, mul.inputs[1], mul.inputs[0]));
}

bool fuse_factor(Graph& graph, NodeId id) {
  const std::optional<ProductNode> product = one_pixel_product(graph, id);
  if (!product || product->columns % kFactorRun != 0 || product->others > 1) return false;
  const NodeId factor = graph.value(graph.node(id).inputs[0]).producer;
  if (!factor.valid() || !multiplies_channels(graph, graph.node(factor))) return false;
  fuse(graph, {factor, id});
  return true;
}

}  // namespace

Pass fuse_factors() {
  return {"fuse_factors", [](Graph& graph) {
            const bool changed = sweep(graph, fuse_factor);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
