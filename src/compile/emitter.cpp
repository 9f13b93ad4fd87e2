#include "compile/emitter.h"

#include <algorithm>
#include <set>

#include "base/checked.h"
#include "compile/layout/assign.h"
#include "compile/memory.h"
#include "compile/views.h"
#include "kernels/kernel.h"
#include "ops/builder.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

// A buffer before it has a place.
struct Logical {
  BufferKind kind = BufferKind::arena;
  int32_t index = -1;
  Dim bytes;
  int first = INT32_MAX, last = -1;
};

using Environment = std::map<ValueId, ViewDesc>;

class Emitter {
 public:
  Emitter(const Graph& graph, const EmitOptions& options) : graph_(graph), options_(options) {}

  Plan run() {
    plan_.producer = "planish " PLANISH_VERSION;
    plan_.target = "cpu";
    plan_.isa = isa_name(options_.isa);
    plan_.model = graph_.name;
    plan_.profiles.emplace_back();
    profile().symbols = graph_.symbols;
    steps_ = &profile().steps;
    Environment values;
    for (ValueId input : graph_.inputs()) add_binding(input, true, values);
    for (ValueId output : graph_.outputs()) add_binding(output, false, values);
    assign();
    emit_graph(graph_, values);
    for (ValueId output : graph_.outputs()) finish_output(output, values);
    place_buffers();
    return std::move(plan_);
  }

 private:
  friend class NodeSteps;
  Profile& profile() { return plan_.profiles[0]; }
  bool in_branch() { return steps_ != &profile().steps; }

  // --- buffers

  int32_t add_buffer(BufferKind kind, int32_t index, Dim bytes) {
    buffers_.push_back({kind, index, bytes, INT32_MAX, -1});
    return static_cast<int32_t>(buffers_.size()) - 1;
  }

  int32_t constant_buffer(const Tensor& tensor) {
    const Hash128 hash = tensor.content_hash();
    if (auto at = constants_.find(hash); at != constants_.end()) return at->second;
    plan_.constants.push_back(tensor);
    return constants_[hash] =
               add_buffer(BufferKind::constant, static_cast<int32_t>(plan_.constants.size()) - 1, tensor.byte_count());
  }

  ViewDesc constant_view(const Tensor& tensor) {
    return dense_view(constant_buffer(tensor), tensor.type(), Layout::row_major);
  }

  void add_binding(ValueId id, bool is_input, Environment& values) {
    const Value& value = graph_.value(id);
    plan_.bindings.push_back({value.name, is_input, {value.type.dtype, value.type.shape}, MemorySpace::host});
    const int32_t buffer =
        add_buffer(BufferKind::binding, static_cast<int32_t>(plan_.bindings.size()) - 1, value.type.bytes());
    if (is_input)
      values[id] = dense_view(buffer, value.type, Layout::row_major);
    else
      output_buffers_[id] = buffer;
  }

  ViewDesc temporary(const TensorType& type, Layout layout) {
    return dense_view(add_buffer(BufferKind::arena, -1, type.bytes()), type, layout);
  }

  // Where a node's result goes: the caller's memory for a row-major output, a window of a concat, or the arena.
  ViewDesc destination(const Graph& graph, ValueId id, Layout layout, bool strided) {
    const TensorType& type = graph.value(id).type;
    if (&graph == &graph_ && layout == Layout::row_major)
      if (auto at = output_buffers_.find(id); at != output_buffers_.end()) return dense_view(at->second, type, layout);
    if (strided && layout == Layout::channels_last)
      if (auto window = concat_window(graph, id)) return *window;
    return temporary(type, layout);
  }

