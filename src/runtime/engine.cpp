#include "runtime/engine.h"

#include "base/cpu_features.h"
#include "kernels/kernel.h"
#include "plugin/plugin.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

void check_kernels(const std::vector<Step>& steps, Isa isa) {
  for (const Step& step : steps) {
    for (const auto& body : step.bodies) check_kernels(body, isa);
    if (step.kind == StepKind::copy || step.kind == StepKind::control) continue;
    if (step.kind == StepKind::plugin) {
      with_context([&] { return fmt::format("step '{}'", step.name); }, [&] { make_plugin(step); });
      continue;
    }
    if (step.kind != StepKind::cpu && step.kind != StepKind::reference)
      fail(Code::unsupported, "step '{}' needs a device that this library does not open", step.name);
    const Kernel* kernel = (step.kind == StepKind::cpu ? cpu_kernels(isa) : reference_kernels()).find(step.kernel);
    if (kernel == nullptr || kernel->version != step.version)
      fail(Code::mismatch,
           "the plan needs kernel '{}' version {}, this library has {}; rebuild it with: planish build MODEL -o PLAN",
           step.kernel, step.version,
           kernel == nullptr ? "none of that name" : "version " + std::to_string(kernel->version));
  }
}

}  // namespace

Engine::Engine(Plan plan, std::shared_ptr<Device> device) : plan_(std::move(plan)), device_(std::move(device)) {}
Engine::~Engine() = default;

std::shared_ptr<Engine> Engine::create(Plan plan, std::shared_ptr<Device> device) {
  if (device == nullptr) fail(Code::invalid_argument, "an engine needs a device");
  verify(plan);
  const Isa isa = parse_isa(plan.isa);
  if (!cpu_info().has(isa))
    fail(Code::mismatch,
         "the plan was built for {}, this processor ({}) lacks {}; rebuild it here, or with: planish build MODEL "
         "--target {} -o PLAN",
         plan.isa, cpu_info().brand, cpu_info().missing(isa), isa_name(cpu_info().best_isa()));
  for (const Profile& profile : plan.profiles) check_kernels(profile.steps, isa);
  return std::shared_ptr<Engine>(new Engine(std::move(plan), std::move(device)));
}

int Engine::binding_index(std::string_view name) const {
  for (size_t i = 0; i < plan_.bindings.size(); ++i)
    if (plan_.bindings[i].name == name) return static_cast<int>(i);
  return -1;
}

std::unique_ptr<Context> Engine::create_context(const ContextOptions& options) {
  if (options.profile < 0 || options.profile >= static_cast<int>(plan_.profiles.size()))
    fail(Code::invalid_argument, "profile {} of {}", options.profile, plan_.profiles.size());
  return std::unique_ptr<Context>(new Context(shared_from_this(), options));
}

std::unique_ptr<Context> Engine::create_context(int profile) {
  ContextOptions options;
  options.profile = profile;
  return create_context(options);
}

}  // namespace planish
