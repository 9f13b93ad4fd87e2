// First layers on tensor cores, and depthwise convolutions: kernels over views of any image.

#include <cstring>

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/depthwise.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostTaps = 7, kFewChannels = 4, kBlocks = 132 * 4;

struct DirectConv {
  TensorProduct product;  // rows, extents, epilogue
  EpilogueForm form;
  int64_t group = 1;
};

std::string read_direct(const TacticQuery& query, DirectConv& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  p.form = *form;
  return read_windows(query, p.form, p.group, p.product);
}

// Arguments: x, weights, bias, y and the residual as views; the kernel's shape is put together from them.
Candidate direct_candidate(const TacticQuery& query, const TensorProduct& p, std::string name, Launch launch,
                           int64_t threads, int64_t shared, std::function<Tensor()> pack) {
  launch.arguments.insert(launch.arguments.begin(), {"view:i0", "pointer:i1", "pointer:i2", "view:o0"});
  launch.arguments.insert(launch.arguments.begin() + 4, p.residual ? "view:i3" : "view:o0");
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = std::move(name);
  candidate.inputs = p.inputs;
  candidate.outputs = {p.output};
  candidate.emit = [=, bias = bias_of(p), operand = p.operand, residual = p.residual,
                    arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs = {builder.input(operand), builder.constant(pack()), builder.constant(bias)};
    if (residual) inputs.push_back(builder.input(*residual));
    Attrs attrs = launch.attrs(arch);
    attrs.set("block", std::vector<int64_t>{threads, 1, 1});
    if (shared > 0) attrs.set("shared", shared);
    attrs.set("overlap", int64_t{1});
    builder.step(StepKind::launch, launch.kernel, std::move(attrs), std::move(inputs), {builder.output(0)});
  };
  return candidate;
}

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

void offer_first(const TacticQuery& query, CandidateSink& sink, const DirectConv& direct) {
  auto p = std::make_shared<TensorProduct>(direct.product);
  p->inputs[p->operand] = LayoutRule::any;
  int64_t group = 8;
  while (p->columns % (8 * group) != 0) group /= 2;
  const double flops = 2 * typical_elements(query, query.output(0).type.shape) *
                       static_cast<double>(p->taps_h * ((p->taps_w + 3) / 4 * 4) * 4);
  for (int64_t columns : {64, 32, 16}) {
    if (p->columns % columns != 0) continue;
    for (int64_t warps : {8, 4, 2}) {
      const int64_t padded = (p->taps_w + 3) / 4 * 4, stride = p->strides[0], lines = 2 * warps;
      const int64_t shared =
          columns * (p->taps_h * padded * 8 + 16) + ((lines - 1) * stride + p->taps_h) * (15 * stride + padded) * 8;
      Launch launch;
      launch.kernel = "first_conv";
      launch.source = direct_head(*p, "conv_first",
                                  fmt::format("FirstConv<half_t, half_t, {}, {}, {}, {}, {}, {}>", p->taps_h, p->taps_w,
                                              stride, warps, columns, group));
      launch.source += R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads, 512 / Chosen::kThreads)
    first_conv(const __grid_constant__ View x, const half_t* weights, const float* bias, const __grid_constant__ View y,
               const __grid_constant__ View r, int channels, int filters, int pad_h, int pad_w) {
  const int height = x.dims[2], width = x.dims[3], out_h = y.dims[2], out_w = y.dims[3];
  const FirstShape shape = {static_cast<int>(x.dims[0]), height, width, channels, filters, out_h, out_w, pad_h, pad_w,
                            (out_h + Chosen::kLines - 1) / Chosen::kLines, (out_w + 15) / 16,
                            static_cast<int>(y.strides[3]), static_cast<int>(r.strides[3]), x.strides[0], x.strides[2],
                            x.strides[3], x.strides[1], {1, 1, 1, 1}, {0, 0, 0, 0}};
  conv_first<Chosen, Program>(static_cast<const half_t*>(x.data), weights, static_cast<half_t*>(y.data), bias, nullptr,
                              static_cast<const half_t*>(r.data), shape);
}
)";
      for (int64_t number : {p->channels, p->columns, p->pads[0], p->pads[1]}) launch.integer(number);
      const Dim tiles = p->extents[0] * ceil_div(p->out_extents[0], Dim(lines)) * ceil_div(p->out_extents[1], Dim(16));
      launch.grid = {min(tiles, Dim(kBlocks * 8 / warps)), p->columns / columns, 1};
      Candidate candidate =
          direct_candidate(query, *p, fmt::format("cuda.first.{}x{}", 32 * warps, columns), std::move(launch),
                           32 * warps, shared, [p, group] { return pack_first(*p, group); });
      candidate.estimated_us = estimate_us(query, flops, 150) + static_cast<double>(p->columns / columns - 1) * 0.2;
      sink.offer(std::move(candidate));
    }
  }
}

void offer_depthwise(const TacticQuery& query, CandidateSink& sink, const DirectConv& direct) {
  auto p = std::make_shared<TensorProduct>(direct.product);
  for (const DepthwisePatch& patch : depthwise_patches(query, *p)) {
    Candidate candidate =
        direct_candidate(query, *p, fmt::format("cuda.depthwise.{}x{}", patch.lines, patch.pixels),
                         depthwise_launch(*p, patch, false), kDepthwiseThreads, 0, [p] { return pack_depthwise(*p); });
    candidate.estimated_us = depthwise_us(query, *p, patch);
    sink.offer(std::move(candidate));
  }
}

void propose_tensor_direct(const TacticQuery& query, CandidateSink& sink) {
  DirectConv p;
  const auto refuse = [&](std::string why) { sink.refuse("cuda.direct", std::move(why)); };
  if (std::string why = read_direct(query, p); !why.empty()) return refuse(std::move(why));
  if (std::string why = refuse_direct_types(p.product); !why.empty()) return refuse(std::move(why));
  const TensorProduct& t = p.product;
  if (query.input(t.operand).type.shape.rank() != 4) return refuse("images alone");
  if (t.strides[0] != t.strides[1] || t.dilations[0] != t.dilations[1]) return refuse("strides of two kinds");
  if (t.taps_h > kMostTaps || t.taps_w > kMostTaps || t.strides[0] > 4) return refuse("more than 7 taps");
  if (is_depthwise(t, p.group)) return offer_depthwise(query, sink, p);
  if (p.group != 1 || t.channels > kFewChannels || t.dilations[0] != 1 || t.columns % 16 != 0)
    return refuse("neither a first layer nor depthwise");
  offer_first(query, sink, p);
}

}  // namespace

void register_tensor_direct(TacticTable& table) { table.add("conv", propose_tensor_direct); }

}  // namespace planish::tactics::cuda
