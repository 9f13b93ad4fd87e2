// Plugins of one element at a time.

#include "importers/plugins/table/plugin_table.h"

namespace planish::plugins {
namespace {

// x, or slope * x where x is negative
void expand_leaky_relu(PluginContext& context) {
  context.give({context.add("leaky_relu", {context.input(0)}, {{"alpha", context.number("negSlope")}})});
}

void expand_clip(PluginContext& context) {
  const ValueId x = context.input(0);
  const auto bound = [&](const char* name) { return context.scalar_like(x, context.number(name)); };
  context.give({context.add("clip", {x, bound("clipMin"), bound("clipMax")})});
}

// gelu(x + bias) in its form by tanh; the bias goes along the last axis that is not 1, or the axis of its length
void expand_gelu(PluginContext& context) {
  ValueId x = context.input(0);
  if (const int64_t count = context.weight_count("bias"); count > 0) {
    const Shape& shape = context.shape(0, 1, kMaxRank);
    int axis = shape.rank() - 1;
    while (axis > 0 && shape[axis] == Dim(1)) --axis;
    if (shape[axis] != Dim(count))
      fail(Code::invalid_model, "field 'bias' has {} elements for an operand {}", count, context.value(x).type.str());
    std::vector<int64_t> extents(static_cast<size_t>(shape.rank()), 1);
    extents[static_cast<size_t>(axis)] = count;
    x = context.add("add", {x, context.weights("bias", extents)});
  }
  context.give({context.add("gelu", {x}, {{"approximate", std::string("tanh")}})});
}

}  // namespace

void register_elementwise(PluginTable& table) {
  table.add({"LReLU_TRT", {"1"}, {{"negSlope", 0.0}}, 1, 1, results<1>, expand_leaky_relu});
  table.add({"Clip_TRT", {"1"}, {required("clipMin", 0.0), required("clipMax", 0.0)}, 1, 1, results<1>, expand_clip});
  table.add({"CustomGeluPluginDynamic",
             {"1"},
             {{"type_id", int64_t{0}}, {"bias", no_weights()}},
             1,
             1,
             results<1>,
             expand_gelu});
}

}  // namespace planish::plugins
