// Convolutions whose windows overlap, of images channels last: pixels are loaded once for all taps.

#include <cmath>

#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kTapsTile = 16, kTapsStages = 2, kTapsBlock = 128, kMostRing = 16, kLeastRing = 6,
                  kTapsShared = 232448;
constexpr double kTapsLoad = 47e3, kTapsRate = 5.3e6, kNarrowRate = 3.9e6;  // bytes, operations a us of a processor

struct TapsChoice {
  int64_t columns, pitch, weight_stages;
  bool resident;

  int64_t left(const TensorProduct& p) const {
    return ((kTapsTile + p.taps_h - 1) * pitch * kTapsBlock + 1023) / 1024 * 1024;
  }
  int64_t shared(const TensorProduct& p) const {
    return kTapsStages * left(p) + weight_stages * columns * kTapsBlock + (kTapsStages + weight_stages) * 16;
  }
};

std::string refuse_taps(const TensorProduct& p) {
  const Blocks b(p);
  if (!p.image || p.taps == 1 || p.taps_h > 5 || p.taps_w > 5) return "windows of 2 to 5 taps are accepted";
  for (int64_t x : {p.strides[0], p.strides[1], p.dilations[0], p.dilations[1]})
    if (x != 1) return "strides or dilations";
  if (b.bytes != kTapsBlock) return "few channels";
  if (element_bytes(p.type) != 2) return fmt::format("elements are {}", data_type_name(p.type));
  return p.columns % 16 == 0 ? "" : fmt::format("{} filters, a multiple of 16 is accepted", p.columns);
}

// As many columns as divide the filters; weights stay where there is room for all.
std::vector<TapsChoice> taps_choices(const TensorProduct& p) {
  const Blocks b(p);
  std::vector<TapsChoice> choices;
  for (int64_t columns : {128, 96, 64, 48, 32, 16}) {
    if (p.columns % columns != 0 || columns % (8 * b.group) != 0) continue;
    TapsChoice c{columns, kTapsTile + p.taps_w - 1, b.count, true};
    if (p.columns != columns || c.shared(p) > kTapsShared) {
      c.resident = false, c.weight_stages = kMostRing;
      while (c.weight_stages > kLeastRing && c.shared(p) > kTapsShared) --c.weight_stages;
      if (c.shared(p) > kTapsShared) continue;
    }
    choices.push_back(c);
  }
  return choices;
}

double taps_us(const TacticQuery& query, const TensorProduct& p, const TapsChoice& c) {
  const Blocks b(p);
  const auto tiles_of = [&](const Dim& extent) {
    return std::ceil(typical_elements(query, Shape({extent})) / static_cast<double>(kTapsTile));
  };
  const double tiles = typical_elements(query, Shape({p.extents[0]})) * tiles_of(p.out_extents[0]) *
                       tiles_of(p.out_extents[1]) * static_cast<double>(p.columns / c.columns);
  const double weights = static_cast<double>(p.taps * c.columns * kTapsBlock),
               rate = c.columns < 64 ? kNarrowRate : kTapsRate;
  const double loads = (static_cast<double>(c.left(p)) + (c.resident ? 0 : weights)) / kTapsLoad;
  const double steps = std::ceil(static_cast<double>(p.channels) / 16) / static_cast<double>(b.per_tap);
  const double products = 2.0 * kTapsTile * kTapsTile * 16 * steps * static_cast<double>(p.taps * c.columns) / rate;
  return 4 + std::ceil(tiles / kProcessors) * (static_cast<double>(b.per_tap) * std::max(loads, products) + 0.5);
}

TensorMapFields lines_map(const TensorProduct& p, const TapsChoice& c, int64_t pitch) {
  TensorMapFields map;
  const Dim size = element_bytes(p.type), pixel = size * Dim(pitch);
  map.element = tensor_map_element(p.type), map.row_bytes = kTapsBlock;
  map.dims = {p.channels, p.extents[2], p.extents[1], p.extents[0]};
  map.strides = {size, pixel, p.extents[2] * pixel, p.extents[1] * p.extents[2] * pixel};
  map.box = {kTapsBlock / element_bytes(p.type), c.pitch, kTapsTile + p.taps_h - 1, 1};
  map.steps = {1, 1, 1, 1};
  return map;
}

