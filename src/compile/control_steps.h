#pragma once
// ControlSteps: the steps of one `if` or `loop` node.

#include <map>
#include <string>
#include <vector>

#include "compile/draft.h"

namespace planish {

using Environment = std::map<ValueId, ViewDesc>;  // where the values of a graph are

// Who emits the nodes of a region, and knows where its values are.
class GraphSteps {
 public:
  virtual void emit_graph(const Graph& graph, Environment& values) = 0;
  virtual ViewDesc view_of(const Graph& graph, ValueId id, Environment& values) = 0;

 protected:
  ~GraphSteps() = default;
};

class ControlSteps {
 public:
  ControlSteps(PlanDraft& draft, const Graph& graph, const Node& node, GraphSteps& regions)
      : draft_(draft), graph_(graph), node_(node), regions_(regions) {}

  void emit(Environment& values);  // gives the node's results a place in it

 private:
  using Views = std::vector<ViewDesc>;

  void emit_if(Environment& values);
  void emit_loop(Environment& values);

  Step control(const char* kernel) const;
  ViewDesc scalar(const ViewDesc& view);
  void copy_into(const ViewDesc& memory, const ViewDesc& source);
  void bind_values(const std::vector<std::string>& symbols, const std::vector<Dim>& values);
  void emit_guards(const Graph& branch);
  void emit_extents(const char* kernel, Attrs params, const std::vector<std::string>& symbols);

  // --- a loop's
  const Graph& body() const { return *node_.regions[0]; }
  size_t carried() const { return static_cast<size_t>(node_.attrs.get_or<int64_t>("carried", 0)); }
  Dim iteration() const { return Dim::symbol(node_.binds.at(0)); }
  std::vector<std::string> state_symbols() const;
  std::vector<std::string> next_symbols() const;
  Shape next_shape(const ViewDesc& state, const ViewDesc& result) const;
  Views initial_state(Environment& values);
  Views row_memory();
  void number(const ViewDesc& iteration);
  void stack(size_t i, const ViewDesc& memory, const ViewDesc& row);
  Views next_state(const Views& state, Views results);
  void hand_on(const Views& state, const Views& next);

  PlanDraft& draft_;
  const Graph& graph_;
  const Node& node_;
  GraphSteps& regions_;
};

}  // namespace planish
