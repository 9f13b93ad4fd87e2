#include "random/shrink.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ops/builder.h"

namespace planish::testing {
namespace {

// How a copy differs from its original.
struct Change {
  std::function<Dim(Dim)> extent = [](Dim dim) { return dim; };
  std::function<Tensor(const Tensor&)> constant = [](const Tensor& tensor) { return tensor; };
};

// The same network, inferred anew, without what no output needs. Throws Error where that does not fit together.
class Copy {
 public:
  Copy(const Graph& from, Change change) : from_(from), change_(std::move(change)) {}

  Graph make() {
    to_.name = from_.name;
    to_.symbols = from_.symbols;
    for (ValueId id : from_.inputs())
      if (from_.is_used(id)) copy_input(from_.value(id), id);
    for (NodeId id : from_.nodes()) copy_node(from_.node(id));
    for (ValueId id : from_.outputs()) to_.add_output(copied(id));
    to_.remove_dead();
    infer_all(to_);  // bodies of branches as well
    if (!to_.guards.empty()) fail(Code::invalid_model, "the smaller network needs guards");
    forget_symbols();
    return std::move(to_);
  }

 private:
  void copy_input(const Value& value, ValueId id) {
    std::vector<Dim> dims;
    for (const Dim& dim : value.type.shape) dims.push_back(change_.extent(dim));
    map_[id] = to_.add_input(value.name, {value.type.dtype, Shape(std::move(dims))});
  }

  ValueId copied(ValueId id) {
    if (!id.valid()) return id;
    if (const auto at = map_.find(id); at != map_.end()) return at->second;
    const Value& value = from_.value(id);
    return map_[id] = to_.add_constant(change_.constant(value.constant), value.name);
  }

  void copy_node(const Node& node) {
    std::vector<ValueId> inputs;
    for (ValueId id : node.inputs) inputs.push_back(copied(id));
    std::vector<std::string> names;
    for (ValueId id : node.outputs) names.push_back(from_.value(id).name);
    std::vector<std::unique_ptr<Graph>> regions;
    for (const auto& region : node.regions) regions.push_back(std::make_unique<Graph>(region->clone()));
    const NodeId made =
        regions.empty()
            ? add_node(to_, node.op, std::move(inputs), node.attrs, node.name, static_cast<int>(names.size()), names)
            : add_region_node(to_, node.op, std::move(inputs), node.attrs, std::move(regions), node.name, names);
    for (size_t i = 0; i < node.outputs.size(); ++i) map_[node.outputs[i]] = to_.node(made).outputs[i];
  }

  void forget_symbols() {
    std::vector<std::string> used;
    for (ValueId id : to_.inputs())
      for (const Dim& dim : to_.value(id).type.shape) dim.collect_symbols(used);
    std::erase_if(to_.symbols,
                  [&](const auto& row) { return std::find(used.begin(), used.end(), row.first) == used.end(); });
  }

  const Graph& from_;
  Change change_;
  Graph to_;
  std::map<ValueId, ValueId> map_;
};

// What shrinking lowers: nodes first, then outputs and symbols, then elements.
double size_of(const Graph& graph) {
  double elements = 0;
  const auto add = [&](ValueId id) {
    if (!id.valid() || graph.value(id).producer.valid()) return;
    for (const Dim& dim : graph.value(id).type.shape) elements += static_cast<double>(dim.upper_bound(graph.symbols));
  };
  for (ValueId id : graph.inputs()) add(id);
  for (NodeId node : graph.nodes())
    for (ValueId id : graph.node(node).inputs) add(id);
  return static_cast<double>(graph.node_count()) * 1e9 +
         static_cast<double>(graph.outputs().size() + graph.symbols.size()) * 1e7 + elements;
}

class Shrinker {
 public:
  Shrinker(const Graph& graph, const std::function<bool(const Graph&)>& fails, int tries)
      : best_(graph.clone()), fails_(fails), tries_(tries) {}

  Graph run() {
    while (tries_ > 0 && (fewer_outputs() || earlier_outputs() || fewer_nodes() || values_as_inputs() ||
                          fixed_symbols() || smaller_extents())) {
    }
    return std::move(best_);
  }

