// Engines and plans in memory.

#include "api/runtime/handles.h"
#include "base/checked.h"
#include "base/file.h"
#include "base/sized.h"
#include "plan/plan.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

constexpr uint32_t kKnownFlags = PLANISH_LOAD_TRUST_CONSTANTS | PLANISH_LOAD_BORROW;

planish_load_options load_options(const planish_load_options* given) {
  const planish_load_options options = read_sized(given, "planish_load_options");
  if ((options.flags & ~kKnownFlags) != 0)
    fail(Code::invalid_argument, "unknown flags {:#x}", options.flags & ~kKnownFlags);
  return options;
}

LoadOptions checks_of(const planish_load_options& options) {
  return {.verify_checksum = (options.flags & PLANISH_LOAD_TRUST_CONSTANTS) == 0};
}

planish_engine* new_engine(Plan plan, const planish_load_options& options) {
  auto made = std::make_unique<planish_engine>();
  made->device = api::device_or_new(options.device, options.threads, plan.target == "cpu" ? "cpu" : "cuda");
  made->engine = Engine::create(std::move(plan), made->device);
  for (const Binding& binding : made->engine->bindings()) made->types.push_back(binding.type.str());
  return made.release();
}

// Memory that the caller lends; once `armed`, release runs when nothing points into it any more.
struct Lent {
  explicit Lent(const planish_load_options& given) : options(given) {}
  ~Lent() {
    if (armed && options.release != nullptr) options.release(options.release_user);
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  const planish_load_options options;
  bool armed = false;
};

planish_engine* borrow_engine(std::span<const std::byte> bytes, const planish_load_options& options) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment != 0)
    fail(Code::invalid_argument, "memory that is used in place must be aligned to {} bytes", kAlignment);
  auto owner = std::make_shared<Lent>(options);
  planish_engine* engine = new_engine(deserialize(bytes, owner, checks_of(options)), options);
  owner->armed = true;
  return engine;
}

planish_engine* copy_engine(std::span<const std::byte> bytes, const planish_load_options& options) {
  const auto copy = api::aligned_copy(bytes);
  return new_engine(deserialize({copy.get(), bytes.size()}, copy, checks_of(options)), options);
}

const Binding& binding_at(const planish_engine& engine, int32_t index) {
  const auto bindings = engine.engine->bindings();
  if (index < 0 || static_cast<size_t>(index) >= bindings.size())
    fail(Code::invalid_argument, "binding {} of {}", index, bindings.size());
  return bindings[static_cast<size_t>(index)];
}

const Profile& profile_at(const planish_engine& engine, int32_t index) {
  const auto& profiles = engine.engine->plan().profiles;
  if (index < 0 || static_cast<size_t>(index) >= profiles.size())
    fail(Code::invalid_argument, "profile {} of {}", index, profiles.size());
  return profiles[static_cast<size_t>(index)];
}

const Step& step_at(const Profile& profile, int32_t index) {
  if (index < 0 || static_cast<size_t>(index) >= profile.steps.size())
    fail(Code::invalid_argument, "step {} of {}", index, profile.steps.size());
  return profile.steps[static_cast<size_t>(index)];
}

SymbolValues typical_values(const SymbolTable& symbols) {
  SymbolValues typical;
  for (const auto& [name, info] : symbols) typical[name] = info.range.opt;
  return typical;
}

planish_step_tensor_info describe(const Profile& profile, const ViewDesc& view) {
  planish_step_tensor_info info{};
  info.buffer = info.binding = -1;
  if (view.buffer < 0) return info;
  const BufferDesc& buffer = profile.buffers[static_cast<size_t>(view.buffer)];
  info.buffer = view.buffer;
  if (buffer.kind == BufferKind::binding) info.binding = buffer.index;
  info.constant = buffer.kind == BufferKind::constant ? 1 : 0;
  info.dtype = static_cast<planish_dtype>(view.dtype);
  info.rank = static_cast<int32_t>(view.dims.size());
  const SymbolValues typical = typical_values(profile.symbols);
  for (size_t axis = 0; axis < view.dims.size() && axis < PLANISH_MAX_RANK; ++axis) {
    info.extents[axis] = view.dims[axis].evaluate(typical);
    info.strides[axis] = view.strides[axis].evaluate(typical);
  }
  return info;
}

}  // namespace