  // The part of a channel concat's result that `id` becomes, when nothing else reads `id`.
  std::optional<ViewDesc> concat_window(const Graph& graph, ValueId id) {
    const auto users = graph.users(id);
    if (&graph != &graph_ || users.size() != 1 || graph.is_output(id)) return std::nullopt;
    const Node& node = graph.node(users[0]);
    if (const Assigned* to = assigned_to(graph, node); to != nullptr && to->layout != Layout::channels_last)
      return std::nullopt;
    const Shape& shape = graph.value(id).type.shape;
    if (node.op != "concat" || shape.rank() < 3 ||
        normalize_axis(node.attrs.get_or<int64_t>("axis", 0), shape.rank()) != 1)
      return std::nullopt;
    if (std::count(node.inputs.begin(), node.inputs.end(), id) != 1) return std::nullopt;
    auto [at, fresh] = concats_.try_emplace(node.outputs[0]);
    if (fresh) at->second = destination(graph, node.outputs[0], Layout::channels_last, true);
    return concat_part(graph, node,
                       static_cast<size_t>(std::find(node.inputs.begin(), node.inputs.end(), id) - node.inputs.begin()),
                       at->second);
  }

  static ViewDesc concat_part(const Graph& graph, const Node& node, size_t operand, const ViewDesc& whole) {
    ViewDesc view = whole;
    const auto axis =
        static_cast<size_t>(normalize_axis(node.attrs.get_or<int64_t>("axis", 0), static_cast<int>(whole.dims.size())));
    Dim begin = 0;
    for (size_t i = 0; i < operand; ++i) begin = begin + graph.value(node.inputs[i]).type.shape[static_cast<int>(axis)];
    view.dims = graph.value(node.inputs[operand]).type.shape.dims();
    view.offset = view.offset + begin * view.strides[axis] * Dim(element_bytes(view.dtype));
    return view;
  }

  // --- steps

  void touch(const ViewDesc& view) {
    if (view.buffer < 0) return;
    Logical& buffer = buffers_[static_cast<size_t>(view.buffer)];
    buffer.first = std::min(buffer.first, position_);
    buffer.last = std::max(buffer.last, position_);
  }

  Step& add_step(Step step) {
    ++position_;
    step.id = next_id_++;
    for (const ViewDesc& view : step.inputs) touch(view);
    for (const ViewDesc& view : step.outputs) touch(view);
    steps_->push_back(std::move(step));
    return steps_->back();
  }

  void add_copy(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                const std::vector<std::string>& origins) {
    Step step;
    step.kind = StepKind::copy;
    step.name = name;
    step.origins = origins;
    step.op = "copy";
    step.kernel = "copy";
    step.inputs = {from};
    step.outputs = {to};
    step.bytes = Shape(from.dims).element_count() * Dim(2 * element_bytes(from.dtype));
    add_step(std::move(step));
  }

  // The value's view in a layout that the rule accepts; a conversion is made once and shared.
  ViewDesc convert(const ViewDesc& view, LayoutRule rule, bool strided, const std::string& name) {
    const Layout layout = rule == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
    if (accepts(rule, strided, view)) return view;
    const std::string key = view_key(view) + std::string(layout_name(layout));
    if (auto at = converted_.find(key); at != converted_.end()) return at->second;
    const ViewDesc copy = temporary({view.dtype, Shape(view.dims)}, layout);
    add_copy(view, copy, name + " to " + std::string(layout_name(layout)), {});
    return converted_[key] = copy;
  }

  static std::string view_key(const ViewDesc& view) {
    return fmt::format("{}+{}:{}/{}@", view.buffer, view.offset.str(), Shape(view.dims).str(),
                       Shape(view.strides).str());
  }

  ViewDesc view_of(const Graph& graph, ValueId id, Environment& values) {
    if (!id.valid()) return {};
    if (auto at = values.find(id); at != values.end()) return at->second;
    const Value& value = graph.value(id);
    if (!value.is_constant()) fail(Code::internal, "'{}' is used before it is computed", value.name);
    return values[id] = constant_view(value.constant);
  }

  // --- nodes

  void emit_graph(const Graph& graph, Environment& values) {
    for (NodeId id : graph.nodes()) {
      const Node& node = graph.node(id);
      with_context(
          [&] { return fmt::format("node '{}' ({})", node.name, node.note.empty() ? node.op.str() : node.note); },
          [&] {
            if (node.op == "if")
              emit_if(graph, node, values);
            else if (node.op == "concat")
              emit_concat(graph, node, values);
            else if (!emit_window(graph, node, values))
              emit_node(graph, node, values);
          });
    }
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
    const ViewDesc whole = temporary({type.dtype, type.shape}, layout);
    ViewDesc to = *part;
    to.buffer = whole.buffer;
    add_copy(source, to, node.name, node.origins);
    return whole;
  }

