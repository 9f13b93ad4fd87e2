// Where the memory of bindings is that of a GPU: used as it is, or copied.
//
// A plan copies inputs to the GPU and outputs from it. Where the caller's memory lies there already, the buffer that is
// copied to or from is that memory, and the copy is nothing. Steps of the host that read or write such a binding get
// memory of their own, copied before and after.

#include <algorithm>

#include "runtime/frame.h"

namespace planish {
namespace {

constexpr uintptr_t kInPlaceAlignment = 64;  // of every buffer in the arena: kernels rely on it

template <class Use>
void for_all_steps(const std::vector<Step>& list, const Use& use) {
  for (const Step& step : list) {
    use(step);
    for (const auto& body : step.bodies) for_all_steps(body, use);
  }
}

class UseFinder {
 public:
  UseFinder(const Profile& profile, const std::vector<Binding>& bindings)
      : profile_(profile),
        bindings_(bindings),
        uses_(bindings.size()),
        writers_(profile.buffers.size()),
        taken_(profile.buffers.size()) {}

  std::vector<BindingUse> find() {
    for_all_steps(profile_.steps, [this](const Step& step) { count(step); });
    for (const Step& step : profile_.steps) take(step, true);
    for (const Step& step : profile_.steps) take(step, false);
    return uses_;
  }

 private:
  const BufferDesc& buffer(const ViewDesc& view) const { return profile_.buffers[static_cast<size_t>(view.buffer)]; }
  bool is_binding(const ViewDesc& view) const { return view.buffer >= 0 && buffer(view).kind == BufferKind::binding; }
  bool is_on_device(const ViewDesc& view) const {
    return view.buffer >= 0 && buffer(view).space == MemorySpace::device;
  }
  bool is_transfer(const Step& step) const {
    return step.kind == StepKind::copy && is_on_device(step.inputs[0]) != is_on_device(step.outputs[0]);
  }

  void count(const Step& step) {
    for (const ViewDesc& view : step.outputs)
      if (view.buffer >= 0) ++writers_[static_cast<size_t>(view.buffer)];
    if (step.workspace.buffer >= 0) ++writers_[static_cast<size_t>(step.workspace.buffer)];
    if (is_transfer(step)) return;
    for (const auto* views : {&step.inputs, &step.outputs})
      for (const ViewDesc& view : *views)
        if (is_binding(view)) uses_[static_cast<size_t>(buffer(view).index)].on_host = true;
  }

  // From its first byte to its last.
  bool is_whole(const ViewDesc& view, const Binding& binding) const {
    return view.offset == Dim(0) && view.dtype == binding.type.dtype &&
           Shape(view.dims).element_count() == binding.type.shape.element_count();
  }
  bool fills(const ViewDesc& view) const {
    const BufferDesc& desc = buffer(view);
    const Dim bytes = Shape(view.dims).element_count() * Dim(element_bytes(view.dtype));
    return desc.kind == BufferKind::arena && view.offset == Dim(0) && bytes.upper_bound(profile_.symbols) == desc.bytes;
  }

  // Inputs first: what is handed through stays the caller's input and is copied to the output.
  void take(const Step& step, bool inputs) {
    if (!is_transfer(step) || !is_binding(inputs ? step.inputs[0] : step.outputs[0])) return;
    const ViewDesc &outside = inputs ? step.inputs[0] : step.outputs[0],
                   &inside = inputs ? step.outputs[0] : step.inputs[0];
    const auto index = static_cast<size_t>(buffer(outside).index);
    const Binding& binding = bindings_[index];
    const auto at = static_cast<size_t>(inside.buffer);
    if (binding.is_input != inputs || uses_[index].buffer >= 0 || taken_[at] || !is_whole(outside, binding) ||
        !fills(inside) || (inputs && writers_[at] != 1) || (!inputs && uses_[index].on_host))
      return;
    taken_[at] = true;
    uses_[index].buffer = inside.buffer;
    uses_[index].transfer = &step;
  }

