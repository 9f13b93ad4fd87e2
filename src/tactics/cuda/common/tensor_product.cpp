#include "tactics/cuda/common/tensor_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/elementwise.h"
#include "tactics/cuda/common/rows.h"
#include "tactics/cuda/common/source.h"
#include "tactics/leading_add.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kShared = 232448;
constexpr double kMostSmallTiles = 1500, kSmallWaveUs = 0.7, kSmallResident = 3, kClusterRoundUs = 3;
constexpr size_t kOffered = 3;         // of each form
constexpr double kUnfoldRate = 1.5e6;  // bytes a microsecond
constexpr int64_t kLeastBox = 32;      // bytes of a pixel
constexpr double kSmallBoxCost = 6;    // of windows over boxes of that, to those of 128
constexpr int kShapeMembers = 16;
constexpr int64_t kWidestFactored = 192;
constexpr int64_t kMostFactored = 256;  // sums of a thread, two a column, where its rows have factors
constexpr int64_t kStageAlign = 1024;
constexpr size_t kMostAddends = 4;
constexpr int64_t kAlign = 16;  // bytes, of what tensor maps reach

// A configuration of a kernel (kernels/cuda/README.md).
struct Choice {
  bool large = false;
  int64_t rows = 64, columns = 64, stages = 4, split = 1, cluster = 1;
  bool ping_pong = false;
  double us = 0;

  int64_t warp_rows() const { return ping_pong ? rows : rows / 2; }
  std::string name() const {
    if (!large) return fmt::format("cuda.tensor.64x{}.split{}.stages{}", columns, split, stages);
    return fmt::format("cuda.tensor.{}x{}.{}", rows, columns, ping_pong ? "turns" : "shared");
  }
};

// Rows of the result are whole runs of eight; else the small form stores element by element.
bool is_aligned(const TensorProduct& p) { return p.columns % 8 == 0; }

int64_t shared_bytes(const TensorProduct& p, const Blocks& b, const Choice& c) {
  const int64_t stages = c.stages * (c.rows + c.columns) * b.bytes;
  if (c.large) return stages + 2 * c.warp_rows() * c.columns * element_bytes(p.result) + (2 * c.stages + 6) * 8;
  return stages + (c.split > 1 ? 256 * c.columns : 0) + (2 * c.stages + 1) * 8;
}

// [group][packed row][tap][channels up to whole blocks], rows permuted.
template <class T>
Tensor packed_as(const TensorProduct& p, const Blocks& b) {
  const auto from = p.weights.as<T>();
  const int64_t depth = b.per_tap * b.depth, block = 8 * b.group, columns = p.columns / p.groups;
  const int64_t rows = p.groups * b.packed_rows;
  return Tensor::make(p.type, {rows, p.taps * depth}, [&](std::byte* memory) {
    T* to = reinterpret_cast<T*>(memory);
    std::memset(memory, 0, static_cast<size_t>(rows * p.taps * depth) * sizeof(T));
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t within = row % b.packed_rows, j = within % block,
                    column = within - j + j / 2 % 4 * (2 * b.group) + j / 8 * 2 + j % 2;
      if (column >= columns) continue;
      const int64_t begin = row / b.packed_rows * p.group_step + column * p.column_step;
      for (int64_t tap = 0; tap < p.taps; ++tap)
        for (int64_t c = 0; c < p.channels; ++c)
          to[(row * p.taps + tap) * depth + c] =
              from[static_cast<size_t>(begin + tap * p.tap_step + c * p.channel_step)];
    }
  });
}

