// Layers that place elements otherwise, or choose some of them.

#include <algorithm>

#include "base/checked.h"
#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

Dim product_of(const Shape& shape, int begin, int end) {
  Dim product = 1;
  for (int i = begin; i < end; ++i) product = product * shape[i];
  return product;
}

// The axes from `axis` to `end_axis`, both counted, become one.
void import_flatten(LayerContext& context) {
  const text::Message& param = context.param("flatten_param");
  const Shape in = context.shape(0);
  const int first = context.axis(param.integer("axis", 1), in.rank()),
            last = context.axis(param.integer("end_axis", -1), in.rank());
  if (last < first) fail(Code::invalid_model, "axis {} behind end_axis {}", first, last);
  std::vector<Dim> dims(in.begin(), in.begin() + first);
  dims.push_back(product_of(in, first, last + 1));
  dims.insert(dims.end(), in.begin() + last + 1, in.end());
  context.give({reshaped(context, context.input(0), std::move(dims))});
}

// The axes that a Reshape replaces: num_axes from `axis` on; -1: all that follow.
std::pair<int, int> replaced_axes(LayerContext& context, const text::Message& param) {
  const int rank = context.rank(0);
  const int64_t axis = param.integer("axis", 0), begin = axis < 0 ? axis + rank + 1 : axis;
  const int64_t count = param.integer("num_axes", -1), end = count < 0 ? rank : begin + count;
  if (begin < 0 || begin > rank || count < -1 || end > rank)
    fail(Code::invalid_model, "axis {} and num_axes {} of {}", axis, count, context.type(0).str());
  return {static_cast<int>(begin), static_cast<int>(end)};
}

// A dim of 0 is the bottom's extent at that place, one of -1 what is left.
void import_reshape(LayerContext& context) {
  const text::Message& param = context.param("reshape_param");
  const Shape in = context.shape(0);
  const auto [begin, end] = replaced_axes(context, param);
  const auto wanted = param.message("shape").integers("dim");
  std::vector<Dim> dims(in.begin(), in.begin() + begin);
  Dim known = product_of(in, 0, begin) * product_of(in, end, in.rank());
  std::optional<size_t> open;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const int at = begin + static_cast<int>(i);
    if (wanted[i] == 0 && at >= in.rank()) fail(Code::invalid_model, "dim {} is 0, {} has no axis {}", i, in.str(), at);
    if (wanted[i] < -1 || (wanted[i] == -1 && open)) fail(Code::invalid_model, "dim {} is {}", i, wanted[i]);
    if (wanted[i] == -1) open = dims.size();
    dims.push_back(wanted[i] == 0 ? in[at] : wanted[i] == -1 ? Dim(1) : Dim(wanted[i]));
    known = known * dims.back();
  }
  dims.insert(dims.end(), in.begin() + end, in.end());
  if (open && known == Dim(0)) fail(Code::invalid_model, "a dim of -1 beside one of 0 elements");
  if (open) dims[*open] = floor_div(in.element_count(), known);
  if (dims.size() > kMaxRank) fail(Code::unsupported, "a result of rank {}; at most {}", dims.size(), kMaxRank);
  context.emit("reshape", {context.input(0), planish::importers::dims(context, std::move(dims))},
               {{"allowzero", int64_t{1}}});
}

// Axes that the order does not name keep their order behind those that it does.
void import_permute(LayerContext& context) {
  std::vector<int64_t> order = context.param("permute_param").integers("order");
  const int rank = context.rank(0);
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] >= rank || std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i), order[i]) !=
                                order.begin() + static_cast<std::ptrdiff_t>(i))
      fail(Code::invalid_model, "order names axis {} of {}, which it lacks or which is named before", order[i],
           context.type(0).str());
  for (int64_t axis = 0; axis < rank; ++axis)
    if (std::find(order.begin(), order.end(), axis) == order.end()) order.push_back(axis);
  context.emit("transpose", {context.input(0)}, {{"perm", std::move(order)}});
}

// Channel g * n + i becomes channel i * groups + g, of n channels a group.
void import_shuffle_channel(LayerContext& context) {
  const int64_t groups = context.param("shuffle_channel_param").integer("group", 1);
  const Shape in = context.shape(0);
  if (in.rank() != 4) fail(Code::invalid_model, "its bottom is {}; rank 4 is accepted", context.type(0).str());
  const int64_t channels = fixed_extent(context, context.input(0), 1, "the number of channels");
  if (groups < 1 || channels % groups != 0)
    fail(Code::invalid_model, "{} groups of {} channels; a divisor is accepted", groups, channels);
  const ValueId split = reshaped(context, context.input(0), {in[0], groups, channels / groups, in[2], in[3]});
  context.emit("reshape",
               {transposed(context, split, {0, 2, 1, 3, 4}), dims(context, std::vector<Dim>(in.begin(), in.end()))},
               {{"allowzero", int64_t{1}}});
}

