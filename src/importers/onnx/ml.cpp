// Operators of domain ai.onnx.ml on numbers.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Columns of the last axis; a row becomes [1, n].
void import_array_feature_extractor(NodeContext& context) {
  const Shape& shape = context.type(0).shape;
  const Shape& wanted = context.type(1).shape;
  const ValueId x = shape.rank() == 1 ? unsqueezed(context, context.input(0), {0}) : context.input(0);
  const ValueId columns = reshaped(context, context.input(1), {wanted.element_count()});
  context.emit("gather", {x, columns}, {{"axis", int64_t{-1}}});
}

void import_binarizer(NodeContext& context) {
  const ValueId x = context.input(0), limit = context.scalar_like(x, context.get_or<double>("threshold", 0));
  context.emit("cast", {context.add("greater", {x, limit})}, {{"to", context.type(0).dtype}});
}

}  // namespace

void register_ml(ImporterTable& table) {
  table.add("ai.onnx.ml::ArrayFeatureExtractor", import_array_feature_extractor, 2);
  table.add("ai.onnx.ml::Binarizer", import_binarizer, 1);
}

}  // namespace planish::onnx