// The kernel with the members of ConvShape as arguments of its own: an image serves all layers of its kind.
std::string source_of(const TensorProduct& p, const Blocks& b, const Choice& c) {
  const std::string element = operand_type(p.type), result = device_type(p.result);
  const std::string image = p.image ? "true" : "false";
  std::string text = program_text(p);
  text += fmt::format("#include \"{}.cuh\"\n", c.large ? "conv_large" : "conv_small");
  const std::string last = image + (p.factors ? ", true" : ", false") +
                           (c.large         ? ""
                            : is_aligned(p) ? ", true"
                                            : ", false");
  if (c.large)
    text += fmt::format("using Chosen = LargeConv<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}>;\n", element, result,
                        c.warp_rows(), c.columns, b.bytes, c.stages, c.ping_pong ? "true" : "false", c.cluster, b.group,
                        last);
  else
    text += fmt::format("using Chosen = SmallConv<{}, {}, {}, {}, {}, {}, {}, {}>;\n", element, result, c.columns,
                        b.bytes, c.stages, c.split, b.group, last);
  text += "extern \"C\" __global__ void __launch_bounds__(Chosen::kThreads, 1) tensor_product(";
  text += "const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const float* bias, ";
  const bool scaled = p.scales.present();
  if (scaled) text += "const float* scale, ";
  if (c.large)
    text += "const __grid_constant__ TensorMap d, const __grid_constant__ TensorMap r, ";
  else
    text += "Chosen::Result* d, const Chosen::Result* r, ";
  for (int i = 0; i < kShapeMembers; ++i) text += fmt::format("{}int s{}", i == 0 ? "" : ", ", i);
  if (p.factors) text += ", const void* factors, int channels";
  text += ") {\n  const ConvShape shape = {";
  for (int i = 0; i < kShapeMembers; ++i) text += fmt::format("{}s{}", i == 0 ? "" : ", ", i);
  text += "};\n";
  text +=
      c.large ? "  conv_large<Chosen, Program>(a, b, d, r, bias, " : "  conv_small<Chosen, Program>(a, b, d, bias, ";
  text += scaled ? "scale" : "nullptr";
  text += c.large ? ", shape" : ", r, shape";
  return text + (p.factors ? ", {factors, channels});\n}\n" : ");\n}\n");
}

TensorMapFields image_map(const TensorProduct& p, const Blocks& b, int64_t pitch, int64_t pixels) {
  TensorMapFields map;
  const Dim size = element_bytes(p.type), pixel = size * Dim(pitch);
  map.im2col = 1, map.element = tensor_map_element(p.type), map.row_bytes = b.bytes;
  map.dims = {p.channels, p.extents[2], p.extents[1], p.extents[0]};
  map.strides = {size, pixel, p.extents[2] * pixel, p.extents[1] * p.extents[2] * pixel};
  map.steps = {1, p.strides[1], p.strides[0], 1};
  map.lower = {-p.pads[1], -p.pads[0]};
  map.upper = {p.pads[1] - (p.taps_w - 1) * p.dilations[1], p.pads[0] - (p.taps_h - 1) * p.dilations[0]};
  map.channels = b.depth, map.pixels = pixels;
  return map;
}

// ConvShape of kernels/cuda/convolution.cuh.
std::vector<Dim> shape_members(const TensorProduct& p, const Blocks& b, const ProductPitches& pitches,
                               int64_t column_tiles) {
  const bool pixels = p.image || p.factors;
  const Dim out_w = pixels ? p.out_extents[1] : Dim(1), out_pixels = pixels ? p.out_extents[0] * out_w : Dim(1);
  std::vector<Dim> members = {p.rows, p.columns, column_tiles, b.count, b.per_tap, p.taps_w, out_w, out_pixels};
  for (const auto* pair : {&p.strides, &p.pads, &p.dilations})
    members.insert(members.end(), pair->begin(), pair->end());
  members.insert(members.end(), {pitches.result, pitches.residual});
  return members;
}

