#include "tensorrt/build/layers_shape.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace planish::tensorrt {
namespace {

Value permuted(Emit& emit, Value x, const nvinfer1::Permutation& permutation) {
  const auto rank = static_cast<size_t>(emit.rank(x));
  const auto shown = rank - static_cast<size_t>(emit.offset());
  Extents order;
  if (emit.implicit) order.push_back(0);
  for (size_t i = 0; i < shown; ++i) order.push_back(permutation.order[i] + emit.offset());
  Extents identity(rank);
  std::iota(identity.begin(), identity.end(), 0);
  if (order == identity) return x;
  return emit.op("transpose", {x}, {{"perm", Attribute::Value(order)}});
}

}  // namespace

void ShuffleLayer::lower(Emit& emit) {
  Value x = permuted(emit, emit.in(0), first);
  if (emit.has(1) || reshape.nbDims >= 0) {
    Value to;
    if (emit.has(1)) {
      to = emit.integers(emit.in(1));
      if (emit.implicit) to = emit.op("concat", {emit.net.ints({0}), to}, {{"axis", 0}});
    } else {
      Extents extents = extents_of(reshape);
      if (emit.implicit) extents.insert(extents.begin(), 0);
      to = emit.net.ints(extents);
    }
    x = emit.op("reshape", {x, to}, {{"allowzero", !zero_copies}});
  }
  const Value y = permuted(emit, x, second);
  emit.out(0, y == emit.in(0) ? emit.op("identity", {y}) : y);
}

// All places lie in the axis, where its extent is known.
void SliceLayer::check_inside(size_t i, int64_t extent) const {
  const int64_t most = std::numeric_limits<int32_t>::max(), count = size[i];
  const bool small = std::abs(start[i]) <= most && count >= 0 && count <= most && std::abs(stride[i]) <= most;
  const int64_t last = small && count > 0 ? start[i] + (count - 1) * stride[i] : 0;
  if (small && (extent < 0 || count == 0 || (start[i] >= 0 && start[i] < extent && last >= 0 && last < extent))) return;
  refuse("start " + std::to_string(start[i]) + ", size " + std::to_string(count) + " and stride " +
         std::to_string(stride[i]) + " of an axis of " + std::to_string(extent) + " leave it; other modes may");
}

// start + i * stride for i < size, on every axis of the list.
void SliceLayer::lower(Emit& emit) {
  using nvinfer1::SampleMode;
  const Value x = emit.in(0);
  Extents list = axes;
  if (list.empty()) {
    list.resize(static_cast<size_t>(emit.rank(x) - emit.offset()));
    std::iota(list.begin(), list.end(), 0);
  }
  for (int64_t& axis : list) axis += emit.offset();
  if (mode != SampleMode::kSTRICT_BOUNDS) return emit.out(0, outside_too(emit, x, list));
  const Value along = emit.net.ints(list);
  if (!emit.has(1) && !emit.has(2) && !emit.has(3)) {
    if (start.size() != list.size() || size.size() != list.size() || stride.size() != list.size())
      refuse("start, size and stride of " + std::to_string(list.size()) + " axes are accepted");
    Extents ends;
    for (size_t i = 0; i < list.size(); ++i) {
      check_inside(i, emit.extents(x).at(static_cast<size_t>(list[i])));
      const int64_t end = start[i] + size[i] * stride[i];
      ends.push_back(end < 0 ? std::numeric_limits<int64_t>::min() / 2 : end);
    }
    return emit.out(0, emit.op("slice", {x, emit.net.ints(start), emit.net.ints(ends), along, emit.net.ints(stride)}));
  }
  const Value from = emit.has(1) ? emit.integers(emit.in(1)) : emit.net.ints(start);
  const Value count = emit.has(2) ? emit.integers(emit.in(2)) : emit.net.ints(size);
  const Value step = emit.has(3) ? emit.integers(emit.in(3)) : emit.net.ints(stride);
  const Value end = emit.op("add", {from, emit.op("mul", {count, step})});
  emit.out(0, emit.op("slice", {x, from, end, along, step}));
}

