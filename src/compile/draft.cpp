#include "compile/draft.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "compile/memory.h"
#include "compile/views.h"
#include "kernels/kernel.h"

namespace planish {
namespace {

constexpr int64_t kLargestBuffer = int64_t{1} << 44;

// Elsewhere than in the context's own memory.
bool placed_elsewhere(BufferKind kind) { return kind == BufferKind::constant || kind == BufferKind::binding; }

std::string view_key(const ViewDesc& view) {
  return fmt::format("{}+{}:{}/{}@", view.buffer, view.offset.str(), Shape(view.dims).str(), Shape(view.strides).str());
}

}  // namespace

void collect_bound(const Graph& graph, std::set<std::string>& symbols) {
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    symbols.insert(node.binds.begin(), node.binds.end());
    for (const auto& region : node.regions) collect_bound(*region, symbols);
  }
}

PlanDraft::PlanDraft(const Graph& graph, const Target& target) : target_(target) {
  plan_.producer = "planish " PLANISH_VERSION;
  plan_.target = target.name();
  plan_.isa = isa_name(target.isa);
  plan_.model = graph.name;
  plan_.profiles.emplace_back().symbols = graph.symbols;
  collect_bound(graph, bound_);
  for (const Guard& guard : graph.guards) add_guard(guard);
  steps_ = &plan_.profiles[0].steps;
}

// --- memory

int32_t PlanDraft::add_buffer(BufferKind kind, size_t index, Dim bytes, MemorySpace space) {
  buffers_.push_back({kind, space, static_cast<int32_t>(index), bytes, INT32_MAX, -1});
  return static_cast<int32_t>(buffers_.size()) - 1;
}

int32_t PlanDraft::add_binding(const Value& value, bool is_input) {
  plan_.bindings.push_back({value.name, is_input, {value.type.dtype, value.type.shape}, MemorySpace::host});
  return add_buffer(BufferKind::binding, plan_.bindings.size() - 1, value.type.bytes());
}

ViewDesc PlanDraft::constant(const Tensor& tensor, MemorySpace space) {
  const Hash128 hash = tensor.content_hash();
  const auto [index, unknown] = constant_index_.try_emplace(hash, static_cast<int32_t>(plan_.constants.size()));
  if (unknown) plan_.constants.push_back(tensor);
  auto [at, fresh] = constants_.try_emplace({hash, space});
  if (fresh)
    at->second = add_buffer(BufferKind::constant, static_cast<size_t>(index->second), tensor.byte_count(), space);
  return dense_view(at->second, tensor.type(), Layout::row_major);
}

ViewDesc PlanDraft::temporary(const TensorType& type, Layout layout, MemorySpace space) {
  const bool waits = depends_on_data(type.bytes(), plan_.profiles[0].symbols);
  return dense_view(add_buffer(waits ? BufferKind::dynamic : BufferKind::arena, 0, type.bytes(), space), type, layout);
}

MemorySpace PlanDraft::space_of(const ViewDesc& view) const {
  return view.buffer < 0 ? MemorySpace::host : buffers_[static_cast<size_t>(view.buffer)].space;
}

bool PlanDraft::is_late(const ViewDesc& view) const {
  if (view.buffer < 0) return false;
  const Buffer& buffer = buffers_[static_cast<size_t>(view.buffer)];
  const SymbolTable& symbols = plan_.profiles[0].symbols;
  const auto waits = [&](Dim dim) { return depends_on_data(dim, symbols); };
  return buffer.kind == BufferKind::dynamic || waits(buffer.bytes) || waits(view.offset) ||
         std::any_of(view.dims.begin(), view.dims.end(), waits);
}

void PlanDraft::touch(const ViewDesc& view) {
  if (view.buffer < 0) return;
  Buffer& buffer = buffers_[static_cast<size_t>(view.buffer)];
  buffer.first = std::min(buffer.first, position_);
  buffer.last = std::max(buffer.last, position_);
}

// --- steps

uint32_t PlanDraft::add_step(Step step) {
  ++position_;
  step.id = next_id_++;
  for (const ViewDesc& view : step.inputs) touch(view);
  for (const ViewDesc& view : step.outputs) touch(view);
  touch(step.workspace);
  steps_->push_back(std::move(step));
  return next_id_ - 1;
}

