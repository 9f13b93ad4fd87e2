// refuse {why, type}: what stands in a branch that cannot be computed for the given shapes. Building goes on;
// running into it is an error with the reason.

#include "ops/op.h"

namespace planish::ops {
namespace {

struct RefuseAttrs {
  std::string why, type;
  template <class V>
  void fields(V& v) {
    v("why", why);
    v("type", type);
  }
};

}  // namespace

void register_refuse(OpTable& table) {
  OpDef def;
  def.name = "refuse";
  def.min_inputs = def.max_inputs = 0;
  def.check_attrs = check_attrs_as<RefuseAttrs>;
  def.infer = [](InferContext& context) { context.output(0, TensorType::parse(context.attrs<RefuseAttrs>().type)); };
  def.pure = false;
  table.add(std::move(def));
}

}  // namespace planish::ops
