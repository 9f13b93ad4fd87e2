#include "compile/calibrate/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compile/calibrate/bounds.h"
#include "compile/pipeline.h"
#include "ops/builder.h"
#include "passes/common/quantized_product.h"
#include "passes/common/values.h"

namespace planish {
namespace {

constexpr size_t kNamesShown = 6;
constexpr float kLeastScale = 1e-30F;
constexpr size_t kShortColumn = 256;  // weights; in longer columns one scale rounds as well as another
constexpr double kFewestLevels = 96, kLevelStep = 0.25;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) text += (i > 0 ? ", '" : "'") + names[i] + "'";
  return names.size() > kNamesShown ? fmt::format("{} and {} more", text, names.size() - kNamesShown) : text;
}

// A table of another network lacks names of this one, and has others.
void refuse_table(const Graph& graph, const CalibrationTable& table, const std::vector<std::string>& missing) {
  std::vector<std::string> strange;
  for (const auto& [name, scale] : table.scales)
    if (!graph.find_value(name)) strange.push_back(name);
  fail(Code::invalid_argument, "the calibration table has no scale of {} tensors of the network: {}{}", missing.size(),
       listed(missing), strange.empty() ? "" : "; it has those of tensors that the network lacks: " + listed(strange));
}

struct Numbers {
  double scale = 1;
  int64_t zero = 0;
  DataType type = DataType::u8;
};

Numbers numbers_for(double largest, Bounds bounds, bool signed_only) {
  if (signed_only) return {largest / 127, 0, DataType::i8};
  if (bounds.low >= 0) return {largest / 255, 0, DataType::u8};
  const double below = -bounds.low;
  if (below >= largest) return {largest / 127, 128, DataType::u8};
  const double scale = (largest + below) / 255;
  return {scale, std::llround(below / scale), DataType::u8};
}

double rounding_error(const std::vector<double>& values, double scale) {
  double error = 0;
  for (double value : values) {
    const double off = value - scale * std::nearbyint(value / scale);
    error += off * off;
  }
  return error;
}

// Of a column of weights.
float weight_scale(const std::string& product, const std::vector<double>& column) {
  double largest = 0;
  for (double value : column) {
    if (!std::isfinite(value))
      fail(Code::invalid_model, "the weights of '{}' hold values that are not finite", product);
    largest = std::max(largest, std::fabs(value));
  }
  if (largest == 0) return 1;
  double best = largest / 127, least = std::numeric_limits<double>::infinity();
  for (double levels = 127; levels >= kFewestLevels && column.size() <= kShortColumn; levels -= kLevelStep) {
    const double error = rounding_error(column, largest / levels);
    if (error >= least) continue;
    least = error;
    best = largest / levels;
  }
  return std::max(static_cast<float>(best), kLeastScale);
}

class Quantizer {
 public:
  Quantizer(Graph graph, const CalibrationTable& table, const QuantizeOptions& options)
      : graph_(std::move(graph)), table_(table), options_(options) {}

  Graph quantize(QuantizedLayers* layers) {
    LayerChoice choice = options_.layers;
    Placement placement = place(graph_, choice);
    while (drop_unknown(placement, choice)) placement = place(graph_, choice);
    if (layers != nullptr) *layers = names_of(placement);
    const auto largest = largest_of_groups(placement);
    for (NodeId id : placement.products) correct_bias(id);
    for (NodeId id : placement.products) quantize_weights(id);
    for (const QuantizedValue& value : placement.values) quantize_value(value, largest.at(value.group));
    graph_.remove_dead();
    return std::move(graph_);
  }

 private:
  const float* scale_of(ValueId value) const {
    const auto at = table_.scales.find(graph_.value(value).name);
    return at == table_.scales.end() ? nullptr : &at->second;
  }

  // Products whose values have no range stay fp32; true where there are such.
  bool drop_unknown(const Placement& placement, LayerChoice& choice) const {
    std::vector<std::string> missing;
    size_t dropped = choice.fp32.size();
    for (const QuantizedValue& value : placement.values) {
      const float* scale = scale_of(value.value);
      const std::string& name = graph_.value(value.value).name;
      if (scale != nullptr && *scale > 0) continue;
      if (scale == nullptr) missing.push_back(name);
      const std::string why = scale == nullptr ? fmt::format("there is no range of '{}'", name)
                                               : fmt::format("'{}' is zero in every sample", name);
      for (NodeId reader : products_behind(value, placement)) choice.fp32.emplace(graph_.node(reader).name, why);
    }
    if (!missing.empty() && !options_.allow_missing) refuse_table(graph_, table_, missing);
    return choice.fp32.size() > dropped;
  }

