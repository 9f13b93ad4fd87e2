// Operators about shapes: shape, size, dims, range, constant_of_shape.

#include <algorithm>
#include <cmath>

#include "kernels/reference/move.h"
#include "ops/common/row.h"

namespace planish::ops {
namespace {

struct ShapeAttrs {
  int64_t start = 0, end = INT64_MAX;
  template <class V>
  void fields(V& v) {
    v("start", start);
    v("end", end);
  }
};

void shape_infer(InferContext& context) {
  const auto attrs = context.attrs<ShapeAttrs>();
  const int64_t rank = context.rank(0);
  const auto clamp = [&](int64_t at) { return std::clamp(at < 0 ? at + rank : at, int64_t{0}, rank); };
  const int64_t begin = clamp(attrs.start), end = std::max(begin, clamp(attrs.end));
  const auto& dims = context.shape(0).dims();
  context.output(0, DataType::i64, Shape{end - begin});
  context.output_contents(0, {dims.begin() + begin, dims.begin() + end});
}

void size_infer(InferContext& context) {
  context.output(0, DataType::i64, Shape{});
  context.output_contents(0, {context.shape(0).element_count()});
}

void dims_infer(InferContext& context) {
  const auto attrs = context.attrs<DimsAttrs>();
  if (attrs.scalar != 0 && attrs.values.size() != 1)
    fail(Code::invalid_model, "a scalar of {} values", attrs.values.size());
  context.output(0, DataType::i64, attrs.scalar != 0 ? Shape{} : Shape{static_cast<int64_t>(attrs.values.size())});
  context.output_contents(0, attrs.values);
}

// start, limit, delta -> max(ceil((limit - start) / delta), 0) elements
void range_infer(InferContext& context) {
  for (size_t i = 0; i < 3; ++i) {
    context.require_dtype(i, kNumbers);
    context.require_same_dtype(0, i);
    context.require_one_element(i);
  }
  const auto start = context.contents(0), limit = context.contents(1), delta = context.contents(2);
  if (delta && (*delta)[0] == Dim(0)) fail(Code::invalid_model, "a delta of 0; other steps are accepted");
  if (start && limit && delta && (*delta)[0].is_constant()) {
    const bool up = (*delta)[0].value() > 0;
    const Dim span = up ? (*limit)[0] - (*start)[0] : (*start)[0] - (*limit)[0];
    Dim count = ceil_div(span, up ? (*delta)[0] : Dim(0) - (*delta)[0]);
    if (count.lower_bound(context.symbols()) < 0) count = max(count, 0);
    context.output(0, context.dtype(0), Shape{count});
    if (!count.is_constant() || count.value() > 4096) return;
    std::vector<Dim> values;
    for (int64_t i = 0; i < count.value(); ++i) values.push_back((*start)[0] + (*delta)[0] * Dim(i));
    context.output_contents(0, std::move(values));
    return;
  }
  const auto a = context.constant(0), b = context.constant(1), c = context.constant(2);
  if (!a || !b || !c) return context.output(0, context.dtype(0), Shape(context.measured(1)));
  const double from = a->to_doubles()[0], to = b->to_doubles()[0], step = c->to_doubles()[0];
  const double count = std::ceil((to - from) / step);
  if (!(count < 1e15))
    fail(Code::invalid_model, "from {} to {} in steps of {}; a finite count is accepted", from, to, step);
  context.output(0, context.dtype(0), Shape{static_cast<int64_t>(std::max(count, 0.0))});
}

void fill_infer(InferContext& context) {
  const auto attrs = context.attrs<FillAttrs>();
  if (attrs.value.present() && attrs.value.element_count() != 1)
    fail(Code::invalid_model, "attribute 'value' has {} elements; one is accepted", attrs.value.element_count());
  const DataType dtype = attrs.value.present() ? attrs.value.dtype() : DataType::f32;
  if (!context.contents(0)) {
    const auto known = context.partial_list(0);
    std::vector<Dim> dims = context.measured(context.list_extent(0));
    for (size_t i = 0; i < dims.size(); ++i)
      if (known[i] && known[i]->lower_bound(context.symbols()) >= 0) dims[i] = *known[i];
    return context.output(0, dtype, Shape(std::move(dims)));
  }
  const Shape shape(context.list(0));
  context.output(0, dtype, shape);
  if (!attrs.value.present() || !is_integer(attrs.value.dtype()) || shape.rank() > 1 || !shape.is_static()) return;
  const int64_t count = shape.element_count().value();
  if (count <= 4096)
    context.output_contents(0, std::vector<Dim>(static_cast<size_t>(count), attrs.value.to_ints().at(0)));
}

OpDef shape_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&)) {
  return op_row(name, least, most, check, infer, no_work);
}

}  // namespace

void register_shape(OpTable& table) {
  table.add(shape_row("shape", 1, 1, check_attrs_as<ShapeAttrs>, shape_infer));
  table.add(shape_row("size", 1, 1, check_attrs_as<NoAttrs>, size_infer));
  table.add(shape_row("dims", 0, 0, check_attrs_as<DimsAttrs>, dims_infer));
  table.add(shape_row("range", 3, 3, check_attrs_as<NoAttrs>, range_infer));
  table.add(shape_row("constant_of_shape", 1, 1, check_attrs_as<FillAttrs>, fill_infer));
}

}  // namespace planish::ops
