// Layers that bring values to a common range.

#include <cmath>
#include <cstring>
#include <utility>

#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

void require_rank_at_least(LayerContext& context, int least) {
  if (context.rank(0) < least)
    fail(Code::invalid_model, "its bottom is {}; rank {} and more is accepted", context.type(0).str(), least);
}

std::vector<int64_t> axes_from(int first, int rank) {
  std::vector<int64_t> axes;
  for (int i = first; i < rank; ++i) axes.push_back(i);
  return axes;
}

// x - mean, and the variance, over these axes.
std::pair<ValueId, ValueId> centred(LayerContext& context, ValueId x, const std::vector<int64_t>& axes) {
  const ValueId over = context.ints(axes);
  const ValueId difference = context.add("sub", {x, context.add("reduce_mean", {x, over})});
  return {difference, context.add("reduce_mean", {context.add("mul", {difference, difference}), over})};
}

// What a running sum stands for: the sum of the weights of its terms is blob 2.
Tensor divided(const Tensor& sums, float divisor) {
  return Tensor::make(DataType::f32, sums.extents(), [&](std::byte* out) {
    for (float sum : sums.as<float>()) {
      const float value = divisor == 0 ? 0 : sum / divisor;
      std::memcpy(out, &value, sizeof value);
      out += sizeof value;
    }
  });
}

// The mean and variance of each channel: of training, or of this batch.
std::pair<ValueId, ValueId> batch_statistics(LayerContext& context, int64_t channels, bool of_training) {
  if (of_training) {
    const float divisor = context.blob_tensor(2, {1}, Made::ones).as<float>()[0];
    const auto row = [&](size_t i, Made made) {
      return context.constant(divided(context.blob_tensor(i, {channels}, made), divisor));
    };
    return {row(0, Made::zeros), row(1, Made::ones)};
  }
  std::vector<int64_t> axes = axes_from(2, context.rank(0));
  axes.insert(axes.begin(), 0);
  const ValueId variance = centred(context, context.input(0), axes).second;
  const ValueId mean = context.add("reduce_mean", {context.input(0), context.ints(axes)});
  return {reshaped(context, mean, {channels}), reshaped(context, variance, {channels})};
}

// Blobs: means, variances, what to divide them by; NVIDIA's have a scale and a bias behind.
void import_batch_norm(LayerContext& context) {
  require_rank_at_least(context, 2);
  const text::Message& param = context.param("batch_norm_param");
  const int64_t channels = fixed_extent(context, context.input(0), 1, "the number of channels");
  const bool affine = param.flag("scale_bias");
  context.require_blobs(affine ? 5 : 3, affine ? 5 : 3);
  const auto [mean, variance] = batch_statistics(context, channels, param.flag("use_global_stats", true));
  const auto row = [&, like = mean](size_t i, double otherwise) {
    if (affine) return context.blob(i, {channels}, otherwise == 1 ? Made::ones : Made::zeros);
    return context.add("expand", {context.scalar_like(like, otherwise), context.ints({channels})});
  };
  const ValueId scale = row(3, 1), bias = row(4, 0);
  context.emit("batch_normalization", {context.input(0), scale, bias, mean, variance},
               {{"epsilon", param.number("eps", 1e-5)}});
}

// x / (1 + alpha * mean of the squares in a window of size * size) ^ beta
void emit_within_channel(LayerContext& context, int64_t size, double alpha, double beta) {
  const ValueId x = context.input(0);
  const std::vector<int64_t> window(2, size), pads(4, (size - 1) / 2);
  const ValueId means = context.add("average_pool", {context.add("mul", {x, x})},
                                    {{"kernel_shape", window}, {"pads", pads}, {"count_include_pad", int64_t{1}}});
  const ValueId sum = shifted(context, scaled(context, means, alpha), 1);
  context.emit("mul", {x, context.add("pow", {sum, context.scalar_like(x, -beta)})});
}

void import_lrn(LayerContext& context) {
  if (context.rank(0) != 4) fail(Code::invalid_model, "its bottom is {}; rank 4 is accepted", context.type(0).str());
  const text::Message& param = context.param("lrn_param");
  const int64_t size = param.integer("local_size", 5);
  if (size < 1 || size % 2 == 0) fail(Code::invalid_model, "local_size is {}; odd ones are accepted", size);
  const double alpha = param.number("alpha", 1), beta = param.number("beta", 0.75);
  if (param.choice("norm_region", "ACROSS_CHANNELS") == "WITHIN_CHANNEL")
    return emit_within_channel(context, size, alpha, beta);
  const ValueId x = context.input(0);
  context.emit("div", {x, channel_divisor(context, x, {size, alpha, beta, param.number("k", 1)})});
}

// Over channels: those of [N, P, C, 1, 1] are behind the regions of RPROI.
void import_softmax(LayerContext& context) {
  const Shape& shape = context.shape(0);
  const bool regions = shape.rank() == 5 && shape[3] == Dim(1) && shape[4] == Dim(1);
  const int64_t axis = context.axis(context.param("softmax_param").integer("axis", regions ? 2 : 1), shape.rank());
  context.emit("softmax", {context.input(0)}, {{"axis", axis}});
}

// x / sqrt(sum of squares + eps) * scale; the sum over channels, or over all of a sample
void import_normalize(LayerContext& context) {
  require_rank_at_least(context, 2);
  const text::Message& param = context.param("norm_param");
  const ValueId x = context.input(0);
  const bool shared = param.flag("channel_shared", true), across = param.flag("across_spatial", true);
  context.require_blobs(1, 1);
  std::vector<int64_t> extents = {shared ? 1 : fixed_extent(context, x, 1, "the number of channels")};
  const Tensor scale = context.blob_tensor(0, extents, Made::ones);
  for (int i = 2; i < context.rank(0) && !shared; ++i) extents.push_back(1);
  const ValueId squares =
      context.add("reduce_sum_square", {x, context.ints(axes_from(1, across ? context.rank(0) : 2))});
  const ValueId norm = context.add("sqrt", {shifted(context, squares, param.number("eps", 1e-10))});
  context.emit("mul", {context.add("div", {x, norm}), context.constant(scale.reshaped(extents))});
}

// (x - mean) / (deviation + eps) over the space of each channel, or over all of a sample
void import_mvn(LayerContext& context) {
  require_rank_at_least(context, 3);
  const text::Message& param = context.param("mvn_param");
  const auto axes = axes_from(param.flag("across_channels") ? 1 : 2, context.rank(0));
  const auto [difference, variance] = centred(context, context.input(0), axes);
  if (!param.flag("normalize_variance", true)) return context.give({difference});
  const ValueId deviation = shifted(context, context.add("sqrt", {variance}), param.number("eps", 1e-9));
  context.emit("div", {difference, deviation});
}

}  // namespace

void register_normalization(LayerTable& table) {
  table.add("BatchNorm", import_batch_norm);
  table.add("LRN", import_lrn);
  table.add("Softmax", import_softmax);
  table.add("Normalize", import_normalize);
  table.add("MVN", import_mvn);
}

}  // namespace planish::caffe
