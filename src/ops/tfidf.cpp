#include "kernels/reference/tfidf.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

void tfidf_infer(InferContext& context) {
  context.require_rank(0, 1, 2);
  context.require_dtype(0, kIndices);
  std::vector<Dim> dims = context.shape(0).dims();
  dims.back() = tfidf_width(context.attrs<TfIdfAttrs>(), Code::invalid_model);
  context.output(0, DataType::f32, Shape(std::move(dims)));
}

}  // namespace

void register_tfidf(OpTable& table) {
  OpDef def;
  def.name = "tfidf_vectorizer";
  def.operand_names = {"X"};
  def.check_attrs = check_attrs_as<TfIdfAttrs>;
  def.infer = tfidf_infer;
  table.add(std::move(def));
}

}  // namespace planish::ops