Attrs launch_attrs(const TensorProduct& p, const Choice& c, const ProductPitches& pitches, const std::string& arch) {
  const Blocks b(p);
  const int64_t column_tiles = (p.columns + c.columns - 1) / c.columns;
  const Dim row_tiles = ceil_div(p.rows, Dim(c.rows));
  std::vector<Dim> maps;
  (p.image ? image_map(p, b, pitches.operand, c.rows)
           : matrix_map(0, p.type, p.rows, p.channels, pitches.operand, c.rows, b.bytes))
      .append_to(maps);
  const int64_t depth = p.taps * b.per_tap * b.depth;
  matrix_map(1, p.type, b.packed_rows, depth, depth, c.columns / c.cluster, b.bytes).append_to(maps);
  Launch launch;
  launch.arguments = {"map", "map", "pointer:i2"};
  if (p.scales.present()) launch.arguments.push_back(fmt::format("pointer:i{}", p.residual ? 4 : 3));
  if (c.large) {
    const int64_t row = c.columns * element_bytes(p.result), panel = row % 128 == 0 ? 128 : row % 64 == 0 ? 64 : 32;
    matrix_map(-1, p.result, p.rows, p.columns, pitches.result, c.warp_rows(), panel).append_to(maps);
    matrix_map(p.residual ? 3 : -1, p.result, p.rows, p.columns, pitches.residual, c.warp_rows(), panel)
        .append_to(maps);
    launch.arguments.insert(launch.arguments.end(), {"map", "map"});
    launch.grid = {min(Dim(kProcessors), row_tiles * Dim(column_tiles)), 1, 1};
  } else {
    launch.arguments.insert(launch.arguments.end(), {"pointer:o0", p.residual ? "pointer:i3" : "pointer:o0"});
    launch.grid = {row_tiles * Dim(column_tiles * c.split), 1, 1};
  }
  for (const Dim& member : shape_members(p, b, pitches, column_tiles)) launch.integer(member);
  if (p.factors) {
    launch.arguments.push_back(fmt::format("pointer:i{}", p.residual ? 4 : 3));
    launch.integer(p.channels);
  }
  launch.source = source_of(p, b, c);
  if (p.scales.present()) launch.options = {"-fmad=false"};  // ties of numbers are decided as the processor does
  launch.kernel = "tensor_product";
  Attrs attrs = launch.attrs(arch);
  attrs.set("block", std::vector<int64_t>{c.large ? 384 : 160, 1, 1});
  if (c.split > 1) attrs.set("cluster", std::vector<int64_t>{c.split, 1, 1});
  attrs.set("shared", shared_bytes(p, b, c));
  attrs.set("overlap", int64_t{1});
  attrs.set("maps", maps);
  return attrs;
}

// Of the rate at which a block multiplies, the part that remains where few sums are made of what is read from shared
// memory, or one warpgroup at a time has few products under way.
double product_rate(const Choice& c) {
  if (!c.large) return 0.8;
  const double narrow = c.columns >= 128 ? 1 : c.columns >= 96 ? 0.9 : c.columns >= 64 ? 0.75 : 0.5;
  return narrow * (c.ping_pong && c.rows == 64 ? 0.85 : 1);
}

// Microseconds, with rates as seen on an H200: a block loads some 75 bytes, multiplies 5 MFLOP a nanosecond's thousand,
// and its lanes have some 220 instructions of an epilogue, of which turns hide most.
double estimate(const TensorProduct& p, const Blocks& b, const Choice& c, double rows) {
  constexpr double load = 75e3, multiply = 5.3e6, memory = 3.4e6, lanes = 220e3, instructions = 2;
  const double tiles = std::ceil(rows / static_cast<double>(c.rows)) *
                       std::ceil(static_cast<double>(p.columns) / static_cast<double>(c.columns));
  const double tile_blocks = std::ceil(static_cast<double>(b.count) / static_cast<double>(c.split));
  const double block_bytes = static_cast<double>((c.rows + c.columns) * b.bytes);
  const double block_flops = 2.0 * static_cast<double>(c.rows * c.columns * b.depth);
  const double size = element_bytes(p.type), result = element_bytes(p.result);
  const double waves = std::ceil(tiles * static_cast<double>(c.split) / kProcessors);
  const double rate = multiply * 2 / size * product_rate(c);
  const double reads = p.image && b.bytes == kLeastBox ? kSmallBoxCost : 1;
  const double tile = tile_blocks * std::max(reads * block_bytes / (c.large ? 2 * load : load), block_flops / rate);
  const double finish = result / load + (instructions + static_cast<double>(p.program.code.size())) / lanes;
  const double stores = static_cast<double>(c.rows * c.columns) * finish * (c.ping_pong ? 0.1 : 1);
  const double traffic = (rows * static_cast<double>(p.columns) * result * (p.residual ? 2 : 1) +
                          rows * static_cast<double>(p.channels) * size) /
                         memory;
  const double reduction = c.split > 1 ? 0.4 + 0.03 * static_cast<double>(c.split) : 0;
  // Blocks of the small form that come later wait for memory all over again; some three share a processor.
  if (!c.large && waves > kSmallResident)
    return 1.4 + reduction + std::max(waves * tile + (waves - kSmallResident) * kSmallWaveUs, traffic);
  // Clusters that do not fit on the processors at once come one round behind another.
  const double together = static_cast<double>(kProcessors * std::max<int64_t>(1, kShared / shared_bytes(p, b, c)));
  const double rounds = c.split > 1 ? std::ceil(tiles * static_cast<double>(c.split) / together) - 1 : 0;
  return (c.large ? 3 : 1.4) + std::max(waves * (tile + (c.large ? stores : 0)), traffic) + reduction +
         rounds * kClusterRoundUs;
}