// `axis`, or in files of old its unsigned name; 1 where neither is given
int named_axis(LayerContext& context, const text::Message& param, const char* old) {
  if (param.has("axis") && param.has(old)) fail(Code::invalid_model, "both axis and {}; one is accepted", old);
  return context.axis(param.has(old) ? param.integer(old) : param.integer("axis", 1), context.rank(0));
}

void import_concat(LayerContext& context) {
  const int64_t axis = named_axis(context, context.param("concat_param"), "concat_dim");
  if (context.inputs().size() == 1) return context.give({context.input(0)});
  context.emit("concat", context.inputs(), {{"axis", axis}});
}

// Cut before each slice_point, or into equal parts.
void import_slice(LayerContext& context) {
  const text::Message& param = context.param("slice_param");
  const int axis = named_axis(context, param, "slice_dim");
  const auto points = param.integers("slice_point");
  const auto parts = static_cast<int64_t>(context.tops());
  if (parts == 1 && points.empty()) return context.give({context.input(0)});
  const int64_t extent = fixed_extent(context, context.input(0), axis, "the extent that is cut");
  if (!points.empty() && std::ssize(points) != parts - 1)
    fail(Code::invalid_model, "{} values of slice_point for {} tops; one less is accepted", points.size(), parts);
  if (points.empty() && extent % parts != 0)
    fail(Code::invalid_model, "an extent of {} in {} equal parts", extent, parts);
  std::vector<int64_t> sizes;
  int64_t from = 0;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t to = i + 1 == parts   ? extent
                       : points.empty() ? from + extent / parts
                                        : points[static_cast<size_t>(i)];
    if (to <= from || to > extent)
      fail(Code::invalid_model, "slice_point {} behind {} of an extent of {}", to, from, extent);
    sizes.push_back(to - from);
    from = to;
  }
  context.emit("split", {context.input(0), context.ints(sizes)}, {{"axis", int64_t{axis}}});
}

void import_split(LayerContext& context) { context.give(std::vector<ValueId>(context.tops(), context.input(0))); }

void import_silence(LayerContext& context) { context.give({}); }

void import_tile(LayerContext& context) {
  const text::Message& param = context.param("tile_param");
  const int axis = context.axis(param.integer("axis", 1), context.rank(0));
  const int64_t tiles = param.integer("tiles");
  if (tiles < 1) fail(Code::invalid_model, "tiles is {}; 1 and more is accepted", tiles);
  std::vector<int64_t> repeats(static_cast<size_t>(context.rank(0)), 1);
  repeats[static_cast<size_t>(axis)] = tiles;
  context.emit("tile", {context.input(0), context.ints(repeats)});
}

// Bottom 0 from the offsets on, with the extents of bottom 1, on the axes from `axis` on.
void import_crop(LayerContext& context) {
  const text::Message& param = context.param("crop_param");
  const Shape &in = context.shape(0), &like = context.shape(1);
  if (in.rank() != like.rank())
    fail(Code::invalid_model, "bottoms {} and {}; equal ranks are accepted", context.type(0).str(),
         context.type(1).str());
  const int axis = context.axis(param.integer("axis", 2), in.rank());
  const auto offsets = param.integers("offset");
  const auto cropped = static_cast<size_t>(in.rank() - axis);
  if (offsets.size() > 1 && offsets.size() != cropped)
    fail(Code::invalid_model, "{} offsets for {} axes", offsets.size(), cropped);
  std::vector<Dim> begin, end;
  std::vector<int64_t> axes;
  for (int i = axis; i < in.rank(); ++i) {
    const size_t k = offsets.size() > 1 ? static_cast<size_t>(i - axis) : 0;
    axes.push_back(i);
    begin.emplace_back(offsets.empty() ? 0 : offsets[k]);
    end.push_back(begin.back() + like[i]);
    if (in[i].is_constant() && end.back().is_constant() && end.back().value() > in[i].value())
      fail(Code::invalid_model, "axis {} of {}: an offset of {} and an extent of {} reach beyond it", i,
           context.type(0).str(), begin.back().str(), like[i].str());
  }
  context.emit("slice",
               {context.input(0), dims(context, std::move(begin)), dims(context, std::move(end)), context.ints(axes)});
}

}  // namespace

void register_reshape(LayerTable& table) {
  table.add("Flatten", import_flatten);
  table.add("Reshape", import_reshape);
  table.add("Permute", import_permute);
  table.add("ShuffleChannel", import_shuffle_channel);
  table.add("Concat", import_concat, {1, -1});
  table.add("Slice", import_slice, {1, 1, 1, -1});
  table.add("Split", import_split, {1, 1, 1, -1});
  table.add("Silence", import_silence, {1, -1, 0, 0});
  table.add("Tile", import_tile);
  table.add("Crop", import_crop, {2, 2});
}

}  // namespace planish::caffe
