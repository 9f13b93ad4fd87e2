// padded_nms {score_threshold, iou_threshold, …}: non-maximum suppression with a fixed number of rows, as plugins of
// detectors define it.

#include "kernels/reference/padded_nms.h"

#include <cmath>

#include "ops/common/row.h"

namespace planish::ops {
namespace {

constexpr int64_t kMostRows = 1 << 20;

// Boxes [N, P, 1 or C, 4], scores [N, P, C] -> count [N, 1], boxes [N, K, 4], scores [N, K], classes [N, K], which [N,
// K]
void padded_nms_infer(InferContext& context) {
  const auto attrs = context.attrs<PaddedNmsAttrs>();
  for (const auto& [name, flag] :
       {std::pair{"inclusive", attrs.inclusive}, {"class_agnostic", attrs.class_agnostic}, {"pixels", attrs.pixels}})
    context.require_flag(name, flag);
  if (attrs.keep < 1 || attrs.keep > kMostRows)
    fail(Code::invalid_model, "attribute 'keep' is {}; 1 to {} is accepted", attrs.keep, kMostRows);
  for (const auto& [name, value] :
       {std::pair{"score_threshold", attrs.score_threshold}, {"iou_threshold", attrs.iou_threshold}})
    if (std::isnan(value)) fail(Code::invalid_model, "attribute '{}' is not a number", name);
  for (size_t i : {0, 1}) context.require_dtype(i, kFloats);
  context.require_rank(0, 4, 4);
  context.require_rank(1, 3, 3);
  const Shape &boxes = context.shape(0), &scores = context.shape(1);
  const Dim groups = boxes[2] == Dim(1) ? Dim(1) : scores[2];
  context.require_shape(0, Shape{boxes[0], boxes[1], groups, 4});
  context.require_shape(1, Shape{boxes[0], boxes[1], scores[2]});
  context.output(0, DataType::i32, Shape{boxes[0], 1});
  context.output(1, context.dtype(0), Shape{boxes[0], attrs.keep, 4});
  context.output(2, context.dtype(1), Shape{boxes[0], attrs.keep});
  for (size_t i : {3, 4}) context.output(i, DataType::i32, Shape{boxes[0], attrs.keep});
}

}  // namespace

void register_padded_nms(OpTable& table) {
  OpDef def = op_row("padded_nms", 2, 2, check_attrs_as<PaddedNmsAttrs>, padded_nms_infer, elements_of_first);
  def.operand_names = {"boxes", "scores"};
  def.outputs = 5;
  table.add(std::move(def));
}

}  // namespace planish::ops