extern "C" {

planish_status planish_engine_load(const char* path, const planish_load_options* given, planish_engine** engine) {
  return guarded([&] {
    const planish_load_options options = load_options(given);
    required(engine, "the result");
    Plan plan = load(&required(path, "the path"), checks_of(options));
    *engine = with_context([&] { return std::string(path); }, [&] { return new_engine(std::move(plan), options); });
  });
}

planish_status planish_engine_from_memory(const void* bytes, size_t size, const planish_load_options* given,
                                          planish_engine** engine) {
  return guarded([&] {
    const planish_load_options options = load_options(given);
    required(engine, "the result");
    if (bytes == nullptr) fail(Code::invalid_argument, "the plan is NULL");
    const std::span<const std::byte> span(static_cast<const std::byte*>(bytes), size);
    *engine = (options.flags & PLANISH_LOAD_BORROW) != 0 ? borrow_engine(span, options) : copy_engine(span, options);
  });
}

planish_status planish_engine_from_plan(const planish_plan* plan, const planish_load_options* given,
                                        planish_engine** engine) {
  return guarded([&] {
    const planish_load_options options = load_options(given);
    required(engine, "the result");
    const planish_plan& source = required(plan, "the plan");
    *engine = new_engine(deserialize({source.bytes.get(), source.size}, source.bytes, checks_of(options)), options);
  });
}

void planish_engine_destroy(planish_engine* engine) { delete engine; }

planish_status planish_engine_get_info(const planish_engine* engine, planish_engine_info* info) {
  return guarded([&] {
    const Plan& plan = required(engine, "the engine").engine->plan();
    int64_t constants = 0;
    for (const Tensor& tensor : plan.constants) constants += tensor.byte_count();
    write_sized(info,
                {0, plan.model.c_str(), plan.producer.c_str(), plan.target.c_str(), plan.isa.c_str(),
                 static_cast<int32_t>(plan.bindings.size()), static_cast<int32_t>(plan.profiles.size()), constants},
                "planish_engine_info");
  });
}

planish_status planish_engine_get_binding(const planish_engine* engine, int32_t index, planish_binding_info* info) {
  return guarded([&] {
    const Binding& binding = binding_at(required(engine, "the engine"), index);
    planish_binding_info found{};
    found.name = binding.name.c_str();
    found.type = engine->types[static_cast<size_t>(index)].c_str();
    found.is_input = binding.is_input ? 1 : 0;
    found.dtype = static_cast<planish_dtype>(binding.type.dtype);
    found.rank = binding.type.shape.rank();
    for (int axis = 0; axis < found.rank; ++axis)
      found.extents[axis] = binding.type.shape[axis].is_constant() ? binding.type.shape[axis].value() : -1;
    write_sized(info, found, "planish_binding_info");
  });
}

int32_t planish_engine_find_binding(const planish_engine* engine, const char* name) {
  return engine == nullptr || name == nullptr ? -1 : engine->engine->binding_index(name);
}

planish_status planish_engine_get_range(const planish_engine* engine, int32_t profile, int32_t index, int64_t* min,
                                        int64_t* opt, int64_t* max) {
  return guarded([&] {
    const Shape& shape = binding_at(required(engine, "the engine"), index).type.shape;
    const SymbolTable& symbols = profile_at(*engine, profile).symbols;
    const SymbolValues typical = typical_values(symbols);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (min != nullptr) min[axis] = shape[axis].lower_bound(symbols);
      if (opt != nullptr) opt[axis] = shape[axis].evaluate(typical);
      if (max != nullptr) max[axis] = shape[axis].upper_bound(symbols);
    }
  });
}

planish_status planish_engine_get_arena_bytes(const planish_engine* engine, int32_t profile, int64_t* bytes) {
  return guarded([&] {
    required(bytes, "the result") = required(engine, "the engine").engine->arena_bytes(profile_at(*engine, profile));
  });
}

const char* planish_engine_get_note(const planish_engine* engine, const char* key) {
  if (engine == nullptr || key == nullptr) return nullptr;
  const auto& notes = engine->engine->plan().notes;
  const auto at = notes.find(key);
  return at == notes.end() ? nullptr : at->second.c_str();
}

int32_t planish_engine_step_count(const planish_engine* engine, int32_t profile) {
  if (engine == nullptr || profile < 0) return -1;
  const auto& profiles = engine->engine->plan().profiles;
  const auto at = static_cast<size_t>(profile);
  return at < profiles.size() ? static_cast<int32_t>(profiles[at].steps.size()) : -1;
}

planish_status planish_engine_get_step(const planish_engine* engine, int32_t profile, int32_t index,
                                       planish_step_info* info) {
  return guarded([&] {
    const Step& step = step_at(profile_at(required(engine, "the engine"), profile), index);
    write_sized(info,
                {0, step.id, step.name.c_str(), step.op.c_str(), step.kernel.c_str(),
                 static_cast<int32_t>(step.inputs.size()), static_cast<int32_t>(step.outputs.size())},
                "planish_step_info");
  });
}

planish_status planish_engine_get_step_tensor(const planish_engine* engine, int32_t profile, int32_t step,
                                              int32_t index, planish_step_tensor_info* info) {
  return guarded([&] {
    const Profile& whole = profile_at(required(engine, "the engine"), profile);
    const Step& one = step_at(whole, step);
    const size_t operands = one.inputs.size(), all = operands + one.outputs.size();
    if (index < 0 || static_cast<size_t>(index) >= all)
      fail(Code::invalid_argument, "operand or result {} of {}", index, all);
    const auto at = static_cast<size_t>(index);
    write_sized(info, describe(whole, at < operands ? one.inputs[at] : one.outputs[at - operands]),
                "planish_step_tensor_info");
  });
}

const void* planish_plan_data(const planish_plan* plan) { return plan == nullptr ? nullptr : plan->bytes.get(); }
size_t planish_plan_bytes(const planish_plan* plan) { return plan == nullptr ? 0 : plan->size; }

planish_status planish_plan_save(const planish_plan* plan, const char* path) {
  return guarded([&] {
    const planish_plan& given = required(plan, "the plan");
    const std::span<const std::byte> part(given.bytes.get(), given.size);
    write_file_atomic(&required(path, "the path"), {&part, 1});
  });
}

void planish_plan_destroy(planish_plan* plan) { delete plan; }

}  // extern "C"
