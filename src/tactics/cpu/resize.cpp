// Resize: nearest of any element type, linear and cubic of fp32.

#include "kernels/reference/move.h"
#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

constexpr int kMostResized = 3;  // axes; bounds the kernel's list of source rows

int resized_axes(const Shape& in, const Shape& out) {
  int count = 0;
  for (int i = 0; i < in.rank(); ++i) count += in[i] != out[i] ? 1 : 0;
  return count;
}

void propose_resize(const TacticQuery& query, CandidateSink& sink) {
  const auto attrs = attrs_to<ResizeAttrs>(query.node.attrs);
  const Shape &in = query.input(0).type.shape, &out = query.output(0).type.shape;
  if (attrs.antialias != 0) return sink.refuse("resize", "antialias");
  if (attrs.coordinate_transformation_mode == "tf_crop_and_resize") return sink.refuse("resize", "tf_crop_and_resize");
  if (attrs.mode != "nearest")
    if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty())
      return sink.refuse("resize", std::move(why));
  if (resized_axes(in, out) > kMostResized) return sink.refuse("resize", "more than three axes change");
  DirectKernel direct{.kernel = "resize", .strided_output = true};
  direct.flops = 8 * typical_elements(query, out);
  offer_direct(query, sink, direct);
  if (attrs.mode != "nearest") return;
  sink.candidates.back().half_inputs = 1;
  sink.candidates.back().half_output = sink.candidates.back().half_alike = true;
}

}  // namespace

void register_resize(TacticTable& table) { table.add("resize", propose_resize); }

}  // namespace planish::tactics::cpu