void keep_best(std::vector<Choice>& choices) {
  std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) { return a.us < b.us; });
  if (choices.size() > kOffered) choices.resize(kOffered);
}

std::vector<Choice> choices_of(const TensorProduct& p, double rows) {
  const Blocks b(p);
  std::vector<Choice> small, large;
  const auto consider = [&](std::vector<Choice>& list, Choice c) {
    const int64_t tiles = (p.columns + c.columns - 1) / c.columns;
    if (c.columns >= 2 * p.columns && c.columns > 16) return;
    if (shared_bytes(p, b, c) > kShared || c.split > b.count) return;
    if (p.factors && c.columns > kWidestFactored) return;
    if (p.factors && c.columns * std::max<int64_t>(1, c.large ? c.warp_rows() / 64 : 1) > kMostFactored) return;
    // Of narrow results there are no large tiles.
    const bool many = std::ceil(rows / 64) * static_cast<double>(tiles * c.split) > kMostSmallTiles;
    if (!c.large && many && (c.split > 1 || p.columns >= 64)) return;
    c.us = estimate(p, b, c, rows);
    list.push_back(c);
  };
  for (int64_t columns : {16, 32, 64, 128})
    for (int64_t stages : {5, 8, 12})
      for (int64_t split : {1, 2, 4, 8}) {
        const int64_t groups = columns / 8 / split;
        if (groups == 0 || (groups % b.group != 0 && b.group % groups != 0)) continue;
        if (stages > 5 && (b.count + split - 1) / split <= stages - 3) continue;  // as good with fewer
        consider(small, {false, 64, columns, stages, split, 1, false, 0});
      }
  struct Tile {
    int64_t rows, columns, stages;
    bool ping_pong;
  };
  for (Tile t : {Tile{128, 128, 5, true}, Tile{256, 128, 3, false}, Tile{128, 256, 3, false}, Tile{128, 192, 4, false},
                 Tile{128, 160, 4, false}, Tile{128, 144, 4, true}, Tile{128, 96, 6, true}, Tile{128, 64, 7, true},
                 Tile{256, 64, 4, false}, Tile{64, 128, 7, true}, Tile{64, 64, 8, true}, Tile{128, 48, 8, true},
                 Tile{128, 32, 8, true}, Tile{128, 16, 8, true}})
    if (is_aligned(p) && t.columns % (8 * b.group) == 0 && t.columns * b.bytes % kStageAlign == 0 &&
        2 * b.group * element_bytes(p.result) >= 8)
      consider(large, {true, t.rows, t.columns, t.stages, 1, 1, t.ping_pong, 0});
  keep_best(small);
  keep_best(large);
  small.insert(small.end(), large.begin(), large.end());
  return small;
}

// The product into memory of its own, then what follows it.
void emit_with_addends(const TensorProduct& p, const std::string& kernel, const ProductLaunch& launch_of,
                       const std::string& arch, std::vector<Operand> inputs, StepBuilder& builder) {
  const Operand result = builder.output(0);
  const ViewDesc view = builder.place(result);
  TensorType type{view.dtype, Shape(view.dims)};
  type.layout = p.output == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
  const Operand sums = builder.temporary(type);
  const auto pitch = [&](Operand of, int64_t align) {
    const ViewDesc& at = builder.place(of);
    return row_pitch(at, adjacent_axis(p.output, at.dims.size()), align);
  };
  const int64_t sums_pitch = pitch(sums, 1);
  const Attrs product = launch_of({pitch(inputs[0], kAlign), sums_pitch, sums_pitch});
  builder.step(StepKind::launch, kernel, product, std::move(inputs), {sums});
  std::vector<Operand> operands = {sums};
  for (size_t addend : p.addends) operands.push_back(builder.input(addend));
  const std::string element = device_type(p.result);
  const Launch launch = elementwise_launch(
      "float", std::vector<std::string>(operands.size(), element), element,
      statements(p.after, Arithmetic::f32) + fmt::format("  const float result = r{};\n", p.after.results[0]),
      Shape(view.dims).element_count());
  builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(operands), {result});
}

}  // namespace

