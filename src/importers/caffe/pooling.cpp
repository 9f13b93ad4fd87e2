// Pooling. Extents are rounded up: ceil((in + 2 pad - kernel) / stride) + 1 windows, but no window begins behind the
// last element and its padding. An average divides by the part of the window that lies in the picture and its padding.

#include "importers/caffe/graph/geometry.h"
#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

bool rounds_up(const text::Message& param) {
  return param.choice("round_mode", "CEIL") == "CEIL" && param.flag("ceil_mode", true) && !param.flag("torch_pooling");
}

Attrs pool_attrs(LayerContext& context, const text::Message& param) {
  const auto kernel = spatial_values(param, "kernel_size", "kernel", 2, -1),
             strides = spatial_values(param, "stride", "stride", 2, 1),
             pads = spatial_values(param, "pad", "pad", 2, 0);
  for (size_t i = 0; i < 2; ++i) {
    if (kernel[i] < 1 || strides[i] < 1)
      fail(Code::invalid_model, "a kernel of {} and a stride of {}; 1 and more are accepted", kernel[i], strides[i]);
    const Dim in = context.shape(0)[static_cast<int>(i) + 2];
    const bool padded = pads[0] > 0 || pads[1] > 0;
    if (!padded && strides[i] > kernel[i] && rounds_up(param) &&
        (!in.is_constant() || (in.value() - 1) / strides[i] < (in.value() - kernel[i] + strides[i] - 1) / strides[i]))
      fail(Code::unsupported, "a stride of {} for a kernel of {}, whose last window may hold no element of {}",
           strides[i], kernel[i], context.type(0).str());
  }
  return {{"kernel_shape", kernel},
          {"strides", strides},
          {"pads", both_sides(pads)},
          {"ceil_mode", int64_t{rounds_up(param) ? 1 : 0}}};
}

// Top 1: the place of the maximum in its plane, as a float.
void give_mask(LayerContext& context, const std::vector<ValueId>& results) {
  const Shape in = context.shape(0);
  const ValueId plane = context.add("mod", {results[1], dims(context, {in[2] * in[3]})});
  context.give({results[0], as(DataType::f32, context, plane)});
}

void import_pooling(LayerContext& context) {
  const text::Message& param = context.param("pooling_param");
  const std::string method = param.choice("pool", "MAX");
  if (method == "STOCHASTIC") fail(Code::unsupported, "pool STOCHASTIC; MAX and AVE are accepted");
  if (context.rank(0) != 4) fail(Code::invalid_model, "its bottom is {}; rank 4 is accepted", context.type(0).str());
  const bool most = method == "MAX";
  if (param.flag("global_pooling")) {
    for (const char* field : {"kernel_size", "kernel_h", "kernel_w"})
      if (param.has(field)) fail(Code::invalid_model, "global_pooling and {}; one of them is accepted", field);
    if (context.tops() > 1) fail(Code::unsupported, "the mask of a global pooling");
    return context.emit(most ? "global_max_pool" : "global_average_pool", {context.input(0)});
  }
  Attrs attrs = pool_attrs(context, param);
  if (context.tops() > 1 && !most) fail(Code::invalid_model, "the mask of an average; MAX has one");
  if (!most) attrs.set("count_include_pad", int64_t{1});
  context.emit(most ? "max_pool" : "average_pool", {context.input(0)}, std::move(attrs));
  if (context.tops() > 1) give_mask(context, context.results);
}

}  // namespace

void register_pooling(LayerTable& table) { table.add("Pooling", import_pooling, {1, 1, 1, 2}); }

}  // namespace planish::caffe