bool PlanDraft::is_bound(const std::string& symbol) const {
  const SymbolTable& symbols = plan_.profiles[0].symbols;
  const auto at = symbols.find(symbol);
  return at != symbols.end() && (at->second.kind == SymbolKind::shape || bound_.count(symbol) > 0);
}

void PlanDraft::add_guard(const Guard& guard) {
  std::vector<Guard>& guards = plan_.profiles[0].guards;
  const auto names = guard.symbols();
  const bool has_value = std::all_of(names.begin(), names.end(), [this](const auto& name) { return is_bound(name); });
  if (has_value && std::find(guards.begin(), guards.end(), guard) == guards.end()) guards.push_back(guard);
}

void PlanDraft::add_copy(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                         const std::vector<std::string>& origins) {
  if (space_of(from) != space_of(to)) return add_transfer(from, to, name, origins);
  const bool on_host = space_of(from) == MemorySpace::host;
  add_step_between(from.dtype != to.dtype ? cast_step(to.dtype)
                   : on_host              ? copy_step()
                                          : target_.copy_on_device(from, to),
                   from, to, name, origins);
}

// Transfers move bytes: both sides lie dense in the same order, or are made to.
void PlanDraft::add_transfer(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                             const std::vector<std::string>& origins) {
  const auto dense = [&](Layout layout) { return is_dense(from, layout) && is_dense(to, layout); };
  if (dense(Layout::row_major) || (from.dims.size() >= 3 && dense(Layout::channels_last)))
    return add_step_between(copy_step(), from, to, name, origins);
  const ViewDesc there = placed(from, space_of(to), name);
  add_copy(there, to, name, origins);
}

void PlanDraft::add_step_between(Step step, const ViewDesc& from, const ViewDesc& to, const std::string& name,
                                 const std::vector<std::string>& origins) {
  step.name = name;
  step.origins = origins;
  step.inputs = {from};
  step.outputs = {to};
  step.bytes = Shape(from.dims).element_count() * Dim(element_bytes(from.dtype) + element_bytes(to.dtype));
  add_step(std::move(step));
}

Step PlanDraft::cast_step(DataType to) const {
  Step step;
  step.kind = StepKind::cpu;
  step.op = step.kernel = "cast";
  step.params = {{"to", to}};
  const Kernel* row = cpu_kernels(target_.isa).find(step.kernel);
  if (row == nullptr) fail(Code::internal, "there is no kernel '{}'", step.kernel);
  step.version = row->version;
  return step;
}

Step PlanDraft::copy_step() const {
  Step step;
  step.kind = StepKind::copy;
  step.op = step.kernel = "copy";
  return step;
}

ViewDesc PlanDraft::placed(const ViewDesc& view, MemorySpace space, const std::string& name) {
  if (view.buffer < 0 || space_of(view) == space) return view;
  const Buffer source = buffers_[static_cast<size_t>(view.buffer)];
  if (source.kind == BufferKind::constant) {
    ViewDesc same = view;
    same.buffer = constant(plan_.constants[static_cast<size_t>(source.index)], space).buffer;
    return same;
  }
  if (source.kind == BufferKind::binding && plan_.bindings[static_cast<size_t>(source.index)].is_input) {
    ViewDesc same = view;  // windows of an input share one copy of all of it
    same.buffer = placed_input(view.buffer, space, name).buffer;
    return same;
  }
  const std::string to = space == MemorySpace::device ? "device" : "host", key = view_key(view) + to;
  if (auto at = converted_.find(key); at != converted_.end()) return at->second;
  const bool last = view.dims.size() >= 3 && is_dense(view, Layout::channels_last);
  const Layout layout = last && !is_dense(view, Layout::row_major) ? Layout::channels_last : Layout::row_major;
  const ViewDesc dense = last ? view : convert(view, LayoutRule::row_major, false, name, source.space, view.dtype);
  const ViewDesc copy = temporary({view.dtype, Shape(view.dims)}, layout, space);
  add_step_between(copy_step(), dense, copy, name + " to " + to, {});
  return converted_[key] = copy;
}