// Places outside are taken from inside, axis by axis, or filled: each axis is gathered by the list of its places.
Value SliceLayer::outside_too(Emit& emit, Value x, const Extents& list) {
  using nvinfer1::SampleMode;
  const Extents extents = emit.extents(x);
  const bool fill = mode == SampleMode::kFILL;
  if (!fill && mode != SampleMode::kWRAP && mode != SampleMode::kCLAMP && mode != SampleMode::kREFLECT)
    refuse("mode " + std::to_string(static_cast<int>(mode)));
  if (emit.has(1) || emit.has(2) || emit.has(3))
    throw Error(Code::unsupported, "computed starts, sizes or strides with places outside of the tensor");
  for (size_t i = 0; i < list.size(); ++i) {
    const int64_t n = extents.at(static_cast<size_t>(list[i]));
    if (n < 1) throw Error(Code::unsupported, "places outside of an axis of dynamic extent");
    constexpr int64_t kMostPlaces = 1 << 24, kFarthest = int64_t{1} << 38;
    if (size.at(i) < 0 || size.at(i) > kMostPlaces || std::abs(start.at(i)) > kFarthest ||
        std::abs(stride.at(i)) > kFarthest)
      refuse("start " + std::to_string(start[i]) + ", size " + std::to_string(size[i]) + " and stride " +
             std::to_string(stride[i]) + "; sizes to " + std::to_string(kMostPlaces) + " are accepted");
    Extents places;
    for (int64_t k = 0; k < size.at(i); ++k) {
      int64_t at = start.at(i) + k * stride.at(i);
      if (fill) {
        at = at < 0 || at >= n ? n : at;  // n: the row that is filled
      } else if (mode == SampleMode::kWRAP) {
        at = (at % n + n) % n;
      } else if (mode == SampleMode::kCLAMP) {
        at = std::clamp<int64_t>(at, 0, n - 1);
      } else if (n > 1) {
        const int64_t period = 2 * (n - 1), in = (at % period + period) % period;
        at = in < n ? in : period - in;
      } else {
        at = 0;
      }
      places.push_back(at);
    }
    if (fill) {
      Extents pads(2 * extents.size(), 0);
      pads[extents.size() + static_cast<size_t>(list[i])] = 1;
      const Value with =
          emit.has(4) ? emit.op("reshape", {emit.in(4), emit.net.constant<int64_t>({0}, {})}) : emit.number(x, 0);
      x = emit.op("pad", {x, emit.net.ints(pads), with});
    }
    x = emit.op("gather", {x, emit.net.ints(places)}, {{"axis", list[i]}});
  }
  return x;
}

void ResizeLayer::lower(Emit& emit) {
  static constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
  static constexpr const char* kTransforms[] = {"align_corners", "asymmetric", "half_pixel"};
  static constexpr const char* kRounding[] = {"round_prefer_ceil", "round_prefer_floor", "floor", "ceil"};
  const Value x = emit.in(0);
  Attributes attributes = {{"mode", kModes[static_cast<size_t>(mode)]},
                           {"coordinate_transformation_mode", kTransforms[static_cast<size_t>(transform)]},
                           {"nearest_mode", kRounding[static_cast<size_t>(rounding)]}};
  if (mode == nvinfer1::InterpolationMode::kCUBIC) {
    attributes.add({"cubic_coeff_a", double{cubic}});
    attributes.add({"exclude_outside", exclude});
  }
  if (emit.has(1)) {
    Value sizes = emit.integers(emit.in(1));
    if (emit.implicit) throw Error(Code::unsupported, "computed extents with an implicit batch axis");
    return emit.out(0, emit.op("resize", {x, {}, {}, sizes}, attributes));
  }
  const auto rank = static_cast<size_t>(emit.rank(x));
  std::vector<float> factors = scales;
  if (factors.empty() && output.empty()) refuse("neither output dimensions nor scales were set");
  if (emit.implicit) factors.insert(factors.begin(), 1.0F);
  if (!scales.empty()) {
    if (factors.size() != rank) refuse(std::to_string(scales.size()) + " scales for a tensor of another rank");
    const Value by = emit.net.constant<float>({static_cast<int64_t>(rank)}, factors);
    return emit.out(0, emit.op("resize", {x, {}, by}, attributes));
  }
  Extents to = output;
  if (!emit.implicit) return emit.out(0, emit.op("resize", {x, {}, {}, emit.net.ints(to)}, attributes));
  Extents along(to.size());
  std::iota(along.begin(), along.end(), 1);
  attributes.add({"axes", Attribute::Value(along)});
  emit.out(0, emit.op("resize", {x, {}, {}, emit.net.ints(to)}, attributes));
}

