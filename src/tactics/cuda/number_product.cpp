// Products of quantised numbers on the integers themselves. With centred weights W = w - zw
//   sum (x - zx) W sx sw  =  (sum x W) sx sw - zx sx sw sum W
// so that a column's bias takes the zero point out. Tensor cores read zeros outside an image: where that is not the
// zero point, or the channels are no multiple of 16, the image is put down once, padded. What they do not take,
// depthwise convolutions among it, ordinary cores compute.

#include <algorithm>
#include <cmath>

#include "kernels/reference/conv.h"
#include "ops/builder.h"
#include "tactics/cuda/common/direct_conv.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"
#include "tactics/leading_add.h"
#include "tactics/quantized_form.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kRunOfBytes = 16, kWideTile = 64;
constexpr double kNumberTera = 1.5;

struct NumberProblem {
  QuantizedForm numbers;
  EpilogueForm form;  // of the numbers themselves, as one program
  TensorProduct product;
  int64_t group = 1;
  bool conv = false;
};

// What a sum is counted in before the program: steps of numbers within the epilogue, or of the result where nothing
// else is done to it.
double steps_of_sums(const QuantizedForm& q) {
  if (q.inner) return q.inner->scale;
  return q.result && q.form.epilogue.results.empty() ? q.result->scale : 1;
}

// Whether values stay finite and far from the ends of the range of floats, whatever the numbers are: scales and
// constants near 1, operators that do not grow, and no rounding but those of the quantisations.
bool is_tame(const QuantizedForm& q, const Tensor& bias) {
  constexpr double most = 1 << 20, most_bias = 1ll << 40;
  constexpr int64_t most_products = 2;
  const auto near_one = [](double x) { return std::abs(x) <= most && std::abs(x) >= 1 / most; };
  bool tame = q.table.results.empty() && near_one(q.x.scale) && (!q.result || near_one(q.result->scale)) &&
              (!q.inner || near_one(q.inner->scale));
  for (double scale : q.weights.scales) tame = tame && near_one(scale);
  for (const auto& [id, by] : q.extras) tame = tame && near_one(by.scale);
  for (ValueId extra : q.form.extras) tame = tame && q.extras.count(extra) != 0;
  if (bias.present())
    for (double value : bias.to_doubles()) tame = tame && std::abs(value) <= most_bias;
  int64_t products = 0;
  for (const PwInstr& instruction : q.form.epilogue.code) {
    switch (instruction.op) {
      case PwOp::constant:
        tame = tame && (instruction.immediate == 0 || near_one(instruction.immediate));
        break;
      case PwOp::mul:
        ++products;
        break;
      case PwOp::neg:
      case PwOp::abs:
      case PwOp::add:
      case PwOp::sub:
      case PwOp::min:
      case PwOp::max:
      case PwOp::select:
      case PwOp::less:
      case PwOp::greater:
      case PwOp::sigmoid:
      case PwOp::tanh:
        break;
      default:
        tame = false;
    }
  }
  return tame && products <= most_products;
}

// Steps become the nearest number of them.
PwBuilder::Reg add_number(PwBuilder& builder, PwBuilder::Reg r, int64_t zero) {
  r = builder.unary(PwOp::round, r);
  return zero == 0 ? r : builder.binary(PwOp::add, r, builder.constant(static_cast<double>(zero)));
}

// Numbers within are made of the sums, saturated before they are rounded, and read again; extras are dequantised in
// front of the program; its result is quantised behind it, and may be looked up in a table of numbers.
PointwiseProgram program_over_numbers(const QuantizedForm& q) {
  PwBuilder builder(1 + static_cast<int>(q.form.extras.size()));
  std::vector<PwBuilder::Reg> operands = {PwBuilder::Reg{0}};
  if (q.inner) {
    const double least = q.inner->numbers == DataType::i8 ? INT8_MIN : 0, zero = static_cast<double>(q.inner->zero);
    const PwBuilder::Reg low = builder.binary(PwOp::max, operands[0], builder.constant(least - zero));
    const PwBuilder::Reg steps = builder.binary(PwOp::min, low, builder.constant(least + UINT8_MAX - zero));
    operands[0] = builder.binary(PwOp::mul, builder.unary(PwOp::round, steps), builder.constant(q.inner->scale));
  }
  std::vector<PwBuilder::Reg> results = operands;
  for (size_t i = 0; i < q.form.extras.size(); ++i) {
    const auto r = static_cast<PwBuilder::Reg>(i + 1);
    const auto scale = q.extras.find(q.form.extras[i]);
    operands.push_back(scale == q.extras.end() ? r : add_dequantize(builder, r, scale->second));
  }
  if (!q.form.epilogue.results.empty()) results = builder.inline_program(q.form.epilogue, operands);
  if (!q.result) return builder.finish(results);
  const bool in_steps = !q.inner && q.form.epilogue.results.empty();
  if (!in_steps) results[0] = builder.binary(PwOp::div, results[0], builder.constant(q.result->scale));
  // Kernels round what they store.
  if (q.result->zero != 0 || !q.table.results.empty()) results[0] = add_number(builder, results[0], q.result->zero);
  if (q.table.results.empty()) return builder.finish(results);
  return builder.finish(builder.inline_program(q.table, {add_saturate(builder, results[0], q.result->numbers)}));
}

