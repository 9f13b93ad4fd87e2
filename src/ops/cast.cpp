// cast and bit_cast.

#include "kernels/reference/cast.h"

#include <algorithm>

#include "ops/common/row.h"

namespace planish::ops {
namespace {

void cast_infer(InferContext& context) {
  const auto attrs = context.attrs<CastAttrs>();
  const DataType to = attrs.to;
  element_bytes(to);
  element_bytes(context.dtype(0));
  context.require_flag("saturate", attrs.saturate);
  context.require_choice("round_mode", attrs.round_mode, {"up", "down", "nearest"});
  context.output(0, to, context.shape(0));
  const auto known = context.contents(0);
  const bool whole = is_integer(to) || to == DataType::boolean;
  if (known && whole && context.rank(0) <= 1 &&
      std::all_of(known->begin(), known->end(), [&](Dim dim) { return holds(to, dim, context.symbols()); }))
    context.output_contents(0, *known);
}

void bit_cast_infer(InferContext& context) {
  const DataType to = context.attrs<CastAttrs>().to;
  if (element_bits(context.dtype(0)) != element_bits(to))
    fail(Code::invalid_model, "{} read as {}; types of as many bits are accepted", context.input(0).str(),
         data_type_name(to));
  context.output(0, to, context.shape(0));
}

OpDef cast_row(const char* name, void (*infer)(InferContext&)) {
  return op_row(name, 1, 1, check_attrs_as<CastAttrs>, infer, no_work);
}

}  // namespace

void register_cast(OpTable& table) {
  table.add(cast_row("cast", cast_infer));
  table.add(cast_row("bit_cast", bit_cast_infer));
}

}  // namespace planish::ops
