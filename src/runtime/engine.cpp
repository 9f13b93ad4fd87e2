#include "runtime/engine.h"

#include "base/checked.h"
#include "base/cpu_features.h"
#include "kernels/kernel.h"
#include "plugin/plugin.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

constexpr int64_t kDeviceAlignment = 256;

void check_kernels(const std::vector<Step>& steps, Isa isa) {
  for (const Step& step : steps) {
    for (const auto& body : step.bodies) check_kernels(body, isa);
    if (step.kind == StepKind::copy || step.kind == StepKind::control) continue;
    if (step.kind == StepKind::plugin) {
      with_context([&] { return fmt::format("step '{}'", step.name); }, [&] { make_plugin(step); });
      continue;
    }
    if (step.kind == StepKind::launch) continue;
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

bool uses_device(const Plan& plan) {
  for (const Profile& profile : plan.profiles)
    for (const BufferDesc& buffer : profile.buffers)
      if (buffer.space == MemorySpace::device) return true;
  return false;
}

// "cuda:sm_90a" on a device for sm_90a, else who can run it.
void check_target(const Plan& plan, Device& device) {
  if (!uses_device(plan)) return;
  const Accelerator* const accelerator = device.accelerator();
  const std::string here = accelerator == nullptr ? "cpu" : "cuda:" + accelerator->arch();
  if (plan.target != here)
    fail(Code::mismatch,
         "the plan was built for {}, this device ({}) is {}; rebuild it with: planish build MODEL --device {} -o PLAN",
         plan.target, device.name(), here, accelerator == nullptr ? "cpu" : "cuda");
}

}  // namespace

Engine::Engine(Plan plan, std::shared_ptr<Device> device)
    : plan_(std::move(plan)), device_(std::move(device)), on_device_(uses_device(plan_)) {
  if (!on_device_) return;
  std::map<Hash128, DeviceImage*> loaded;
  for (const Profile& profile : plan_.profiles) load_images(profile.steps, loaded);
  upload_constants();
}

// Steps share images by content.
void Engine::load_images(const std::vector<Step>& steps, std::map<Hash128, DeviceImage*>& loaded) {
  for (const Step& step : steps) {
    for (const auto& body : step.bodies) load_images(body, loaded);
    if (step.kind != StepKind::launch) continue;
    with_context(
        [&] { return fmt::format("step {} '{}'", step.id, step.name); },
        [&] {
          const Tensor& image = step.params.get<Tensor>("image");
          DeviceImage*& found = loaded[image.content_hash()];
          if (found == nullptr) {
            images_.push_back(device_->accelerator()->load({image.data(), static_cast<size_t>(image.byte_count())}));
            found = images_.back().get();
          }
          functions_[&step] = found->function(step.kernel, step.params.get_or<int64_t>("shared", 0));
        });
  }
}

// One piece of memory for all of them.
void Engine::upload_constants() {
  std::map<int32_t, int64_t> offsets;
  int64_t bytes = 0;
  for (const Profile& profile : plan_.profiles)
    for (const BufferDesc& buffer : profile.buffers)
      if (buffer.kind == BufferKind::constant && buffer.space == MemorySpace::device &&
          offsets.emplace(buffer.index, bytes).second)
        bytes = align_up(bytes + plan_.constants[static_cast<size_t>(buffer.index)].byte_count(), kDeviceAlignment);
  device_memory_ = with_context([&] { return fmt::format("loading a plan, the constants of '{}'", plan_.model); },
                                [&] { return device_->accelerator()->allocate(bytes); });
  Stream& stream = device_->null_stream();
  for (const auto& [index, offset] : offsets) {
    const Tensor& tensor = plan_.constants[static_cast<size_t>(index)];
    device_constants_[index] = device_memory_.get() + offset;
    device_->accelerator()->copy(device_constants_[index], tensor.data(), tensor.byte_count(), stream);
  }
  device_->accelerator()->finish(stream);
}
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
  check_target(plan, *device);
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
