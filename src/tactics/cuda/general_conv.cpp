// Convolutions of any kind on tensor cores: groups, strides, dilations, three axes, transposed, any numbers of
// channels.

#include <algorithm>
#include <cmath>

#include "tactics/cuda/common/rows.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"
#include "tactics/cuda/common/windows.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kGeneralStages = 4, kMostBlockBytes = 64, kMostGroups = 65535;
constexpr double kGeneralStepUs = 0.6;  // of one block of depth, of a tile that waits for nothing else
constexpr double kGeneralTera = 180, kGeneralTeraByElements = 12;

struct GeneralTile {
  int64_t rows, columns, warp_rows, warp_columns;
  int64_t threads() const { return 32 * warp_rows * warp_columns; }
};
constexpr GeneralTile kGeneralTiles[] = {{128, 128, 2, 4}, {128, 64, 4, 2}, {64, 64, 2, 2}, {64, 32, 2, 2}};

struct GeneralProblem {
  Windows windows;
  TensorProduct product;
  int64_t group_columns = 0;
  bool aligned = true;
};

// Of a group: filters [columns, channels, taps] or, transposed, [channels, columns, taps].
void read_weights(GeneralProblem& g) {
  TensorProduct& p = g.product;
  const std::vector<int64_t>& filter = p.weights.extents();
  p.groups = g.windows.attrs.group;
  for (size_t i = 2; i < filter.size(); ++i) p.taps *= filter[i];
  p.tap_step = 1;
  if (g.windows.transposed) {
    p.columns = filter[1] * p.groups, p.channels = filter[0] / p.groups;
    p.column_step = p.taps, p.channel_step = filter[1] * p.taps, p.group_step = p.channels * p.channel_step;
  } else {
    p.columns = filter[0], p.channels = filter[1];
    p.channel_step = p.taps, p.column_step = p.channels * p.taps;
    p.group_step = p.columns / p.groups * p.column_step;
  }
  g.group_columns = p.columns / p.groups;
  g.aligned = g.group_columns % 8 == 0;
}

std::string read_general(const TacticQuery& query, GeneralProblem& g) {
  if (std::string why = read_conv_windows(query, g.windows); !why.empty()) return why;
  const EpilogueForm& form = g.windows.form;
  TensorProduct& p = g.product;
  const Value& weights = query.graph.value(form.anchor_inputs[1]);
  if (!weights.is_constant()) return "the weights are not constant";
  p.type = query.graph.value(form.anchor_inputs[0]).type.dtype, p.result = query.output(0).type.dtype;
  if (p.type != DataType::f16 && p.type != DataType::bf16)
    return fmt::format("elements are {}", data_type_name(p.type));
  if (weights.constant.dtype() != p.type)
    return fmt::format("weights are {}", data_type_name(weights.constant.dtype()));
  if (p.result != p.type && p.result != DataType::f32) return fmt::format("results are {}", data_type_name(p.result));
  p.weights = weights.constant;
  read_weights(g);
  if (p.groups > kMostGroups) return "too many groups";
  if (form.anchor_inputs.size() > 2 && form.anchor_inputs[2].valid()) {
    const Value& bias = query.graph.value(form.anchor_inputs[2]);
    if (!bias.is_constant()) return "the bias is not constant";
    p.bias = bias.constant;
  }
  p.operand = g.windows.operands[0];
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::channels_last;
  if (std::string why = read_epilogue(query, form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::channels_last;
  const Shape& y = g.windows.y;
  p.rows = floor_div(y.element_count(), y[1]);
  return p.rows.upper_bound(query.graph.symbols) > INT32_MAX / 2 ? "too many rows" : "";
}

// Bytes that a read of pixels takes: all reads begin at multiples of them.
int64_t access_bytes(const GeneralProblem& g, const ViewDesc& x, int64_t pitch) {
  const int64_t size = element_bytes(g.product.type);
  for (int64_t access : {16, 8, 4})
    if (g.product.channels * size % access == 0 && pitch * size % access == 0 && x.offset.value() % access == 0)
      return access;
  return size;
}

std::string source_of(const GeneralProblem& g, const Blocks& b, const GeneralTile& tile, int64_t access) {
  const TensorProduct& p = g.product;
  std::string text = program_text(p) + "#include \"conv_general.cuh\"\n";
  text += fmt::format("using Chosen = GeneralConv<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;\n",
                      operand_type(p.type), device_type(p.result), tile.rows, tile.columns, b.bytes, kGeneralStages,
                      tile.warp_rows, tile.warp_columns, access, b.group, g.windows.transposed ? "true" : "false",
                      g.aligned ? "true" : "false");
  constexpr int kMembers = 27;  // of GeneralShape
  std::string parameters, members;
  for (int i = 0; i < kMembers; ++i) {
    parameters += fmt::format(", int s{}", i);
    const char* const open = i >= 5 && i < 23 && (i - 5) % 3 == 0 ? "{" : "";
    const char* const close = i >= 5 && i < 23 && (i - 5) % 3 == 2 ? "}" : "";
    members += fmt::format("{}{}s{}{}", i == 0 ? "" : ", ", open, i, close);
  }
  return text + fmt::format(R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads)
    general_conv(const Chosen::Element* x, const Chosen::Element* weights, const float* bias, Chosen::Result* y,
                 const Chosen::Result* r{}) {{
  const GeneralShape shape = {{{}}};
  conv_general<Chosen, Program>(x, weights, y, bias, nullptr, r, shape);
}}
)",
                            parameters, members);
}