  bool emit_window(const Graph& graph, const Node& node, Environment& values) {
    if (!op_def(node.op).is_view && node.op != "identity") return false;
    ViewDesc source = view_of(graph, node.inputs[0], values);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      auto window = window_of(graph, node, i, source);
      if (!window) window = reshaped_copy(graph, node, i, source);
      if (!window) {
        // Strided memory under an operator that needs it dense.
        source = convert(source, LayoutRule::row_major, false, node.name);
        window = window_of(graph, node, i, source);
      }
      if (!window) return false;
      values[node.outputs[i]] = *window;
    }
    return true;
  }

  void emit_concat(const Graph& graph, const Node& node, Environment& values) {
    const ValueId result = node.outputs[0];
    ViewDesc whole;
    if (auto at = concats_.find(result); at != concats_.end() && &graph == &graph_)
      whole = at->second;
    else
      whole = destination(graph, result, result_layout(graph, node, values), true);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ViewDesc part = concat_part(graph, node, i, whole), source = view_of(graph, node.inputs[i], values);
      if (source == part) continue;
      add_copy(source, part, node.name, node.origins);
    }
    values[result] = whole;
  }

  Layout result_layout(const Graph& graph, const Node& node, Environment& values) {
    if (const Assigned* assigned = assigned_to(graph, node)) return assigned->layout;
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
      results.push_back(temporary(graph.value(output).type, Layout::row_major));
      values[output] = results.back();
    }
    // Values from outside stay alive through both branches: both are emitted before the step itself.
    std::vector<Step>* outer = steps_;
    const auto shared = converted_;
    for (size_t branch = 0; branch < 2; ++branch) {
      const Graph& body = *node.regions[branch];
      Environment inner;
      for (size_t i = 0; i < body.inputs().size(); ++i)
        inner[body.inputs()[i]] = view_of(graph, node.inputs[i + 1], values);
      steps_ = &step.bodies[branch];
      emit_graph(body, inner);
      for (size_t i = 0; i < results.size(); ++i)
        add_copy(view_of(body, body.outputs()[i], inner), results[i], node.name, node.origins);
      converted_ = shared;  // what one branch converted the other has not
    }
    steps_ = outer;
    add_step(std::move(step));
  }

  void emit_node(const Graph& graph, const Node& node, Environment& values);
  void emit_body(const Graph& graph, const Node& node, Environment& values) {
    // Weights become constants of the body, so that its nodes find their kernels.
    Graph body = node.regions[0]->clone();
    body.symbols = graph.symbols;
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

  // Only asked for its size, by kernels that declare their scratch.
  ThreadPool& pool() {
    if (!pool_) pool_.emplace(options_.threads);
    return *pool_;
  }

  void assign();
  const Assigned* assigned_to(const Graph& graph, const Node& node) const {
    const auto at = &graph == &graph_ ? assigned_.find(&node) : assigned_.end();
    return at == assigned_.end() ? nullptr : &at->second;
  }
  double microseconds(const Graph& graph, const Node& node, const Candidate& candidate) const {
    const double measured = options_.measured ? options_.measured(graph, node, candidate) : -1;
    return measured < 0 ? candidate.estimated_us : measured;
  }
  double candidate_cost(const Graph& graph, const Node& node, const Candidate& candidate, Environment& values);
  const Candidate* choose(const Graph& graph, const Node& node, const CandidateSink& sink, Environment& values);
  void report(const Node& node, const CandidateSink& sink, const Candidate& chosen, const Graph& graph);

  void finish_output(ValueId id, Environment& values) {
    const Value& value = graph_.value(id);
    const ViewDesc source = view_of(graph_, id, values);
    if (source.buffer == output_buffers_.at(id)) return;
    add_copy(source, dense_view(output_buffers_.at(id), value.type, Layout::row_major), value.name, {value.name});
  }

  void place_buffers() {
    std::vector<Interval> intervals;
    std::vector<size_t> owners;
    for (size_t i = 0; i < buffers_.size(); ++i) {
      Logical& buffer = buffers_[i];
      if (buffer.kind != BufferKind::arena || buffer.last < 0) continue;
      const int64_t bytes = buffer.bytes.upper_bound(profile().symbols);
      if (bytes > (int64_t{1} << 44))
        fail(Code::invalid_argument, "a buffer of up to {} bytes; give the inputs narrower ranges", bytes);
      intervals.push_back({bytes, options_.keep_intermediates ? 0 : buffer.first,
                           options_.keep_intermediates ? position_ : buffer.last});
      owners.push_back(i);
    }
    const MemoryPlan memory = plan_memory(intervals);
    profile().arena_bytes = memory.arena_bytes == INT64_MAX ? 0 : memory.arena_bytes;
    profile().live_peak_bytes = memory.live_peak_bytes;
    for (const Logical& buffer : buffers_)
      profile().buffers.push_back({buffer.kind, MemorySpace::host, buffer.index, 0, 0});
    for (size_t i = 0; i < owners.size(); ++i) {
      profile().buffers[owners[i]].offset = memory.offsets[i];
      profile().buffers[owners[i]].bytes = intervals[i].bytes;
    }
  }

  const Graph& graph_;
  const EmitOptions& options_;
  Plan plan_;
  std::vector<Logical> buffers_;
  std::map<Hash128, int32_t> constants_;
  std::map<ValueId, int32_t> output_buffers_;
  std::map<ValueId, ViewDesc> concats_;
  std::map<std::string, ViewDesc> converted_;
  std::map<const Node*, CandidateSink> sinks_;  // of the nodes outside of regions
  std::map<const Node*, Assigned> assigned_;
  std::vector<Step>* steps_ = nullptr;
  std::optional<ThreadPool> pool_;
  int position_ = 0;
  uint32_t next_id_ = 0;
};