TensorMapFields matrix_map(int64_t operand, DataType type, Dim rows, int64_t columns, int64_t pitch, int64_t box_rows,
                           int64_t box_bytes) {
  TensorMapFields map;
  const int64_t size = element_bytes(type);
  map.operand = operand, map.element = tensor_map_element(type), map.row_bytes = box_bytes;
  map.dims = {columns, rows}, map.strides = {size, pitch * size};
  map.box = {box_bytes / size, box_rows}, map.steps = {1, 1};
  return map;
}

Blocks::Blocks(const TensorProduct& p, int64_t most_bytes, bool whole_groups) {
  const int64_t size = element_bytes(p.type), tap = p.channels * size, columns = p.columns / p.groups;
  bytes = std::min<int64_t>(most_bytes, tap % 128 == 0 || tap > 128 ? 128 : tap > 32 ? 64 : 32);
  depth = bytes / size, per_tap = (p.channels + depth - 1) / depth, count = p.taps * per_tap;
  group = 8;
  const int64_t least = whole_groups || columns % 8 != 0 ? 1 : 2;
  while (columns % (8 * group) != 0 && group > least) group /= 2;
  packed_rows = (columns + 8 * group - 1) / (8 * group) * (8 * group);
}

std::string operand_type(DataType type) { return type == DataType::f32 ? "tf32_t" : device_type(type); }

Tensor packed_weights(const TensorProduct& p, const Blocks& b) {
  if (p.type == DataType::f16) return packed_as<Half>(p, b);
  if (element_bytes(p.type) == 1) return packed_as<int8_t>(p, b);
  return p.type == DataType::bf16 ? packed_as<BFloat16>(p, b) : packed_as<float>(p, b);
}

Tensor bias_of(const TensorProduct& p) {
  const int64_t pairs = (p.columns + 1) / 2 * 2;  // kernels read two at a time
  std::vector<float> values(static_cast<size_t>(pairs), 0.0f);
  if (p.bias.present()) {
    const std::vector<double> given = p.bias.to_doubles();
    std::copy(given.begin(), given.end(), values.begin());
  }
  return Tensor::of<float>({pairs}, values);
}

std::string program_text(const TensorProduct& p) {
  std::string text = p.tame ? "#define PLANISH_TAME\n" : "";
  if (p.small_sums) text += "#define PLANISH_SMALL_SUMS\n";
  text += with_primitives(device_type(p.result)) + "struct Program {\n";
  text += fmt::format("  static constexpr bool residual = {}, scale = {};\n", p.residual ? "true" : "false",
                      p.scales.present() ? "true" : "false");
  text +=
      fmt::format("  static __device__ __forceinline__ float apply(float r0, float{}) {{\n", p.residual ? " r1" : "");
  text += statements(p.program, Arithmetic::f32);
  const bool whole = p.program.results.empty();
  return text + fmt::format("  return r{};\n  }}\n}};\n", whole ? 0 : p.program.results[0]);
}

std::string read_epilogue(const TacticQuery& query, const EpilogueForm& form, TensorProduct& product) {
  product.program = form.epilogue;
  std::vector<ValueId> extras = form.extras;
  if (product.program.results.empty()) return "";
  if (!product.bias.present()) take_bias(query, product.program, extras, product.columns, product.bias);
  if (extras.size() > 1 && !product.takes_after) return "its epilogue has more than one operand";
  if (extras.size() > kMostAddends) return "its epilogue has too many operands";
  if (extras.size() > 1) {
    product.after = std::move(product.program), product.program = {};
    for (ValueId extra : extras) {
      if (query.graph.value(extra).type != query.output(0).type)
        return "its epilogue reads " + query.graph.value(extra).type.str();
      product.addends.push_back(operand_index(query.node, extra));
    }
    return "";
  }
  for (ValueId extra : extras) {
    if (query.graph.value(extra).type != query.output(0).type)
      return "its epilogue reads " + query.graph.value(extra).type.str();
    product.residual = operand_index(query.node, extra);
  }
  return "";
}

