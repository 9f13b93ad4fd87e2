// Resizing by any filter: the taps are tables, made at build between fixed extents, else by a kernel of their own.

#include "kernels/reference/resize.h"

#include <algorithm>

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

// Of all axes, where they are given and the extents are not.
std::vector<double> resize_scales(const TacticQuery& query, const ResizeAttrs& attrs) {
  const int rank = query.input(0).type.shape.rank();
  const std::vector<int64_t> ones(static_cast<size_t>(rank), 1);
  std::vector<TensorView> inputs = {make_view(nullptr, query.input(0).type.dtype, ones), TensorView{},
                                    query.input(2).constant.view()};
  const TensorView output = make_view(nullptr, query.output(0).type.dtype, ones);
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = {&output, 1};
  std::vector<double> scales;
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i) scales.push_back(resize_axis(args, attrs, i).scale);
  return scales;
}

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
  std::vector<ResizePosition> results;
  for (size_t i = 0; i < static_cast<size_t>(output.rank); ++i) {
    const ResizeAxis axis = resize_axis(args, attrs, i);
    if (keeps_positions(attrs, axis)) continue;
    taps.axes |= 1 << i;
    for (int64_t at = 0; at < axis.out; ++at) results.push_back(resize_position(attrs, axis, at));
  }
  for (const ResizePosition& of : results) taps.count = std::max(taps.count, of.positions.size());
  for (const ResizePosition& of : results)
    for (size_t k = 0; k < taps.count; ++k) {
      const bool there = k < of.positions.size();
      taps.positions.push_back(of.outside ? -1 : there ? static_cast<int32_t>(of.positions[k]) : 0);
      taps.weights.push_back(there ? static_cast<float>(of.weights[k]) : 0.0f);
    }
  return taps;
}

bool is_fixed(const TacticQuery& query) {
  return query.input(0).type.shape.is_static() && query.output(0).type.shape.is_static();
}

std::string refuse_resize(const TacticQuery& query, const ResizeAttrs& attrs) {
  const bool fixed = is_fixed(query);
  if (!fixed && attrs.antialias != 0) return "antialias of extents that change";
  if (!fixed && attrs.coordinate_transformation_mode == "tf_crop_and_resize") return "parts of extents that change";
  if (!fixed && (!query.has_input(2) || query.input(2).type.shape.element_count() == Dim(0)))
    return "sizes for extents that change";
  for (size_t i = 1; i < query.node.inputs.size(); ++i)
    if (query.has_input(i) && !query.input(i).is_constant()) return "its sizes are computed";
  if (device_type(query.input(0).type.dtype).empty()) return "its operand is " + query.input(0).type.str();
  if (attrs.mode != "nearest" && !is_float(query.input(0).type.dtype))
    return "its operand is " + query.input(0).type.str();
  return "";
}

// Of constant scales: which axes change, and how many taps there are.
Taps taps_by_scales(const TacticQuery& query, const ResizeAttrs& attrs) {
  Taps taps;
  taps.count = attrs.mode == "nearest" ? 1 : attrs.mode == "linear" ? 2 : 4;
  const std::vector<double> scales = resize_scales(query, attrs);
  for (size_t i = 0; i < scales.size(); ++i)
    if (scales[i] != 1) taps.axes |= 1 << i;
  return taps;
}

Dim resized_positions(const Shape& y, const Taps& taps) {
  Dim positions = 0;
  for (int i = 0; i < y.rank(); ++i)
    if ((taps.axes >> i & 1) != 0) positions = positions + y[i];
  return positions;
}

int place_in(std::initializer_list<std::string_view> names, std::string_view name) {
  return static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
}

