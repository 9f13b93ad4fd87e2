// Steps that wait for the values of symbols that other steps bind: the results of NonZero have extents only once it
// has counted. They are made ready when their turn comes, and again when what they were made from has changed.

#include <algorithm>

#include "base/checked.h"
#include "runtime/frame.h"

namespace planish {

// --- which steps

SymbolValues Frame::shape_symbols() const {
  SymbolValues values;
  for (const auto& [name, value] : symbols_)
    if (profile_.symbols.at(name).kind == SymbolKind::shape) values.emplace(name, value);
  return values;
}

std::vector<int64_t> Frame::extents_of(size_t binding) const {
  return bindings()[binding].type.shape.evaluate(symbols_);
}

bool Frame::is_bound(size_t binding) const {
  std::vector<std::string> names;
  for (Dim dim : bindings()[binding].type.shape) dim.collect_symbols(names);
  return std::all_of(names.begin(), names.end(), [this](const std::string& name) { return symbols_.count(name) != 0; });
}

bool Frame::is_late(const ViewDesc& view) const {
  if (view.buffer < 0) return false;
  const BufferDesc& buffer = buffer_of(view);
  if (buffer.kind == BufferKind::dynamic || is_data_dependent(view.offset)) return true;
  if (buffer.kind == BufferKind::binding && memory_.is_data_dependent(static_cast<size_t>(buffer.index))) return true;
  const auto waits = [this](Dim dim) { return is_data_dependent(dim); };
  return std::any_of(view.dims.begin(), view.dims.end(), waits) ||
         std::any_of(view.strides.begin(), view.strides.end(), waits);
}

bool Frame::is_late(const Step& step) const {
  const auto waits = [this](const ViewDesc& view) { return is_late(view); };
  if (std::any_of(step.inputs.begin(), step.inputs.end(), waits) ||
      std::any_of(step.outputs.begin(), step.outputs.end(), waits))
    return true;
  for (const auto& [name, value] : step.params.entries())
    if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
      if (std::any_of(dims->begin(), dims->end(), [this](Dim dim) { return is_data_dependent(dim); })) return true;
  return false;
}

void Frame::find_late_steps(const std::vector<Step>& list) {
  for (const Step& step : list) {
    if (is_late(step)) late_.insert(step.id);
    for (const auto& body : step.bodies) find_late_steps(body);
  }
}

// --- their memory

void Frame::provide(const ViewDesc& view) {
  if (view.buffer < 0) return;
  const BufferDesc& buffer = buffer_of(view);
  const auto binding = static_cast<size_t>(buffer.index);
  bool moved = false;
  if (buffer.kind == BufferKind::binding && memory_.is_data_dependent(binding))
    moved = memory_.provide(binding, symbols_);
  if (buffer.kind == BufferKind::dynamic)
    moved = source_.grow(dynamic_[static_cast<size_t>(view.buffer)], buffer.size.evaluate(symbols_));
  if (moved) ++generation_;
}

void Frame::make_ready(PreparedStep& prepared) {
  for (const ViewDesc& view : prepared.step->outputs) provide(view);
  if (prepared.generation == generation_) return;
  const double milliseconds = prepared.milliseconds;
  prepared = resolve(*prepared.step);
  prepared.late = true;
  prepared.milliseconds = milliseconds;
  patch_views(prepared);
  if (prepared.kernel != nullptr) {
    Storage& storage = workspaces_[prepared.step->id];
    source_.grow(storage, asked_workspace(prepared));
    prepared.workspace = storage.data.get();
  }
  prepared.generation = generation_;
}

// --- what they wait for

void Frame::begin_run() {
  if (late_.empty()) return;
  for (const auto& [name, info] : profile_.symbols)
    if (info.kind == SymbolKind::step) symbols_.erase(name);
}

void Frame::begin_shapes() {
  ++generation_;
  last_.clear();
  memory_.measure(symbols_);
}

// Raised first: what is thrown may come after the address has changed.
void Frame::bind_memory(size_t binding, void* data, size_t bytes) {
  ++generation_;
  memory_.bind(binding, data, bytes);
}

// What an iteration hands on to the next, the loop itself lists.
void Frame::forget(const Step& loop, const std::vector<Step>& body) {
  for (const Step& step : body) {
    for (const std::string& name : step.binds)
      if (std::find(loop.binds.begin(), loop.binds.end(), name) == loop.binds.end()) symbols_.erase(name);
    for (const auto& inner : step.bodies) forget(loop, inner);
  }
}

void Frame::bind(const Step& step, std::span<const int64_t> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = step.binds.at(i);
    const DimRange& range = profile_.symbols.at(name).range;
    if (values[i] < range.min || values[i] > range.max)
      fail(Code::invalid_argument, "{} is {}; {} to {} is accepted", name, values[i], range.min, range.max);
    symbols_[name] = values[i];
    const auto [at, fresh] = last_.try_emplace(name, values[i]);
    if (fresh || at->second != values[i]) ++generation_;
    at->second = values[i];
  }
  for (size_t i = 0; i < values.size(); ++i) check_guards(step.binds[i]);
}

// Those that the symbol takes part in, once all others are bound too.
void Frame::check_guards(const std::string& bound) const {
  for (const Guard& guard : profile_.guards) {
    const auto names = guard.symbols();
    const auto known = [this](const std::string& name) { return symbols_.count(name) != 0; };
    if (std::find(names.begin(), names.end(), bound) == names.end() || !std::all_of(names.begin(), names.end(), known))
      continue;
    const int64_t left = guard.left.evaluate(symbols_), right = guard.right.evaluate(symbols_);
    if (left != right) fail(Code::invalid_argument, "{}; they are {} and {}", guard.str(), left, right);
  }
}

}  // namespace planish
