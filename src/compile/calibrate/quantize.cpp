#include "compile/calibrate/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "compile/calibrate/bounds.h"
#include "compile/calibrate/equalise.h"
#include "compile/calibrate/weights.h"
#include "compile/pipeline.h"
#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/quantized_product.h"
#include "passes/common/values.h"

namespace planish {
namespace {

constexpr size_t kNamesShown = 6;
constexpr float kLeastScale = 1e-30F;

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

template <class ByName, class IsThere>
void refuse_strange(const ByName& lines, const char* what, const char* whose, IsThere is_there) {
  std::vector<std::string> strange;
  for (const auto& [name, line] : lines)
    if (!is_there(name)) strange.push_back(name);
  if (!strange.empty())
    fail(Code::invalid_argument, "the calibration table has {} of {} that the network lacks: {}", what, whose,
         listed(strange));
}

// A value's channels lie along axis 1, or the last one where matrices read it.
void check_channels(const Graph& graph, const std::string& name, const ChannelTable& channels) {
  if (channels.largest.size() != channels.power.size())
    fail(Code::invalid_argument, "the calibration table has {} magnitudes and {} mean squares of the channels of '{}'",
         channels.largest.size(), channels.power.size(), name);
  const Shape& shape = graph.value(*graph.find_value(name)).type.shape;
  const auto fits = [&](int axis) {
    return axis >= shape.rank() || !shape[axis].is_constant() ||
           shape[axis].value() == static_cast<int64_t>(channels.largest.size());
  };
  if (shape.rank() > 0 && !fits(1) && !fits(shape.rank() - 1))
    fail(Code::invalid_argument, "the calibration table has figures of {} channels of '{}' {}", channels.largest.size(),
         name, shape.str());
}

// The lines of our own speak of this network; those of scales may speak of what a builder of others names.
void check_own_lines(const Graph& graph, const CalibrationTable& table) {
  const auto has_value = [&](const std::string& name) { return graph.find_value(name).has_value(); };
  refuse_strange(table.means, "means", "tensors", has_value);
  refuse_strange(table.ranges, "ranges", "tensors", has_value);
  refuse_strange(table.channels, "channels", "tensors", has_value);
  for (const auto& [name, channels] : table.channels) check_channels(graph, name, channels);
  std::set<std::string> layers;
  for (NodeId id : graph.nodes()) layers.insert(graph.node(id).name);
  const auto has_layer = [&](const std::string& name) { return layers.count(name) > 0; };
  refuse_strange(table.weights, "weights", "layers", has_layer);
  refuse_strange(table.weight_scales, "scales", "layers", has_layer);
}

struct Numbers {
  double scale = 1;
  int64_t zero = 0;
  DataType type = DataType::u8;
};

// Of values from `low` to `high`, 0 among them.
Numbers spanning(double low, double high) {
  const double scale = (high - low) / 255;
  return {scale, std::llround(-low / scale), DataType::u8};
}

Numbers numbers_for(double largest, Bounds bounds, bool signed_only) {
  if (signed_only) return {largest / 127, 0, DataType::i8};
  if (bounds.low >= 0) return {largest / 255, 0, DataType::u8};
  const double below = -bounds.low;
  if (below >= largest) return {largest / 127, 128, DataType::u8};
  return spanning(bounds.low, largest);
}

class Quantizer {
 public:
  Quantizer(Graph graph, const CalibrationTable& table, const QuantizeOptions& options)
      : graph_(std::move(graph)), table_(table), options_(options) {
    check_own_lines(graph_, table_);
    equalise(graph_, table_);
  }

  Graph quantize(QuantizedLayers* layers) {
    LayerChoice choice = options_.layers;
    Placement placement = place(graph_, choice);
    while (drop_unknown(placement, choice)) placement = place(graph_, choice);
    if (layers != nullptr) *layers = names_of(placement);
    const auto largest = largest_of_groups(placement);
    for (NodeId id : placement.products) quantize_product(id);
    for (const QuantizedValue& value : placement.values)
      if (scale_of(value.value) != nullptr) quantize_value(value, largest.at(value.group));
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
      if ((scale != nullptr && *scale > 0) || (scale == nullptr && is_addend(value))) continue;
      if (scale == nullptr) missing.push_back(name);
      const std::string why = scale == nullptr ? fmt::format("there is no range of '{}'", name)
                                               : fmt::format("'{}' is zero in every sample", name);
      for (NodeId reader : products_behind(value, placement)) choice.fp32.emplace(graph_.node(reader).name, why);
    }
    if (!missing.empty() && !options_.allow_missing) refuse_table(graph_, table_, missing);
    return choice.fp32.size() > dropped;
  }

  // Which addend of a sum is numbers depends on what layers are: one without a range stays floats.
  bool is_addend(const QuantizedValue& value) const {
    return std::all_of(value.readers.begin(), value.readers.end(),
                       [&](NodeId reader) { return passes::is_fusible_pointwise(graph_, graph_.node(reader)); });
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
    double low = 0, high = 0;  // seen, where all values of the group have such
    bool seen = true;
  };

  std::map<size_t, Range> largest_of_groups(const Placement& placement) const {
    std::map<size_t, Range> ranges;
    for (const QuantizedValue& value : placement.values) {
      Range& range = ranges[value.group];
      const Bounds own = bounds_of(graph_, value.value);
      const float* scale = scale_of(value.value);
      if (scale != nullptr) range.largest = std::max(range.largest, double{*scale} * 127);
      range.bounds = {std::min(range.bounds.low, own.low), std::max(range.bounds.high, own.high)};
      const auto seen = table_.ranges.find(graph_.value(value.value).name);
      range.seen = range.seen && seen != table_.ranges.end();
      if (seen == table_.ranges.end()) continue;
      range.low = std::min(range.low, double{seen->second.first});
      range.high = std::max(range.high, double{seen->second.second});
    }
    return ranges;
  }

