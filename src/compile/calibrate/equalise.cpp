#include "compile/calibrate/equalise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compile/calibrate/placement.h"
#include "compile/calibrate/weights.h"
#include "passes/common/values.h"

namespace planish {
namespace {

constexpr double kLeastShare = 1e-3;  // of a channel's range in the value's: quieter ones are not raised further
constexpr double kHeadroom = 1.25;    // over a channel's largest magnitude: other samples reach further

// Results of a product that are channels [first, first + count) of the value.
struct Source {
  NodeId product;
  size_t first = 0;
};

struct Neighbours {
  std::vector<Source> before;
  std::vector<NodeId> readers;
  std::vector<ValueId> aliases;  // the value behind what moves it, channels kept
  NodeId limit;                  // min(x, limit) that the value ends with; invalid: none
};

class Equaliser {
 public:
  Equaliser(Graph& graph, CalibrationTable& table) : graph_(graph), placement_(place(graph, {})), table_(table) {}

  std::map<NodeId, std::vector<double>> run() {
    std::map<size_t, int> members;
    for (const QuantizedValue& value : placement_.values) ++members[value.group];
    for (const QuantizedValue& value : placement_.values)
      if (members[value.group] == 1) equalise(value.value);
    return std::move(factors_);
  }

 private:
  bool is_product(NodeId id) const {
    return std::find(placement_.products.begin(), placement_.products.end(), id) != placement_.products.end();
  }

  // What makes the channels of `value` from `first` on; false where something else than listed above does.
  bool trace_back(ValueId value, size_t first, bool at_root, Neighbours& found) const {
    const Value& v = graph_.value(value);
    if (!v.producer.valid() || (!at_root && !passes::is_private(graph_, value))) return false;
    const Node& node = graph_.node(v.producer);
    if (node.op == "concat" && node.attrs.get_or<int64_t>("axis", 0) == 1) {
      for (ValueId input : node.inputs) {
        const Shape& part = graph_.value(input).type.shape;
        if (!part[1].is_constant() || !trace_back(input, first, false, found)) return false;
        first += static_cast<size_t>(part[1].value());
      }
      return true;
    }
    if (node.op == "conv") {
      const bool known =
          passes::is_float_constant(graph_, node.inputs[1]) &&
          (node.inputs.size() < 3 || !node.inputs[2].valid() || passes::is_float_constant(graph_, node.inputs[2]));
      if (known) found.before.push_back({v.producer, first});
      return known;
    }
    if (node.op == "relu" || node.op == "leaky_relu") return trace_back(node.inputs[0], first, false, found);
    for (size_t i = 0; i < 2 && (node.op == "max" || node.op == "min") && node.inputs.size() == 2; ++i) {
      const auto bound = passes::scalar_of(graph_, node.inputs[i]);
      if (!bound) continue;
      if (node.op == "max" && *bound != 0) return false;
      if (node.op == "min" && (!at_root || *bound < largest_of(value))) return false;
      if (node.op == "min") found.limit = v.producer;
      return trace_back(node.inputs[1 - i], first, false, found);
    }
    return false;
  }

  bool trace_readers(ValueId value, Neighbours& found) const {
    if (graph_.is_output(value)) return false;
    for (NodeId user : graph_.users(value)) {
      const Node& node = graph_.node(user);
      if (node.op == "max_pool" || (node.op == "resize" && passes::is_move(node))) {
        found.aliases.push_back(node.outputs[0]);
        if (node.outputs.size() != 1 || !trace_readers(node.outputs[0], found)) return false;
      } else if (node.op == "conv" && node.inputs[0] == value && is_product(user)) {
        found.readers.push_back(user);
      } else {
        return false;
      }
    }
    return true;
  }

  double largest_of(ValueId value) const {
    const auto scale = table_.scales.find(graph_.value(value).name);
    return scale == table_.scales.end() ? 0 : double{scale->second} * 127;
  }

