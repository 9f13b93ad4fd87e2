#include <algorithm>
#include <set>
#include <utility>

#include "base/checked.h"
#include "plan/launch.h"
#include "plan/plan.h"

namespace planish {
namespace {

constexpr int64_t kLargestArena = int64_t{1} << 44;

class Checker {
 public:
  Checker(const Plan& plan, const Profile& profile) : plan_(plan), profile_(profile) {}

  void run() {
    if (profile_.arena_bytes < 0 || profile_.arena_bytes > kLargestArena)
      damaged("an arena of {} bytes", profile_.arena_bytes);
    if (profile_.device_arena_bytes < 0 || profile_.device_arena_bytes > kLargestArena)
      damaged("an arena of {} bytes of the device", profile_.device_arena_bytes);
    for (const auto& [name, info] : profile_.symbols)
      if (info.range.min < 0 || info.range.min > info.range.opt || info.range.opt > info.range.max ||
          info.range.max > kLargestArena)
        damaged("symbol '{}' ranges over [{}, {}, {}]", name, info.range.min, info.range.opt, info.range.max);
    for (const Binding& binding : plan_.bindings) check_binding(binding);
    for (const Guard& guard : profile_.guards) {
      check_symbols(guard.left);
      check_symbols(guard.right);
    }
    for (const BufferDesc& buffer : profile_.buffers) check_buffer(buffer);
    check_steps(profile_.steps);
  }

 private:
  template <class... Args>
  [[noreturn]] static void damaged(fmt::format_string<Args...> text, Args&&... args) {
    fail(Code::invalid_plan, "the plan is damaged: {}", fmt::format(text, std::forward<Args>(args)...));
  }

  void check_binding(const Binding& binding) const {
    for (Dim dim : binding.type.shape) {
      check_symbols(dim);
      if (binding.is_input && depends_on_data(dim, profile_.symbols))
        damaged("input '{}' has an extent {} that a step binds", binding.name, dim.str());
    }
  }

  void check_buffer(const BufferDesc& buffer) const {
    const auto in = [](int64_t index, size_t size) { return index >= 0 && index < static_cast<int64_t>(size); };
    if (buffer.kind == BufferKind::constant && !in(buffer.index, plan_.constants.size()))
      damaged("a buffer names constant {}", buffer.index);
    if (buffer.kind == BufferKind::binding && !in(buffer.index, plan_.bindings.size()))
      damaged("a buffer names binding {}", buffer.index);
    if (buffer.kind == BufferKind::dynamic) check_symbols(buffer.size);
    if (buffer.space == MemorySpace::device && buffer.kind != BufferKind::constant && buffer.kind != BufferKind::arena)
      damaged("a buffer on the device that is neither a constant nor of its arena");
    if (buffer.kind != BufferKind::arena) return;
    const int64_t arena = buffer.space == MemorySpace::device ? profile_.device_arena_bytes : profile_.arena_bytes;
    if (buffer.offset < 0 || buffer.bytes < 0 || buffer.offset % kAlignment != 0 || buffer.offset > arena ||
        buffer.bytes > arena - buffer.offset)
      damaged("a buffer of {} bytes at {} in an arena of {}", buffer.bytes, buffer.offset, arena);
  }

  int64_t buffer_bytes(const BufferDesc& buffer) const {
    if (buffer.kind == BufferKind::constant) return plan_.constants[static_cast<size_t>(buffer.index)].byte_count();
    if (buffer.kind == BufferKind::arena) return buffer.bytes;
    if (buffer.kind == BufferKind::dynamic) return upper(buffer.size);
    return upper(plan_.bindings[static_cast<size_t>(buffer.index)].type.bytes());
  }

  int64_t upper(Dim dim) const { return dim.upper_bound(profile_.symbols); }

  int64_t lower(Dim dim) const { return dim.lower_bound(profile_.symbols); }

  void check_symbols(Dim dim) const {
    if (dim.is_constant()) return;
    std::vector<std::string> names;
    dim.collect_symbols(names);
    for (const std::string& name : names)
      if (profile_.symbols.find(name) == profile_.symbols.end())
        damaged("the expression {} names the symbol '{}', which the profile does not have", dim.str(), name);
  }

  // A fixed window lies inside its buffer; the runtime looks at the others when their extents are known. A branch need
  // not fit all shapes that the profile allows.
  void check_view(const ViewDesc& view) const {
    if (view.buffer < 0) return;
    if (static_cast<size_t>(view.buffer) >= profile_.buffers.size()) damaged("a view of buffer {}", view.buffer);
    if (view.dims.size() > kMaxRank || view.dims.size() != view.strides.size())
      damaged("a view of rank {}", view.dims.size());
    bool fixed = view.offset.is_constant();
    check_symbols(view.offset);
    for (size_t i = 0; i < view.dims.size(); ++i) {
      check_symbols(view.dims[i]);
      check_symbols(view.strides[i]);
      if (!in_branch_ && lower(view.dims[i]) < 0 && !depends_on_data(view.dims[i], profile_.symbols))
        damaged("an extent {} may be negative", view.dims[i].str());
      fixed = fixed && view.dims[i].is_constant() && view.strides[i].is_constant();
    }
    if (fixed) check_reach(view);
  }

  void check_reach(const ViewDesc& view) const {
    const int64_t size = element_bytes(view.dtype);
    int64_t lowest = view.offset.value(), end = checked_add(lowest, size);
    for (size_t i = 0; i < view.dims.size(); ++i) {
      if (view.dims[i].value() == 0) return;
      const int64_t span = checked_mul(checked_mul(view.dims[i].value() - 1, size), view.strides[i].value());
      int64_t& bound = span < 0 ? lowest : end;
      bound = checked_add(bound, span);
    }
    const int64_t bytes = buffer_bytes(profile_.buffers[static_cast<size_t>(view.buffer)]);
    if (lowest < 0 || end > bytes) damaged("a view reaches [{}, {}) of a buffer of {} bytes", lowest, end, bytes);
  }

