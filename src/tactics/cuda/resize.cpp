// Resizing by any filter of fixed width, between fixed extents: the taps are tables made at build.

#include "kernels/reference/resize.h"

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int kMostResized = 3;

struct Taps {
  int axes = 0;  // bit i: axis i is resized
  size_t count = 1;
  std::vector<int32_t> positions;
  std::vector<float> weights;
};

// As the reference kernel has them, for fixed extents and parameters.
Taps taps_of(const TacticQuery& query, const ResizeAttrs& attrs) {
  std::vector<TensorView> inputs = {make_view(nullptr, query.input(0).type.dtype, query.input(0).type.shape.extents())};
  for (size_t i = 1; i < query.node.inputs.size(); ++i)
    inputs.push_back(query.has_input(i) ? query.input(i).constant.view() : TensorView{});
  const TensorView output = make_view(nullptr, query.output(0).type.dtype, query.output(0).type.shape.extents());
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = {&output, 1};
  Taps taps;
  taps.count = attrs.mode == "nearest" ? 1 : attrs.mode == "linear" ? 2 : 4;
  for (size_t i = 0; i < static_cast<size_t>(output.rank); ++i) {
    const ResizeAxis axis = resize_axis(args, attrs, i);
    if (keeps_positions(attrs, axis)) continue;
    taps.axes |= 1 << i;
    for (int64_t at = 0; at < axis.out; ++at) {
      const ResizeTaps of = resize_taps(attrs, axis, at);
      for (size_t k = 0; k < taps.count; ++k) {
        taps.positions.push_back(static_cast<int32_t>(of.positions[k]));
        taps.weights.push_back(static_cast<float>(of.weights[k]));
      }
    }
  }
  return taps;
}

std::string refuse_resize(const TacticQuery& query, const ResizeAttrs& attrs) {
  if (attrs.antialias != 0) return "antialias";
  if (attrs.coordinate_transformation_mode == "tf_crop_and_resize") return "tf_crop_and_resize";
  if (!query.input(0).type.shape.is_static() || !query.output(0).type.shape.is_static()) return "extents that change";
  for (size_t i = 1; i < query.node.inputs.size(); ++i)
    if (query.has_input(i) && !query.input(i).is_constant()) return "its sizes are computed";
  if (device_type(query.input(0).type.dtype).empty()) return "its operand is " + query.input(0).type.str();
  if (attrs.mode != "nearest" && !is_float(query.input(0).type.dtype))
    return "its operand is " + query.input(0).type.str();
  return "";
}

void propose_resize(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.resize", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const auto attrs = attrs_to<ResizeAttrs>(query.node.attrs);
  if (std::string why = refuse_resize(query, attrs); !why.empty()) return refuse(std::move(why));
  const Taps taps = taps_of(query, attrs);
  if (taps.axes == 0 || __builtin_popcount(static_cast<unsigned>(taps.axes)) > kMostResized)
    return refuse("one to three axes may change");
  const auto entries = static_cast<int64_t>(taps.positions.size());
  const Tensor positions = Tensor::of<int32_t>({entries}, taps.positions),
               weights = Tensor::of<float>({entries}, taps.weights);
  const Dim count = query.output(0).type.shape.element_count();
  if (count.value() > INT32_MAX) return refuse("2^31 elements or more");
  Launch launch;
  launch.kernel = "resize";
  launch.source = "#include \"resize.cuh\"\n";
  launch.options = {define("RANK", query.input(0).type.shape.rank()), define("AXES", taps.axes),
                    define("TAPS", static_cast<int64_t>(taps.count)),
                    define("TYPE", device_type(query.input(0).type.dtype)),
                    define("WEIGHTED", attrs.mode == "nearest" ? 0 : 1)};
  launch.arguments = {"view:i0", "view:o0", "pointer:i1", "pointer:i2"};
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  launch.constants = {positions, weights};
  Candidate candidate = launch_candidate(query, std::move(launch), {0}, estimate_us(query, 0, 1));
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  sink.offer(std::move(candidate));
}

}  // namespace

void register_resize(TacticTable& table) { table.add("resize", propose_resize); }

}  // namespace planish::tactics::cuda
