// random_uniform and random_normal: a list of extents -> numbers of these extents.

#include "kernels/reference/random.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

void random_infer(InferContext& context) {
  const auto attrs = context.attrs<RandomAttrs>();
  if (!is_float(attrs.dtype) || is_narrow(attrs.dtype))
    fail(Code::invalid_model, "attribute 'dtype' is {}; floats of 16 bits and more are accepted",
         data_type_name(attrs.dtype));
  context.output(0, attrs.dtype, Shape(context.list(0)));
}

}  // namespace

void register_random(OpTable& table) {
  for (const char* name : {"random_uniform", "random_normal"}) {
    OpDef def;
    def.name = name;
    def.operand_names = {"shape"};
    def.check_attrs = check_attrs_as<RandomAttrs>;
    def.infer = random_infer;
    def.pure = false;
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
