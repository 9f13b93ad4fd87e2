// Contexts.

#include "api/runtime/handles.h"
#include "base/checked.h"
#include "base/sized.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

Context& context_of(const planish_context* context) { return *required(context, "the context").context; }

int64_t bytes_of(const planish_context& context, const char* name) {
  std::vector<int64_t> extents;
  context.context->extents(name, extents).raise();
  const auto index = static_cast<size_t>(context.engine->binding_index(name));
  return checked_mul(checked_product(extents), element_bytes(context.engine->bindings()[index].type.dtype));
}

Context::Profiler profiler_of(planish_profiler_fn call, void* user) {
  if (call == nullptr) return {};
  return [=](const StepTiming& timing) {
    const Step& step = *timing.step;
    const planish_step_timing row{
        sizeof row,          step.id,      step.name.c_str(), step.op.c_str(), step.kernel.c_str(),
        timing.milliseconds, timing.flops, timing.bytes};
    call(user, &row);
  };
}

}  // namespace

extern "C" {

planish_status planish_context_create(planish_engine* engine, const planish_context_options* given,
                                      planish_context** context) {
  return guarded([&] {
    required(context, "the result");
    const planish_context_options options = read_sized(given, "planish_context_options");
    ContextOptions wanted;
    wanted.profile = options.profile;
    wanted.arena = static_cast<std::byte*>(options.arena);
    wanted.arena_bytes = static_cast<int64_t>(std::min<size_t>(options.arena_bytes, INT64_MAX));
    const auto& shared = required(engine, "the engine").engine;
    *context = new planish_context{shared, shared->create_context(wanted)};
  });
}

void planish_context_destroy(planish_context* context) { delete context; }

planish_status planish_context_set_shape(planish_context* context, const char* input, const int64_t* extents,
                                         int32_t rank) {
  return guarded([&] {
    if (rank < 0 || rank > kMaxRank) fail(Code::invalid_argument, "rank {}, at most {} is accepted", rank, kMaxRank);
    if (rank > 0) required(extents, "the list of extents");
    return context_of(context).set_shape(&required(input, "the input's name"), {extents, static_cast<size_t>(rank)});
  });
}

planish_status planish_context_get_shape(const planish_context* context, const char* binding, int64_t* extents,
                                         int32_t* rank) {
  return guarded([&] {
    std::vector<int64_t> found;
    context_of(context).extents(&required(binding, "the binding's name"), found).raise();
    if (!found.empty()) std::copy(found.begin(), found.end(), &required(extents, "the list of extents"));
    required(rank, "the rank") = static_cast<int32_t>(found.size());
  });
}

planish_status planish_context_get_bytes(const planish_context* context, const char* binding, int64_t* bytes) {
  return guarded([&] {
    required(bytes, "the result") =
        bytes_of(required(context, "the context"), &required(binding, "the binding's name"));
  });
}

planish_status planish_context_bind(planish_context* context, const char* binding, void* memory, size_t bytes) {
  return guarded([&] { return context_of(context).bind(&required(binding, "the binding's name"), memory, bytes); });
}

planish_status planish_context_enqueue(planish_context* context, planish_stream* stream) {
  if (context == nullptr) return api::remember(Code::invalid_argument, "the context is NULL");
  return api::remember(context->context->enqueue(stream == nullptr ? nullptr : stream->stream.get()));
}

planish_status planish_context_get_output(const planish_context* context, const char* output, const void** data) {
  return guarded([&] {
    return context_of(context).output_data(&required(output, "the output's name"), required(data, "the result"));
  });
}

planish_status planish_context_set_profiler(planish_context* context, planish_profiler_fn profiler, void* user) {
  return guarded([&] { return context_of(context).set_profiler(profiler_of(profiler, user)); });
}

}  // extern "C"
