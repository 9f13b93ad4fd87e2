// Convolution and Deconvolution, with their weights [outputs, inputs / group, kernel…] and a bias for each output.

#include "base/checked.h"
#include "importers/caffe/graph/geometry.h"
#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

struct Convolution {
  int64_t channels = 0, outputs = 0, group = 1;
  std::vector<int64_t> kernel;
  bool has_bias = true;
  Attrs attrs;
};

int64_t checked_group(LayerContext& context, const Convolution& layer, bool depthwise) {
  const int64_t group = depthwise ? layer.channels : context.param("convolution_param").integer("group", 1);
  if (group < 1 || layer.channels % group != 0 || layer.outputs % group != 0)
    fail(Code::invalid_model, "{} groups for {} channels and {} outputs; a divisor of both is accepted", group,
         layer.channels, layer.outputs);
  return group;
}

void require_outputs(const text::Message& param, int64_t outputs) {
  if (outputs < 1 && !param.has("num_output"))
    fail(Code::invalid_model, "num_output, how many outputs it has, is missing");
  if (outputs < 1) fail(Code::invalid_model, "num_output is {}; 1 and more is accepted", outputs);
}

Convolution read_convolution(LayerContext& context, bool depthwise) {
  const text::Message& param = context.param("convolution_param");
  const int rank = context.rank(0);
  if (rank < 3) fail(Code::invalid_model, "its bottom is {}; rank 3 and more is accepted", context.type(0).str());
  if (context.axis(param.integer("axis", 1), rank) != 1)
    fail(Code::unsupported, "axis {}; 1, the channels, is accepted", param.integer("axis"));
  const auto spatial = static_cast<size_t>(rank - 2);
  Convolution layer;
  layer.channels = fixed_extent(context, context.input(0), 1, "the number of channels");
  layer.outputs = param.integer("num_output", depthwise ? layer.channels : 0);
  require_outputs(param, layer.outputs);
  layer.group = checked_group(context, layer, depthwise);
  layer.kernel = spatial_values(param, "kernel_size", "kernel", spatial, -1);
  for (int64_t extent : layer.kernel)
    if (extent < 1) fail(Code::invalid_model, "a kernel of extent {}; 1 and more is accepted", extent);
  layer.has_bias = param.flag("bias_term", true);
  layer.attrs = {{"kernel_shape", layer.kernel},
                 {"strides", spatial_values(param, "stride", "stride", spatial, 1)},
                 {"pads", both_sides(spatial_values(param, "pad", "pad", spatial, 0))},
                 {"group", layer.group}};
  auto dilation = param.integers("dilation");
  if (dilation.size() == 1) dilation.assign(spatial, dilation[0]);
  if (!dilation.empty()) layer.attrs.set("dilations", std::move(dilation));
  return layer;
}

void emit_convolution(LayerContext& context, OpName op, const Convolution& layer, int64_t first, int64_t second) {
  context.require_blobs(layer.has_bias ? 2 : 1, layer.has_bias ? 2 : 1);
  std::vector<int64_t> extents = {first, second};
  extents.insert(extents.end(), layer.kernel.begin(), layer.kernel.end());
  std::vector<ValueId> operands = {context.input(0), context.blob(0, extents, Made::drawn)};
  if (layer.has_bias) operands.push_back(context.blob(1, {layer.outputs}, Made::drawn));
  context.emit(op, std::move(operands), layer.attrs);
}

template <bool depthwise>
void import_convolution(LayerContext& context) {
  const Convolution layer = read_convolution(context, depthwise);
  emit_convolution(context, "conv", layer, layer.outputs, layer.channels / layer.group);
}

void import_deconvolution(LayerContext& context) {
  const Convolution layer = read_convolution(context, false);
  emit_convolution(context, "conv_transpose", layer, layer.channels, layer.outputs / layer.group);
}

// [.., axes from `axis` on] * [outputs, their product]^T; `transpose`: the weights stand as [product, outputs]
// Regions [N, P, C, H, W] of RPROI are rows of their own, where the weights have a column for each of their elements.
bool multiplies_regions(LayerContext& context, int64_t outputs) {
  const Shape& in = context.shape(0);
  if (in.rank() != 5 || context.param("inner_product_param").has("axis") || context.blob_elements(0) == 0) return false;
  int64_t depth = outputs;
  for (int i = 2; i < 5; ++i)
    depth = checked_mul(depth, fixed_extent(context, context.input(0), i, "an extent that the weights span"));
  return context.blob_elements(0) == depth;
}

void import_inner_product(LayerContext& context) {
  const text::Message& param = context.param("inner_product_param");
  const bool has_bias = param.flag("bias_term", true), transposed = param.flag("transpose");
  const int64_t outputs = param.integer("num_output");
  require_outputs(param, outputs);
  const Shape in = context.shape(0);
  const bool regions = multiplies_regions(context, outputs);
  const int axis = regions ? 2 : context.axis(param.integer("axis", 1), in.rank());
  int64_t depth = 1;
  for (int i = axis; i < in.rank(); ++i)
    depth = checked_mul(depth, fixed_extent(context, context.input(0), i, "an extent that the weights span"));
  context.require_blobs(has_bias ? 2 : 1, has_bias ? 2 : 1);
  const ValueId rows = context.rank(0) == 2 && axis == 1
                           ? context.input(0)
                           : context.add("flatten", {context.input(0)}, {{"axis", int64_t{axis}}});
  const std::vector<int64_t> extents = transposed ? std::vector{depth, outputs} : std::vector{outputs, depth};
  std::vector<ValueId> operands = {rows, context.blob(0, extents, Made::drawn)};
  if (has_bias) operands.push_back(context.blob(1, {outputs}, Made::drawn));
  const Attrs attrs = {{"transB", int64_t{transposed ? 0 : 1}}};
  if (axis == 1) return context.emit("gemm", std::move(operands), attrs);
  std::vector<Dim> dims(in.begin(), in.begin() + axis);
  dims.emplace_back(outputs);
  if (regions) dims.insert(dims.end(), 2, Dim(1));
  context.give({reshaped(context, context.add("gemm", std::move(operands), attrs), std::move(dims))});
}

}  // namespace

void register_convolution(LayerTable& table) {
  table.add("Convolution", import_convolution<false>);
  table.add("ConvolutionDepthwise", import_convolution<true>);
  table.add("DepthwiseConvolution", import_convolution<true>);
  table.add("Deconvolution", import_deconvolution);
  table.add("InnerProduct", import_inner_product);
}

}  // namespace planish::caffe
