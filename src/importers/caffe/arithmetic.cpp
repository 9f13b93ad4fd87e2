// Layers that add and multiply blobs, or blobs and what was learned.

#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

// [a, b] at axes 1 and 2 of rank 5 -> [a, b, 1, 1], beside which NumPy's rules of broadcasting do what Caffe does
std::vector<Dim> beside(const Shape& shape, int axis, int rank) {
  std::vector<Dim> dims(shape.begin(), shape.end());
  for (int i = axis + shape.rank(); i < rank; ++i) dims.emplace_back(1);
  return dims;
}

// Where a second factor or term lies: its first axis in bottom 0, and its extents.
struct Span {
  int axis = 0;
  Shape shape;
};

// What is learned spans num_axes axes of bottom 0 from `axis` on, -1: all that follow.
Span learned_span(LayerContext& context, const text::Message& param) {
  const int rank = context.rank(0), axis = context.axis(param.integer("axis", 1), rank);
  const int64_t count = param.integer("num_axes", 1), end = count < 0 ? rank : axis + count;
  if (count < -1 || end > rank)
    fail(Code::invalid_model, "num_axes is {} from axis {} of {}", count, axis, context.type(0).str());
  return {axis, Shape(std::vector<Dim>(context.shape(0).begin() + axis, context.shape(0).begin() + end))};
}

// Bottom 1 begins at `axis` of bottom 0; a scalar anywhere.
Span given_span(LayerContext& context, const text::Message& param) {
  const Shape &x = context.shape(0), &shape = context.shape(1);
  const int axis = shape.rank() == 0 ? 0 : context.axis(param.integer("axis", 1), x.rank());
  bool fits = axis + shape.rank() <= x.rank();
  for (int i = 0; fits && i < shape.rank(); ++i)
    fits = !shape[i].is_constant() || !x[axis + i].is_constant() || shape[i] == x[axis + i];
  if (!fits)
    fail(Code::invalid_model, "bottom 1 is {}; extents of {} from axis {} on are accepted", context.type(1).str(),
         context.type(0).str(), axis);
  return {axis, shape};
}

ValueId learned_beside(LayerContext& context, const Span& span, size_t blob, Made made) {
  std::vector<int64_t> extents;
  for (Dim extent : span.shape) {
    if (!extent.is_constant())
      fail(Code::unsupported, "an extent of {} that is learned for; a fixed one is accepted", extent.str());
    extents.push_back(extent.value());
  }
  const auto wanted = Shape(beside(span.shape, span.axis, context.rank(0))).extents();
  return context.constant(context.blob_tensor(blob, extents, made).reshaped(wanted));
}

ValueId given_beside(LayerContext& context, const Span& span) {
  return reshaped(context, context.input(1), beside(span.shape, span.axis, context.rank(0)));
}

// x * scale + bias; the scale is bottom 1 or learned, the bias is learned
void import_scale(LayerContext& context) {
  const text::Message& param = context.param("scale_param");
  const bool biased = param.flag("bias_term"), given = context.has_input(1);
  const size_t blobs = (given ? 0 : 1) + (biased ? 1 : 0);
  context.require_blobs(blobs, blobs);
  const Span span = given ? given_span(context, param) : learned_span(context, param);
  const ValueId factor = given ? given_beside(context, span) : learned_beside(context, span, 0, Made::ones);
  if (!biased) return context.emit("mul", {context.input(0), factor});
  const ValueId product = context.add("mul", {context.input(0), factor});
  context.emit("add", {product, learned_beside(context, span, blobs - 1, Made::drawn)});
}

void import_bias(LayerContext& context) {
  const text::Message& param = context.param("bias_param");
  const bool given = context.has_input(1);
  context.require_blobs(given ? 0 : 1, given ? 0 : 1);
  const Span span = given ? given_span(context, param) : learned_span(context, param);
  context.emit("add",
               {context.input(0), given ? given_beside(context, span) : learned_beside(context, span, 0, Made::drawn)});
}

void require_equal_bottoms(LayerContext& context) {
  for (size_t i = 1; i < context.inputs().size(); ++i) {
    bool fits = context.rank(i) == context.rank(0);
    for (int axis = 0; fits && axis < context.rank(0); ++axis)
      fits = !context.shape(i)[axis].is_constant() || !context.shape(0)[axis].is_constant() ||
             context.shape(i)[axis] == context.shape(0)[axis];
    if (!fits)
      fail(Code::invalid_model, "bottoms {} and {}; equal extents are accepted", context.type(0).str(),
           context.type(i).str());
  }
}

// The product, the largest, or the sum of coeff * bottom
void import_eltwise(LayerContext& context) {
  const text::Message& param = context.param("eltwise_param");
  const std::string operation = param.choice("operation", "SUM");
  const auto coefficients = param.numbers("coeff");
  if (!coefficients.empty() && (operation != "SUM" || coefficients.size() != context.inputs().size()))
    fail(Code::invalid_model, "{} values of coeff for the {} of {} bottoms; one for each of a SUM is accepted",
         coefficients.size(), operation, context.inputs().size());
  require_equal_bottoms(context);
  if (operation == "MAX") return context.emit("max", context.inputs());
  std::vector<ValueId> terms = context.inputs();
  for (size_t i = 0; i < coefficients.size(); ++i) terms[i] = scaled(context, terms[i], coefficients[i]);
  ValueId result = terms[0];
  for (size_t i = 1; i + 1 < terms.size(); ++i)
    result = context.add(operation == "SUM" ? "add" : "mul", {result, terms[i]});
  context.emit(operation == "SUM" ? "add" : "mul", {result, terms.back()});
}

// a * x + y, a [N, C] or [N, C, 1, 1]
void import_axpy(LayerContext& context) {
  const Shape x = context.shape(1), a = context.shape(0);
  bool fits = x.rank() == 4 && a.rank() >= 2 && a.rank() <= 4 && context.rank(2) == 4;
  for (int i = 2; fits && i < a.rank(); ++i) fits = a[i] == Dim(1);
  if (!fits)
    fail(Code::invalid_model, "bottoms {}, {} and {}; factors [N, C], and two of rank 4 are accepted",
         context.type(0).str(), context.type(1).str(), context.type(2).str());
  const ValueId factor = reshaped(context, context.input(0), {a[0], a[1], 1, 1});
  context.emit("add", {context.add("mul", {context.input(1), factor}), context.input(2)});
}

}  // namespace

void register_arithmetic(LayerTable& table) {
  table.add("Scale", import_scale, {1, 2});
  table.add("Bias", import_bias, {1, 2});
  table.add("Eltwise", import_eltwise, {2, -1});
  table.add("Axpy", import_axpy, {3, 3});
}

}  // namespace planish::caffe
