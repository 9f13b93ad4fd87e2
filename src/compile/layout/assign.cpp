#include "compile/layout/assign.h"

#include <algorithm>
#include <optional>
#include <set>

#include "compile/concats.h"
#include "compile/layout/pbqp.h"
#include "compile/views.h"
#include "ops/op.h"

namespace planish {
namespace {

enum class OptionKind : uint8_t { compute, view, concat };

struct Option {
  OptionKind kind = OptionKind::compute;
  size_t index = 0;  // of the candidate
  const Candidate* candidate = nullptr;
  Layout layout = Layout::row_major;  // of `any` results; of a view's operand; of a concat's result
  bool half = false;  // result 0 of a candidate, a view's operand, a concat's result: f32 stored as bf16
  double cost = 0;
  std::optional<ViewDesc> operand;  // of a view: where it looks, if that is not dense
  std::vector<ViewDesc> results;
};

// Where a value is made: by an option of a variable, or (variable < 0) outside, dense and row-major.
struct Producer {
  int variable = -1;
  size_t result = 0;
};

class Assigner {
 public:
  Assigner(const Graph& graph, const LayoutCosts& costs) : graph_(graph), costs_(costs), places_(graph) {}

  std::map<const Node*, Assigned> run() {
    if (costs_.half) find_averaged();
    for (NodeId id : graph_.nodes()) add_node(id);
    for (size_t v = 0; v < nodes_.size(); ++v) add_variable(v);
    for (size_t v = 0; v < nodes_.size(); ++v) add_edges(v);
    const PbqpSolution solution = solve(problem_);
    std::map<const Node*, Assigned> assigned;
    for (size_t v = 0; v < nodes_.size(); ++v) {
      const Option& option = options_[v][static_cast<size_t>(solution.choice[v])];
      if (option.kind != OptionKind::view)
        assigned[&graph_.node(nodes_[v])] = {option.index, option.layout, option.half};
    }
    return assigned;
  }

 private:
  const TensorType& type_of(ValueId id) const { return graph_.value(id).type; }

  static bool may_be_channels_last(const TensorType& type) { return type.shape.rank() >= 3; }

  // Products average the rounding of what they read; what only follows them (the arithmetic that ends a detector: one
  // operation an element, on coordinates) would show it, and stays as it is stated.
  void find_averaged() {
    const auto nodes = graph_.nodes();
    for (size_t i = nodes.size(); i-- > 0;) {
      const Node& node = graph_.node(nodes[i]);
      const bool read = is_product(node) || std::any_of(node.outputs.begin(), node.outputs.end(),
                                                        [&](ValueId id) { return averaged_.count(id) > 0; });
      if (read) averaged_.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  static bool is_product(const Node& node) {
    static constexpr std::string_view kProducts[] = {"conv", "conv_transpose", "matmul", "attention", "lstm", "gru",
                                                     "rnn"};
    if (std::find(std::begin(kProducts), std::end(kProducts), node.op.str()) != std::end(kProducts)) return true;
    for (const auto& region : node.regions)
      for (NodeId id : region->nodes())
        if (is_product(region->node(id))) return true;
    return false;
  }

  // In which ways the results' memory may hold values of f32.
  std::vector<bool> storages(const Node& node) const {
    bool may = costs_.half;
    for (ValueId output : node.outputs)
      may = may && (!output.valid() || (type_of(output).dtype == DataType::f32 && !graph_.is_output(output) &&
                                        averaged_.count(output) > 0));
    return may ? std::vector<bool>{false, true} : std::vector<bool>{false};
  }
  TensorType stored_type(ValueId id, bool half) const {
    TensorType type = type_of(id);
    if (half) type.dtype = DataType::bf16;
    return type;
  }

  void add_node(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op == "if") return;
    std::vector<Option> options = node.op == "concat" ? concat_options(node) : view_options(node);
    if (options.empty()) options = compute_options(node);
    if (options.empty()) return;
    const int variable = static_cast<int>(nodes_.size());
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i].valid()) producers_[node.outputs[i]] = {variable, i};
    nodes_.push_back(id);
    options_.push_back(std::move(options));
  }

  std::vector<Option> concat_options(const Node& node) const {
    std::vector<Option> options;
    for (const bool half : storages(node))
      for (Layout layout : {Layout::row_major, Layout::channels_last}) {
        const TensorType type = stored_type(node.outputs[0], half);
        if (layout == Layout::channels_last && !may_be_channels_last(type)) continue;
        Option option;
        option.kind = OptionKind::concat;
        option.layout = layout;
        option.half = half;
        option.results = {dense_view(0, type, layout)};
        options.push_back(std::move(option));
      }
    return options;
  }

