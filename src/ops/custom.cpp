// custom {plugin, version, bytes, types, any_strides, on_device}: a user's operator. Its node says the types of its
// results
// (`types`, as text over the graph's symbols), so that a graph can be read and printed where the plugin is not
// registered; whoever adds the node asks the plugin.

#include "ops/op.h"

namespace planish::ops {
namespace {

struct CustomAttrs {
  std::string plugin;
  int64_t version = 1;
  Tensor bytes;  // u8: what the plugin is made from again
  std::vector<std::string> types;
  bool any_strides = false;  // operands need not be dense and row-major
  bool on_device = false;    // it computes on the GPU that a plan is for
  template <class V>
  void fields(V& v) {
    v("plugin", plugin);
    v("version", version);
    v("bytes", bytes);
    v("types", types);
    v("any_strides", any_strides);
    v("on_device", on_device);
  }
};

}  // namespace

void register_custom(OpTable& table) {
  OpDef def;
  def.name = "custom";
  def.min_inputs = 0;
  def.max_inputs = -1;
  def.outputs = -1;
  def.check_attrs = check_attrs_as<CustomAttrs>;
  def.infer = [](InferContext& context) {
    const auto types = context.attrs<CustomAttrs>().types;
    for (size_t i = 0; i < types.size(); ++i) context.output(i, TensorType::parse(types[i]));
  };
  def.pure = false;  // its code does not run while a network is built
  table.add(std::move(def));
}

}  // namespace planish::ops