// The steps of one node, as its candidate writes them.
class NodeSteps final : public StepBuilder {
 public:
  NodeSteps(Emitter& emitter, const Graph& graph, const Node& node, const Candidate& candidate, Environment& values)
      : emitter_(emitter), graph_(graph), node_(node), candidate_(candidate), values_(values) {
    const Layout like = emitter.result_layout(graph, node, values);
    any_ = like == Layout::channels_last ? LayoutRule::channels_last : LayoutRule::row_major;
  }

  Operand input(size_t i) override {
    const LayoutRule rule = rule_at(candidate_.inputs, i);
    return add(emitter_.convert(emitter_.view_of(graph_, node_.inputs.at(i), values_), rule, candidate_.strided_inputs,
                                node_.name));
  }
  Operand output(size_t i) override {
    LayoutRule rule = rule_at(candidate_.outputs, i);
    if (rule == LayoutRule::any) rule = any_;
    const Layout layout = rule == LayoutRule::channels_last ? Layout::channels_last : Layout::row_major;
    auto [at, fresh] = outputs_.try_emplace(i);
    if (fresh) {
      at->second = emitter_.destination(graph_, node_.outputs.at(i), layout, candidate_.strided_output && i == 0);
      values_[node_.outputs[i]] = at->second;
    }
    const Operand operand = add(at->second);
    results_[operand.index] = i;
    return operand;
  }
  Operand constant(const Tensor& tensor) override { return add(emitter_.constant_view(tensor)); }
  Operand temporary(const TensorType& type) override { return add(emitter_.temporary(type, type.layout)); }
  Operand absent() override { return add({}); }
  Operand reshaped(Operand of, const Shape& shape) override {
    ViewDesc view = operands_.at(static_cast<size_t>(of.index));
    view.dims = shape.dims();
    view.strides = shape.strides(Layout::row_major);
    return add(view);
  }
  void flops(Dim count) override { stated_flops_ = count; }
  Operand window(Operand of, int axis, Dim begin, Dim extent, int64_t step) override {
    ViewDesc view = operands_.at(static_cast<size_t>(of.index));
    const auto at = static_cast<size_t>(axis);
    view.offset = view.offset + begin * view.strides.at(at) * Dim(element_bytes(view.dtype));
    view.dims[at] = extent;
    view.strides[at] = view.strides[at] * Dim(step);
    return add(view);
  }