std::string read_matrix_of_numbers(const TacticQuery& query, NumberProblem& n) {
  TensorProduct& p = n.product;
  const Shape& shape = query.graph.value(n.form.anchor_inputs[0]).type.shape;
  if (n.form.body->value(n.form.anchor->outputs[0]).type.shape != query.output(0).type.shape)
    return "its epilogue spreads the result";
  p.type = query.graph.value(n.form.anchor_inputs[0]).type.dtype, p.result = query.output(0).type.dtype;
  p.channels = n.numbers.weights.centred.extents()[0], p.columns = n.numbers.weights.centred.extents()[1];
  p.column_step = 1, p.channel_step = p.columns;
  p.rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) p.rows = p.rows * shape[i];
  p.operand = operand_index(query.node, n.form.anchor_inputs[0]);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = p.output = LayoutRule::row_major;
  if (std::string why = read_epilogue(query, n.form, p); !why.empty()) return why;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::row_major;
  return "";
}

// A row of floats for the columns, zeros behind them.
Tensor row_of(const std::vector<double>& values, int64_t columns) {
  std::vector<float> row(values.begin(), values.end());
  row.resize(static_cast<size_t>(columns), 0.0f);
  return Tensor::of<float>({columns}, row);
}

// Scales of the sums, and in the bias the zero point `zero` of what is multiplied.
void set_scales(const QuantizedForm& q, int64_t zero, TensorProduct& p) {
  const auto w = q.weights.centred.as<int16_t>();
  const int64_t columns = p.columns, depth = static_cast<int64_t>(w.size()) / columns;
  std::vector<double> scales, bias(static_cast<size_t>(columns), 0.0);
  if (p.bias.present()) bias = p.bias.to_doubles();
  const double by = steps_of_sums(q);
  for (int64_t n = 0; n < columns; ++n) {
    const double w_scale = q.weights.scales[q.weights.scales.size() == 1 ? 0 : static_cast<size_t>(n)];
    scales.push_back(q.x.scale * w_scale / by);
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k)  // filters are the first axis of a convolution's, the last one of a matrix
      sum += w[static_cast<size_t>(p.column_step == 1 ? k * columns + n : n * depth + k)];
    double& addend = bias[static_cast<size_t>(n)];
    addend = addend / by - static_cast<double>(zero) * scales.back() * sum;
  }
  p.scales = row_of(scales, columns);
  p.bias = row_of(bias, columns);
}

std::string read_numbers(const TacticQuery& query, const QuantizedForm& q, NumberProblem& n) {
  if (!q.dynamic.empty()) return "the scale of the operand is dynamic";
  n.numbers = q, n.form = q.form, n.conv = q.form.anchor->op == "conv";
  n.form.epilogue = program_over_numbers(q);
  if (n.form.epilogue.code.empty()) n.form.epilogue.results.clear();
  std::string why = n.conv ? read_windows(query, n.form, n.group, n.product) : read_matrix_of_numbers(query, n);
  if (why.empty()) n.product.tame = is_tame(q, n.product.bias);
  return why;
}

// --- tensor cores

bool has_pads(const ConvAttrs& attrs) {
  return attrs.auto_pad.starts_with("SAME") ||
         std::any_of(attrs.pads.begin(), attrs.pads.end(), [](int64_t pad) { return pad != 0; });
}

int64_t whole(int64_t count, int64_t by) { return (count + by - 1) / by * by; }

// Whether no sum of numbers of `type` reaches 2^22.
bool has_small_sums(const Tensor& centred, const TensorProduct& p) {
  const auto from = centred.as<int16_t>();
  const int64_t most = p.type == DataType::u8 ? UINT8_MAX : -INT8_MIN;
  for (int64_t n = 0; n < p.columns; ++n) {
    int64_t sum = 0;
    for (int64_t tap = 0; tap < p.taps; ++tap)
      for (int64_t c = 0; c < p.channels; ++c)
        sum += std::abs(from[static_cast<size_t>(n * p.column_step + tap * p.tap_step + c * p.channel_step)]);
    if (sum * most >= 1 << 22) return false;
  }
  return true;
}

