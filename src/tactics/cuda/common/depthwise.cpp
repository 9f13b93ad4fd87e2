#include "tactics/cuda/common/depthwise.h"

#include <cmath>

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {

Dim DepthwisePatch::in_image(const TensorProduct& p) const {
  return ceil_div(p.out_extents[0], Dim(lines)) * ceil_div(p.out_extents[1], Dim(pixels));
}

// Seven lines are for sizes as 224 / 2^n.
std::vector<DepthwisePatch> depthwise_patches(const TacticQuery& query, const TensorProduct& p) {
  const bool few = p.taps_h * p.taps_w <= 9;
  std::vector<DepthwisePatch> patches = {{1, 1, 8}, {1, 4, few ? 8 : 4}};
  const int64_t vector = few ? 4 : 2;
  const bool sevens = std::fmod(typical_elements(query, Shape({p.out_extents[0]})), 7) == 0;
  const bool dense = p.strides[0] == 1;
  patches.push_back(sevens && dense ? DepthwisePatch{7, 2, vector} : DepthwisePatch{4, few || !dense ? 2 : 4, vector});
  return patches;
}

bool is_depthwise(const TensorProduct& p, int64_t group) {
  return group > 1 && group == p.columns && p.channels == 1 && p.columns % 8 == 0 && p.dilations[0] <= 2 &&
         p.taps_h <= 5 && p.taps_w <= 5;
}

std::string refuse_direct_types(const TensorProduct& p) {
  const auto is_half = [](DataType type) { return type == DataType::f16; };
  if (is_half(p.type) && is_half(p.weights.dtype()) && is_half(p.result)) return "";
  return fmt::format("operands are {}, weights {}", data_type_name(p.type), data_type_name(p.weights.dtype()));
}

std::string direct_head(const TensorProduct& p, const std::string& file, const std::string& chosen) {
  return program_text(p) +
         fmt::format("#include \"view.cuh\"\n#include \"{}.cuh\"\nusing Chosen = {};\n", file, chosen);
}

Launch depthwise_launch(const TensorProduct& p, const DepthwisePatch& patch, bool sums) {
  Launch launch;
  launch.kernel = "depthwise_conv";
  launch.source =
      direct_head(p, "depthwise",
                  fmt::format("DepthwiseConv<half_t, half_t, {}, {}, {}, {}, {}, {}, {}>", p.taps_h, p.taps_w,
                              p.strides[0], p.dilations[0], patch.lines, patch.pixels, patch.vector));
  launch.source += fmt::format(R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads, Chosen::kResident)
    depthwise_conv(const __grid_constant__ View x, const half_t* weights, const float* bias,
                   const __grid_constant__ View y, const __grid_constant__ View r, int pad_h, int pad_w{}) {{
  const DepthwiseShape shape = {{static_cast<int>(x.dims[0]), static_cast<int>(x.dims[2]), static_cast<int>(x.dims[3]),
                                static_cast<int>(y.dims[1]), static_cast<int>(y.dims[2]), static_cast<int>(y.dims[3]),
                                pad_h, pad_w, static_cast<int>(x.strides[3]), static_cast<int>(y.strides[3]),
                                static_cast<int>(r.strides[3])}};
  depthwise<Chosen, Program{}>(static_cast<const half_t*>(x.data), weights, static_cast<half_t*>(y.data), bias,
                               nullptr, static_cast<const half_t*>(r.data), shape{});
}}
)",
                               sums ? ", float* sums, int together" : "", sums ? ", true" : "",
                               sums ? ", PatchSums{sums, together}" : "");
  for (int64_t number : p.pads) launch.integer(number);
  launch.grid = {ceil_div(p.extents[0] * patch.in_image(p), Dim(patch.in_block())) * Dim((p.columns + 31) / 32), 1, 1};
  launch.block = kDepthwiseThreads;
  return launch;
}

Tensor pack_depthwise(const TensorProduct& p) {
  const int64_t taps = p.taps_h * p.taps_w, channels = p.columns;
  const auto from = p.weights.as<Half>();
  return Tensor::make(DataType::f16, {taps, channels}, [&](std::byte* memory) {
    for (int64_t i = 0; i < taps * channels; ++i)
      reinterpret_cast<Half*>(memory)[i] = from[static_cast<size_t>(i % channels * taps + i / channels)];
  });
}

double depthwise_us(const TacticQuery& query, const TensorProduct& p, const DepthwisePatch& patch) {
  const double outputs = typical_elements(query, query.output(0).type.shape);
  const auto results = static_cast<double>(patch.lines * patch.pixels);
  const double threads = outputs / (static_cast<double>(patch.vector) * results);
  const double step = results == 1 ? 0 : patch.lines == 1 ? 1 : 2;
  return estimate_us(query, outputs * static_cast<double>(p.taps_h * p.taps_w), 5) + (threads < 60e3 ? step : 2 - step);
}

}  // namespace planish::tactics::cuda