  const Profile& profile_;
  const std::vector<Binding>& bindings_;
  std::vector<BindingUse> uses_;
  std::vector<int> writers_;  // by buffer
  std::vector<bool> taken_;
};

}  // namespace

void Frame::find_uses() {
  const size_t count = bindings().size();
  uses.assign(count, {});
  owners.assign(count, MemoryOwner::host);
  in_place.assign(count, nullptr);
  staging.resize(count);
  binding_of_.assign(profile->buffers.size(), -1);
  if (engine->device().accelerator() == nullptr) return;
  uses = UseFinder(*profile, bindings()).find();
  for (const Step& step : profile->steps) {
    const bool queues = step.kind == StepKind::launch || step.kind == StepKind::copy || step.kind == StepKind::plugin;
    if (host_step == nullptr && !(queues && is_on_device(step))) host_step = &step;
  }
  for (size_t i = 0; i < count; ++i)
    if (uses[i].buffer >= 0) binding_of_[static_cast<size_t>(uses[i].buffer)] = static_cast<int32_t>(i);
}

void Frame::move_binding(size_t binding) {
  ++generation_;
  const Accelerator* const accelerator = engine->device().accelerator();
  if (accelerator == nullptr) return;
  void* const address = addresses[binding];
  owners[binding] = address == nullptr ? MemoryOwner::host : accelerator->owner_of(address);
}

bool Frame::is_staged(size_t binding) const { return owners[binding] != MemoryOwner::host && uses[binding].on_host; }

// Whether an output lies in memory that another binding has too: it is written before that one is done with.
bool Frame::overlaps_another(size_t binding) const {
  const auto begin = reinterpret_cast<uintptr_t>(addresses[binding]);
  const uintptr_t end = begin + static_cast<uintptr_t>(needed[binding]);
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto other = reinterpret_cast<uintptr_t>(addresses[i]);
    if (i != binding && begin < other + static_cast<uintptr_t>(needed[i]) && other < end) return true;
  }
  return false;
}

bool Frame::reaches(const Step& step, const std::function<bool(size_t binding)>& moved) const {
  if (!step.bodies.empty()) return true;
  const auto has_moved = [&](const ViewDesc& view) {
    if (view.buffer < 0) return false;
    const bool bound = buffer_of(view).kind == BufferKind::binding;
    const int32_t binding = bound ? buffer_of(view).index : binding_of_[static_cast<size_t>(view.buffer)];
    return binding >= 0 && moved(static_cast<size_t>(binding));
  };
  return std::any_of(step.inputs.begin(), step.inputs.end(), has_moved) ||
         std::any_of(step.outputs.begin(), step.outputs.end(), has_moved);
}

void Frame::place_bindings() {
  if (engine->device().accelerator() == nullptr) return;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const auto address = reinterpret_cast<uintptr_t>(addresses[i]);
    const bool fits = uses[i].buffer >= 0 && owners[i] == MemoryOwner::own && address % kInPlaceAlignment == 0 &&
                      needed[i] > 0 && (bindings()[i].is_input || !overlaps_another(i));
    in_place[i] = fits ? static_cast<std::byte*>(addresses[i]) : nullptr;
    if (is_staged(i) && !is_data_dependent(i) && staging[i].bytes < needed[i])
      replace(staging[i], engine->device().allocate(needed[i]), needed[i]);
  }
}

void Frame::fetch_staged(Stream& stream) const {
  for (size_t i = 0; i < addresses.size(); ++i)
    if (bindings()[i].is_input && is_staged(i))
      engine->device().accelerator()->copy(staging[i].data.get(), addresses[i], needed[i], stream);
}

void Frame::deliver_staged(Stream& stream) const {
  for (size_t i = 0; i < addresses.size(); ++i)
    if (!bindings()[i].is_input && is_staged(i))
      engine->device().accelerator()->copy(
          addresses[i], is_data_dependent(i) ? outputs_[i].data.get() : staging[i].data.get(), needed[i], stream);
}

}  // namespace planish