// [column][tap][channel], zeros behind columns and channels.
Tensor weights_of(const Tensor& centred, const TensorProduct& p, int64_t columns, int64_t channels) {
  const auto from = centred.as<int16_t>();
  return Tensor::make(DataType::i8, {columns, p.taps, channels}, [&](std::byte* memory) {
    auto* to = reinterpret_cast<int8_t*>(memory);
    std::fill_n(to, columns * p.taps * channels, int8_t{0});
    for (int64_t n = 0; n < p.columns; ++n)
      for (int64_t tap = 0; tap < p.taps; ++tap)
        for (int64_t c = 0; c < p.channels; ++c)
          to[(n * p.taps + tap) * channels + c] =
              static_cast<int8_t>(from[static_cast<size_t>(n * p.column_step + tap * p.tap_step + c * p.channel_step)]);
  });
}

// The image padded and with its channels filled up, as windows without pads read it.
void put_down(const TacticQuery& query, const NumberProblem& n, int64_t channels, TensorProduct& p) {
  const Shape& x = query.input(p.operand).type.shape;
  const auto reach = [&](size_t i, int64_t taps) {
    return (p.out_extents[i] - Dim(1)) * Dim(p.strides[i]) + Dim((taps - 1) * p.dilations[i] + 1);
  };
  const Dim height = reach(0, p.taps_h), width = reach(1, p.taps_w);
  p.inputs[p.operand] = LayoutRule::any;
  p.unfold = [=, type = p.type, operand = p.operand, pads = p.pads, images = x[0], rank = x.rank(),
              fill = n.numbers.x.zero & 0xff](StepBuilder& builder, const std::string& arch) {
    TensorType padded{type, rank == 4 ? Shape({images, channels, height, width}) : Shape({images, channels, width})};
    padded.layout = Layout::channels_last;
    Launch launch;
    launch.kernel = "byte_image";
    launch.source = "#include \"byte_image.cuh\"\n";
    launch.options = {define("RANK", rank)};
    launch.arguments = {"view:i0", "pointer:o0"};
    const Dim chunks = images * height * width * Dim(channels / kRunOfBytes);
    for (const Dim& value : {Dim(channels / kRunOfBytes), height, width, Dim(pads[0]), Dim(pads[1]), Dim(fill)})
      launch.integer(value);
    launch.wide(chunks);
    launch.grid = {ceil_div(chunks, Dim(kBlock)), 1, 1};
    const Operand image = builder.temporary(padded);
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), {builder.input(operand)}, {image});
    return image;
  };
  p.extents = {x[0], height, width};
  p.pads = {0, 0};
  p.image = p.taps > 1 || p.strides[0] * p.strides[1] > 1;
}

// What of it tensor cores multiply: columns and channels are filled up.
std::string for_tensor_cores(const TacticQuery& query, const NumberProblem& n, TensorProduct& p) {
  p = n.product;
  const QuantizedWeights& weights = n.numbers.weights;
  if (weights.least < INT8_MIN || weights.most > INT8_MAX) return "centred weights take nine bits";
  if (n.group != 1) return "groups";
  const int64_t columns = whole(p.columns, p.columns < kWideTile ? kRunOfBytes : kWideTile / 2),
                channels = whole(p.channels, kRunOfBytes);
  const bool padded = n.conv && n.numbers.x.zero != 0 && has_pads(attrs_to<ConvAttrs>(n.form.anchor->attrs));
  if (channels != p.channels && !n.conv) return fmt::format("{} values, a multiple of 16 is accepted", p.channels);
  if (columns != p.columns && p.residual) return "columns are filled up, and a residual is not";
  set_scales(n.numbers, n.numbers.x.zero, p);
  if (padded || channels != p.channels) put_down(query, n, channels, p);
  p.small_sums = has_small_sums(weights.centred, p);
  p.weights = weights_of(weights.centred, p, columns, channels);
  p.channel_step = 1, p.tap_step = channels, p.column_step = p.taps * channels;
  p.scales = row_of(p.scales.to_doubles(), columns);
  p.bias = row_of(p.bias.to_doubles(), columns);
  p.result_columns = columns == p.columns ? 0 : p.columns;
  p.columns = columns, p.channels = channels;
  return refuse_product(query, p);
}

// --- first layers: as halves, which hold numbers less their zero points exactly; so do sums of a few taps in fp32

