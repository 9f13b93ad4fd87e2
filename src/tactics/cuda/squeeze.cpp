// A depthwise convolution with squeeze and excite behind it (passes/fuse_squeeze.cpp): its kernel sums what it stores,
// another one makes factors of the sums.

#include "tactics/cuda/common/depthwise.h"
#include "tactics/cuda/common/fused_parts.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kSqueezeThreads = 512;
constexpr double kSqueezeUs = 3, kSumBytesPerUs = 1e5;  // of one image, whose block is alone with them

struct SqueezeNode {
  TensorProduct depthwise, first, second;
  size_t operand = 0;
};

std::string read_part(const FusedParts& parts, size_t i, int64_t& group, TensorProduct& p) {
  const TacticQuery query = parts.part(i);
  const auto form = epilogue_form(query.graph, query.node);
  if (!form || form->anchor->op != "conv") return "its parts are no convolutions";
  if (std::string why = read_windows(query, *form, group, p); !why.empty()) return why;
  return p.residual ? "an epilogue with an operand" : refuse_direct_types(p);
}

std::string read_squeeze(const TacticQuery& query, SqueezeNode& s) {
  if (query.node.op != "fused" || query.node.outputs.size() != 2) return "no squeeze and excite";
  const FusedParts parts(query);
  if (parts.count() != 4 || parts.node(1).op != "global_average_pool") return "no squeeze and excite";
  int64_t group = 1, one = 1;
  if (std::string why = read_part(parts, 0, group, s.depthwise); !why.empty()) return why;
  if (!is_depthwise(s.depthwise, group) || s.depthwise.strides[0] != s.depthwise.strides[1])
    return "no depthwise convolution";
  for (size_t i : {size_t{2}, size_t{3}}) {
    TensorProduct& p = i == 2 ? s.first : s.second;
    if (std::string why = read_part(parts, i, one, p); !why.empty()) return why;
    if (one != 1 || p.image) return "windows of more than one pixel";
  }
  for (const Dim& extent : s.depthwise.out_extents)
    if (!extent.is_constant()) return "images of unknown extents";
  s.operand = parts.operand(0, s.depthwise.operand);
  return "";
}

// [hidden][channels] of the first product, or of the second one turned round.
Tensor pack_squeeze(const TensorProduct& p, bool turned) {
  const int64_t rows = turned ? p.channels : p.columns, columns = turned ? p.columns : p.channels;
  const auto from = p.weights.as<Half>();
  return Tensor::make(DataType::f16, {rows, columns}, [&](std::byte* memory) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        reinterpret_cast<Half*>(memory)[r * columns + c] =
            from[static_cast<size_t>((turned ? c : r) * p.column_step + (turned ? r : c) * p.channel_step)];
  });
}

// Patches of an image that are summed together: a power of two that a block holds.
int64_t together(const SqueezeNode& s, const DepthwisePatch& patch) {
  int64_t count = 1;
  while (2 * count <= patch.in_block() && patch.in_image(s.depthwise).value() % (2 * count) == 0) count *= 2;
  return count;
}

Launch squeeze_launch(const SqueezeNode& s, int64_t parts) {
  const std::string head = with_primitives("half_t");
  Launch launch;
  launch.source =
      head + "namespace first {\n" + program_text(s.first) + "}\nnamespace second {\n" + program_text(s.second) + "}\n";
  launch.source += R"(#include "squeeze.cuh"
using Chosen = Squeeze<half_t, half_t>;
extern "C" __global__ void __launch_bounds__(Chosen::kThreads)
    squeeze_and_excite(const float* parts, const half_t* w1, const float* b1, const half_t* w2, const float* b2,
                       half_t* result, int count, int channels, int hidden, int pixels) {
  squeeze<Chosen, first::Program, second::Program>(parts, w1, b1, w2, b2, result, {count, channels, hidden, pixels});
}
)";
  launch.kernel = "squeeze_and_excite";
  launch.arguments = {"pointer:i0", "pointer:i1", "pointer:i2", "pointer:i3", "pointer:i4", "pointer:o0"};
  const Dim pixels = s.depthwise.out_extents[0] * s.depthwise.out_extents[1];
  for (const Dim& value : {Dim(parts), Dim(s.depthwise.columns), Dim(s.first.columns), pixels}) launch.integer(value);
  launch.grid = {s.depthwise.extents[0], 1, 1};
  launch.block = kSqueezeThreads;
  launch.shared = (8 * kSqueezeThreads + s.depthwise.columns + s.first.columns) * 4;
  return launch;
}

void emit_squeeze(const SqueezeNode& s, const DepthwisePatch& patch, const std::string& arch, StepBuilder& builder) {
  const int64_t added = together(s, patch), parts = patch.in_image(s.depthwise).value() / added;
  Launch conv = depthwise_launch(s.depthwise, patch, true);
  conv.arguments.insert(conv.arguments.begin(), {"view:i0", "pointer:i1", "pointer:i2", "view:o0", "view:o0"});
  conv.arguments.push_back("pointer:o1");
  conv.integer(added);
  const Operand sums =
      builder.temporary({DataType::f32, Shape({s.depthwise.extents[0] * Dim(parts), s.depthwise.columns})});
  builder.step(
      StepKind::launch, conv.kernel, conv.attrs(arch),
      {builder.input(s.operand), builder.constant(pack_depthwise(s.depthwise)), builder.constant(bias_of(s.depthwise))},
      {builder.output(0), sums});
  const Launch factors = squeeze_launch(s, parts);
  builder.step(StepKind::launch, factors.kernel, factors.attrs(arch),
               {sums, builder.constant(pack_squeeze(s.first, false)), builder.constant(bias_of(s.first)),
                builder.constant(pack_squeeze(s.second, true)), builder.constant(bias_of(s.second))},
               {builder.output(1)});
}

void propose_squeeze(const TacticQuery& query, CandidateSink& sink) {
  auto node = std::make_shared<SqueezeNode>();
  if (std::string why = read_squeeze(query, *node); !why.empty()) return sink.refuse("cuda.squeeze", std::move(why));
  for (const DepthwisePatch& patch : depthwise_patches(query, node->depthwise)) {
    Candidate candidate;
    candidate.space = MemorySpace::device;
    candidate.name = fmt::format("cuda.squeeze.{}x{}", patch.lines, patch.pixels);
    candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
    candidate.inputs[node->operand] = LayoutRule::channels_last;
    candidate.outputs = {LayoutRule::channels_last, LayoutRule::row_major};
    const int64_t parts = patch.in_image(node->depthwise).value() / together(*node, patch);
    candidate.estimated_us = depthwise_us(query, node->depthwise, patch) + kSqueezeUs +
                             static_cast<double>(parts * node->depthwise.columns * 4) / kSumBytesPerUs;
    candidate.emit = [node, patch, arch = query.cuda](StepBuilder& builder) {
      emit_squeeze(*node, patch, arch, builder);
    };
    sink.offer(std::move(candidate));
  }
}

}  // namespace

void register_squeeze(TacticTable& table) {
  table.add("conv", propose_squeeze);
  table.add("fused", propose_squeeze);
}

}  // namespace planish::tactics::cuda