 private:
  // Takes a changed copy of the best network where it goes wrong as well.
  template <class Edit>
  bool attempt(Edit&& edit, Change change = {}) {
    if (tries_-- <= 0) return false;
    try {
      Graph draft = best_.clone();
      edit(draft);
      Graph smaller = Copy(draft, std::move(change)).make();
      if (size_of(smaller) >= size_of(best_) || !fails_(smaller)) return false;
      best_ = std::move(smaller);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  bool fewer_outputs() {
    for (size_t kept = 0; best_.outputs().size() > 1 && kept < best_.outputs().size(); ++kept)
      if (attempt([&](Graph& graph) {
            for (size_t i = graph.outputs().size(); i-- > 0;)
              if (i != kept) graph.remove_output(i);
            graph.remove_dead();
          }))
        return true;
    return false;
  }

  // An operand of the node that makes an output becomes the output.
  bool earlier_outputs() {
    for (size_t i = 0; i < best_.outputs().size(); ++i) {
      const Value& output = best_.value(best_.outputs()[i]);
      if (!output.producer.valid()) continue;
      for (ValueId operand : best_.node(output.producer).inputs) {
        if (!operand.valid() || !best_.value(operand).producer.valid() || best_.is_output(operand)) continue;
        if (attempt([&](Graph& graph) {
              graph.set_output(i, operand);
              graph.remove_dead();
            }))
          return true;
      }
    }
    return false;
  }

  // An operand takes the place of the result.
  bool fewer_nodes() {
    for (NodeId id : best_.nodes()) {
      const Node& node = best_.node(id);
      for (ValueId operand : node.inputs) {
        if (!operand.valid() || best_.value(operand).type != best_.value(node.outputs[0]).type) continue;
        if (best_.is_output(node.outputs[0]) && !best_.value(operand).producer.valid()) continue;
        if (attempt([&](Graph& graph) {
              graph.replace_uses(graph.node(id).outputs[0], operand);
              graph.remove_dead();
            }))
          return true;
      }
    }
    return false;
  }

  // What computes a value is left out.
  bool values_as_inputs() {
    for (NodeId id : best_.nodes())
      for (ValueId value : best_.node(id).outputs) {
        if (best_.is_output(value)) continue;
        if (attempt([&](Graph& graph) {
              const ValueId input = graph.add_input(graph.fresh_name("cut"), graph.value(value).type);
              graph.replace_uses(value, input);
              graph.remove_dead();
            }))
          return true;
      }
    return false;
  }

  bool fixed_symbols() {
    for (const auto& [name, info] : SymbolTable(best_.symbols)) {
      for (const int64_t value : std::set<int64_t>{info.range.min, info.range.opt, info.range.max}) {
        const std::map<std::string, Dim, std::less<>> number = {{name, Dim(value)}};
        if (attempt([](Graph&) {}, {.extent = [&](Dim dim) { return dim.substitute(number); }})) return true;
      }
    }
    return false;
  }

  bool smaller_extents() {
    std::set<int64_t> extents;
    for (ValueId id : best_.inputs())
      for (const Dim& dim : best_.value(id).type.shape)
        if (dim.is_constant() && dim.value() > 1) extents.insert(dim.value());
    for (const int64_t extent : extents)
      for (const int64_t less : std::set<int64_t>{1, extent / 2, extent - 1})
        if (attempt([](Graph&) {}, smaller(extent, less))) return true;
    return false;
  }

  // Every extent of this size in inputs and constants, and every such number in lists of integers.
  static Change smaller(int64_t extent, int64_t less) {
    return {.extent = [=](Dim dim) { return dim == Dim(extent) ? Dim(less) : dim; },
            .constant =
                [=](const Tensor& tensor) {
                  if (tensor.dtype() == DataType::i64 && tensor.rank() == 1) {
                    std::vector<int64_t> list = tensor.to_ints();
                    std::replace(list.begin(), list.end(), extent, less);
                    return Tensor::ints(list);
                  }
                  TensorView view = tensor.view();
                  for (int i = 0; i < tensor.rank(); ++i)
                    if (view.dims[static_cast<size_t>(i)] == extent) view.dims[static_cast<size_t>(i)] = less;
                  return Tensor::copy_of(view);
                }};
  }

  Graph best_;
  const std::function<bool(const Graph&)>& fails_;
  int tries_;
};

}  // namespace

Graph shrink(const Graph& graph, const std::function<bool(const Graph&)>& fails, int tries) {
  return Shrinker(graph, fails, tries).run();
}

}  // namespace planish::testing