void GatherLayer::lower(Emit& emit) {
  using nvinfer1::GatherMode;
  const Value data = emit.in(0), indices = emit.integers(emit.in(1));
  const int64_t at = axis + emit.offset();
  if (mode == GatherMode::kELEMENT) return emit.out(0, emit.op("gather_elements", {data, indices}, {{"axis", at}}));
  if (mode == GatherMode::kND)
    return emit.out(0, emit.op("gather_nd", {data, indices}, {{"batch_dims", int64_t{batch_dims}}}));
  if (batch_dims != 0) throw Error(Code::unsupported, "elementwise axes of a gather in its default mode");
  if (!emit.implicit) return emit.out(0, emit.op("gather", {data, indices}, {{"axis", at}}));
  // Indices that every sample shares have one row in front.
  if (emit.extents(indices).at(0) != 1)
    throw Error(Code::unsupported, "indices of each sample with an implicit batch axis");
  const Value shared = emit.op("squeeze", {indices, emit.net.ints({0})});
  emit.out(0, emit.op("gather", {data, shared}, {{"axis", at}}));
}

void ScatterLayer::lower(Emit& emit) {
  const Value data = emit.in(0), indices = emit.integers(emit.in(1)), updates = emit.in(2);
  if (mode == nvinfer1::ScatterMode::kND) return emit.out(0, emit.op("scatter_nd", {data, indices, updates}));
  emit.out(0, emit.op("scatter_elements", {data, indices, updates}, {{"axis", int64_t{axis + emit.offset()}}}));
}

void GridSampleLayer::lower(Emit& emit) {
  static constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
  const char* padding = sample == nvinfer1::SampleMode::kFILL    ? "zeros"
                        : sample == nvinfer1::SampleMode::kCLAMP ? "border"
                                                                 : "reflection";
  emit.out(0, emit.op("grid_sample", {emit.in(0), emit.in(1)},
                      {{"mode", kModes[static_cast<size_t>(interpolation)]},
                       {"padding_mode", padding},
                       {"align_corners", align}}));
}

// Constants have no batch axis of their own: one row serves all samples.
void ConstantLayer::lower(Emit& emit) {
  Extents shape = extents;
  if (emit.implicit) shape.insert(shape.begin(), 1);
  emit.out(0, emit.op("identity", {emit.weights(weights, shape, "constant")}));
}

// alpha + sum of place times beta, one beta an axis where they are computed.
Value FillLayer::line(Emit& emit, const Extents& shape) {
  const bool integers = to_type != nvinfer1::DataType::kFLOAT && to_type != nvinfer1::DataType::kHALF;
  if (emit.has(0)) {
    const Value count = emit.integers(emit.in(0));
    const auto at = [&](double value) { return emit.net.scalar(static_cast<int64_t>(value)); };
    const Value rows = emit.op("range", {at(0), emit.op("squeeze", {count}), at(1)});
    const DataType type = emit.has(1) ? emit.net.dtype(emit.in(1)) : type_of(to_type);
    const Value base = emit.has(1) ? emit.in(1) : emit.cast(emit.net.scalar(static_cast<float>(alpha)), type);
    const Value step = emit.has(2) ? emit.in(2) : emit.cast(emit.net.scalar(static_cast<float>(beta)), type);
    return emit.op("add", {emit.op("mul", {emit.cast(rows, type), step}), base});
  }
  if (shape.size() != 1) throw Error(Code::unsupported, "a linear filling of rank " + std::to_string(shape.size()));
  std::vector<float> floats;
  std::vector<int64_t> wholes;
  for (int64_t i = 0; i < shape[0]; ++i) {
    floats.push_back(static_cast<float>(alpha + beta * static_cast<double>(i)));
    wholes.push_back(static_cast<int64_t>(alpha) + static_cast<int64_t>(beta) * i);
  }
  return integers ? emit.cast(emit.net.constant(shape, wholes), type_of(to_type)) : emit.net.constant(shape, floats);
}

