#include "runtime/binding_use.h"

#include <algorithm>

namespace planish {
namespace {

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
  bool is_on_device(const ViewDesc& view) const { return planish::is_on_device(profile_, view); }
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

bool is_on_device(const Profile& profile, const ViewDesc& view) {
  return view.buffer >= 0 && profile.buffers[static_cast<size_t>(view.buffer)].space == MemorySpace::device;
}

bool is_on_device(const Profile& profile, const Step& step) {
  const auto on_device = [&](const ViewDesc& view) { return is_on_device(profile, view); };
  return std::any_of(step.inputs.begin(), step.inputs.end(), on_device) ||
         std::any_of(step.outputs.begin(), step.outputs.end(), on_device);
}

std::vector<BindingUse> uses_of(const std::vector<Binding>& bindings, const Profile& profile) {
  return UseFinder(profile, bindings).find();
}

const Step* first_host_step(const Profile& profile) {
  for (const Step& step : profile.steps) {
    const bool queues = step.kind == StepKind::launch || step.kind == StepKind::copy || step.kind == StepKind::plugin;
    if (!queues || !is_on_device(profile, step)) return &step;
  }
  return nullptr;
}

}  // namespace planish
