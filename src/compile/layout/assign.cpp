#include "compile/layout/assign.h"

#include <algorithm>

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
  double cost = 0;
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
    for (NodeId id : graph_.nodes()) add_node(id);
    for (size_t v = 0; v < nodes_.size(); ++v) add_variable(v);
    for (size_t v = 0; v < nodes_.size(); ++v) add_edges(v);
    const PbqpSolution solution = solve(problem_);
    std::map<const Node*, Assigned> assigned;
    for (size_t v = 0; v < nodes_.size(); ++v) {
      const Option& option = options_[v][static_cast<size_t>(solution.choice[v])];
      if (option.kind != OptionKind::view) assigned[&graph_.node(nodes_[v])] = {option.index, option.layout};
    }
    return assigned;
  }

 private:
  const TensorType& type_of(ValueId id) const { return graph_.value(id).type; }

  static bool may_be_channels_last(const TensorType& type) { return type.shape.rank() >= 3; }

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
    const TensorType& type = type_of(node.outputs[0]);
    for (Layout layout : {Layout::row_major, Layout::channels_last}) {
      if (layout == Layout::channels_last && !may_be_channels_last(type)) continue;
      Option option;
      option.kind = OptionKind::concat;
      option.layout = layout;
      option.results = {dense_view(0, type, layout)};
      options.push_back(std::move(option));
    }
    return options;
  }

  // A view looks at its operand in either order, where the operator permits.
  std::vector<Option> view_options(const Node& node) const {
    std::vector<Option> options;
    if (!op_def(node.op).is_view && node.op != "identity") return options;
    const TensorType& type = type_of(node.inputs[0]);
    for (Layout layout : {Layout::row_major, Layout::channels_last}) {
      if (layout == Layout::channels_last && !may_be_channels_last(type)) continue;
      Option option;
      option.kind = OptionKind::view;
      option.layout = layout;
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (auto window = window_of(graph_, node, i, dense_view(0, type, layout))) option.results.push_back(*window);
      if (option.results.size() == node.outputs.size()) options.push_back(std::move(option));
    }
    return options;
  }

  std::vector<Option> compute_options(const Node& node) const {
    std::vector<Option> options;
    const auto& candidates = costs_.candidates(node).candidates;
    for (size_t k = 0; k < candidates.size(); ++k) {
      bool any = false;
      for (size_t i = 0; i < node.outputs.size(); ++i)
        any = any ||
              (rule_at(candidates[k].outputs, i) == LayoutRule::any && may_be_channels_last(type_of(node.outputs[i])));
      for (Layout layout : {Layout::row_major, Layout::channels_last})
        if (layout == Layout::row_major || any) options.push_back(compute_option(node, k, candidates[k], layout));
    }
    return options;
  }

  Option compute_option(const Node& node, size_t index, const Candidate& candidate, Layout layout) const {
    Option option;
    option.index = index;
    option.candidate = &candidate;
    option.layout = layout;
    option.cost = costs_.microseconds(node, candidate);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const LayoutRule rule = rule_at(candidate.outputs, i);
      const Layout result = rule == LayoutRule::any             ? layout
                            : rule == LayoutRule::channels_last ? Layout::channels_last
                                                                : Layout::row_major;
      option.results.push_back(node.outputs[i].valid() ? dense_view(0, type_of(node.outputs[i]), result) : ViewDesc{});
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

  // What it costs an option to take operand i where it lies.
  double operand_us(size_t v, const Option& option, size_t i, const ViewDesc& view, const Option* from) const {
    const Node& node = graph_.node(nodes_[v]);
    const TensorType& type = type_of(node.inputs[i]);
    const double conversion = conversion_us(graph_, type, costs_.copy_rate);
    if (option.kind == OptionKind::view) return i != 0 || lies(view, option.layout) ? 0 : conversion;
    if (option.kind == OptionKind::concat) {
      const bool written_in_place = from != nullptr && from->candidate != nullptr && from->candidate->strided_output &&
                                    option.layout == Layout::channels_last && lies(view, option.layout) &&
                                    goes_into(nodes_[v], node.inputs[i]);
      return written_in_place ? 0 : lies(view, option.layout) ? conversion / 2 : conversion;
    }
    const LayoutRule rule = rule_at(option.candidate->inputs, i);
    if (rule != LayoutRule::any) return accepts(rule, option.candidate->strided_inputs, view) ? 0 : conversion;
    // Any strides will do, but operands that lie otherwise than the result are read out of order.
    const bool same_rank = type.shape.rank() == type_of(node.outputs[0]).shape.rank();
    const bool in_order =
        !same_rank || option.results.empty() || lies(view, option.layout) || is_read_in_order(view, option.results[0]);
    return in_order ? 0 : conversion;
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