  // A view looks at its operand in either order, or as views before it have left it, where the operator permits.
  std::vector<Option> view_options(const Node& node) const {
    std::vector<Option> options;
    if (!op_def(node.op).is_view && node.op != "identity") return options;
    const auto add = [&](Option option, const ViewDesc& operand) {
      option.kind = OptionKind::view;
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (auto window = window_of(graph_, node, i, operand)) option.results.push_back(*window);
      if (option.results.size() == node.outputs.size()) options.push_back(std::move(option));
    };
    for (const bool half : storages(node)) {
      const TensorType type = stored_type(node.inputs[0], half);
      for (Layout layout : {Layout::row_major, Layout::channels_last})
        if (layout == Layout::row_major || may_be_channels_last(type))
          add({.layout = layout, .half = half}, dense_view(0, type, layout));
      for (const ViewDesc& view : left_by_views(node.inputs[0], type.dtype)) add({.half = half, .operand = view}, view);
    }
    return options;
  }

  // What other views make of the value: what does not lie in either order.
  std::vector<ViewDesc> left_by_views(ValueId value, DataType stored) const {
    constexpr size_t kMost = 4;
    std::vector<ViewDesc> views;
    const auto at = producers_.find(value);
    if (at == producers_.end()) return views;
    for (const Option& option : options_[static_cast<size_t>(at->second.variable)]) {
      const ViewDesc& view = option.results[at->second.result];
      if (option.kind != OptionKind::view || view.dtype != stored || lies(view, Layout::row_major) ||
          lies(view, Layout::channels_last) || views.size() == kMost)
        continue;
      if (std::none_of(views.begin(), views.end(), [&](const ViewDesc& v) { return same_strides(v, view); }))
        views.push_back(view);
    }
    return views;
  }

  static bool same_strides(const ViewDesc& a, const ViewDesc& b) {
    for (size_t i = 0; i < a.dims.size(); ++i)
      if (a.dims[i] != Dim(1) && a.strides[i] != b.strides[i]) return false;
    return true;
  }

  std::vector<Option> compute_options(const Node& node) const {
    std::vector<Option> options;
    const auto& candidates = costs_.candidates(node).candidates;
    for (size_t k = 0; k < candidates.size(); ++k) {
      bool any = false;
      for (size_t i = 0; i < node.outputs.size(); ++i)
        any = any ||
              (rule_at(candidates[k].outputs, i) == LayoutRule::any && may_be_channels_last(type_of(node.outputs[i])));
      for (const bool half : candidates[k].half_output ? storages(node) : std::vector<bool>{false})
        for (Layout layout : {Layout::row_major, Layout::channels_last})
          if (layout == Layout::row_major || any)
            options.push_back(compute_option(node, k, candidates[k], layout, half));
    }
    return options;
  }

  Option compute_option(const Node& node, size_t index, const Candidate& candidate, Layout layout, bool half) const {
    Option option;
    option.index = index;
    option.candidate = &candidate;
    option.layout = layout;
    option.half = half;
    option.cost = costs_.microseconds(node, candidate);
    if (costs_.half && candidate.half_output && !half) option.cost += half_traffic_us(type_of(node.outputs[0]));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const LayoutRule rule = rule_at(candidate.outputs, i);
      const Layout result = rule == LayoutRule::any             ? layout
                            : rule == LayoutRule::channels_last ? Layout::channels_last
                                                                : Layout::row_major;
      option.results.push_back(
          node.outputs[i].valid() ? dense_view(0, stored_type(node.outputs[i], half && i == 0), result) : ViewDesc{});
    }
    return option;
  }

