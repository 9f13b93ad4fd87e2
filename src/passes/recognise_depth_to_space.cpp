// Blocks of channels spread over space, or space gathered into channels, in the form exporters write
// (x: [N, C, H, W], block b):
//   reshape(transpose(reshape(x, [N, C/b², b, b, H, W]), (0, 1, 4, 2, 5, 3)), [N, C/b², H b, W b])
//                                                                      -> depth_to_space(x, b, CRD)
//   reshape(transpose(reshape(x, [N, b, b, C/b², H, W]), (0, 3, 4, 1, 5, 2)), [N, C/b², H b, W b])
//                                                                      -> depth_to_space(x, b, DCR)
//   reshape(transpose(reshape(x, [N, C, H/b, b, W/b, b]), (0, 3, 5, 1, 2, 4)), [N, b² C, H/b, W/b])
//                                                                      -> space_to_depth(x, b)

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct BlockForm {
  const char* op;
  const char* mode;  // of depth_to_space
  std::vector<int64_t> perm;
  size_t block;  // axis of the inner shape that is b
};

std::vector<BlockForm> block_forms() {
  return {{"depth_to_space", "CRD", {0, 1, 4, 2, 5, 3}, 2},
          {"depth_to_space", "DCR", {0, 3, 4, 1, 5, 2}, 1},
          {"space_to_depth", "", {0, 3, 5, 1, 2, 4}, 3}};
}

// The shape that x is brought to before the transpose.
std::vector<Dim> split_dims(const BlockForm& form, const Shape& in, Dim b) {
  if (std::string_view(form.op) == "space_to_depth")
    return {in[0], in[1], floor_div(in[2], b), b, floor_div(in[3], b), b};
  const Dim channels = floor_div(in[1], b * b);
  if (std::string_view(form.mode) == "CRD") return {in[0], channels, b, b, in[2], in[3]};
  return {in[0], b, b, channels, in[2], in[3]};
}

bool recognise_block_move(Graph& graph, NodeId id, const std::vector<BlockForm>& forms) {
  const ValueId result = graph.node(id).outputs[0];
  const Match found =
      match(graph, result, op("reshape", {op("transpose", {op("reshape", {any().as("x")}).as("split")}).as("moved")}));
  if (!found) return false;
  const Shape &in = graph.value(found["x"]).type.shape, &split = graph.value(found["split"]).type.shape;
  if (in.rank() != 4 || split.rank() != 6) return false;
  const auto perm = graph.node(found.node("moved")).attrs.get_or<std::vector<int64_t>>("perm", {});
  for (const BlockForm& form : forms) {
    const Dim block = split[static_cast<int>(form.block)];
    if (perm != form.perm || !block.is_constant() || block.value() < 2 || block.value() > 64) continue;
    if (split.dims() != split_dims(form, in, block)) continue;
    Attrs attrs = {{"blocksize", block.value()}};
    if (*form.mode != 0) attrs.set("mode", std::string(form.mode));
    Patch patch(graph);
    const ValueId moved = add_op(patch, form.op, {found["x"]}, attrs);
    if (graph.value(moved).type != graph.value(result).type) return false;
    patch.replace(result, moved);
    patch.apply();
    return true;
  }
  return false;
}

}  // namespace

Pass recognise_depth_to_space() {
  return {"recognise_depth_to_space", [](Graph& graph) {
            const auto forms = block_forms();
            return sweep(graph, [&](Graph& g, NodeId id) {
              return g.node(id).op == "reshape" && recognise_block_move(g, id, forms);
            });
          }};
}

}  // namespace planish::passes
