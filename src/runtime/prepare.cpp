#include <algorithm>

#include "base/checked.h"
#include "runtime/frame.h"

namespace planish {
namespace {

std::string operands_text(const PreparedStep& prepared) {
  std::string text;
  for (const TensorView& view : prepared.inputs)
    if (view.present()) text += (text.empty() ? "" : ", ") + Shape::of(view.extents()).str();
  return text;
}

}  // namespace

Frame::Frame(std::shared_ptr<const Engine> engine, const ContextOptions& options)
    : engine_(std::move(engine)),
      profile_(engine_->plan().profiles[static_cast<size_t>(options.profile)]),
      isa_(parse_isa(engine_->plan().isa)),
      arenas_(make_arenas(*engine_, profile_, options)),
      source_(engine_->device()),
      memory_(*engine_, profile_, source_) {
  make_plugins(profile_.steps);
  dynamic_.resize(profile_.buffers.size());
  find_late_steps(profile_.steps);
}

// Nothing is read or written where a binding of no bytes has no address; kernels may still compute with it.
// `by_host`: for a step of the host (BindingMemory::base).
std::byte* Frame::base_of(const ViewDesc& view, bool by_host) const {
  alignas(kAlignment) static std::byte nothing[kAlignment];
  const BufferDesc& desc = buffer_of(view);
  const auto index = static_cast<size_t>(desc.index);
  if (desc.space == MemorySpace::device) {
    if (std::byte* const bound = memory_.in_place(view.buffer)) return bound;
    return desc.kind == BufferKind::constant ? engine_->device_constant(desc.index)
                                             : arenas_.device.get() + desc.offset;
  }
  std::byte* base = desc.kind == BufferKind::constant  ? const_cast<std::byte*>(engine_->plan().constants[index].data())
                    : desc.kind == BufferKind::arena   ? arenas_.host.get() + desc.offset
                    : desc.kind == BufferKind::dynamic ? dynamic_[static_cast<size_t>(view.buffer)].data.get()
                                                       : memory_.base(index, by_host);
  return base == nullptr ? nothing : base;
}

Place Frame::place_of(const ViewDesc& view) const {
  constexpr int32_t kConstants = -1, kArena = -2, kDeviceArena = INT32_MIN;
  const BufferDesc& desc = buffer_of(view);
  const auto index = static_cast<size_t>(desc.index);
  const int64_t offset = view.offset.evaluate(symbols_);
  if (desc.kind == BufferKind::constant)
    return {kConstants, 0, engine_->plan().constants[index].byte_count(), offset, false};
  if (desc.kind == BufferKind::arena)
    return {desc.space == MemorySpace::device ? kDeviceArena : kArena, desc.offset, bytes_of(desc, view.buffer), offset,
            true};
  if (desc.kind == BufferKind::dynamic) {
    const int64_t given = dynamic_[static_cast<size_t>(view.buffer)].bytes;
    return {kArena - 1 - view.buffer, 0, std::min(desc.size.evaluate(symbols_), given), offset, true};
  }
  return {desc.index, 0, std::min(memory_.needed(index), memory_.provided(index)), offset, !bindings()[index].is_input};
}

// Of a buffer in an arena; one that may be a binding's memory has no more than that has.
int64_t Frame::bytes_of(const BufferDesc& buffer, int32_t index) const {
  const int32_t binding = memory_.binding_of(index);
  return binding < 0 ? buffer.bytes : std::min(buffer.bytes, memory_.needed(static_cast<size_t>(binding)));
}

TensorView Frame::resolve(const ViewDesc& desc) const {
  TensorView view;
  if (desc.buffer < 0) return view;
  view.dtype = desc.dtype;
  view.rank = static_cast<int>(desc.dims.size());
  for (size_t i = 0; i < desc.dims.size(); ++i) {
    view.dims[i] = desc.dims[i].evaluate(symbols_);
    view.strides[i] = desc.strides[i].evaluate(symbols_);
  }
  return view;
}

// Dims among the parameters become integers before the kernel decodes them.
Attrs Frame::evaluated(const Attrs& params) const {
  Attrs out = params;
  for (const auto& [name, value] : params.entries()) {
    if (const auto* dims = std::get_if<std::vector<Dim>>(&value)) out.set(name, Shape(*dims).evaluate(symbols_));
  }
  return out;
}

// A control step is never late itself: what its bodies write may be.
PreparedStep Frame::prepare(const Step& step) const {
  if (step.kind != StepKind::control && late_.count(step.id) != 0) {
    PreparedStep unsettled;
    unsettled.step = &step;
    unsettled.late = true;
    return unsettled;
  }
  return with_context([&] { return fmt::format("step {} '{}' ({})", step.id, step.name, step.kernel); },
                      [&] { return resolve(step); });
}

// A branch that these shapes do not fit is an error where it is chosen, not before.
void Frame::prepare_bodies(PreparedStep& prepared) const {
  const Step& step = *prepared.step;
  prepared.refusals.resize(step.bodies.size());
  for (size_t i = 0; i < step.bodies.size(); ++i) {
    auto& body = prepared.bodies.emplace_back();
    try {
      for (const Step& inner : step.bodies[i]) body.push_back(prepare(inner));
    } catch (const Error& error) {
      if (step.kernel != "if" || error.code() != Code::invalid_argument) throw;
      body.clear();
      prepared.refusals[i] = error.what();
    }
  }
}

PreparedStep Frame::resolve(const Step& step) const {
  PreparedStep prepared;
  prepared.step = &step;
  prepared.bound.resize(step.binds.size());
  for (const ViewDesc& view : step.inputs) prepared.inputs.push_back(resolve(view));
  for (const ViewDesc& view : step.outputs) prepared.outputs.push_back(resolve(view));
  prepare_bodies(prepared);
  prepared.flops = step.flops.evaluate(symbols_);
  prepared.bytes = step.bytes.evaluate(symbols_);
  check_views(prepared, resolve(step.workspace), [this](const ViewDesc& view) { return place_of(view); });
  if (step.kind == StepKind::control) check_control(prepared);
  if (step.kind == StepKind::plugin) {
    prepared.plugin = plugins_.at(step.id).get();
    prepared.on_device = is_on_device(profile_, step);
    if (prepared.on_device && !require_plugin(step.kernel)->on_device())
      fail(Code::mismatch, "plugin '{}' computes on the host, the plan gives it memory of the GPU", step.kernel);
    check_plugin(prepared, engine_->device().pool(), workspace_bytes(step));
  }
  if (step.kind == StepKind::copy && is_on_device(profile_, step)) {
    prepared.transfer = true;
    check_transfer(prepared);
  }
  if (step.kind == StepKind::launch)
    prepared.launch =
        std::make_shared<PreparedLaunch>(attrs_to<LaunchAttrs>(evaluated(step.params)), engine_->function(step));
  if (step.kind != StepKind::cpu && step.kind != StepKind::reference) return prepared;
  prepared.kernel = (step.kind == StepKind::cpu ? cpu_kernels(isa_) : reference_kernels()).find(step.kernel);
  prepared.params = prepared.kernel->decode(evaluated(step.params));
  if (late_.count(step.id) == 0) check_contract(prepared);
  return prepared;
}

int64_t Frame::workspace_bytes(const Step& step) const {
  return step.workspace.buffer < 0 ? 0 : step.workspace.dims[0].evaluate(symbols_);
}

void Frame::make_plugins(const std::vector<Step>& list) {
  for (const Step& step : list) {
    if (step.kind == StepKind::plugin) plugins_[step.id] = make_plugin(step);
    for (const auto& body : step.bodies) make_plugins(body);
  }
}

int64_t Frame::asked_workspace(const PreparedStep& prepared) const {
  KernelArgs args;
  args.inputs = prepared.inputs;
  args.outputs = prepared.outputs;
  args.params = prepared.params.get();
  args.pool = &engine_->device().pool();
  std::vector<int64_t> bound = prepared.bound;
  args.bound_symbols = bound;
  prepared.kernel->check(args);
  return prepared.kernel->workspace == nullptr ? 0 : prepared.kernel->workspace(args);
}

void Frame::check_contract(const PreparedStep& prepared) const {
  const int64_t asked = asked_workspace(prepared), found = workspace_bytes(*prepared.step);
  if (asked > found)
    fail(Code::mismatch,
         "{} bytes of workspace are needed for {} with {} threads, the plan has {}; rebuild it for these shapes and "
         "with the same --threads",
         asked, operands_text(prepared), engine_->device().pool().size(), found);
}

void Frame::patch(PreparedStep& prepared) const {
  for (auto& body : prepared.bodies)
    for (PreparedStep& inner : body) patch(inner);
  if (prepared.late) return;  // make_ready does it
  patch_views(prepared);
}

void Frame::patch_views(PreparedStep& prepared) const {
  const auto place = [&](TensorView& view, const ViewDesc& desc) {
    if (desc.buffer < 0) return;
    view.data = base_of(desc, !prepared.transfer) + (view.element_count() == 0 ? 0 : desc.offset.evaluate(symbols_));
  };
  for (size_t i = 0; i < prepared.inputs.size(); ++i) place(prepared.inputs[i], prepared.step->inputs[i]);
  for (size_t i = 0; i < prepared.outputs.size(); ++i) place(prepared.outputs[i], prepared.step->outputs[i]);
  if (prepared.launch != nullptr)
    prepared.launch->place(prepared.inputs, prepared.outputs, *engine_->device().accelerator());
  if (prepared.step->workspace.buffer >= 0)
    prepared.workspace = base_of(prepared.step->workspace, true) + prepared.step->workspace.offset.evaluate(symbols_);
}

bool Frame::reaches(const Step& step, const std::function<bool(size_t binding)>& moved) const {
  if (!step.bodies.empty()) return true;
  const auto has_moved = [&](const ViewDesc& view) {
    if (view.buffer < 0) return false;
    const bool bound = buffer_of(view).kind == BufferKind::binding;
    const int32_t binding = bound ? buffer_of(view).index : memory_.binding_of(view.buffer);
    return binding >= 0 && moved(static_cast<size_t>(binding));
  };
  return std::any_of(step.inputs.begin(), step.inputs.end(), has_moved) ||
         std::any_of(step.outputs.begin(), step.outputs.end(), has_moved);
}

std::vector<PreparedStep> Frame::prepare() const {
  return with_context([&] { return fmt::format("the plan of '{}'", engine_->plan().model); },
                      [&] {
                        std::vector<PreparedStep> steps;
                        for (const Step& step : profile_.steps) steps.push_back(prepare(step));
                        return steps;
                      });
}

}  // namespace planish
