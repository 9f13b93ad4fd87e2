// Sampling of pictures at places that the network computes.

#include "importers/plugins/table/plugin_table.h"

namespace planish::plugins {
namespace {

// values, extents of each picture, where each begins, places, weights
void expand_deformable_attention(PluginContext& context) {
  std::vector<ValueId> operands;
  for (size_t i = 0; i < 5; ++i) operands.push_back(context.input(i));
  context.give({context.add("deformable_attention", operands)});
}

std::vector<int64_t> both_axes(PluginContext& context, const char* field) {
  const auto& values = context.integers(field);
  if (values.size() != 1 && values.size() != 2)
    fail(Code::invalid_model, "field '{}' has {} elements; 2 are accepted", field, values.size());
  return {values.front(), values.back()};
}

// X, offsets, mask, weights, bias: the third version of ONNX's operator has weights before offsets
void expand_deformable_convolution(PluginContext& context) {
  const std::vector<int64_t> pads = both_axes(context, "padding");
  std::vector<ValueId> operands = {context.input(0), context.input(3), context.input(1), context.input(4),
                                   context.input(2)};
  context.give({context.add("deform_conv", operands,
                            {{"strides", both_axes(context, "stride")},
                             {"pads", std::vector<int64_t>{pads[0], pads[1], pads[0], pads[1]}},
                             {"dilations", both_axes(context, "dilation")},
                             {"group", context.integer("group")},
                             {"offset_group", context.integer("deformable_group")}})});
}

}  // namespace

void register_attention(PluginTable& table) {
  table.add({"MultiscaleDeformableAttnPlugin_TRT", {"1", {"2", 3}}, {}, 5, 5, results<1>, expand_deformable_attention});
  const std::vector<int64_t> ones = {1, 1}, zeros = {0, 0};
  table.add({"ModulatedDeformConv2d",
             {"1", {"2", 3}},
             {{"stride", ones},
              {"padding", zeros},
              {"dilation", ones},
              {"group", int64_t{1}},
              {"deformable_group", int64_t{1}}},
             4,
             5,
             results<1>,
             expand_deformable_convolution});
}

}  // namespace planish::plugins
