#include "ops/common/window.h"

namespace planish::ops {
namespace {

void infer_pool_of(InferContext& context, const PoolAttrs& attrs) {
  context.require_rank(0, 3, 5);
  context.require_dtype(0, context.node().op == "max_pool" ? kNumbers : kFloats);
  check_auto_pad(context, attrs.auto_pad);
  context.require_flag("ceil_mode", attrs.ceil_mode);
  context.require_flag("count_include_pad", attrs.count_include_pad);
  const Shape& in = context.shape(0);
  const auto spatial = static_cast<size_t>(in.rank() - 2);
  if (attrs.kernel_shape.size() != spatial)
    fail(Code::invalid_model, "kernel_shape has {} elements, {} are accepted", attrs.kernel_shape.size(), spatial);
  check_window(attrs.kernel_shape, spatial, 1, "kernel_shape");
  check_window(attrs.strides, spatial, 1, "strides");
  check_window(attrs.dilations, spatial, 1, "dilations");
  check_window(attrs.pads, 2 * spatial, 0, "pads");
  for (size_t i = 0; i < attrs.pads.size(); ++i)
    if (attrs.pads[i] > 0 && attrs.pads[i] >= attrs.kernel_shape[i % spatial])
      fail(Code::invalid_model, "a pad of {} for a kernel of {}; less than the kernel is accepted", attrs.pads[i],
           attrs.kernel_shape[i % spatial]);
  context.require_flag("storage_order", attrs.storage_order);
  std::vector<Dim> dims = {in[0], in[1]};
  for (size_t i = 0; i < spatial; ++i)
    dims.push_back(window_extent(context, attrs.auto_pad, attrs.pads, i, spatial, in[static_cast<int>(i) + 2],
                                 attrs.kernel_shape[i], at_or(attrs.strides, i, 1), at_or(attrs.dilations, i, 1),
                                 attrs.ceil_mode != 0));
  const size_t asked = context.node().outputs.size(), most = context.node().op == "max_pool" ? 2 : 1;
  if (asked > most) fail(Code::invalid_model, "{} results asked for; up to {} are accepted", asked, most);
  for (size_t i = 0; i < asked; ++i) context.output(i, i == 0 ? context.dtype(0) : DataType::i64, Shape(dims));
}

void pool_infer(InferContext& context) { infer_pool_of(context, context.attrs<PoolAttrs>()); }

void lp_pool_infer(InferContext& context) {
  const auto attrs = context.attrs<LpPoolAttrs>();
  if (attrs.p < 1) fail(Code::invalid_model, "attribute 'p' is {}; 1 and more is accepted", attrs.p);
  infer_pool_of(context, attrs);
}

void global_pool_infer(InferContext& context) {
  context.require_rank(0, 3);
  std::vector<Dim> dims = {context.shape(0)[0], context.shape(0)[1]};
  dims.resize(static_cast<size_t>(context.rank(0)), Dim(1));
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// One operation a tap.
Dim pool_flops(const Graph& graph, const Node& node) {
  Dim taps = graph.value(node.outputs[0]).type.shape.element_count();
  for (int64_t extent : attrs_to<LpPoolAttrs>(node.attrs).kernel_shape) taps = taps * Dim(extent);
  return taps;
}

Dim global_pool_flops(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[0]).type.shape.element_count();
}

}  // namespace

void register_pool(OpTable& table) {
  for (const char* name : {"max_pool", "average_pool", "lp_pool"}) {
    OpDef def;
    def.name = name;
    const bool is_lp = def.name == "lp_pool";
    def.outputs = def.name == "max_pool" ? -1 : 1;
    def.check_attrs = is_lp ? check_attrs_as<LpPoolAttrs> : check_attrs_as<PoolAttrs>;
    def.infer = is_lp ? lp_pool_infer : pool_infer;
    def.flops = pool_flops;
    table.add(std::move(def));
  }
  for (const char* name : {"global_average_pool", "global_max_pool"}) {
    OpDef def;
    def.name = name;
    def.check_attrs = check_attrs_as<NoAttrs>;
    def.infer = global_pool_infer;
    def.flops = global_pool_flops;
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
