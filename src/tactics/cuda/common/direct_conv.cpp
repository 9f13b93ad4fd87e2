#include "tactics/cuda/common/direct_conv.h"

#include <cstring>

#include "tactics/cuda/common/depthwise.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostFirstTaps = 7, kFewChannels = 4, kFirstBlocks = 132 * 4;

// [packed row][line of taps][taps up to a multiple of four][4]
Tensor pack_first(const TensorProduct& p, int64_t group) {
  const int64_t padded = (p.taps_w + 3) / 4 * 4, block = 8 * group, rows = (p.columns + block - 1) / block * block;
  const auto from = p.weights.as<Half>();
  return Tensor::make(DataType::f16, {rows, p.taps_h, padded, 4}, [&](std::byte* memory) {
    std::memset(memory, 0, static_cast<size_t>(rows * p.taps_h * padded * 8));
    Half* to = reinterpret_cast<Half*>(memory);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t j = row % block, column = row - j + j / 2 % 4 * (2 * group) + j / 8 * 2 + j % 2;
      if (column >= p.columns) continue;
      for (int64_t h = 0; h < p.taps_h; ++h)
        for (int64_t w = 0; w < p.taps_w; ++w)
          for (int64_t c = 0; c < p.channels; ++c)
            to[((row * p.taps_h + h) * padded + w) * 4 + c] =
                from[static_cast<size_t>(((column * p.channels + c) * p.taps_h + h) * p.taps_w + w)];
    }
  });
}

Launch first_launch(const TensorProduct& p, int64_t warps, int64_t columns, int64_t group, int64_t zero) {
  const std::string source = device_type(p.type), result = device_type(p.result);
  const bool scaled = p.scales.present();
  Launch launch;
  launch.kernel = "first_conv";
  launch.source = direct_head(p, "conv_first",
                              fmt::format("FirstConv<{}, {}, {}, {}, {}, {}, {}, {}>", source, result, p.taps_h,
                                          p.taps_w, p.strides[0], warps, columns, group));
  launch.source += fmt::format(R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads, 512 / Chosen::kThreads)
    first_conv(const __grid_constant__ View x, const half_t* weights, const float* bias, const __grid_constant__ View y,
               const __grid_constant__ View r{}, int channels, int filters, int pad_h, int pad_w, int zero) {{
  const int height = x.dims[2], width = x.dims[3], out_h = y.dims[2], out_w = y.dims[3];
  const float shift = static_cast<float>(-zero);
  const FirstShape shape = {{static_cast<int>(x.dims[0]), height, width, channels, filters, out_h, out_w, pad_h, pad_w,
                            (out_h + Chosen::kLines - 1) / Chosen::kLines, (out_w + 15) / 16,
                            static_cast<int>(y.strides[3]), static_cast<int>(r.strides[3]), x.strides[0], x.strides[2],
                            x.strides[3], x.strides[1], {{1, 1, 1, 1}}, {{shift, shift, shift, shift}}}};
  conv_first<Chosen, Program>(static_cast<const Chosen::Source*>(x.data), weights,
                              static_cast<Chosen::Result*>(y.data), bias, {},
                              static_cast<const Chosen::Result*>(r.data), shape);
}}
)",
                               scaled ? ", const float* scale" : "", scaled ? "scale" : "nullptr");
  if (scaled) launch.options = {"-fmad=false"};  // ties of numbers are decided as the processor does
  for (int64_t number : {p.channels, p.columns, p.pads[0], p.pads[1], zero}) launch.integer(number);
  const Dim tiles = p.extents[0] * ceil_div(p.out_extents[0], Dim(2 * warps)) * ceil_div(p.out_extents[1], Dim(16));
  launch.grid = {min(tiles, Dim(kFirstBlocks * 8 / warps)), p.columns / columns, 1};
  return launch;
}

}  // namespace

Candidate direct_candidate(const TacticQuery& query, const TensorProduct& p, std::string name, Launch launch,
                           int64_t threads, int64_t shared, std::function<Tensor()> pack) {
  std::vector<std::string> operands = {"view:i0", "pointer:i1", "pointer:i2", "view:o0"};
  operands.emplace_back(p.residual ? "view:i3" : "view:o0");
  if (p.scales.present()) operands.emplace_back(p.residual ? "pointer:i4" : "pointer:i3");
  launch.arguments.insert(launch.arguments.begin(), operands.begin(), operands.end());
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = std::move(name);
  candidate.inputs = p.inputs;
  candidate.outputs = {p.output};
  candidate.emit = [=, bias = bias_of(p), scales = p.scales, operand = p.operand, residual = p.residual,
                    arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs = {builder.input(operand), builder.constant(pack()), builder.constant(bias)};
    if (residual) inputs.push_back(builder.input(*residual));
    if (scales.present()) inputs.push_back(builder.constant(scales));
    Attrs attrs = launch.attrs(arch);
    attrs.set("block", std::vector<int64_t>{threads, 1, 1});
    if (shared > 0) attrs.set("shared", shared);
    attrs.set("overlap", int64_t{1});
    builder.step(StepKind::launch, launch.kernel, std::move(attrs), std::move(inputs), {builder.output(0)});
  };
  return candidate;
}

std::string refuse_first(const TensorProduct& p) {
  if (p.channels > kFewChannels || p.columns % 16 != 0) return "no first layer: many channels, or odd filters";
  if (p.dilations[0] != 1 || p.dilations[1] != 1 || p.strides[0] != p.strides[1]) return "dilations, or two strides";
  if (p.taps_h > kMostFirstTaps || p.taps_w > kMostFirstTaps || p.strides[0] > 4) return "more than 7 taps";
  return "";
}

void offer_first(const TacticQuery& query, CandidateSink& sink, std::shared_ptr<const TensorProduct> product,
                 int64_t zero) {
  auto p = std::make_shared<TensorProduct>(*product);
  p->inputs[p->operand] = LayoutRule::any;
  int64_t group = 8;
  while (p->columns % (8 * group) != 0) group /= 2;
  const double flops = 2 * typical_elements(query, query.output(0).type.shape) *
                       static_cast<double>(p->taps_h * ((p->taps_w + 3) / 4 * 4) * 4);
  for (int64_t columns : {64, 32, 16}) {
    if (p->columns % columns != 0) continue;
    for (int64_t warps : {4, 8, 2}) {
      const int64_t padded = (p->taps_w + 3) / 4 * 4, stride = p->strides[0], lines = 2 * warps;
      const int64_t shared =
          columns * (p->taps_h * padded * 8 + 16) + ((lines - 1) * stride + p->taps_h) * (15 * stride + padded) * 8;
      Candidate candidate = direct_candidate(query, *p, fmt::format("cuda.first.{}x{}", 32 * warps, columns),
                                             first_launch(*p, warps, columns, group, zero), 32 * warps, shared,
                                             [p, group] { return pack_first(*p, group); });
      candidate.estimated_us = estimate_us(query, flops, 220) + static_cast<double>(p->columns / columns - 1) * 0.2;
      sink.offer(std::move(candidate));
    }
  }
}

}  // namespace planish::tactics::cuda
