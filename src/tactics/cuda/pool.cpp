// Max and average pooling, a thread a result, channels last.

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/simple.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

void propose_pool(const TacticQuery& query, CandidateSink& sink) {
  const auto p = unary_problem(query, sink, "cuda.pool");
  if (!p) return;
  const auto attrs = attrs_to<PoolAttrs>(p->form.anchor->attrs);
  const int spatial = p->x.shape.rank() - 2;
  if (spatial < 1 || spatial > 3) return sink.refuse("cuda.pool", "one to three spatial axes are accepted");
  std::vector<int64_t> kernel;
  std::vector<Dim> stride, dilation, pad, most;
  for (int i = 0; i < spatial; ++i) {
    const auto at = static_cast<size_t>(i);
    const Dim in = p->x.shape[i + 2], out = p->y.shape[i + 2];
    kernel.push_back(attrs.kernel_shape.at(at));
    stride.push_back(at_or(attrs.strides, at, 1));
    dilation.push_back(at_or(attrs.dilations, at, 1));
    const Dim total =
        max(Dim(0), (out - Dim(1)) * stride.back() + Dim(kernel.back() - 1) * dilation.back() + Dim(1) - in);
    const Dim half = floor_div(total, Dim(2));
    pad.push_back(attrs.auto_pad == "SAME_UPPER"   ? half
                  : attrs.auto_pad == "SAME_LOWER" ? total - half
                  : attrs.auto_pad == "VALID"      ? Dim(0)
                                                   : Dim(at_or(attrs.pads, at, 0)));
    const int64_t end = at_or(attrs.pads, at + static_cast<size_t>(spatial), 0);
    most.push_back(in + (attrs.auto_pad == "NOTSET" ? Dim(end) : Dim(kernel.back())));
  }
  pad.resize(3, Dim(0));
  Launch launch;
  launch.kernel = "pool";
  launch.options = {define("SPATIAL", spatial), define("AVERAGE", p->form.anchor->op == "average_pool" ? 1 : 0),
                    define("COUNT_PAD", attrs.count_include_pad != 0 ? 1 : 0)};
  launch.arguments = {"view:i0", "view:o0"};
  for (size_t i = 0; i < 3; ++i)
    launch.options.push_back(define(fmt::format("KERNEL{}", i), i < kernel.size() ? kernel[i] : 1));
  for (const auto* list : {&stride, &dilation, &pad, &most}) launch.three(*list);
  const int64_t whole = 16 / element_bytes(p->x.dtype);
  const bool runs = p->x.shape[1].is_constant() && p->x.shape[1].value() % whole == 0;
  launch.options.push_back(define("WIDTH", runs ? whole : 1));
  const Dim count = floor_div(p->y.shape.element_count(), Dim(runs ? whole : 1));
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  double flops = typical_elements(query, p->y.shape);
  for (int64_t extent : attrs.kernel_shape) flops *= static_cast<double>(extent);
  offer_unary(query, sink, *p, std::move(launch), LayoutRule::channels_last, LayoutRule::channels_last, flops);
}

}  // namespace

void register_pool(TacticTable& table) {
  table.add("max_pool", propose_pool);
  table.add("average_pool", propose_pool);
}

}  // namespace planish::tactics::cuda
