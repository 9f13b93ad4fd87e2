#include "api/build/profiles.h"

#include <algorithm>
#include <map>
#include <set>

namespace planish::api {
namespace {

class RangeSetter {
 public:
  explicit RangeSetter(Graph& graph) : graph_(graph) {}

  void set(const InputRange& given) {
    const Value& input = find(given.input);
    if (static_cast<int>(given.axes.size()) != input.type.shape.rank())
      fail(Code::invalid_argument, "input '{}' is {}, the profile gives it rank {}", input.name, input.type.str(),
           given.axes.size());
    for (size_t axis = 0; axis < given.axes.size(); ++axis) set_axis(input, static_cast<int>(axis), given.axes[axis]);
  }

 private:
  const Value& find(const std::string& name) const {
    for (ValueId id : graph_.inputs())
      if (graph_.value(id).name == name) return graph_.value(id);
    fail(Code::not_found, "a profile names input '{}', which the network has not", name);
  }

  void set_axis(const Value& input, int axis, const DimRange& range) {
    const Dim dim = input.type.shape[axis];
    if (range.min < 0 || range.min > range.opt || range.opt > range.max || range.max > INT32_MAX)
      fail(Code::invalid_argument, "input '{}', axis {}: the range {}:{}:{}; 0 <= min <= opt <= max <= {} is accepted",
           input.name, axis, range.min, range.opt, range.max, INT32_MAX);
    if (dim.is_constant()) {
      if (range.min != dim.value() || range.max != dim.value())
        fail(Code::invalid_argument, "input '{}' has the fixed extent {} on axis {}, the profile gives {}:{}:{}",
             input.name, dim.value(), axis, range.min, range.opt, range.max);
      return;
    }
    if (dim.op() != DimOp::symbol)
      fail(Code::unsupported, "input '{}', axis {}: a range for the expression {}", input.name, axis, dim.str());
    const std::string name(dim.name());
    if (!given_.insert(name).second && graph_.symbols[name].range != range)
      fail(Code::invalid_argument, "the profile gives the extent '{}' two ranges; one is that of input '{}', axis {}",
           name, input.name, axis);
    graph_.symbols[name] = {SymbolKind::shape, range};
  }

  Graph& graph_;
  std::set<std::string> given_;
};

}  // namespace

std::vector<InputRange> ranges_of(const planish_range* list, size_t count) {
  std::vector<InputRange> ranges;
  each_sized(list, count, "planish_range", [&](const planish_range& given) {
    InputRange range{&required(given.input, "the input's name of a range"), {}};
    if (given.rank < 0 || given.rank > kMaxRank)
      fail(Code::invalid_argument, "input '{}': a range of rank {}", range.input, given.rank);
    if (given.rank > 0 && (given.min == nullptr || given.opt == nullptr || given.max == nullptr))
      fail(Code::invalid_argument, "input '{}': a range needs min, opt and max", range.input);
    for (int axis = 0; axis < given.rank; ++axis)
      range.axes.push_back({given.min[axis], given.opt[axis], given.max[axis]});
    ranges.push_back(std::move(range));
  });
  return ranges;
}

void require_ranges(const planish_network& network, const std::vector<InputRange>& ranges) {
  std::set<std::string> named;
  for (const InputRange& range : ranges) named.insert(range.input);
  for (ValueId id : network.graph.inputs()) {
    const Value& input = network.graph.value(id);
    std::vector<std::string> symbols;
    for (Dim dim : input.type.shape) dim.collect_symbols(symbols);
    for (const std::string& symbol : symbols)
      if (network.ranged.count(symbol) == 0 && named.count(input.name) == 0)
        fail(Code::invalid_argument,
             "input '{}' is {} and '{}' has no range; give a profile or planish_network_set_range", input.name,
             input.type.str(), symbol);
  }
}

std::function<bool(const BuildProgress&)> progress_of(planish_progress_fn call, void* user) {
  if (call == nullptr) return {};
  return [call, user](const BuildProgress& progress) {
    const planish_progress c{sizeof c, progress.phase.c_str(), progress.done, progress.total};
    return call(user, &c) != 0;
  };
}

void apply_ranges(Graph& graph, const std::vector<InputRange>& ranges) {
  RangeSetter setter(graph);
  for (const InputRange& range : ranges) setter.set(range);
}

void merge_profiles(Plan& plan, Plan other) {
  if (plan.bindings != other.bindings) fail(Code::internal, "profiles with different bindings");
  std::map<Hash128, int32_t> known;
  for (size_t i = 0; i < plan.constants.size(); ++i)
    known.emplace(plan.constants[i].content_hash(), static_cast<int32_t>(i));
  std::vector<int32_t> moved;
  for (const Tensor& constant : other.constants) {
    const auto [at, fresh] = known.try_emplace(constant.content_hash(), static_cast<int32_t>(plan.constants.size()));
    if (fresh) plan.constants.push_back(constant);
    moved.push_back(at->second);
  }
  for (Profile& profile : other.profiles) {
    for (BufferDesc& buffer : profile.buffers)
      if (buffer.kind == BufferKind::constant) buffer.index = moved[static_cast<size_t>(buffer.index)];
    plan.profiles.push_back(std::move(profile));
  }
}

}  // namespace planish::api
