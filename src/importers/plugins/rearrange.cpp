// Plugins that move elements, and one that appends coordinates.

#include "importers/plugins/table/plugin_table.h"

namespace planish::plugins {
namespace {

// [N, C, H, W] -> [N, C s s, H / s, W / s]: the place in a block goes before the channel
void expand_reorg(PluginContext& context) {
  context.shape(0, 4);
  context.give({context.add("space_to_depth", {context.input(0)}, {{"blocksize", context.integer("stride")}})});
}

// Each operand flattened onto the axis, side by side; the other axes become 1.
void expand_flatten_concat(PluginContext& context) {
  const int64_t axis = context.integer_in("axis", 1, 3);
  std::vector<ValueId> flat;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Shape& shape = context.shape(i, 4);
    std::vector<Dim> extents = {shape[0], 1, 1, 1};
    extents[static_cast<size_t>(axis)] = shape[1] * shape[2] * shape[3];
    flat.push_back(importers::reshaped(context, context.input(i), extents));
  }
  context.give({context.add("concat", flat, {{"axis", axis}})});
}

int split_results(const Attrs& fields) {
  return static_cast<int>(fields.get<std::vector<int64_t>>("output_lengths").size());
}

void expand_split(PluginContext& context) {
  const std::vector<int64_t> lengths = context.integers("output_lengths");
  const int64_t axis = normalize_axis(context.integer("axis"), context.shape(0, 1, kMaxRank).rank());
  if (lengths.empty()) fail(Code::invalid_model, "field 'output_lengths' is empty");
  std::vector<ValueId> parts;
  int64_t begin = 0;
  for (int64_t length : lengths) {
    if (length < 1) fail(Code::invalid_model, "field 'output_lengths' holds {}; 1 and more is accepted", length);
    parts.push_back(importers::sliced(context, context.input(0), axis, begin, begin + length));
    begin += length;
  }
  if (const Dim extent = context.shape(0, 1, kMaxRank)[static_cast<int>(axis)];
      extent.is_constant() && extent != Dim(begin))
    fail(Code::invalid_model, "field 'output_lengths' adds up to {}; {} is accepted", begin, extent.str());
  context.give(std::move(parts));
}

// [N, R, 6] -> [N, R, 4]: boxes of detections
void expand_special_slice(PluginContext& context) {
  context.shape(0, 3);
  context.give({importers::sliced(context, context.input(0), 2, 0, 4)});
}

// y[i, k] = x[floor(i / scale), floor(k / scale)]
void expand_resize_nearest(PluginContext& context) {
  context.shape(0, 4);
  const auto scale = static_cast<float>(context.number("scale"));
  if (!(scale > 0 && scale < 1e6F)) fail(Code::invalid_model, "field 'scale' is {}; above 0 is accepted", scale);
  const ValueId scales = context.numbers_constant({4}, {1, 1, scale, scale});
  context.give({context.add("resize", {context.input(0), ValueId(), scales},
                            {{"mode", std::string("nearest")},
                             {"coordinate_transformation_mode", std::string("asymmetric")},
                             {"nearest_mode", std::string("floor")}})});
}

void expand_scatter_nd(PluginContext& context) {
  context.give({context.add("scatter_nd", {context.input(0), context.input(1), context.input(2)})});
}

void expand_scatter_elements(PluginContext& context) {
  static constexpr const char* kNames[] = {"add", "mul", "mean", "min", "max"};
  const std::string reduction = context.text("reduction");
  const std::string ours = reduction == "sum"    ? "add"
                           : reduction == "amin" ? "min"
                           : reduction == "amax" ? "max"
                                                 : reduction;
  const bool known = std::any_of(std::begin(kNames), std::end(kNames), [&](const char* name) { return ours == name; });
  if (!known || ours == "mean")
    fail(Code::unsupported, "field 'reduction' is '{}'; add, mul, min and max are accepted", reduction);
  context.give({context.add("scatter_elements", {context.input(0), context.input(1), context.input(2)},
                            {{"axis", context.integer("axis")}, {"reduction", ours}})});
}

// Two channels more: rows and columns, from -1 to 1.
void expand_coord_conv(PluginContext& context) {
  const ValueId x = context.input(0);
  const Shape& shape = context.shape(0, 4);
  const int64_t height = importers::fixed_extent(context, x, 2, "the height"),
                width = importers::fixed_extent(context, x, 3, "the width");
  std::vector<float> places;
  const auto place = [](int64_t i, int64_t count) {
    return count == 1 ? -1.0F : static_cast<float>(-1 + 2 * static_cast<double>(i) / static_cast<double>(count - 1));
  };
  for (bool rows : {true, false})
    for (int64_t i = 0; i < height; ++i)
      for (int64_t k = 0; k < width; ++k) places.push_back(rows ? place(i, height) : place(k, width));
  const ValueId channels =
      importers::as(context.value(x).type.dtype, context, context.numbers_constant({1, 2, height, width}, places));
  const ValueId all = shape[0] == Dim(1)
                          ? channels
                          : context.add("expand", {channels, importers::dims(context, {shape[0], 2, height, width})});
  context.give({context.add("concat", {x, all}, {{"axis", int64_t{1}}})});
}

}  // namespace

void register_rearrange(PluginTable& table) {
  table.add({"Reorg_TRT", {"1", "2"}, {required("stride", int64_t{1})}, 1, 1, results<1>, expand_reorg});
  table.add({"FlattenConcat_TRT",
             {"1"},
             {required("axis", int64_t{1}), {"ignoreBatch", int64_t{0}}},
             1,
             -1,
             results<1>,
             expand_flatten_concat});
  table.add({"Split",
             {"1"},
             {required("axis", int64_t{0}), required("output_lengths", std::vector<int64_t>{})},
             1,
             1,
             split_results,
             expand_split});
  table.add({"SpecialSlice_TRT", {"1"}, {}, 1, 1, results<1>, expand_special_slice});
  table.add({"ResizeNearest_TRT", {"1"}, {required("scale", 1.0)}, 1, 1, results<1>, expand_resize_nearest});
  table.add({"ScatterND", {"1"}, {}, 3, 3, results<1>, expand_scatter_nd});
  table.add({"ScatterElements",
             {"1", {"2", 3}},
             {required("reduction", std::string()), {"axis", int64_t{0}}},
             3,
             3,
             results<1>,
             expand_scatter_elements});
  table.add({"CoordConvAC", {"1"}, {}, 1, 1, results<1>, expand_coord_conv});
}

}  // namespace planish::plugins