  // Own costs, what operands from outside cost, and row-major order of the graph's outputs.
  void add_variable(size_t v) {
    const Node& node = graph_.node(nodes_[v]);
    std::vector<double> costs;
    for (const Option& option : options_[v]) {
      double cost = option.cost;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (!node.inputs[i].valid() || graph_.value(node.inputs[i]).is_constant() ||
            producers_.count(node.inputs[i]) > 0)
          continue;
        cost += operand_us(v, option, i, dense_view(0, type_of(node.inputs[i]), Layout::row_major), nullptr);
      }
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (node.outputs[i].valid() && graph_.is_output(node.outputs[i]) &&
            !is_dense(option.results[i], Layout::row_major))
          cost += conversion_us(graph_, type_of(node.outputs[i]), costs_.copy_rate);
      costs.push_back(cost);
    }
    problem_.add_variable(std::move(costs));
  }

  void add_edges(size_t v) {
    const Node& node = graph_.node(nodes_[v]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto at = node.inputs[i].valid() ? producers_.find(node.inputs[i]) : producers_.end();
      if (at == producers_.end()) continue;
      const auto [variable, result] = at->second;
      std::vector<double> costs;
      for (const Option& from : options_[static_cast<size_t>(variable)])
        for (const Option& to : options_[v]) costs.push_back(operand_us(v, to, i, from.results[result], &from));
      problem_.add_edge(variable, static_cast<int>(v), std::move(costs));
    }
  }

  // Whether the value is written where the concat has it; that other readers take it there is assumed.
  bool goes_into(NodeId concat, ValueId value) const {
    const NodeId place = places_.place_of(value);
    return place.valid() && (place == concat || place == places_.longer(concat));
  }

  // What the upper halves of f32 elements cost where bf16 would do.
  double half_traffic_us(const TensorType& type) const {
    return (conversion_us(graph_, type, costs_.copy_rate) - 2) / 4;
  }

  // What it costs an option to take operand i where it lies.
  double operand_us(size_t v, const Option& option, size_t i, const ViewDesc& view, const Option* from) const {
    const Node& node = graph_.node(nodes_[v]);
    const TensorType& type = type_of(node.inputs[i]);
    const double conversion = conversion_us(graph_, type, costs_.copy_rate);
    const bool half = view.dtype != type.dtype;  // f32 that lies as bf16
    if (option.kind == OptionKind::view) {
      const bool found = option.operand ? same_strides(view, *option.operand) : lies(view, option.layout);
      return i != 0 || (found && half == option.half) ? 0 : conversion;
    }
    if (option.kind == OptionKind::concat) {
      const bool written_in_place = half == option.half && from != nullptr && from->candidate != nullptr &&
                                    from->candidate->strided_output && option.layout == Layout::channels_last &&
                                    lies(view, option.layout) && goes_into(nodes_[v], node.inputs[i]);
      return written_in_place ? 0 : lies(view, option.layout) ? conversion / 2 : conversion;
    }
    const bool takes_half = costs_.half && option.candidate->takes_half(i) && type.dtype == DataType::f32;
    if (half && !takes_half) return conversion;
    if (option.candidate->half_alike && i == 0 && half != option.half) return conversion;
    const double more = takes_half && !half ? half_traffic_us(type) : 0;
    const LayoutRule rule = rule_at(option.candidate->inputs, i);
    if (rule != LayoutRule::any) return more + (accepts(rule, option.candidate->strided_inputs, view) ? 0 : conversion);
    // Any strides will do, but operands that lie otherwise than the result are read out of order.
    const bool same_rank = type.shape.rank() == type_of(node.outputs[0]).shape.rank();
    const bool in_order =
        !same_rank || option.results.empty() || lies(view, option.layout) || is_read_in_order(view, option.results[0]);
    return more + (in_order ? 0 : conversion);
  }

  // Along the axis where the result's elements are adjacent, the operand's are too: windows and views lie so as well.
  static bool is_read_in_order(const ViewDesc& view, const ViewDesc& result) {
    for (size_t i = result.dims.size(); i-- > 0;)
      if (result.dims[i] != Dim(1) && result.strides[i] == Dim(1)) return view.strides[i] == Dim(1);
    return false;
  }

  const Graph& graph_;
  const LayoutCosts& costs_;
  const ConcatPlaces places_;
  PbqpProblem problem_;
  std::vector<NodeId> nodes_;
  std::vector<std::vector<Option>> options_;
  std::map<ValueId, Producer> producers_;
  std::set<ValueId> averaged_;  // that a product reads, perhaps by way of others
};

}  // namespace

double conversion_us(const Graph& graph, const TensorType& type, double rate) {
  SymbolValues typical;
  for (const auto& [name, info] : graph.symbols) typical[name] = info.range.opt;
  return 2 + static_cast<double>(type.bytes().evaluate(typical)) * 2 / rate;
}

std::map<const Node*, Assigned> assign_layouts(const Graph& graph, const LayoutCosts& costs) {
  return Assigner(graph, costs).run();
}

}  // namespace planish