  // The quantised products that need the value as numbers: its readers, through moves; of an addend the convolutions
  // before the sum, which is then no pair of them any more.
  std::vector<NodeId> products_behind(const QuantizedValue& value, const Placement& placement) const {
    std::vector<NodeId> found;
    const auto is_product = [&](NodeId id) {
      return std::find(placement.products.begin(), placement.products.end(), id) != placement.products.end();
    };
    std::vector<ValueId> waiting = {value.value};
    while (!waiting.empty()) {
      const ValueId at = waiting.back();
      waiting.pop_back();
      for (NodeId user : graph_.users(at)) {
        if (is_product(user) && graph_.node(user).inputs[0] == at) found.push_back(user);
        if (passes::is_move(graph_.node(user))) waiting.push_back(graph_.node(user).outputs[0]);
      }
    }
    for (ValueId at = value.value; found.empty() && graph_.value(at).producer.valid();) {
      const NodeId producer = graph_.value(at).producer;
      if (is_product(producer)) found.push_back(producer);
      at = graph_.node(producer).inputs[0];
    }
    return found;
  }

  QuantizedLayers names_of(const Placement& placement) const {
    QuantizedLayers layers;
    for (NodeId id : placement.products) layers.int8.push_back(graph_.node(id).name);
    for (const FloatLayer& layer : placement.kept) layers.fp32.emplace_back(graph_.node(layer.node).name, layer.why);
    return layers;
  }

  struct Range {
    double largest = 0;
    Bounds bounds{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  };

  std::map<size_t, Range> largest_of_groups(const Placement& placement) const {
    std::map<size_t, Range> ranges;
    for (const QuantizedValue& value : placement.values) {
      Range& range = ranges[value.group];
      const Bounds own = bounds_of(graph_, value.value);
      const float* scale = scale_of(value.value);
      if (scale != nullptr) range.largest = std::max(range.largest, double{*scale} * 127);
      range.bounds = {std::min(range.bounds.low, own.low), std::max(range.bounds.high, own.high)};
    }
    return ranges;
  }

  ValueId scalar(DataType type, int64_t value) {
    return graph_.add_constant(type == DataType::i8 ? Tensor::scalar(static_cast<int8_t>(value))
                                                    : Tensor::scalar(static_cast<uint8_t>(value)));
  }

  void quantize_value(const QuantizedValue& value, const Range& range) {
    const Numbers numbers = numbers_for(range.largest, range.bounds, options_.signed_activations);
    const ValueId scale = graph_.add_constant(Tensor::scalar(std::max(static_cast<float>(numbers.scale), kLeastScale)));
    const ValueId zero = scalar(numbers.type, numbers.zero);
    const std::string name = graph_.value(value.value).name;
    const ValueId bytes = add_op(graph_, "quantize_linear", {value.value, scale, zero}, {}, name + ".quantize");
    const ValueId floats = add_op(graph_, "dequantize_linear", {bytes, scale, zero}, {}, name + ".dequantize");
    for (NodeId reader : value.readers)
      for (size_t i = 0; i < graph_.node(reader).inputs.size(); ++i)
        if (graph_.node(reader).inputs[i] == value.value) graph_.set_input(reader, i, floats);
  }

  int axis_of(NodeId product) const {
    passes::ProductExtents extents;
    passes::refuse_numbers(graph_, graph_.node(product), extents);
    return extents.axis;
  }

  struct Weights {
    std::vector<double> values;
    std::vector<float> scales;  // of columns
    int64_t columns = 1, inner = 1;
    size_t column(size_t i) const { return static_cast<size_t>(static_cast<int64_t>(i) / inner % columns); }
    int8_t number(size_t i) const {
      const double q = std::nearbyint(values[i] / double{scales[column(i)]});
      return static_cast<int8_t>(std::clamp(q, -127.0, 127.0));
    }
  };

  Weights weights_of(NodeId product) const {
    const Tensor& tensor = graph_.value(graph_.node(product).inputs[1]).constant;
    const auto axis = static_cast<size_t>(axis_of(product));
    Weights w;
    w.values = tensor.to_doubles();
    w.columns = tensor.extents()[axis];
    for (size_t k = axis + 1; k < tensor.extents().size(); ++k) w.inner *= tensor.extents()[k];
    std::vector<std::vector<double>> columns(static_cast<size_t>(w.columns));
    for (size_t i = 0; i < w.values.size(); ++i) columns[w.column(i)].push_back(w.values[i]);
    for (const auto& column : columns) w.scales.push_back(weight_scale(graph_.node(product).name, column));
    return w;
  }