std::string taps_source(const TensorProduct& p, const TapsChoice& c) {
  std::string text = program_text(p) + "#include \"conv_taps.cuh\"\n";
  text += fmt::format("using Chosen = TapsConv<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;", operand_type(p.type),
                      device_type(p.result), p.taps_h, p.taps_w, c.columns, c.pitch, kTapsStages, c.weight_stages,
                      Blocks(p).group, c.resident);
  return text + R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads, 1)
    taps_conv(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const float* bias,
              Chosen::Result* d, const Chosen::Result* r, int height, int width, int columns, int tiles, int down,
              int across, int column_tiles, int row_bytes, int blocks, int pad_h, int pad_w, int result_pitch,
              int residual_pitch) {
  conv_taps<Chosen, Program>(a, b, d, bias, nullptr, r,
                             {height, width, columns, tiles, down, across, column_tiles, row_bytes, blocks, pad_h,
                              pad_w, result_pitch, residual_pitch});
}
)";
}

Attrs taps_attrs(const TensorProduct& p, const TapsChoice& c, const ProductPitches& pitches, const std::string& arch) {
  const Blocks b(p);
  const int64_t depth = p.taps * b.per_tap * b.depth, column_tiles = p.columns / c.columns;
  std::vector<Dim> maps;
  lines_map(p, c, pitches.operand).append_to(maps);
  matrix_map(1, p.type, b.packed_rows, depth, depth, c.columns, kTapsBlock).append_to(maps);
  Launch launch;
  launch.kernel = "taps_conv", launch.source = taps_source(p, c);
  launch.arguments = {"map", "map", "pointer:i2", "pointer:o0", p.residual ? "pointer:i3" : "pointer:o0"};
  const Dim down = ceil_div(p.out_extents[0], Dim(kTapsTile)), across = ceil_div(p.out_extents[1], Dim(kTapsTile));
  const Dim tiles = p.extents[0] * down * across * Dim(column_tiles);
  for (const Dim& member : {p.out_extents[0], p.out_extents[1], Dim(p.columns), tiles, down, across, Dim(column_tiles),
                            Dim(p.channels * element_bytes(p.type)), Dim(b.per_tap), Dim(p.pads[0]), Dim(p.pads[1]),
                            Dim(pitches.result), Dim(pitches.residual)})
    launch.integer(member);
  launch.grid = {min(Dim(kProcessors), tiles), 1, 1};
  launch.block = 384, launch.shared = c.shared(p);
  Attrs attrs = launch.attrs(arch);
  attrs.set("maps", maps);
  return attrs;
}

void propose_taps_conv(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.taps", std::move(why)); };
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return refuse("what follows it is not one epilogue");
  auto product = std::make_shared<TensorProduct>();
  int64_t group = 1;
  product->takes_after = true;
  if (std::string why = read_windows(query, *form, group, *product); !why.empty()) return refuse(std::move(why));
  if (group != 1) return refuse("groups");
  if (std::string why = refuse_product(query, *product); !why.empty()) return refuse(std::move(why));
  if (std::string why = refuse_taps(*product); !why.empty()) return refuse(std::move(why));
  for (const TapsChoice& choice : taps_choices(*product)) {
    Candidate candidate = product_candidate(query, product, fmt::format("cuda.taps.{}", choice.columns), "taps_conv",
                                            [product, choice, arch = query.cuda](const ProductPitches& pitches) {
                                              return taps_attrs(*product, choice, pitches, arch);
                                            });
    candidate.estimated_us = taps_us(query, *product, choice);
    sink.offer(std::move(candidate));
  }
}

}  // namespace

void register_taps_conv(TacticTable& table) { table.add("conv", propose_taps_conv); }

}  // namespace planish::tactics::cuda