  // A row of bytes.
  void check_workspace(const ViewDesc& view) const {
    check_view(view);
    if (view.buffer >= 0 && profile_.buffers[static_cast<size_t>(view.buffer)].kind != BufferKind::arena)
      damaged("a workspace outside the arena");
    if (view.buffer >= 0 && (view.dtype != DataType::u8 || view.dims.size() != 1 || view.strides[0] != Dim(1)))
      damaged("a workspace that is no row of bytes");
  }

  bool is_on_device(const ViewDesc& view) const {
    return view.buffer >= 0 && profile_.buffers[static_cast<size_t>(view.buffer)].space == MemorySpace::device;
  }

  // A launch reaches memory of the device alone, a step of the host none of it, a plugin either; a copy goes from one
  // to the other.
  void check_spaces(const Step& step) const {
    size_t device = 0, present = 0;
    for (const auto* views : {&step.inputs, &step.outputs})
      for (const ViewDesc& view : *views) {
        present += view.buffer >= 0 ? 1 : 0;
        device += is_on_device(view) ? 1 : 0;
      }
    const bool queued = step.kind == StepKind::launch || (step.kind == StepKind::plugin && device > 0);
    if (queued ? device != present : step.kind == StepKind::copy ? device == 2 : device > 0)
      damaged("step '{}' reaches memory of the {}", step.name, queued ? "host" : "device");
    const bool there = step.kind == StepKind::plugin && queued;
    if (step.workspace.buffer >= 0 && is_on_device(step.workspace) != there)
      damaged("step '{}' has its workspace on the {}", step.name, there ? "host" : "device");
  }

  void check_steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (!ids_.insert(step.id).second) damaged("two steps have the id {}", step.id);
      for (const ViewDesc& view : step.inputs) check_view(view);
      for (const ViewDesc& view : step.outputs) check_view(view);
      check_workspace(step.workspace);
      check_spaces(step);
      if (step.kind == StepKind::launch)
        with_context([&] { return fmt::format("step '{}'", step.name); }, [&] { check_launch(step); });
      check_symbols(step.flops);
      check_symbols(step.bytes);
      for (const auto& [name, value] : step.params.entries())
        if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
          for (Dim dim : *dims) check_symbols(dim);
      if (step.kind == StepKind::copy &&
          (step.inputs.size() != 1 || step.outputs.size() != 1 || !same_extents(step.inputs[0], step.outputs[0])))
        damaged("step '{}' copies between different extents", step.name);
      if (step.kind == StepKind::control && !is_if(step) && !is_loop(step))
        damaged("control step '{}' of kind '{}' with {} operands, {} bodies and {} symbols", step.name, step.kernel,
                step.inputs.size(), step.bodies.size(), step.binds.size());
      if (step.kind == StepKind::control)
        for (const ViewDesc& view : step.inputs) check_settled(view);
      if (!step.binds.empty() && step.kind != StepKind::reference && !is_loop(step))
        damaged("step '{}' binds symbols, which only kernels and loops do", step.name);
      for (const std::string& symbol : step.binds)
        if (!depends_on_data(Dim::symbol(symbol), profile_.symbols))
          damaged("step '{}' binds '{}', which is no symbol that a step binds", step.name, symbol);
      const bool around = std::exchange(in_branch_, in_branch_ || is_if(step));
      for (const auto& body : step.bodies) check_steps(body);
      in_branch_ = around;
    }
  }

  static bool is_if(const Step& step) {
    return step.kernel == "if" && step.bodies.size() == 2 && !step.inputs.empty() && step.inputs[0].buffer >= 0;
  }

  static bool is_loop(const Step& step) {
    return step.kernel == "loop" && step.bodies.size() == 2 && step.inputs.size() == 2 && step.binds.size() >= 2;
  }

  // What a control step reads is where it is when shapes are set.
  void check_settled(const ViewDesc& view) const {
    if (view.buffer < 0) return;
    const auto waits = [&](Dim dim) { return depends_on_data(dim, profile_.symbols); };
    const BufferDesc& buffer = profile_.buffers[static_cast<size_t>(view.buffer)];
    const bool late =
        buffer.kind == BufferKind::dynamic ||
        (buffer.kind == BufferKind::binding && waits(plan_.bindings[static_cast<size_t>(buffer.index)].type.bytes()));
    if (late || waits(view.offset) || std::any_of(view.dims.begin(), view.dims.end(), waits) ||
        std::any_of(view.strides.begin(), view.strides.end(), waits))
      damaged("a control step reads what only running the plan places");
  }

  static bool same_extents(const ViewDesc& a, const ViewDesc& b) {
    return a.dims == b.dims && a.dtype == b.dtype && a.buffer >= 0 && b.buffer >= 0;
  }

  const Plan& plan_;
  const Profile& profile_;
  std::set<uint32_t> ids_;
  bool in_branch_ = false;
};

}  // namespace

void verify(const Plan& plan) {
  if (plan.profiles.empty()) fail(Code::invalid_plan, "the plan has no profile");
  for (const Binding& binding : plan.bindings) {
    element_bytes(binding.type.dtype);
    if (binding.type.shape.rank() > kMaxRank)
      fail(Code::invalid_plan, "binding '{}' has rank {}", binding.name, binding.type.shape.rank());
  }
  for (const Profile& profile : plan.profiles) Checker(plan, profile).run();
}

}  // namespace planish
