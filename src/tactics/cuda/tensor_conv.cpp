// Convolutions of images channels last on tensor cores.

#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

std::string read_conv(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  int64_t group = 1;
  p.takes_after = true;
  if (std::string why = read_windows(query, *form, group, p); !why.empty()) return why;
  return group != 1 ? "groups" : refuse_product(query, p);
}

void propose_tensor_conv(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_conv(query, *product); !why.empty()) return sink.refuse("cuda.tensor", std::move(why));
  offer_product(query, sink, std::move(product));
}

// Windows that do not overlap, of any channels: their pixels become rows of a matrix first.
std::string read_patches(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  int64_t group = 1;
  if (std::string why = read_windows(query, *form, group, p); !why.empty()) return why;
  if (group != 1 || query.input(p.operand).type.shape.rank() != 4 || p.taps == 1) return "no patches of an image";
  const bool apart = p.strides[0] >= p.taps_h && p.strides[1] >= p.taps_w;
  if (!apart || p.pads[0] + p.pads[1] > 0 || p.dilations[0] * p.dilations[1] > 1) return "windows that overlap or pad";
  if (p.channels % 8 == 0 && p.strides[0] <= 8 && p.strides[1] <= 8) return "it is read where it lies";
  p.inputs[p.operand] = LayoutRule::any;
  const int64_t depth = p.channels * p.taps, taps_h = p.taps_h, taps_w = p.taps_w;
  p.unfold = [=, rows = p.rows, type = p.type, strides = p.strides, out = p.out_extents, operand = p.operand](
                 StepBuilder& builder, const std::string& arch) {
    Launch launch;
    launch.kernel = "unfold";
    launch.source = "#include \"unfold.cuh\"\n";
    launch.options = {define("WORD", word_type(type))};
    launch.arguments = {"view:i0", "pointer:o0"};
    for (const Dim& value : {out[0], out[1], Dim(taps_h), Dim(taps_w), Dim(strides[0]), Dim(strides[1])})
      launch.integer(value);
    const Dim eights = rows * Dim(depth / 8);
    launch.wide(eights);
    launch.grid = {ceil_div(eights, Dim(kBlock)), 1, 1};
    const Operand matrix = builder.temporary({type, Shape({rows, depth})});
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), {builder.input(operand)}, {matrix});
    return matrix;
  };
  p.channels = p.column_step = depth, p.channel_step = p.tap_step = 1;
  p.taps = p.taps_h = p.taps_w = 1, p.strides = {1, 1}, p.image = false;
  return refuse_product(query, p);
}

void propose_patches(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_patches(query, *product); !why.empty()) return sink.refuse("cuda.patches", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_tensor_conv(TacticTable& table) {
  table.add("conv", propose_tensor_conv);
  table.add("conv", propose_patches);
}

}  // namespace planish::tactics::cuda
