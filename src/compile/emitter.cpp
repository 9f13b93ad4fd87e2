#include "compile/emitter.h"

#include <algorithm>

#include "base/error.h"
#include "compile/draft.h"
#include "compile/node_steps.h"
#include "compile/selection.h"
#include "compile/views.h"
#include "ops/builder.h"

namespace planish {
namespace {

using Environment = std::map<ValueId, ViewDesc>;

struct Concat {
  ViewDesc whole;
  std::vector<ViewDesc> parts;  // what each operand becomes
};

// The symbols of a loop, as its inference lists them: the turn, how many there were, and for each extent of the state
// that turns change one for now and one for the next turn.
struct LoopSteps {
  const Graph& graph;
  const Node& node;
  const Graph& body = *node.regions[0];
  size_t carried = static_cast<size_t>(node.attrs.get_or<int64_t>("carried", 0));

  Dim turn() const { return Dim::symbol(node.binds.at(0)); }
  std::vector<std::string> symbols(size_t first = 2) const {
    std::vector<std::string> names;
    for (size_t i = first; i < node.binds.size(); i += 2) names.push_back(node.binds[i]);
    return names;
  }
  std::vector<std::string> next_symbols() const { return symbols(3); }

  TensorType rows(const TensorType& row, Dim count) const {
    std::vector<Dim> dims = row.shape.dims();
    dims.insert(dims.begin(), count);
    return {row.dtype, Shape(std::move(dims))};
  }
  // The extents that these views of the state have where symbols stand for them.
  std::vector<Dim> extents(const std::vector<ViewDesc>& state, const std::vector<ViewDesc>& views) const {
    std::vector<Dim> values;
    for (const std::string& symbol : symbols())
      for (size_t i = 0; i < state.size(); ++i)
        for (size_t axis = 0; axis < state[i].dims.size(); ++axis)
          if (state[i].dims[axis] == Dim::symbol(symbol)) values.push_back(views[i].dims[axis]);
    return values;
  }
  // Of a result, with the symbols for the next turn.
  Shape next_shape(const ViewDesc& state, const ViewDesc& result) const {
    std::vector<Dim> dims = result.dims;
    const auto now = symbols(), next = next_symbols();
    for (size_t k = 0; k < now.size(); ++k)
      for (size_t axis = 0; axis < dims.size(); ++axis)
        if (state.dims[axis] == Dim::symbol(now[k])) dims[axis] = Dim::symbol(next[k]);
    return Shape(std::move(dims));
  }
};

class Emitter {
 public:
  Emitter(const Graph& graph, const EmitOptions& options)
      : graph_(graph), options_(options), draft_(graph, options.isa), selection_(graph, options) {}

  Plan run() {
    Environment values;
    for (ValueId input : graph_.inputs()) {
      const Value& value = graph_.value(input);
      values[input] = dense_view(draft_.add_binding(value, true), value.type, Layout::row_major);
    }
    for (ValueId output : graph_.outputs()) output_buffers_[output] = draft_.add_binding(graph_.value(output), false);
    emit_graph(graph_, values);
    for (ValueId output : graph_.outputs()) finish_output(output, values);
    return draft_.finish(options_.keep_intermediates);
  }

 private:
  // Where a node's result goes: the caller's memory for a row-major output, a window of a concat, or the arena.
  ViewDesc destination(const Graph& graph, ValueId id, Layout layout, bool strided) {
    const TensorType& type = graph.value(id).type;
    if (&graph == &graph_ && layout == Layout::row_major)
      if (auto at = output_buffers_.find(id); at != output_buffers_.end()) return dense_view(at->second, type, layout);
    if (strided && layout == Layout::channels_last)
      if (auto window = concat_window(graph, id)) return *window;
    return draft_.temporary(type, layout);
  }

