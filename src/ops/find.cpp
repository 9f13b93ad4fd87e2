// Operators whose results have as many elements as the operands' elements say: nonzero, compress, unique,
// non_max_suppression.

#include "kernels/reference/find.h"

#include "ops/common/row.h"

namespace planish::ops {
namespace {

// X [d0, …] -> [rank, how many elements are not zero], their coordinates in row-major order
void nonzero_infer(InferContext& context) {
  const Dim count = context.data_dependent("nonzero", context.shape(0).element_count());
  context.output(0, DataType::i64, Shape{std::max(context.rank(0), 1), count});
}

// X, condition -> the slices of X along the axis (without one: its elements) at which the condition holds
void compress_infer(InferContext& context) {
  const auto attrs = context.attrs<CompressAttrs>();
  context.require_rank(1, 1, 1);
  context.require_dtype(1, kBooleans);
  if (attrs.axis == kNoAxis) {
    const Dim count = context.data_dependent("kept", context.shape(0).element_count());
    return context.output(0, context.dtype(0), Shape{count});
  }
  const int axis = normalize_axis(attrs.axis, context.rank(0));
  std::vector<Dim> dims = context.shape(0).dims();
  dims[static_cast<size_t>(axis)] = context.data_dependent("kept", dims[static_cast<size_t>(axis)]);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// X -> Y, the slices along the axis (without one: the elements) that differ; where each of them is in X first; which
// of Y each slice of X is; how many there are of each
void unique_infer(InferContext& context) {
  const auto attrs = context.attrs<UniqueAttrs>();
  context.require_flag("sorted", attrs.sorted);
  std::vector<Dim> dims = {context.shape(0).element_count()};
  size_t axis = 0;
  if (attrs.axis != kNoAxis) {
    axis = static_cast<size_t>(normalize_axis(attrs.axis, context.rank(0)));
    dims = context.shape(0).dims();
  }
  const Dim whole = dims[axis], count = context.data_dependent("unique", whole);
  dims[axis] = count;
  const TensorType types[] = {{context.dtype(0), Shape(std::move(dims))},
                              {DataType::i64, Shape{count}},
                              {DataType::i64, Shape{whole}},
                              {DataType::i64, Shape{count}}};
  for (size_t i = 0; i < context.node().outputs.size(); ++i) context.output(i, types[i]);
}

// boxes [batches, n, 4], scores [batches, classes, n], most per class?, IoU threshold?, score threshold? -> [kept, 3]
void nms_infer(InferContext& context) {
  const int64_t center = context.attrs<NonMaxSuppressionAttrs>().center_point_box;
  context.require_flag("center_point_box", center);
  context.require_rank(0, 3, 3);
  context.require_rank(1, 3, 3);
  const Shape &boxes = context.shape(0), &scores = context.shape(1);
  if (!context.assume_equal(boxes[2], 4) || !context.assume_equal(boxes[0], scores[0]) ||
      !context.assume_equal(boxes[1], scores[2]))
    fail(Code::invalid_model, "boxes {} and scores {}; [batches, n, 4] and [batches, classes, n] are accepted",
         boxes.str(), scores.str());
  context.require_dtype(0, kFloats);
  context.require_same_dtype(0, 1);
  for (size_t i : {2, 3, 4})
    if (context.has_input(i)) context.require_one_element(i);
  const Dim kept = context.data_dependent("kept", scores.element_count());
  context.output(0, DataType::i64, Shape{kept, 3});
}

}  // namespace

void register_find(OpTable& table) {
  table.add(op_row("nonzero", 1, 1, check_attrs_as<NoAttrs>, nonzero_infer, elements_of_first));
  table.add(op_row("compress", 2, 2, check_attrs_as<CompressAttrs>, compress_infer, elements_of_first));
  OpDef unique = op_row("unique", 1, 1, check_attrs_as<UniqueAttrs>, unique_infer, elements_of_first);
  unique.outputs = -1;
  table.add(std::move(unique));
  table.add(op_row("non_max_suppression", 2, 5, check_attrs_as<NonMaxSuppressionAttrs>, nms_infer, elements_of_first));
}

}  // namespace planish::ops