  Numbers numbers_of(const Range& range) const {
    const double low = std::max(range.low, -range.largest), high = std::min(range.high, range.largest);
    if (range.seen && !options_.signed_activations && high > low) return spanning(low, high);
    return numbers_for(range.largest, range.bounds, options_.signed_activations);
  }

  ValueId scalar(DataType type, int64_t value) {
    return graph_.add_constant(type == DataType::i8 ? Tensor::scalar(static_cast<int8_t>(value))
                                                    : Tensor::scalar(static_cast<uint8_t>(value)));
  }

  void quantize_value(const QuantizedValue& value, const Range& range) {
    const Numbers numbers = numbers_of(range);
    const ValueId scale = graph_.add_constant(Tensor::scalar(std::max(static_cast<float>(numbers.scale), kLeastScale)));
    const ValueId zero = scalar(numbers.type, numbers.zero);
    const std::string name = graph_.value(value.value).name;
    const ValueId source = below_limit(value, range.largest);
    const ValueId bytes = add_op(graph_, "quantize_linear", {source, scale, zero}, {}, name + ".quantize");
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

  // x of a value min(x, limit) that only the readers of its numbers read, which end at `largest` at most.
  ValueId below_limit(const QuantizedValue& value, double largest) const {
    const Value& v = graph_.value(value.value);
    if (!v.producer.valid() || graph_.node(v.producer).op != "min" || graph_.node(v.producer).inputs.size() != 2 ||
        graph_.is_output(value.value) || graph_.users(value.value).size() != value.readers.size())
      return value.value;
    const Node& node = graph_.node(v.producer);
    for (size_t i = 0; i < 2; ++i) {
      if (!passes::is_float_constant(graph_, node.inputs[i])) continue;
      const std::vector<double> limits = graph_.value(node.inputs[i]).constant.to_doubles();
      const bool above = std::all_of(limits.begin(), limits.end(), [&](double limit) { return limit >= largest; });
      const ValueId other = node.inputs[1 - i];
      if (above && graph_.value(other).type.shape == v.type.shape) return other;
    }
    return value.value;
  }

  void quantize_product(NodeId product) {
    const std::string layer = graph_.node(product).name;
    const ProductWeights w = weights_of(graph_, product);
    const auto noted = table_.weight_scales.find(layer);
    const std::vector<float> scales = noted == table_.weight_scales.end() ? weight_scales(w, layer) : noted->second;
    if (static_cast<int64_t>(scales.size()) != w.columns)
      fail(Code::invalid_argument, "the calibration table has {} scales of layer '{}', which has {} columns",
           scales.size(), layer, w.columns);
    std::vector<int8_t> numbers;
    if (const auto given = table_.weights.find(layer); given != table_.weights.end()) {
      numbers = given->second;
      if (numbers.size() != w.values.size())
        fail(Code::invalid_argument, "the calibration table has {} weights of layer '{}', which has {}", numbers.size(),
             layer, w.values.size());
    } else {
      for (size_t i = 0; i < w.values.size(); ++i) numbers.push_back(nearest_number(w.values[i], scales[w.column(i)]));
    }
    correct_bias(product, w, scales, numbers);
    const Value& old = graph_.value(graph_.node(product).inputs[1]);
    const std::string name = old.name;
    const auto extents = old.constant.extents();
    const ValueId bytes = graph_.add_constant(Tensor::of<int8_t>(extents, numbers), graph_.fresh_name(name + ".int8"));
    const ValueId row = graph_.add_constant(Tensor::of<float>({w.columns}, scales));
    graph_.set_input(
        product, 1,
        add_op(graph_, "dequantize_linear", {bytes, row}, {{"axis", int64_t{axis_of(product)}}}, name + ".dequantize"));
  }

  void correct_bias(NodeId product, const ProductWeights& w, const std::vector<float>& scales,
                    const std::vector<int8_t>& numbers) {
    const Node& node = graph_.node(product);
    const auto means = table_.means.find(graph_.value(node.inputs[0]).name);
    if (means == table_.means.end()) return;
    if (static_cast<int64_t>(means->second.size()) != w.channels * w.groups)
      fail(Code::invalid_argument, "the calibration table has {} means of '{}', which has {} channels",
           means->second.size(), means->first, w.channels * w.groups);
    std::vector<double> bias(static_cast<size_t>(w.columns), 0);
    if (node.op == "conv" && node.inputs.size() > 2 && node.inputs[2].valid())
      bias = graph_.value(node.inputs[2]).constant.to_doubles();
    for (size_t i = 0; i < w.values.size(); ++i) {
      const double lost = w.values[i] - numbers[i] * double{scales[w.column(i)]};
      bias[w.column(i)] += lost * double{means->second.at(w.channel(i))};
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
  CalibrationTable table_;
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

void note_weight_scales(const Graph& graph, CalibrationTable& table) {
  Graph alike = graph.clone();
  CalibrationTable scaled = table;
  equalise(alike, scaled);
  for (NodeId id : place(alike, {}).products) {
    const std::string& layer = alike.node(id).name;
    if (table.weight_scales.count(layer) == 0) table.weight_scales[layer] = weight_scales(weights_of(alike, id), layer);
  }
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

double OutputNoise::decibels() const {
  double worst = std::numeric_limits<double>::infinity();
  for (const auto& [name, ratio] : of_) worst = std::min(worst, ratio.decibels());
  return worst;
}

}  // namespace planish