  void quantize_weights(NodeId product) {
    const Weights w = weights_of(product);
    const Value& old = graph_.value(graph_.node(product).inputs[1]);
    const std::string name = old.name;
    const auto extents = old.constant.extents();
    std::vector<int8_t> numbers(w.values.size());
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = w.number(i);
    const ValueId bytes = graph_.add_constant(Tensor::of<int8_t>(extents, numbers), graph_.fresh_name(name + ".int8"));
    const ValueId scales = graph_.add_constant(Tensor::of<float>({w.columns}, w.scales));
    graph_.set_input(product, 1,
                     add_op(graph_, "dequantize_linear", {bytes, scales}, {{"axis", int64_t{axis_of(product)}}},
                            name + ".dequantize"));
  }

  void correct_bias(NodeId product) {
    const Node& node = graph_.node(product);
    const auto means = table_.means.find(graph_.value(node.inputs[0]).name);
    if (means == table_.means.end()) return;
    const Weights w = weights_of(product);
    const auto& extents = graph_.value(node.inputs[1]).constant.extents();
    const bool conv = node.op == "conv";
    const int64_t channels = extents[conv ? 1 : 0], taps = conv ? w.inner / channels : 1;
    const int64_t groups = conv ? node.attrs.get_or<int64_t>("group", 1) : 1, filters = w.columns / groups;
    if (static_cast<int64_t>(means->second.size()) != channels * groups)
      fail(Code::invalid_argument, "the calibration table has {} means of '{}', which has {} channels",
           means->second.size(), means->first, channels * groups);
    std::vector<double> bias(static_cast<size_t>(w.columns), 0);
    if (conv && node.inputs.size() > 2 && node.inputs[2].valid())
      bias = graph_.value(node.inputs[2]).constant.to_doubles();
    for (size_t i = 0; i < w.values.size(); ++i) {
      const auto at = static_cast<int64_t>(i), column = static_cast<int64_t>(w.column(i));
      const int64_t channel = conv ? at / taps % channels + column / filters * channels : at / w.columns;
      const double lost = w.values[i] - w.number(i) * double{w.scales[w.column(i)]};
      bias[static_cast<size_t>(column)] += lost * double{means->second.at(static_cast<size_t>(channel))};
    }
    add_bias(product, passes::float_tensor({w.columns}, bias));
  }

  void add_bias(NodeId product, const Tensor& bias) {
    const Node& node = graph_.node(product);
    const ValueId row = graph_.add_constant(bias, graph_.fresh_name(node.name + ".bias"));
    if (node.op == "conv" && node.inputs.size() > 2) return graph_.set_input(product, 2, row);
    const ValueId result = node.outputs[0];
    if (graph_.is_output(result)) return;
    const auto users = graph_.users(result);
    const Shape& shape = graph_.value(result).type.shape;
    ValueId operand = row;
    if (node.op == "conv") {
      std::vector<int64_t> extents(static_cast<size_t>(shape.rank()) - 1, 1);
      extents[0] = bias.element_count();
      operand = graph_.add_constant(bias.reshaped(std::move(extents)));
    }
    const ValueId sum = add_op(graph_, "add", {result, operand}, {}, node.name + ".correct");
    for (NodeId user : users)
      for (size_t i = 0; i < graph_.node(user).inputs.size(); ++i)
        if (graph_.node(user).inputs[i] == result) graph_.set_input(user, i, sum);
  }

  Graph graph_;
  const CalibrationTable& table_;
  const QuantizeOptions& options_;
};

}  // namespace

Graph simplified(Graph graph) {
  infer_all(graph);
  verify(graph);
  run_pipeline(graph, simplifying_passes(), "");
  return graph;
}

Graph quantized(const Graph& graph, const CalibrationTable& table, const QuantizeOptions& options,
                QuantizedLayers* layers) {
  return Quantizer(graph.clone(), table, options).quantize(layers);
}

void SignalToNoise::add(const Tensor& found, const Tensor& expected) {
  if (found.extents() != expected.extents())
    fail(Code::mismatch, "{} beside {}", found.type().str(), expected.type().str());
  const TensorView a = found.view(), b = expected.view();
  for (int64_t i = 0, n = expected.element_count(); i < n; ++i) {
    const double wanted = load_double(b, i), off = load_double(a, i) - wanted;
    signal_ += wanted * wanted;
    noise_ += off * off;
  }
}

double SignalToNoise::decibels() const {
  return noise_ == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal_ / noise_);
}

}  // namespace planish