void FillLayer::lower(Emit& emit) {
  using nvinfer1::FillOperation;
  if (operation == FillOperation::kLINSPACE) return emit.out(0, emit.op("identity", {line(emit, extents)}));
  if (emit.has(0) || emit.has(1) || emit.has(2))
    throw Error(Code::unsupported, "random numbers of computed extents or bounds");
  const bool uniform = operation == FillOperation::kRANDOM_UNIFORM;
  emit.out(0, emit.op(uniform ? "random_uniform" : "random_normal", {},
                      {{"shape", Attribute::Value(extents)},
                       {uniform ? "low" : "mean", alpha},
                       {uniform ? "high" : "scale", beta}}));
}

// The index, counted from the end when it is negative, beside the places 0 to depth; where they meet values[1].
void OneHotLayer::lower(Emit& emit) {
  const Value given = emit.integers(emit.in(0));
  const Value depth = emit.op("reshape", {emit.integers(emit.in(2)), emit.net.constant<int64_t>({0}, {})});
  const Value zero = emit.net.scalar(int64_t{0}), unit = emit.net.scalar(int64_t{1});
  const Value indices = emit.op("where", {emit.op("less", {given, zero}), emit.op("add", {given, depth}), given});
  const int rank = emit.rank(given);
  const int64_t at = axis < 0 ? rank + 1 + axis : axis + emit.offset();
  Extents column(static_cast<size_t>(rank - at + 1), 1);
  column[0] = -1;
  const Value places = emit.op("reshape", {emit.op("range", {zero, depth, unit}), emit.net.ints(column)});
  const Value hit = emit.op("equal", {emit.op("unsqueeze", {indices, emit.net.ints({at})}), places});
  const auto value = [&](int64_t i) {
    return emit.op("slice", {emit.in(1), emit.net.ints({i}), emit.net.ints({i + 1})});
  };
  emit.out(0, emit.op("where", {hit, value(1), value(0)}));
}

// Boxes [batch, boxes, 4], scores [batch, boxes, classes]; chosen (batch, class, box), and how many there are.
void NmsLayer::lower(Emit& emit) {
  Value boxes = emit.in(0);
  if (emit.rank(boxes) == 4) boxes = emit.op("squeeze", {boxes, emit.net.ints({2})});
  const Value scores = emit.op("transpose", {emit.in(1)}, {{"perm", Attribute::Value(Extents{0, 2, 1})}});
  const Value overlap = emit.has(3) ? emit.in(3) : emit.net.scalar(0.0F);
  const Value least = emit.has(4) ? emit.in(4) : Value{};
  const Value chosen = emit.op("non_max_suppression", {boxes, scores, emit.integers(emit.in(2)), overlap, least},
                               {{"center_point_box", format == nvinfer1::BoundingBoxFormat::kCENTER_SIZES}});
  emit.out(0, emit.index_type(chosen, indices_type));
  const Value count = emit.op("slice", {emit.op("shape", {chosen}), emit.net.ints({0}), emit.net.ints({1})});
  emit.out(1, emit.cast(emit.op("squeeze", {count, emit.net.ints({0})}), DataType::i32));
}

// --- add*