  // The part of a channel concat's result that `id` becomes, when nothing else reads `id`.
  std::optional<ViewDesc> concat_window(const Graph& graph, ValueId id) {
    const auto users = graph.users(id);
    if (&graph != &graph_ || users.size() != 1 || graph.is_output(id)) return std::nullopt;
    const Node& node = graph.node(users[0]);
    // Of a result of data-dependent extents nothing can be written before all of them are there.
    if (depends_on_data(graph.value(node.outputs[0]).type.bytes(), graph.symbols)) return std::nullopt;
    if (const Assigned* to = selection_.assigned(graph, node); to != nullptr && to->layout != Layout::channels_last)
      return std::nullopt;
    const Shape& shape = graph.value(id).type.shape;
    if (node.op != "concat" || shape.rank() < 3 ||
        normalize_axis(node.attrs.get_or<int64_t>("axis", 0), shape.rank()) != 1)
      return std::nullopt;
    if (std::count(node.inputs.begin(), node.inputs.end(), id) != 1) return std::nullopt;
    auto [at, fresh] = concats_.try_emplace(node.outputs[0]);
    if (fresh) at->second = parted(graph, node, destination(graph, node.outputs[0], Layout::channels_last, true));
    return at->second
        .parts[static_cast<size_t>(std::find(node.inputs.begin(), node.inputs.end(), id) - node.inputs.begin())];
  }

  static Concat parted(const Graph& graph, const Node& node, const ViewDesc& whole) {
    Concat concat{whole, {}};
    const auto axis =
        static_cast<size_t>(normalize_axis(node.attrs.get_or<int64_t>("axis", 0), static_cast<int>(whole.dims.size())));
    Dim begin = 0;
    for (ValueId input : node.inputs) {
      ViewDesc& part = concat.parts.emplace_back(whole);
      part.dims = graph.value(input).type.shape.dims();
      part.offset = whole.offset + begin * whole.strides[axis] * Dim(element_bytes(whole.dtype));
      begin = begin + part.dims[axis];
    }
    return concat;
  }

  ViewDesc view_of(const Graph& graph, ValueId id, Environment& values) {
    if (!id.valid()) return {};
    if (auto at = values.find(id); at != values.end()) return at->second;
    const Value& value = graph.value(id);
    if (!value.is_constant()) fail(Code::internal, "'{}' is used before it is computed", value.name);
    return values[id] = draft_.constant(value.constant);
  }

  // --- nodes

  void emit_graph(const Graph& graph, Environment& values) {
    for (NodeId id : graph.nodes()) {
      const Node& node = graph.node(id);
      with_context(
          [&] { return fmt::format("node '{}' ({})", node.name, node.note.empty() ? node.op.str() : node.note); },
          [&] {
            emit_extents(graph, node, values);
            if (node.op == "if")
              emit_if(graph, node, values);
            else if (node.op == "loop")
              emit_loop(graph, node, values);
            else if (node.op == "concat")
              emit_concat(graph, node, values);
            else if (!emit_window(graph, node, values))
              emit_node(graph, node, values);
          });
    }
  }

  // Where operands' elements decide on the result's extents, a step that reads them binds the symbols.
  void emit_extents(const Graph& graph, const Node& node, Environment& values) {
    if (node.binds.empty() || !node.regions.empty()) return;
    Step step;
    step.kind = StepKind::reference;
    step.name = node.name + ".extents";
    step.origins = node.origins;
    step.op = "extents";
    step.kernel = "extents." + node.op.str();
    step.params = node.attrs;
    step.binds = node.binds;
    for (ValueId input : node.inputs) step.inputs.push_back(view_of(graph, input, values));
    const Kernel* row = reference_kernels().find(step.kernel);
    if (row == nullptr) fail(Code::internal, "there is no kernel '{}'", step.kernel);
    step.version = row->version;
    draft_.add_step(std::move(step));
  }

  // A reshape of memory whose axes do not join: one copy into the result, seen under the operand's axes. It lies
  // channels last where the operand's last axis is not its fastest: then its producer wrote it so.
  std::optional<ViewDesc> reshaped_copy(const Graph& graph, const Node& node, size_t i, const ViewDesc& source) {
    const TensorType& type = graph.value(node.outputs[i]).type;
    if (node.op == "transpose" || node.op == "slice" || node.op == "split" || node.op == "expand") return std::nullopt;
    const bool last_is_fastest =
        source.strides.empty() || source.strides.back() == Dim(1) || source.dims.back() == Dim(1);
    const Layout layout = type.shape.rank() < 3 || last_is_fastest ? Layout::row_major : Layout::channels_last;
    const auto part = reshaped(dense_view(-1, type, layout), Shape(source.dims));
    if (!part) return std::nullopt;
    const ViewDesc whole = draft_.temporary({type.dtype, type.shape}, layout);
    ViewDesc to = *part;
    to.buffer = whole.buffer;
    draft_.add_copy(source, to, node.name, node.origins);
    return whole;
  }