// Three axes, missing ones in front.
void add_three(Launch& launch, std::vector<Dim> list, const Dim& missing) {
  list.insert(list.begin(), 3 - list.size(), missing);
  for (const Dim& value : list) launch.integer(value);
}

std::vector<Dim> spatial(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

struct Places {
  ViewDesc x;
  int64_t pixel, result, residual;  // pitches
};

Attrs launch_attrs(const GeneralProblem& g, const GeneralTile& tile, const Places& at, const std::string& arch) {
  const TensorProduct& p = g.product;
  const Windows& w = g.windows;
  const Blocks b(p, kMostBlockBytes, true);
  const int64_t column_tiles = (g.group_columns + tile.columns - 1) / tile.columns;
  Launch launch;
  launch.kernel = "general_conv";
  launch.source = source_of(g, b, tile, access_bytes(g, at.x, at.pixel));
  launch.arguments = {"pointer:i0", "pointer:i1", "pointer:i2", "pointer:o0", p.residual ? "pointer:i3" : "pointer:o0"};
  for (const Dim& value : {p.rows, Dim(g.group_columns), Dim(column_tiles), Dim(b.per_tap), Dim(p.channels)})
    launch.integer(value);
  add_three(launch, spatial(w.w), 1);
  add_three(launch, spatial(w.x), 1);
  add_three(launch, spatial(w.y), 1);
  add_three(launch, w.stride, 1);
  add_three(launch, w.pad, 0);
  add_three(launch, w.dilation, 1);
  for (int64_t value : {at.pixel, at.result, at.residual, b.packed_rows}) launch.integer(value);
  launch.grid = {ceil_div(p.rows, Dim(tile.rows)) * Dim(column_tiles), p.groups, 1};
  launch.block = tile.threads();
  launch.shared = kGeneralStages * (tile.rows + tile.columns) * b.bytes;
  return launch.attrs(arch);
}

// Microseconds: waves of tiles, each as long as its depth.
double tile_us(const TacticQuery& query, const GeneralProblem& g, const GeneralTile& tile) {
  const TensorProduct& p = g.product;
  const Blocks b(p, kMostBlockBytes, true);
  const auto up = [](double a, int64_t by) { return std::ceil(a / static_cast<double>(by)); };
  const double rows = typical_elements(query, Shape({p.rows})), groups = static_cast<double>(p.groups);
  const double tiles = up(rows, tile.rows) * up(static_cast<double>(g.group_columns), tile.columns) * groups;
  const double depth = static_cast<double>(b.count);
  const double flops = 2 * tiles * static_cast<double>(tile.rows * tile.columns * b.depth) * depth;
  const bool by_elements = p.channels * element_bytes(p.type) % 4 != 0;
  const double resident = tile.rows * tile.columns > 4096 ? 2 * 132 : 4 * 132;
  return std::max(estimate_us(query, flops, by_elements ? kGeneralTeraByElements : kGeneralTera),
                  2.5 + std::ceil(tiles / resident) * depth * kGeneralStepUs * (by_elements ? 3 : 1));
}

void propose_general_conv(const TacticQuery& query, CandidateSink& sink) {
  auto problem = std::make_shared<GeneralProblem>();
  if (std::string why = read_general(query, *problem); !why.empty())
    return sink.refuse("cuda.general_conv", std::move(why));
  const GeneralTile* best = nullptr;
  double us = 0;
  const Blocks b(problem->product, kMostBlockBytes, true);
  for (const GeneralTile& tile : kGeneralTiles) {
    if (tile.rows * (b.bytes / 16) % tile.threads() != 0) continue;
    const double here = tile_us(query, *problem, tile);
    if (best == nullptr || here < us) best = &tile, us = here;
  }
  const TensorProduct& p = problem->product;
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = fmt::format("cuda.general.{}x{}", best->rows, best->columns);
  candidate.inputs = p.inputs;
  candidate.outputs = {p.output};
  candidate.strided_inputs = candidate.strided_output = true;
  candidate.estimated_us = us;
  candidate.emit = [problem, tile = *best, arch = query.cuda](StepBuilder& builder) {
    const TensorProduct& p = problem->product;
    const int64_t align = problem->aligned ? 16 : 1;
    std::vector<Operand> inputs = {rows_input(builder, p.operand, LayoutRule::channels_last, 1, arch),
                                   builder.constant(packed_weights(p, Blocks(p, kMostBlockBytes, true))),
                                   builder.constant(bias_of(p))};
    if (p.residual) inputs.push_back(rows_input(builder, *p.residual, LayoutRule::channels_last, align, arch));
    RowsOutput result(builder, LayoutRule::channels_last, align, arch);
    Places at{builder.place(inputs[0]), row_pitch(builder.place(inputs[0]), 1, 1), result.pitch(), result.pitch()};
    if (p.residual) at.residual = row_pitch(builder.place(inputs[3]), 1, align);
    builder.step(StepKind::launch, "general_conv", launch_attrs(*problem, tile, at, arch), std::move(inputs),
                 {result.operand()});
    result.finish();
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_general_conv(TacticTable& table) {
  table.add("conv", propose_general_conv);
  table.add("conv_transpose", propose_general_conv);
}

}  // namespace planish::tactics::cuda