  void equalise(ValueId value) {
    const auto channels = table_.channels.find(graph_.value(value).name);
    const double largest = largest_of(value);
    Neighbours found;
    if (channels == table_.channels.end() || largest <= 0 || graph_.value(value).type.shape.rank() < 3 ||
        !trace_readers(value, found) || found.readers.empty() || !trace_back(value, 0, true, found))
      return;
    const ChannelTable& of = channels->second;
    const Shape& shape = graph_.value(value).type.shape;
    if (!shape[1].is_constant() || shape[1].value() != static_cast<int64_t>(of.largest.size()) ||
        of.power.size() != of.largest.size())
      return;
    double least = std::numeric_limits<double>::infinity();
    std::vector<double> best;
    for (double exponent : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      std::vector<double> scales;
      for (float own : of.largest)
        scales.push_back(std::pow(std::clamp<double>(kHeadroom * double{own} / largest, kLeastShare, 1), exponent));
      const double noise = disturbance(found.readers, scales, of, largest);
      if (noise >= least) continue;
      least = noise;
      best = scales;
    }
    if (!best.empty() && *std::min_element(best.begin(), best.end()) < 1) apply(value, found, best);
  }

  double disturbance(const std::vector<NodeId>& readers, const std::vector<double>& scales, const ChannelTable& of,
                     double largest) const {
    const double step = largest / 255;
    double sum = 0;
    for (NodeId reader : readers) {
      const ProductWeights w = weights_of(graph_, reader);
      std::vector<double> most(static_cast<size_t>(w.columns), 0), power(most);
      for (size_t i = 0; i < w.values.size(); ++i) {
        const size_t c = w.channel(i), o = w.column(i);
        const double scaled = w.values[i] * scales[c];
        sum += scaled * scaled * step * step / 12;
        most[o] = std::max(most[o], std::fabs(scaled));
        power[o] += double{of.power[c]} / (scales[c] * scales[c]);
      }
      for (size_t o = 0; o < most.size(); ++o) sum += most[o] * most[o] / (127.0 * 127 * 12) * power[o];
    }
    return sum;
  }

  template <class Factor>
  void scale_constant(NodeId node, size_t operand, const Factor& factor) {
    const Value& old = graph_.value(graph_.node(node).inputs[operand]);
    std::vector<double> values = old.constant.to_doubles();
    for (size_t i = 0; i < values.size(); ++i) values[i] *= factor(i);
    const ValueId scaled = graph_.add_constant(passes::float_tensor(old.constant.extents(), values),
                                               graph_.fresh_name(old.name + ".equalised"));
    graph_.set_input(node, operand, scaled);
  }

  void apply(ValueId value, const Neighbours& found, const std::vector<double>& scales) {
    for (const Source& source : found.before) {
      const ProductWeights w = weights_of(graph_, source.product);
      scale_constant(source.product, 1, [&](size_t i) { return 1 / scales[source.first + w.column(i)]; });
      const Node& node = graph_.node(source.product);
      if (node.inputs.size() > 2 && node.inputs[2].valid())
        scale_constant(source.product, 2, [&](size_t i) { return 1 / scales[source.first + i]; });
    }
    for (NodeId reader : found.readers) {
      const ProductWeights w = weights_of(graph_, reader);
      scale_constant(reader, 1, [&](size_t i) { return scales[w.channel(i)]; });
      factors_[reader] = scales;
    }
    std::vector<ValueId> names = found.aliases;
    names.push_back(value);
    for (ValueId id : names)
      if (const auto means = table_.means.find(graph_.value(id).name);
          means != table_.means.end() && means->second.size() == scales.size())
        for (size_t c = 0; c < scales.size(); ++c)
          means->second[c] = static_cast<float>(double{means->second[c]} / scales[c]);
    if (found.limit.valid()) raise_limit(found.limit, scales);
  }

  // One for each channel.
  void raise_limit(NodeId limit, const std::vector<double>& scales) {
    const Node& node = graph_.node(limit);
    const size_t at = passes::scalar_of(graph_, node.inputs[0]) ? 0 : 1;
    const double bound = *passes::scalar_of(graph_, node.inputs[at]);
    std::vector<double> bounds;
    for (double scale : scales) bounds.push_back(bound / scale);
    std::vector<int64_t> extents(static_cast<size_t>(graph_.value(node.outputs[0]).type.shape.rank()) - 1, 1);
    extents[0] = static_cast<int64_t>(bounds.size());
    graph_.set_input(
        limit, at,
        graph_.add_constant(passes::float_tensor(extents, bounds), graph_.fresh_name(node.name + ".limits")));
  }

  Graph& graph_;
  const Placement placement_;
  CalibrationTable& table_;
  std::map<NodeId, std::vector<double>> factors_;
};

}  // namespace

std::map<NodeId, std::vector<double>> equalise(Graph& graph, CalibrationTable& table) {
  if (table.channels.empty()) return {};
  return Equaliser(graph, table).run();
}

}  // namespace planish