  bool emit_window(const Graph& graph, const Node& node, Environment& values) {
    if (!op_def(node.op).is_view && node.op != "identity") return false;
    ViewDesc source = view_of(graph, node.inputs[0], values);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      auto window = window_of(graph, node, i, source);
      if (!window) window = reshaped_copy(graph, node, i, source);
      if (!window) {
        // Strided memory under an operator that needs it dense; where not even that helps, a kernel computes it.
        const TensorType type{source.dtype, Shape(source.dims)};
        if (!window_of(graph, node, i, dense_view(-1, type, Layout::row_major))) return false;
        source = draft_.convert(source, LayoutRule::row_major, false, node.name);
        window = window_of(graph, node, i, source);
      }
      if (!window) return false;
      values[node.outputs[i]] = *window;
    }
    return true;
  }

  void emit_concat(const Graph& graph, const Node& node, Environment& values) {
    const ValueId result = node.outputs[0];
    const auto begun = &graph == &graph_ ? concats_.find(result) : concats_.end();
    const Concat concat =
        begun != concats_.end()
            ? begun->second
            : parted(graph, node, destination(graph, result, result_layout(graph, node, values), true));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ViewDesc source = view_of(graph, node.inputs[i], values);
      if (source != concat.parts[i]) draft_.add_copy(source, concat.parts[i], node.name, node.origins);
    }
    values[result] = concat.whole;
  }

  Layout result_layout(const Graph& graph, const Node& node, Environment& values) {
    if (const Assigned* assigned = selection_.assigned(graph, node)) return assigned->layout;
    return preferred_layout(graph, node, values);
  }

  // Channels-last when the first operand of that rank lies so.
  Layout preferred_layout(const Graph& graph, const Node& node, Environment& values) {
    const int rank = graph.value(node.outputs[0]).type.shape.rank();
    for (ValueId input : node.inputs) {
      if (!input.valid() || rank < 3 || graph.value(input).type.shape.rank() != rank ||
          graph.value(input).is_constant())
        continue;
      const ViewDesc view = view_of(graph, input, values);
      if (!is_dense(view, Layout::row_major) && view.strides[1] == Dim(1) && view.dims[1] != Dim(1))
        return Layout::channels_last;
      if (is_dense(view, Layout::row_major) && !is_dense(view, Layout::channels_last)) return Layout::row_major;
    }
    return Layout::row_major;
  }

  void emit_if(const Graph& graph, const Node& node, Environment& values) {
    Step step;
    step.kind = StepKind::control;
    step.name = node.name;
    step.origins = node.origins;
    step.op = step.kernel = "if";
    step.inputs = {view_of(graph, node.inputs[0], values)};
    step.bodies.resize(2);
    std::vector<ViewDesc> results;
    for (ValueId output : node.outputs) {
      results.push_back(draft_.temporary(graph.value(output).type, Layout::row_major));
      values[output] = results.back();
    }
    // Values from outside stay alive through both branches: both are emitted before the step itself.
    for (size_t branch = 0; branch < 2; ++branch) {
      const Graph& body = *node.regions[branch];
      Environment inner;
      for (size_t i = 0; i < body.inputs().size(); ++i)
        inner[body.inputs()[i]] = view_of(graph, node.inputs[i + 1], values);
      step.bodies[branch] = draft_.body([&] {
        emit_graph(body, inner);
        std::vector<ViewDesc> sources;
        for (ValueId output : body.outputs()) sources.push_back(view_of(body, output, inner));
        emit_values(node, node.binds, extents_bound_by(node, results, sources));
        for (size_t i = 0; i < results.size(); ++i) emit_copy_into(results[i], sources[i], node);
      });
    }
    draft_.add_step(std::move(step));
  }

  // A step that gives these symbols these values.
  void emit_values(const Node& node, const std::vector<std::string>& symbols, const std::vector<Dim>& values) {
    if (symbols.empty()) return;
    Step step;
    step.kind = StepKind::reference;
    step.name = node.name + ".extents";
    step.origins = node.origins;
    step.op = "extents";
    step.kernel = "extents.values";
    step.params = {{"values", values}};
    step.binds = symbols;
    draft_.add_step(std::move(step));
  }

