// Operators that read or write where indices say: gather, scatter and their forms by element and by position.

#include <algorithm>

#include "kernels/reference/move.h"
#include "ops/common/move_row.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

// Indices that are known lie in [-extent, extent).
void check_indices(const InferContext& context, Dim extent) {
  context.require_dtype(1, kIndices);
  const auto known = context.contents(1);
  if (!known || !extent.is_constant()) return;
  for (Dim index : *known)
    if (index.is_constant() && (index.value() < -extent.value() || index.value() >= extent.value()))
      fail(Code::invalid_model, "index {} into an extent of {}", index.value(), extent.value());
}

void gather_infer(InferContext& context) {
  const int axis = normalize_axis(context.attrs<MoveAxisAttrs>().axis, context.rank(0));
  check_indices(context, context.shape(0)[axis]);
  std::vector<Dim> dims = context.shape(0).dims();
  dims.erase(dims.begin() + axis);
  dims.insert(dims.begin() + axis, context.shape(1).begin(), context.shape(1).end());
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  const auto known = context.contents(0), indices = context.contents(1);
  if (!known || !indices || context.rank(0) != 1) return;
  std::vector<Dim> picked;
  for (Dim index : *indices) {
    if (!index.is_constant()) return;
    picked.push_back((*known)[static_cast<size_t>(normalize_axis(index.value(), static_cast<int>(known->size())))]);
  }
  context.output_contents(0, std::move(picked));
}

// Indices name a position along `axis`; along the others they stay inside the data.
void check_element_indices(const InferContext& context, int64_t named) {
  const Shape &data = context.shape(0), &indices = context.shape(1);
  const int axis = normalize_axis(named, data.rank());
  context.require_rank(1, data.rank(), data.rank());
  check_indices(context, data[axis]);
  for (int i = 0; i < data.rank(); ++i)
    if (i != axis && data[i].is_constant() && indices[i].is_constant() && indices[i].value() > data[i].value())
      fail(Code::invalid_model, "indices {} into {} along axis {}: {} where at most {} is accepted", indices.str(),
           data.str(), axis, indices[i].value(), data[i].value());
}

void gather_elements_infer(InferContext& context) {
  check_element_indices(context, context.attrs<MoveAxisAttrs>().axis);
  context.output(0, context.dtype(0), context.shape(1));
}

// The last axis of indices is a position in the first axes of data; what it names has the shape of the others.
Shape nd_result(const InferContext& context, int64_t batch) {
  const Shape &data = context.shape(0), &indices = context.shape(1);
  context.require_rank(1, 1);
  context.require_dtype(1, kIndices);
  if (batch < 0 || batch >= std::min(indices.rank(), data.rank()))
    fail(Code::invalid_model, "attribute 'batch_dims' is {} for {} into {}", batch, indices.str(), data.str());
  const Dim depth = indices[indices.rank() - 1];
  if (!depth.is_constant()) fail(Code::unsupported, "indices {}; a fixed last extent is accepted", indices.str());
  if (depth.value() < 1 || depth.value() > data.rank() - batch)
    fail(Code::invalid_model, "indices {} into {}: a last extent of 1 to {} is accepted", indices.str(), data.str(),
         data.rank() - batch);
  for (int i = 0; i < batch; ++i)
    if (!context.assume_equal(data[i], indices[i]))
      fail(Code::invalid_model, "indices {} into {} in {} batch axes", indices.str(), data.str(), batch);
  std::vector<Dim> dims(indices.begin(), indices.end() - 1);
  dims.insert(dims.end(), data.begin() + batch + depth.value(), data.end());
  return Shape(std::move(dims));
}

void gather_nd_infer(InferContext& context) {
  context.output(0, context.dtype(0), nd_result(context, context.attrs<GatherNdAttrs>().batch_dims));
}

void check_updates(const InferContext& context, const std::string& reduction, const Shape& accepted) {
  context.require_choice("reduction", reduction, {"none", "add", "mul", "max", "min"});
  context.require_same_dtype(0, 2);
  if (reduction != "none") context.require_dtype(0, kComputed);
  context.require_shape(2, accepted);
}

void scatter_elements_infer(InferContext& context) {
  const auto attrs = context.attrs<ScatterAttrs>();
  check_element_indices(context, attrs.axis);
  check_updates(context, attrs.reduction, context.shape(1));
  context.output(0, context.input(0));
}

void scatter_nd_infer(InferContext& context) {
  check_updates(context, context.attrs<ScatterAttrs>().reduction, nd_result(context, 0));
  context.output(0, context.input(0));
}

const MoveRow kGatherRows[] = {
    {"gather", 2, 2, 1, check_attrs_as<MoveAxisAttrs>, gather_infer, false, {"data", "indices"}},
    {"gather_elements", 2, 2, 1, check_attrs_as<MoveAxisAttrs>, gather_elements_infer, false, {"data", "indices"}},
    {"gather_nd", 2, 2, 1, check_attrs_as<GatherNdAttrs>, gather_nd_infer, false, {"data", "indices"}},
    {"scatter_nd", 3, 3, 1, check_attrs_as<ScatterAttrs>, scatter_nd_infer, false, {"data", "indices", "updates"}},
    {"scatter_elements",
     3,
     3,
     1,
     check_attrs_as<ScatterAttrs>,
     scatter_elements_infer,
     false,
     {"data", "indices", "updates"}},
};

}  // namespace

void register_gather(OpTable& table) { add_moves(table, kGatherRows); }

}  // namespace planish::ops