nvinfer1::IConcatenationLayer* NetworkImpl::addConcatenation(nvinfer1::ITensor* const* inputs, int32_t count) {
  return make<ConcatenationLayer>("addConcatenation", inputs, count);
}
nvinfer1::IShuffleLayer* NetworkImpl::addShuffle(nvinfer1::ITensor& x) { return make<ShuffleLayer>("addShuffle", x); }
nvinfer1::ISliceLayer* NetworkImpl::addSlice(nvinfer1::ITensor& x, nvinfer1::Dims const& start,
                                             nvinfer1::Dims const& size, nvinfer1::Dims const& stride) {
  return make<SliceLayer>("addSlice", x, start, size, stride);
}
nvinfer1::IShapeLayer* NetworkImpl::addShape(nvinfer1::ITensor& x) { return make<ShapeLayer>("addShape", x); }
nvinfer1::ISqueezeLayer* NetworkImpl::addSqueeze(nvinfer1::ITensor& x, nvinfer1::ITensor& axes) {
  return make<AxesLayer<nvinfer1::ISqueezeLayer, nvinfer1::LayerType::kSQUEEZE>>("addSqueeze", x, axes);
}
nvinfer1::IUnsqueezeLayer* NetworkImpl::addUnsqueeze(nvinfer1::ITensor& x, nvinfer1::ITensor& axes) {
  return make<AxesLayer<nvinfer1::IUnsqueezeLayer, nvinfer1::LayerType::kUNSQUEEZE>>("addUnsqueeze", x, axes);
}
nvinfer1::IResizeLayer* NetworkImpl::addResize(nvinfer1::ITensor& x) { return make<ResizeLayer>("addResize", x); }
nvinfer1::IGatherLayer* NetworkImpl::addGather(nvinfer1::ITensor& data, nvinfer1::ITensor& indices, int32_t axis) {
  return make<GatherLayer>("addGather", data, indices, axis, nvinfer1::GatherMode::kDEFAULT);
}
nvinfer1::IGatherLayer* NetworkImpl::addGatherV2(nvinfer1::ITensor& data, nvinfer1::ITensor& indices,
                                                 nvinfer1::GatherMode mode) {
  return make<GatherLayer>("addGatherV2", data, indices, 0, mode);
}
nvinfer1::IScatterLayer* NetworkImpl::addScatter(nvinfer1::ITensor& data, nvinfer1::ITensor& indices,
                                                 nvinfer1::ITensor& updates, nvinfer1::ScatterMode mode) {
  return make<ScatterLayer>("addScatter", data, indices, updates, mode);
}
nvinfer1::IGridSampleLayer* NetworkImpl::addGridSample(nvinfer1::ITensor& x, nvinfer1::ITensor& grid) {
  return make<GridSampleLayer>("addGridSample", x, grid);
}
nvinfer1::IConstantLayer* NetworkImpl::addConstant(nvinfer1::Dims const& dims, nvinfer1::Weights weights) {
  return make<ConstantLayer>("addConstant", dims, weights);
}
nvinfer1::IFillLayer* NetworkImpl::addFill(nvinfer1::Dims const& dims, nvinfer1::FillOperation op) {
  return make<FillLayer>("addFill", dims, op, nvinfer1::DataType::kFLOAT);
}
nvinfer1::IFillLayer* NetworkImpl::addFill(nvinfer1::Dims const& dims, nvinfer1::FillOperation op,
                                           nvinfer1::DataType type) {
  return make<FillLayer>("addFill", dims, op, type);
}
nvinfer1::IOneHotLayer* NetworkImpl::addOneHot(nvinfer1::ITensor& indices, nvinfer1::ITensor& values,
                                               nvinfer1::ITensor& depth, int32_t axis) {
  return make<OneHotLayer>("addOneHot", indices, values, depth, axis);
}
nvinfer1::INonZeroLayer* NetworkImpl::addNonZero(nvinfer1::ITensor& x) {
  return make<NonZeroLayer>("addNonZero", x, nvinfer1::DataType::kINT32);
}
nvinfer1::INonZeroLayer* NetworkImpl::addNonZero(nvinfer1::ITensor& x, nvinfer1::DataType indices) {
  return make<NonZeroLayer>("addNonZero", x, indices);
}
nvinfer1::INMSLayer* NetworkImpl::addNMS(nvinfer1::ITensor& boxes, nvinfer1::ITensor& scores, nvinfer1::ITensor& most) {
  return make<NmsLayer>("addNMS", boxes, scores, most, nvinfer1::DataType::kINT32);
}
nvinfer1::INMSLayer* NetworkImpl::addNMS(nvinfer1::ITensor& boxes, nvinfer1::ITensor& scores, nvinfer1::ITensor& most,
                                         nvinfer1::DataType indices) {
  return make<NmsLayer>("addNMS", boxes, scores, most, indices);
}
nvinfer1::IReverseSequenceLayer* NetworkImpl::addReverseSequence(nvinfer1::ITensor& x, nvinfer1::ITensor& lengths) {
  return make<ReverseSequenceLayer>("addReverseSequence", x, lengths);
}
nvinfer1::IAssertionLayer* NetworkImpl::addAssertion(nvinfer1::ITensor& condition, char const* message) {
  return make<AssertionLayer>("addAssertion", condition, message);
}

}  // namespace planish::tensorrt