std::string read_windows(const TacticQuery& query, const EpilogueForm& form, int64_t& group, TensorProduct& p) {
  const auto attrs = attrs_to<ConvAttrs>(form.anchor->attrs);
  const Value &x = query.graph.value(form.anchor_inputs[0]), &w = query.graph.value(form.anchor_inputs[1]);
  const Shape &in = x.type.shape, &out = query.output(0).type.shape;
  group = attrs.group;
  if (!w.is_constant()) return "the weights are not constant";
  if (in.rank() != 3 && in.rank() != 4) return "one or two spatial axes are accepted";
  const std::vector<int64_t>& filter = w.constant.extents();
  const bool line = in.rank() == 3;
  p.type = x.type.dtype, p.result = query.output(0).type.dtype, p.weights = w.constant;
  p.columns = filter[0], p.channels = filter[1];
  p.taps_h = line ? 1 : filter[2], p.taps_w = filter.back(), p.taps = p.taps_h * p.taps_w;
  p.channel_step = p.taps, p.tap_step = 1, p.column_step = p.channels * p.channel_step;
  p.extents = {in[0], line ? Dim(1) : in[2], in[in.rank() - 1]};
  p.out_extents = {line ? Dim(1) : out[2], out[out.rank() - 1]};
  p.rows = in[0] * p.out_extents[0] * p.out_extents[1];
  for (size_t i = line ? 1 : 0; i < 2; ++i) {
    const size_t axis = line ? 0 : i;
    p.strides[i] = at_or(attrs.strides, axis, 1), p.dilations[i] = at_or(attrs.dilations, axis, 1);
    const Dim extent = p.extents[i + 1], result = p.out_extents[i];
    const bool same = attrs.auto_pad.starts_with("SAME");
    if (same && (!extent.is_constant() || !result.is_constant())) return "auto_pad with symbolic extents";
    const int64_t taps = i == 0 ? p.taps_h : p.taps_w;
    p.pads[i] = same ? window_axis(attrs, axis, extent.value(), result.value(), taps).pad
                     : pad_begin(attrs.auto_pad, attrs.pads, axis, {});
  }
  p.image = p.taps_h * p.taps_w > 1 || p.strides[0] * p.strides[1] > 1 || p.pads[0] + p.pads[1] > 0 ||
            p.out_extents[0] != p.extents[1] || p.out_extents[1] != p.extents[2];
  if (form.anchor_inputs.size() > 2 && form.anchor_inputs[2].valid()) {
    const Value& bias = query.graph.value(form.anchor_inputs[2]);
    if (!bias.is_constant()) return "the bias is not constant";
    p.bias = bias.constant;
  }
  p.operand = operand_index(query.node, form.anchor_inputs[0]);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::channels_last;
  if (std::string why = read_epilogue(query, form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::channels_last;
  return "";
}

std::string read_matrix(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  const Value &a = query.graph.value(form->anchor_inputs[0]), &b = query.graph.value(form->anchor_inputs[1]);
  const Shape& shape = a.type.shape;
  if (!b.is_constant() || b.constant.rank() != 2) return "the second operand is not a constant matrix";
  if (shape.rank() < 2) return "the first operand is a vector";
  if (form->body != &query.graph &&
      form->body->value(form->anchor->outputs[0]).type.shape != query.output(0).type.shape)
    return "its epilogue spreads the result";
  p.type = a.type.dtype, p.result = query.output(0).type.dtype, p.weights = b.constant;
  p.channels = b.constant.extents()[0], p.columns = b.constant.extents()[1];
  p.column_step = 1, p.channel_step = p.columns;
  p.rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) p.rows = p.rows * shape[i];
  p.operand = operand_index(query.node, form->anchor_inputs[0]);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::row_major;
  if (std::string why = read_epilogue(query, *form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::row_major;
  return "";
}

std::string refuse_product(const TacticQuery& query, const TensorProduct& p) {
  if (query.cuda != "sm_90a") return "its kernels are for sm_90a, not " + query.cuda;
  // Of f32 they multiply 11 bits: less than the 16 that `tf32` promises, more than bf16 has.
  if (p.type == DataType::f32 && !query.precisions.bf16)
    return "elements are f32, and products of fewer bits are not permitted";
  const bool bytes = p.type == DataType::i8 || p.type == DataType::u8;  // by signed weights
  if (!bytes && p.type != DataType::f32 && p.type != DataType::f16 && p.type != DataType::bf16)
    return fmt::format("elements are {}", data_type_name(p.type));
  const bool byte_results = bytes && (p.result == DataType::i8 || p.result == DataType::u8);
  if (!byte_results && p.result != DataType::f32 && p.result != DataType::f16 && p.result != DataType::bf16)
    return fmt::format("results are {}", data_type_name(p.result));
  if (p.weights.dtype() != (bytes ? DataType::i8 : p.type))
    return fmt::format("weights are {}", data_type_name(p.weights.dtype()));
  const int64_t align = 16 / element_bytes(p.type);
  if (p.channels % align != 0) return fmt::format("{} channels, a multiple of {} is accepted", p.channels, align);
  if (p.rows.upper_bound(query.graph.symbols) > INT32_MAX / 2) return "too many rows";
  for (size_t i = 0; i < 2; ++i) {
    const int64_t reach = ((i == 0 ? p.taps_h : p.taps_w) - 1) * p.dilations[i];
    if (p.strides[i] > 8 || p.pads[i] > 120 || reach - p.pads[i] > 120)
      return "strides above 8 or taps further than 120 pixels";
  }
  return "";
}

Candidate product_candidate(const TacticQuery& query, std::shared_ptr<const TensorProduct> product, std::string name,
                            std::string kernel, ProductLaunch launch_of) {
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = std::move(name);
  candidate.inputs = product->inputs;
  candidate.outputs = {product->output};
  candidate.strided_inputs = candidate.strided_output = product->output == LayoutRule::channels_last;
  candidate.emit = [product = std::move(product), kernel = std::move(kernel), launch_of = std::move(launch_of),
                    arch = query.cuda](StepBuilder& builder) {
    const int64_t align = is_aligned(*product) ? kAlign : 1;  // of what no tensor map reaches
    const auto rows = [&](size_t i, int64_t bytes) { return rows_input(builder, i, product->inputs[i], bytes, arch); };
    const auto pitch = [&](Operand of, int64_t bytes) {
      const ViewDesc& view = builder.place(of);
      return row_pitch(view, adjacent_axis(product->output, view.dims.size()), bytes);
    };
    std::vector<Operand> inputs = {product->unfold ? product->unfold(builder, arch) : rows(product->operand, kAlign),
                                   builder.constant(packed_weights(*product, Blocks(*product))),
                                   builder.constant(bias_of(*product))};
    if (product->residual) inputs.push_back(rows(*product->residual, align));
    if (product->factors) inputs.push_back(builder.input(*product->factors));
    if (product->scales.present()) inputs.push_back(builder.constant(product->scales));
    if (!product->addends.empty())
      return emit_with_addends(*product, kernel, launch_of, arch, std::move(inputs), builder);
    RowsOutput result(builder, product->output, align, arch, product->result_columns == 0 ? 0 : product->columns);
    const ProductPitches pitches = {pitch(inputs[0], kAlign), result.pitch(),
                                    product->residual ? pitch(inputs[3], align) : result.pitch()};
    builder.step(StepKind::launch, kernel, launch_of(pitches), std::move(inputs), {result.operand()});
    result.finish();
  };
  return candidate;
}

void offer_product(const TacticQuery& query, CandidateSink& sink, std::shared_ptr<const TensorProduct> product) {
  const double rows = typical_elements(query, Shape({product->rows}));
  double first_us = 0;  // of the step in front
  if (product->unfold) {
    const double bytes = static_cast<double>(product->channels * element_bytes(product->type));
    first_us = (product->image ? typical_elements(query, Shape(product->extents)) : rows) * bytes / kUnfoldRate;
  }
  for (const Choice& choice : choices_of(*product, rows)) {
    Candidate candidate = product_candidate(query, product, choice.name(), "tensor_product",
                                            [product, choice, arch = query.cuda](const ProductPitches& pitches) {
                                              return launch_attrs(*product, choice, pitches, arch);
                                            });
    candidate.estimated_us = choice.us + first_us;
    sink.offer(std::move(candidate));
  }
}

}  // namespace planish::tactics::cuda