std::string for_first_layer(const TacticQuery& query, const NumberProblem& n, TensorProduct& p) {
  p = n.product;
  if (!n.conv || n.group != 1 || query.input(p.operand).type.shape.rank() != 4) return "groups, or no image";
  set_scales(n.numbers, 0, p);  // its kernel centres what it reads
  const auto centred = n.numbers.weights.centred.as<int16_t>();
  p.weights = Tensor::make(DataType::f16, n.numbers.weights.centred.extents(), [&](std::byte* memory) {
    std::transform(centred.begin(), centred.end(), reinterpret_cast<Half*>(memory),
                   [](int16_t x) { return to_half(static_cast<float>(x)); });
  });
  return refuse_first(p);
}

// --- ordinary cores

// [tap][channel of a group][filter]
Tensor weights_for_threads(const Tensor& centred, int64_t columns, int64_t channels, int64_t taps) {
  const auto from = centred.as<int16_t>();
  return Tensor::make(DataType::i16, {taps, channels, columns}, [&](std::byte* memory) {
    auto* to = reinterpret_cast<int16_t*>(memory);
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t n = 0; n < columns; ++n) *to++ = from[static_cast<size_t>((n * channels + c) * taps + tap)];
  });
}

// Windows over one to three axes; those over three are not read by read_windows.
void offer_for_threads(const TacticQuery& query, CandidateSink& sink, const NumberProblem& n) {
  const TensorProduct& p = n.product;
  const Shape &x = query.input(p.operand).type.shape, &y = query.output(0).type.shape;
  const int spatial = x.rank() - 2;
  if (y.element_count().upper_bound(query.graph.symbols) > INT32_MAX)
    return sink.refuse("cuda.number_conv", "2^31 elements or more");
  const int64_t filters = p.columns / n.group, vector = p.channels == 1 && filters == 1 && p.columns % 4 == 0 ? 4 : 1;
  auto product = std::make_shared<TensorProduct>(p);
  set_scales(n.numbers, 0, *product);  // its kernel centres what it reads
  Launch launch;
  launch.kernel = "number_conv";
  launch.options = {define("SPATIAL", spatial), define("TYPE_X", device_type(p.type)),
                    define("TYPE_Y", device_type(p.result)), define("VECTOR", vector), "-fmad=false"};
  launch.source = "#include \"types.cuh\"\n" + program_text(*product) + "#include \"number_conv.cuh\"\n";
  launch.arguments = {"view:i0",    "pointer:i1", "pointer:i2",
                      "pointer:i3", "view:o0",    p.residual ? "view:i4" : "view:o0"};
  const auto axes = [&](const std::vector<int64_t>& pair, int64_t missing) {
    std::vector<Dim> list(pair.begin() + (spatial == 1 ? 1 : 0), pair.end());
    list.resize(3, Dim(missing));
    for (const Dim& value : list) launch.integer(value);
  };
  axes({p.taps_h, p.taps_w}, 1);
  axes(p.strides, 1);
  axes(p.dilations, 1);
  axes(p.pads, 0);
  for (int64_t value : {p.channels, filters, n.numbers.x.zero}) launch.integer(value);
  const Dim count = floor_div(y.element_count(), Dim(vector));
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda.number_conv";
  candidate.inputs = p.inputs;
  candidate.outputs = {p.output};
  candidate.strided_inputs = candidate.strided_output = true;
  const double flops = 2 * typical_elements(query, y) * static_cast<double>(p.channels * p.taps);
  candidate.estimated_us = estimate_us(query, flops, kNumberTera);
  candidate.emit = [launch, product, centred = n.numbers.weights.centred, arch = query.cuda](StepBuilder& builder) {
    const TensorProduct& p = *product;
    std::vector<Operand> inputs = {builder.input(p.operand),
                                   builder.constant(weights_for_threads(centred, p.columns, p.channels, p.taps)),
                                   builder.constant(p.bias), builder.constant(p.scales)};
    if (p.residual) inputs.push_back(builder.input(*p.residual));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_number_product(const TacticQuery& query, CandidateSink& sink) {
  if (query.node.op != "fused") return;
  const auto q = quantized_form(query.graph, query.node);
  if (!q) return;  // a pointwise body
  NumberProblem n;
  if (std::string why = read_numbers(query, *q, n); !why.empty()) return sink.refuse("cuda.numbers", std::move(why));
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = for_tensor_cores(query, n, *product); !why.empty())
    sink.refuse("cuda.tensor", std::move(why));
  else
    offer_product(query, sink, std::move(product));
  if (!n.conv) return;
  product = std::make_shared<TensorProduct>();
  if (std::string why = for_first_layer(query, n, *product); !why.empty())
    sink.refuse("cuda.first", std::move(why));
  else
    offer_first(query, sink, std::move(product), n.numbers.x.zero);
  offer_for_threads(query, sink, n);
}

}  // namespace

void register_number_product(TacticTable& table) { table.add("dequantize_linear", propose_number_product); }

}  // namespace planish::tactics::cuda