  // For each symbol of the node that is an extent of a result, in their order, the extent that a source has there.
  static std::vector<Dim> extents_bound_by(const Node& node, const std::vector<ViewDesc>& results,
                                           const std::vector<ViewDesc>& sources) {
    std::vector<Dim> values;
    for (const std::string& symbol : node.binds)
      for (size_t i = 0; i < results.size(); ++i)
        for (size_t axis = 0; axis < results[i].dims.size(); ++axis)
          if (results[i].dims[axis] == Dim::symbol(symbol)) values.push_back(sources[i].dims[axis]);
    return values;
  }

  // Into the memory of `result`, with the extents of the source.
  void emit_copy_into(const ViewDesc& result, const ViewDesc& source, const Node& node) {
    const TensorType type{source.dtype, Shape(source.dims)};
    draft_.add_copy(source, dense_view(result.buffer, type, Layout::row_major), node.name, node.origins);
  }

  void emit_loop(const Graph& graph, const Node& node, Environment& values) {
    const LoopSteps loop{graph, node};
    const Graph& body = loop.body;
    Step step;
    step.kind = StepKind::control;
    step.name = node.name;
    step.origins = node.origins;
    step.op = step.kernel = "loop";
    step.binds = {node.binds.at(0), node.binds.at(1)};
    const ViewDesc turn = draft_.temporary({DataType::i64, Shape{}}, Layout::row_major);
    const ViewDesc goes_on = draft_.temporary({DataType::boolean, Shape{}}, Layout::row_major);
    const Tensor yes = Tensor::make(DataType::boolean, {}, [](std::byte* out) { *out = std::byte{1}; });
    const ViewDesc begins = node.inputs[1].valid() ? view_of(graph, node.inputs[1], values) : draft_.constant(yes);
    draft_.add_copy(scalar_of(begins), goes_on, node.name, node.origins);
    step.inputs = {node.inputs[0].valid() ? scalar_of(view_of(graph, node.inputs[0], values)) : ViewDesc{}, goes_on};
    std::vector<ViewDesc> state, first;
    for (size_t i = 0; i < loop.carried; ++i) {
      first.push_back(view_of(graph, node.inputs[i + 2], values));
      state.push_back(draft_.temporary(body.value(body.inputs()[i + 2]).type, Layout::row_major));
    }
    emit_values(node, loop.symbols(), loop.extents(state, first));
    for (size_t i = 0; i < loop.carried; ++i) emit_copy_into(state[i], first[i], node);
    std::vector<ViewDesc> rows;
    for (size_t i = loop.carried + 1; i < body.outputs().size(); ++i)
      rows.push_back(
          draft_.temporary(loop.rows(body.value(body.outputs()[i]).type, loop.turn() + Dim(1)), Layout::row_major));
    Environment inner;
    inner[body.inputs()[0]] = turn;
    inner[body.inputs()[1]] = goes_on;
    for (size_t i = 0; i < loop.carried; ++i) inner[body.inputs()[i + 2]] = state[i];
    for (size_t i = loop.carried + 2; i < body.inputs().size(); ++i)
      inner[body.inputs()[i]] = view_of(graph, node.inputs[i], values);
    step.bodies = {draft_.repeated_body([&] {
      emit_turn_number(node, turn, loop.turn());
      emit_graph(body, inner);
      std::vector<ViewDesc> results;
      for (ValueId output : body.outputs()) results.push_back(view_of(body, output, inner));
      for (size_t i = 0; i < rows.size(); ++i) emit_row(loop, rows[i], results[loop.carried + 1 + i]);
      if (results[0].buffer != goes_on.buffer) draft_.add_copy(scalar_of(results[0]), goes_on, node.name, node.origins);
      emit_next_state(loop, state,
                      {results.begin() + 1, results.begin() + 1 + static_cast<std::ptrdiff_t>(loop.carried)});
    })};
    draft_.add_step(std::move(step));
    for (size_t i = 0; i < loop.carried; ++i) values[node.outputs[i]] = state[i];
    for (size_t i = 0; i < rows.size(); ++i)
      values[node.outputs[loop.carried + i]] =
          dense_view(rows[i].buffer, graph.value(node.outputs[loop.carried + i]).type, Layout::row_major);
  }

  // One element, seen as a scalar.
  static ViewDesc scalar_of(ViewDesc view) {
    view.dims.clear();
    view.strides.clear();
    return view;
  }

  void emit_turn_number(const Node& node, const ViewDesc& turn, Dim value) {
    Step step;
    step.kind = StepKind::reference;
    step.name = node.name + ".turn";
    step.origins = node.origins;
    step.op = step.kernel = "dims";
    step.params = {{"values", std::vector<Dim>{value}}, {"scalar", int64_t{1}}};
    step.outputs = {turn};
    draft_.add_step(std::move(step));
  }