  void step(StepKind kind, std::string_view kernel, Attrs params, std::vector<Operand> inputs,
            std::vector<Operand> outputs) override {
    const Kernel* row = kind == StepKind::plugin ? nullptr : &row_of(kind, kernel);
    Step step;
    step.kind = kind;
    step.name = joined_name();
    step.origins = node_.origins;
    step.op = node_.op.str();
    step.kernel = kernel;
    step.params = std::move(params);
    step.version = row != nullptr ? row->version : take_version(step.params);
    for (Operand operand : inputs) step.inputs.push_back(operands_.at(static_cast<size_t>(operand.index)));
    for (Operand operand : outputs) step.outputs.push_back(operands_.at(static_cast<size_t>(operand.index)));
    if (stated_flops_)
      step.flops = *stated_flops_;
    else if (!counted_)
      step.flops = flops_of(graph_, node_);
    stated_flops_.reset();
    counted_ = true;
    for (const auto* views : {&step.inputs, &step.outputs})
      for (const ViewDesc& view : *views)
        if (view.buffer >= 0)
          step.bytes = step.bytes + Shape(view.dims).element_count() * Dim(element_bytes(view.dtype));
    const int64_t workspace = row != nullptr ? workspace_bytes(*row, step) : plugin_workspace(step);
    if (workspace > 0) step.workspace = emitter_.temporary({DataType::u8, Shape{workspace}}, Layout::row_major);
    const ViewDesc scratch = step.workspace;
    const uint32_t id = emitter_.add_step(std::move(step)).id;
    emitter_.touch(scratch);
    report_results(id, outputs);
  }

 private:
  void report_results(uint32_t step, const std::vector<Operand>& outputs) {
    if (emitter_.options_.report == nullptr || emitter_.in_branch()) return;
    for (size_t k = 0; k < outputs.size(); ++k)
      if (auto at = results_.find(outputs[k].index); at != results_.end())
        emitter_.options_.report->results.push_back({step, k, graph_.value(node_.outputs[at->second]).name});
  }

  Operand add(ViewDesc view) {
    operands_.push_back(std::move(view));
    return {static_cast<int32_t>(operands_.size()) - 1};
  }

  std::string joined_name() const {
    std::string name;
    for (const std::string& origin : node_.origins) name += (name.empty() ? "" : " + ") + origin;
    return name.empty() ? node_.name : name;
  }

  const Kernel& row_of(StepKind kind, std::string_view kernel) const {
    const KernelTable& table = kind == StepKind::cpu ? cpu_kernels(emitter_.options_.isa) : reference_kernels();
    const Kernel* row = table.find(kernel);
    if (row == nullptr) fail(Code::internal, "there is no kernel '{}'", kernel);
    return *row;
  }

  // A plugin's version is a parameter that its tactic gives.
  static int32_t take_version(Attrs& params) {
    const auto version = static_cast<int32_t>(params.get<int64_t>("version"));
    params.erase("version");
    return version;
  }

  // Views at the largest extents, without data.
  std::vector<TensorView> largest(const std::vector<ViewDesc>& descs) const {
    SymbolValues values;
    for (const auto& [name, info] : graph_.symbols) values[name] = info.range.max;
    std::vector<TensorView> views;
    for (const ViewDesc& desc : descs) {
      TensorView view;
      view.dtype = desc.dtype;
      view.rank = static_cast<int>(desc.dims.size());
      for (size_t i = 0; i < desc.dims.size(); ++i) {
        view.dims[i] = desc.dims[i].evaluate(values);
        view.strides[i] = desc.strides[i].evaluate(values);
      }
      views.push_back(view);
    }
    return views;
  }

  // Scratch at the largest extents.
  int64_t workspace_bytes(const Kernel& row, const Step& step) const {
    if (row.workspace == nullptr) return 0;
    const auto inputs = largest(step.inputs), outputs = largest(step.outputs);
    const auto params = row.decode(step.params);
    KernelArgs args;
    args.inputs = inputs;
    args.outputs = outputs;
    args.params = params.get();
    args.pool = &emitter_.pool();
    return row.workspace(args);
  }

