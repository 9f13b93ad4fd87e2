// Interp and Upsample: pictures made larger or smaller.

#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

void require_picture(LayerContext& context) {
  if (context.rank(0) != 4) fail(Code::invalid_model, "its bottom is {}; rank 4 is accepted", context.type(0).str());
}

// Along one axis: cut by -pad_beg and -pad_end, then shrunk, then zoomed, each so that the ends stay the ends.
Dim interp_extent(const text::Message& param, Dim in, const char* wanted) {
  const int64_t shrink = param.integer("shrink_factor", 1), zoom = param.integer("zoom_factor", 1);
  if (shrink < 1 || zoom < 1) fail(Code::invalid_model, "factors {} and {}; 1 and more is accepted", shrink, zoom);
  if (const int64_t extent = param.integer(wanted, 0); extent > 0) return extent;
  if (param.integer("height", 0) != 0 || param.integer("width", 0) != 0)
    fail(Code::invalid_model, "height {} and width {}; both above 0 are accepted", param.integer("height"),
         param.integer("width"));
  const Dim shrunk = floor_div(in - 1, shrink) + 1;
  return shrunk + (shrunk - 1) * Dim(zoom - 1);
}

void import_interp(LayerContext& context) {
  require_picture(context);
  const text::Message& param = context.param("interp_param");
  const int64_t before = param.integer("pad_beg", 0), behind = param.integer("pad_end", 0);
  if (before > 0 || behind > 0)
    fail(Code::unsupported, "pads of {} and {}; 0 and less (a cut) is accepted", before, behind);
  ValueId x = context.input(0);
  if (before < 0 || behind < 0)
    x = context.add("slice", {x, context.ints({-before, -before}),
                              context.ints({behind < 0 ? behind : INT64_MAX, behind < 0 ? behind : INT64_MAX}),
                              context.ints({2, 3})});
  const Shape in = shape_of(context, x);
  const ValueId sizes = dims(context, {interp_extent(param, in[2], "height"), interp_extent(param, in[3], "width")});
  context.emit("resize", {x, ValueId{}, ValueId{}, sizes},
               {{"mode", std::string("linear")},
                {"coordinate_transformation_mode", std::string("align_corners")},
                {"axes", std::vector<int64_t>{2, 3}}});
}

// Each element becomes a block of equal ones.
void emit_repeated(LayerContext& context, int64_t down, int64_t across) {
  const Shape& in = context.shape(0);
  const ValueId sizes = dims(context, {in[2] * Dim(down), in[3] * Dim(across)});
  context.emit("resize", {context.input(0), ValueId{}, ValueId{}, sizes},
               {{"mode", std::string("nearest")},
                {"coordinate_transformation_mode", std::string("asymmetric")},
                {"nearest_mode", std::string("floor")},
                {"axes", std::vector<int64_t>{2, 3}}});
}

// Bottom 1 is the mask of a pooling: where in the larger plane each element goes; the rest is 0.
void emit_unpooled(LayerContext& context, const text::Message& param, int64_t down, int64_t across) {
  const Shape in = context.shape(0);
  if (context.shape(1) != in)
    fail(Code::invalid_model, "a mask of {} for {}; equal extents are accepted", context.type(1).str(),
         context.type(0).str());
  const auto extent = [&](int axis, int64_t factor, const char* exact, const char* less) {
    if (const int64_t wanted = param.integer(exact, 0); wanted > 0) return Dim(wanted);
    return in[axis] * Dim(factor) - Dim(param.flag(less) ? 1 : 0);
  };
  const Dim height = extent(2, down, "upsample_h", "pad_out_h"), width = extent(3, across, "upsample_w", "pad_out_w");
  const ValueId zeros =
      context.add("expand", {context.scalar_like(context.input(0), 0), dims(context, {in[0], in[1], height * width})});
  const auto planes = [&](ValueId value) { return reshaped(context, value, {in[0], in[1], in[2] * in[3]}); };
  const ValueId places = as(DataType::i64, context, planes(context.input(1)));
  const ValueId filled =
      context.add("scatter_elements", {zeros, places, planes(context.input(0))}, {{"axis", int64_t{2}}});
  context.give({reshaped(context, filled, {in[0], in[1], height, width})});
}

void import_upsample(LayerContext& context) {
  require_picture(context);
  const text::Message& param = context.param("upsample_param");
  const int64_t scale = param.integer("scale", 2);
  const int64_t down = param.integer("scale_h", scale), across = param.integer("scale_w", scale);
  if (down < 1 || across < 1) fail(Code::invalid_model, "scales {} and {}; 1 and more is accepted", down, across);
  if (context.has_input(1)) return emit_unpooled(context, param, down, across);
  emit_repeated(context, down, across);
}

}  // namespace

void register_resize(LayerTable& table) {
  table.add("Interp", import_interp);
  table.add("Upsample", import_upsample, {1, 2});
}

}  // namespace planish::caffe