  void emit_row(const LoopSteps& loop, const ViewDesc& rows, const ViewDesc& row) {
    ViewDesc to = dense_view(rows.buffer, {row.dtype, Shape(row.dims)}, Layout::row_major);
    to.offset = loop.turn() * Shape(row.dims).element_count() * Dim(element_bytes(row.dtype));
    draft_.add_copy(row, to, loop.node.name, loop.node.origins);
  }

  // What a turn gives becomes the state of the next. Through copies apart, unless it is the only state: results may be
  // views of one another's state, and their extents are expressions of the old ones.
  void emit_next_state(const LoopSteps& loop, const std::vector<ViewDesc>& state, std::vector<ViewDesc> results) {
    const std::vector<Dim> extents = loop.extents(state, results);
    emit_values(loop.node, loop.next_symbols(), extents);
    const bool direct = state.size() == 1 && extents.empty() && results[0].buffer != state[0].buffer;
    for (size_t i = 0; i < state.size() && !direct; ++i) {
      const ViewDesc apart =
          draft_.temporary({results[i].dtype, loop.next_shape(state[i], results[i])}, Layout::row_major);
      emit_copy_into(apart, results[i], loop.node);
      results[i] = apart;
    }
    std::vector<Dim> next;
    for (const std::string& symbol : loop.next_symbols()) next.push_back(Dim::symbol(symbol));
    emit_values(loop.node, loop.symbols(), next);
    for (size_t i = 0; i < state.size(); ++i) emit_copy_into(state[i], results[i], loop.node);
  }

  void emit_body(const Graph& graph, const Node& node, Environment& values) {
    // Weights become constants of the body, so that its nodes find their kernels.
    Graph body = node.regions[0]->clone();
    share_symbols(graph, body);
    Environment inner;
    for (size_t i = 0; i < body.inputs().size(); ++i) {
      const Value& outer = graph.value(node.inputs[i]);
      if (outer.is_constant())
        body.replace_uses(body.inputs()[i], body.add_constant(outer.constant, outer.name));
      else
        inner[body.inputs()[i]] = view_of(graph, node.inputs[i], values);
    }
    emit_graph(body, inner);
    for (size_t i = 0; i < node.outputs.size(); ++i) values[node.outputs[i]] = view_of(body, body.outputs()[i], inner);
  }

  void emit_node(const Graph& graph, const Node& node, Environment& values) {
    const auto fits = [&](const Candidate& candidate, size_t i) {
      const ValueId id = node.inputs[i];
      return !id.valid() || graph.value(id).is_constant() ||
             accepts(rule_at(candidate.inputs, i), candidate.strided_inputs, view_of(graph, id, values));
    };
    const auto choice = selection_.choose(graph, node, fits);
    if (!choice && node.op == "fused") return emit_body(graph, node, values);
    if (!choice) fail(Code::unsupported, "no kernel computes it");
    const NodeSite site{graph,
                        node,
                        choice->candidate(),
                        result_layout(graph, node, values),
                        [&](size_t operand) { return view_of(graph, node.inputs.at(operand), values); },
                        [&](size_t result, Layout layout, bool strided) {
                          const ValueId id = node.outputs.at(result);
                          return values[id] = destination(graph, id, layout, strided);
                        }};
    NodeSteps steps(draft_, site, options_, pool());
    choice->candidate().emit(steps);
  }

  // Only asked for its size.
  ThreadPool& pool() {
    if (!pool_) pool_.emplace(options_.threads);
    return *pool_;
  }

  void finish_output(ValueId id, Environment& values) {
    const Value& value = graph_.value(id);
    const ViewDesc source = view_of(graph_, id, values);
    if (source.buffer == output_buffers_.at(id)) return;
    draft_.add_copy(source, dense_view(output_buffers_.at(id), value.type, Layout::row_major), value.name,
                    {value.name});
  }

  const Graph& graph_;
  const EmitOptions& options_;
  PlanDraft draft_;
  Selection selection_;
  std::map<ValueId, int32_t> output_buffers_;
  std::map<ValueId, Concat> concats_;
  std::optional<ThreadPool> pool_;
};

}  // namespace

Plan emit_plan(const Graph& graph, const EmitOptions& options) { return Emitter(graph, options).run(); }

}  // namespace planish