  int64_t plugin_workspace(const Step& step) const {
    const auto inputs = largest(step.inputs), outputs = largest(step.outputs);
    return make_plugin(step)->workspace({inputs, outputs, nullptr, &emitter_.pool()});
  }

  Emitter& emitter_;
  const Graph& graph_;
  const Node& node_;
  const Candidate& candidate_;
  Environment& values_;
  LayoutRule any_;
  std::vector<ViewDesc> operands_;
  std::map<size_t, ViewDesc> outputs_;
  std::map<int32_t, size_t> results_;  // operand -> which result of the node it is
  bool counted_ = false;
  std::optional<Dim> stated_flops_;
};

// All nodes outside of regions at once; those inside are chosen one after the other.
void Emitter::assign() {
  if (options_.reference_only || !options_.forced.empty()) return;
  LayoutCosts costs;
  costs.candidates = [&](const Node& node) -> const CandidateSink& {
    return sinks_[&node] = cpu_tactics().propose({graph_, node, options_.isa, options_.threads});
  };
  costs.microseconds = [&](const Node& node, const Candidate& candidate) {
    return microseconds(graph_, node, candidate);
  };
  assigned_ = assign_layouts(graph_, costs);
}

// Time of the candidate plus the conversions of its operands.
double Emitter::candidate_cost(const Graph& graph, const Node& node, const Candidate& candidate, Environment& values) {
  double cost = microseconds(graph, node, candidate);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid() || graph.value(node.inputs[i]).is_constant()) continue;
    if (!accepts(rule_at(candidate.inputs, i), candidate.strided_inputs, view_of(graph, node.inputs[i], values)))
      cost += conversion_us(graph, graph.value(node.inputs[i]).type);
  }
  return cost;
}

const Candidate* Emitter::choose(const Graph& graph, const Node& node, const CandidateSink& sink, Environment& values) {
  if (const Assigned* assigned = assigned_to(graph, node)) return &sink.candidates.at(assigned->candidate);
  const Candidate* best = nullptr;
  double best_cost = 0;
  for (const Candidate& candidate : sink.candidates) {
    if (options_.reference_only && candidate.name != "reference" && node.op != "custom") continue;
    if (!options_.forced.empty() && candidate.name == options_.forced) return &candidate;
    const double cost = candidate_cost(graph, node, candidate, values);
    if (best != nullptr && cost >= best_cost) continue;
    best = &candidate;
    best_cost = cost;
  }
  return best;
}

void Emitter::report(const Node& node, const CandidateSink& sink, const Candidate& chosen, const Graph& graph) {
  if (options_.report == nullptr) return;
  TacticChoice choice;
  choice.node = node.name;
  choice.chosen = chosen.name;
  for (const Candidate& candidate : sink.candidates) {
    const double measured = options_.measured ? options_.measured(graph, node, candidate) : -1;
    choice.timings_us.emplace_back(candidate.name + (measured < 0 ? " (estimate)" : ""),
                                   measured < 0 ? candidate.estimated_us : measured);
  }
  choice.refusals = sink.refusals;
  options_.report->choices.push_back(std::move(choice));
}

void Emitter::emit_node(const Graph& graph, const Node& node, Environment& values) {
  const auto known = &graph == &graph_ ? sinks_.find(&node) : sinks_.end();
  const CandidateSink sink =
      known != sinks_.end() ? known->second : cpu_tactics().propose({graph, node, options_.isa, options_.threads});
  const Candidate* chosen = choose(graph, node, sink, values);
  if (chosen == nullptr && node.op == "fused") return emit_body(graph, node, values);
  if (chosen == nullptr) fail(Code::unsupported, "no kernel computes it");
  report(node, sink, *chosen, graph);
  NodeSteps steps(*this, graph, node, *chosen, values);
  chosen->emit(steps);
}

}  // namespace

Plan emit_plan(const Graph& graph, const EmitOptions& options) { return Emitter(graph, options).run(); }

}  // namespace planish
