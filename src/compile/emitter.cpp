#include "compile/emitter.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "compile/concats.h"
#include "compile/control_steps.h"
#include "compile/draft.h"
#include "compile/node_steps.h"
#include "compile/selection.h"
#include "compile/views.h"
#include "ops/builder.h"

namespace planish {
namespace {

struct Concat {
  ViewDesc whole;
  std::vector<ViewDesc> parts;  // what each operand becomes
};

class Emitter final : public GraphSteps {
 public:
  Emitter(const Graph& graph, const EmitOptions& options)
      : graph_(graph), options_(options), draft_(graph, options.target), selection_(graph, options), places_(graph) {}

  Plan run() {
    if (options_.half_bindings) find_half_bindings();
    Environment values;
    for (ValueId input : graph_.inputs())
      values[input] = dense_view(add_binding(input, true), stored_type(graph_, input), Layout::row_major);
    for (ValueId output : graph_.outputs()) output_buffers_[output] = add_binding(output, false);
    emit_graph(graph_, values);
    for (ValueId output : graph_.outputs()) finish_output(output, values);
    return draft_.finish(options_.keep_intermediates);
  }

 private:
  // A network of one node: what the candidate reads and writes as bf16 where it may.
  void find_half_bindings() {
    const Node& node = graph_.node(graph_.nodes().front());
    CandidateSink sink;
    const Candidate* candidate = selection_.named(graph_, node, sink);
    if (candidate == nullptr) return;
    const auto add = [&](ValueId id, bool half) {
      if (half && id.valid() && graph_.value(id).type.dtype == DataType::f32) half_bindings_.insert(id);
    };
    for (size_t i = 0; i < node.inputs.size(); ++i) add(node.inputs[i], candidate->takes_half(i));
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!candidate->takes_half(i)) half_bindings_.erase(node.inputs[i]);
    add(node.outputs[0], candidate->half_output);
  }

  int32_t add_binding(ValueId id, bool is_input) {
    Value value = graph_.value(id);
    value.type = stored_type(graph_, id);
    return draft_.add_binding(value, is_input);
  }

  // A value's type as memory has it, where its own node writes it.
  TensorType stored_type(const Graph& graph, ValueId id) const {
    TensorType type = graph.value(id).type;
    if (&graph != &graph_ || type.dtype != DataType::f32) return type;
    const NodeId producer = graph.value(id).producer;
    const bool decided =
        producer.valid() && graph.node(producer).outputs[0] == id && selection_.is_half(graph, graph.node(producer));
    if (decided || half_bindings_.count(id) > 0) type.dtype = DataType::bf16;
    return type;
  }

  // Where a node's result goes: the caller's memory for a row-major output, a window of a concat, or the arena.
  ViewDesc destination(const Graph& graph, ValueId id, Layout layout, bool strided, MemorySpace space) {
    const TensorType type = stored_type(graph, id);
    if (space == MemorySpace::host && &graph == &graph_ && layout == Layout::row_major)
      if (auto at = output_buffers_.find(id); at != output_buffers_.end()) return dense_view(at->second, type, layout);
    if (strided && layout == Layout::channels_last)
      if (auto window = concat_window(graph, id);
          window && draft_.space_of(*window) == space && window->dtype == type.dtype)
        return *window;
    return draft_.temporary(type, layout, space);
  }

  // Where what only moves elements puts them: on the GPU that there is, but for what waits for data or runs in a body.
  MemorySpace moving_space(const TensorType& type) const {
    const bool waits = depends_on_data(type.bytes(), graph_.symbols) || draft_.in_body();
    return options_.reference_only || waits ? MemorySpace::host : options_.target.space();
  }

  // The part of a channel concat's result that `id` becomes, where all that read `id` take it there.
  std::optional<ViewDesc> concat_window(const Graph& graph, ValueId id) {
    const NodeId place = &graph == &graph_ ? places_.place_of(id) : NodeId{};
    if (!place.valid()) return std::nullopt;
    const Node& node = graph.node(place);
    if (const Assigned* to = selection_.assigned(graph, node); to != nullptr && to->layout != Layout::channels_last)
      return std::nullopt;
    const auto users = graph.users(id);
    if (users.size() > 1 &&
        !std::all_of(users.begin(), users.end(), [&](NodeId user) { return reads_window(user, id); }))
      return std::nullopt;
    return concat_of(node)
        .parts[static_cast<size_t>(std::find(node.inputs.begin(), node.inputs.end(), id) - node.inputs.begin())];
  }

  // Whether a node reads a window of a channels-last tensor without a copy.
  bool reads_window(NodeId user, ValueId id) const {
    const Node& node = graph_.node(user);
    if (node.op == "concat" || node.op == "slice" || node.op == "split") return true;
    const Candidate* candidate = selection_.decided(graph_, node);
    if (candidate == nullptr) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const LayoutRule rule = rule_at(candidate->inputs, i);
      const bool takes = rule == LayoutRule::any || (rule == LayoutRule::channels_last && candidate->strided_inputs);
      if (node.inputs[i] == id && !takes) return false;
    }
    return true;
  }

  // Where a concat of channels lies: at the beginning of a longer one, or where its result goes.
  const Concat& concat_of(const Node& node) {
    const ValueId result = node.outputs[0];
    const auto [at, fresh] = concats_.try_emplace(result);
    if (!fresh) return at->second;
    ViewDesc whole;
    if (const NodeId longer = longer_concat(node); longer.valid()) {
      whole = concat_of(graph_.node(longer)).whole;
      whole.dims = graph_.value(result).type.shape.dims();
    } else {
      whole = destination(graph_, result, Layout::channels_last, true, moving_space(graph_.value(result).type));
    }
    return at->second = parted(graph_, node, whole);
  }