Launch tables_launch(const TacticQuery& query, const ResizeAttrs& attrs, const Taps& taps) {
  Launch launch;
  launch.kernel = "resize_tables";
  launch.source = "#include \"resize_tables.cuh\"\n";
  const int coordinates =
      place_in({"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"},
               attrs.coordinate_transformation_mode);
  const int nearest = place_in({"floor", "ceil", "round_prefer_ceil"}, attrs.nearest_mode);
  const Shape &x = query.input(0).type.shape, &y = query.output(0).type.shape;
  const std::vector<double> all = resize_scales(query, attrs);
  std::string scales;
  std::vector<Dim> extents;
  for (int i = 0; i < y.rank(); ++i) {
    if ((taps.axes >> i & 1) == 0) continue;
    scales += fmt::format("{}{:.17g}", scales.empty() ? "" : ",", all[static_cast<size_t>(i)]);
    extents.insert(extents.end(), {x[i], y[i]});
  }
  extents.resize(2 * kMostResized, Dim(0));
  launch.options = {define("TAPS", static_cast<int64_t>(taps.count)),
                    define("COORDINATES", coordinates),
                    define("NEAREST", nearest),
                    define("SCALES", scales),
                    define("CUBIC", fmt::format("{:.17g}", attrs.cubic_coeff_a)),
                    define("EXCLUDE", attrs.exclude_outside)};
  launch.arguments = {"pointer:o0", "pointer:o1"};
  for (const Dim& extent : extents) launch.integer(extent);
  const Dim count = resized_positions(y, taps);
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  return launch;
}

void propose_resize(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.resize", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const auto attrs = attrs_to<ResizeAttrs>(query.node.attrs);
  if (std::string why = refuse_resize(query, attrs); !why.empty()) return refuse(std::move(why));
  const bool fixed = is_fixed(query);
  const Taps taps = fixed ? taps_of(query, attrs) : taps_by_scales(query, attrs);
  if (taps.axes == 0 || __builtin_popcount(static_cast<unsigned>(taps.axes)) > kMostResized)
    return refuse("one to three axes may change");
  const Shape& y = query.output(0).type.shape;
  const Dim count = y.element_count();
  if (count.upper_bound(query.graph.symbols) > INT32_MAX) return refuse("2^31 elements or more");
  Launch launch;
  launch.kernel = "resize";
  launch.source = "#include \"resize.cuh\"\n";
  launch.options = {define("RANK", query.input(0).type.shape.rank()),
                    define("AXES", taps.axes),
                    define("TAPS", static_cast<int64_t>(taps.count)),
                    define("TYPE", device_type(query.input(0).type.dtype)),
                    define("WEIGHTED", attrs.mode == "nearest" ? 0 : 1),
                    define("CROPPED", attrs.coordinate_transformation_mode == "tf_crop_and_resize" ? 1 : 0)};
  launch.arguments = {"view:i0", "view:o0", "pointer:i1", "pointer:i2"};
  launch.wide(count);
  launch.real(attrs.extrapolation_value);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  if (fixed) {
    const auto entries = static_cast<int64_t>(taps.positions.size());
    launch.constants = {Tensor::of<int32_t>({entries}, taps.positions), Tensor::of<float>({entries}, taps.weights)};
  }
  Candidate candidate = launch_candidate(query, launch, {0}, estimate_us(query, 0, 1));
  if (!fixed) {
    const Launch tables = tables_launch(query, attrs, taps);
    const Dim entries = resized_positions(y, taps) * Dim(static_cast<int64_t>(taps.count));
    candidate.emit = [launch, tables, entries, arch = query.cuda](StepBuilder& builder) {
      const Operand x = builder.input(0), positions = builder.temporary({DataType::i32, Shape({entries})}),
                    weights = builder.temporary({DataType::f32, Shape({entries})}), y = builder.output(0);
      builder.step(StepKind::launch, tables.kernel, tables.attrs(arch), {}, {positions, weights});
      builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), {x, positions, weights}, {y});
    };
  }
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  sink.offer(std::move(candidate));
}

}  // namespace

void register_resize(TacticTable& table) { table.add("resize", propose_resize); }

}  // namespace planish::tactics::cuda