ViewDesc PlanDraft::placed_input(int32_t buffer, MemorySpace space, const std::string& name) {
  const Binding& binding = plan_.bindings[static_cast<size_t>(buffers_[static_cast<size_t>(buffer)].index)];
  const ViewDesc whole = dense_view(buffer, binding.type, Layout::row_major);
  const std::string key = view_key(whole) + "device";
  if (auto at = converted_.find(key); at != converted_.end()) return at->second;
  const ViewDesc copy = temporary(binding.type, Layout::row_major, space);
  add_step_between(copy_step(), whole, copy, binding.name + " for " + name, {});
  return converted_[key] = copy;
}

ViewDesc PlanDraft::convert(const ViewDesc& given, LayoutRule rule, bool strided, const std::string& name,
                            MemorySpace space, DataType type) {
  const ViewDesc view = placed(given, space, name);
  const bool as_it_lies = accepts(rule, strided, view);
  if (as_it_lies && view.dtype == type) return view;
  const bool last =
      as_it_lies ? view.dims.size() >= 3 && lies(view, Layout::channels_last) && !is_dense(view, Layout::row_major)
                 : rule == LayoutRule::channels_last;
  const Layout layout = last ? Layout::channels_last : Layout::row_major;
  std::string label(layout_name(layout));
  if (view.dtype != type) label += " " + std::string(data_type_name(type));
  const std::string key = view_key(view) + label;
  if (auto at = converted_.find(key); at != converted_.end()) return at->second;
  const ViewDesc copy = temporary({type, Shape(view.dims)}, layout, space);
  add_copy(view, copy, name + " to " + label, {});
  return converted_[key] = copy;
}

std::vector<Step> PlanDraft::body(const std::function<void()>& emit) {
  std::vector<Step> steps;
  std::vector<Step>* const outer = std::exchange(steps_, &steps);
  const auto converted = converted_;  // what one body converts no other has
  emit();
  steps_ = outer;
  converted_ = converted;
  return steps;
}

std::vector<std::vector<Step>> PlanDraft::repeated_bodies(const std::function<void(size_t part)>& emit, size_t parts) {
  const int begin = position_;
  std::vector<std::vector<Step>> bodies;
  for (size_t part = 0; part < parts; ++part) bodies.push_back(body([&] { emit(part); }));
  for (Buffer& buffer : buffers_)
    if (buffer.first <= begin && buffer.last > begin) buffer.last = position_ + 1;
  return bodies;
}

// Gives the buffers of one space their places; the bytes of its arena.
int64_t PlanDraft::place(MemorySpace space, bool keep_all) {
  Profile& profile = plan_.profiles[0];
  std::vector<Interval> intervals;
  std::vector<size_t> owners;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const Buffer& buffer = buffers_[i];
    if (buffer.kind != BufferKind::arena || buffer.last < 0 || buffer.space != space) continue;
    const int64_t bytes = std::max<int64_t>(buffer.bytes.upper_bound(profile.symbols), 0);
    if (bytes > kLargestBuffer)
      fail(Code::invalid_argument, "a buffer of up to {} bytes; give the inputs narrower ranges", bytes);
    intervals.push_back({bytes, keep_all ? 0 : buffer.first, keep_all ? position_ : buffer.last});
    owners.push_back(i);
  }
  const MemoryPlan memory = plan_memory(intervals);
  profile.live_peak_bytes += memory.live_peak_bytes;
  for (size_t i = 0; i < owners.size(); ++i) {
    profile.buffers[owners[i]].offset = memory.offsets[i];
    profile.buffers[owners[i]].bytes = intervals[i].bytes;
  }
  return memory.arena_bytes == INT64_MAX ? 0 : memory.arena_bytes;
}

Plan PlanDraft::finish(bool keep_all) {
  Profile& profile = plan_.profiles[0];
  for (const Buffer& buffer : buffers_)
    profile.buffers.push_back({buffer.kind, buffer.space, placed_elsewhere(buffer.kind) ? buffer.index : -1, 0, 0,
                               buffer.kind == BufferKind::dynamic ? buffer.bytes : Dim()});
  profile.arena_bytes = place(MemorySpace::host, keep_all);
  profile.device_arena_bytes = place(MemorySpace::device, keep_all);
  return std::move(plan_);
}

}  // namespace planish