  NodeId longer_concat(const Node& node) const {
    const NodeId longer = places_.longer(graph_.value(node.outputs[0]).producer);
    if (!longer.valid()) return {};
    const Assigned* to = selection_.assigned(graph_, graph_.node(longer));
    const bool same = selection_.is_half(graph_, graph_.node(longer)) == selection_.is_half(graph_, node);
    return to != nullptr && to->layout == Layout::channels_last && same ? longer : NodeId{};
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

  ViewDesc view_of(const Graph& graph, ValueId id, Environment& values) override {
    if (!id.valid()) return {};
    if (auto at = values.find(id); at != values.end()) return at->second;
    const Value& value = graph.value(id);
    if (!value.is_constant()) fail(Code::internal, "'{}' is used before it is computed", value.name);
    return values[id] = draft_.constant(value.constant);
  }

  // The same in the type that the graph states.
  ViewDesc stated_view_of(const Graph& graph, ValueId id, const Node& reader, Environment& values) {
    const ViewDesc view = view_of(graph, id, values);
    return view.buffer < 0 ? view : draft_.widened(view, graph.value(id).type.dtype, reader.name);
  }

  // --- nodes

  void emit_graph(const Graph& graph, Environment& values) override {
    for (NodeId id : graph.nodes()) {
      const Node& node = graph.node(id);
      with_context(
          [&] { return fmt::format("node '{}' ({})", node.name, node.note.empty() ? node.op.str() : node.note); },
          [&] {
            emit_extents(graph, node, values);
            if (node.op == "if" || node.op == "loop")
              emit_control(graph, node, values);
            else if (node.op == "concat")
              emit_concat(graph, node, values);
            else if (!emit_window(graph, node, values))
              emit_node(graph, node, values);
          });
    }
  }

  // The processor runs it, and all that is in it.
  void emit_control(const Graph& graph, const Node& node, Environment& values) {
    Environment on_host = values;
    for (ValueId input : node.inputs)
      if (input.valid())
        on_host[input] = draft_.placed(stated_view_of(graph, input, node, values), MemorySpace::host, node.name);
    ControlSteps(draft_, graph, node, *this).emit(on_host);
    for (ValueId output : node.outputs) values[output] = on_host.at(output);
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
    for (ValueId input : node.inputs)
      step.inputs.push_back(draft_.placed(stated_view_of(graph, input, node, values), MemorySpace::host, node.name));
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
    const auto part = reshaped(dense_view(-1, {source.dtype, type.shape}, layout), Shape(source.dims));
    if (!part) return std::nullopt;
    const ViewDesc whole = draft_.temporary({source.dtype, type.shape}, layout, draft_.space_of(source));
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
        source = draft_.convert(source, LayoutRule::row_major, false, node.name, draft_.space_of(source), source.dtype);
        window = window_of(graph, node, i, source);
      }
      if (!window) return false;
      values[node.outputs[i]] = *window;
    }
    return true;
  }

  void emit_concat(const Graph& graph, const Node& node, Environment& values) {
    const ValueId result = node.outputs[0];
    const Layout layout = result_layout(graph, node, values);
    const TensorType& type = graph.value(result).type;
    const bool begun = &graph == &graph_ &&
                       (concats_.count(result) > 0 || (layout == Layout::channels_last && longer_concat(node).valid()));
    const Concat concat =
        begun ? concat_of(node) : parted(graph, node, destination(graph, result, layout, true, moving_space(type)));
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
        inner[body.inputs()[i]] = stated_view_of(graph, node.inputs[i], node, values);
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
    const auto choice = selection_.choose(graph, node, fits, draft_.in_body());
    if (!choice && node.op == "fused") return emit_body(graph, node, values);
    if (!choice) fail(Code::unsupported, "no kernel computes it");
    const MemorySpace space = choice->candidate().space;
    if (!options_.fallback && options_.target.is_accelerated() && space == MemorySpace::host)
      fail(Code::unsupported, "the GPU has no kernel for it{}{}", choice->sink.refusals.empty() ? "" : ": ",
           choice->sink.refusals.empty() ? "" : choice->sink.refusals.front().second);
    const NodeSite site{graph,
                        node,
                        choice->candidate(),
                        result_layout(graph, node, values),
                        stored_type(graph, node.outputs[0]) != graph.value(node.outputs[0]).type,
                        [&](size_t operand) { return view_of(graph, node.inputs.at(operand), values); },
                        [&](size_t result, Layout layout, bool strided) {
                          const ValueId id = node.outputs.at(result);
                          return values[id] = destination(graph, id, layout, strided, space);
                        }};
    NodeSteps steps(draft_, site, options_, pool());
    choice->candidate().emit(steps);
  }

  // Only asked for its size.
  ThreadPool& pool() {
    if (!pool_) pool_.emplace(options_.target.threads);
    return *pool_;
  }

  void finish_output(ValueId id, Environment& values) {
    const Value& value = graph_.value(id);
    const ViewDesc source = view_of(graph_, id, values);
    if (source.buffer == output_buffers_.at(id)) return;
    draft_.add_copy(source, dense_view(output_buffers_.at(id), stored_type(graph_, id), Layout::row_major), value.name,
                    {value.name});
  }

  const Graph& graph_;
  const EmitOptions& options_;
  PlanDraft draft_;
  Selection selection_;
  ConcatPlaces places_;
  std::map<ValueId, int32_t> output_buffers_;
  std::set<ValueId> half_bindings_;
  std::map<ValueId, Concat> concats_;
  std::optional<ThreadPool> pool_;
};

}  // namespace

Plan emit_plan(const Graph& graph, const EmitOptions& options) { return Emitter(graph, options).run(); }

}  // namespace planish
