// Plans of every kernel, changed in their meaning and sealed with a correct checksum: each is refused or runs. What a
// sanitizer has to say ends the program with the seed. PLANISH_FUZZ_FIRST and PLANISH_FUZZ_CASES choose the seeds.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "fuzz/plan_catalogue.h"
#include "fuzz/plan_mutation.h"

namespace {
uint32_t current_seed = 0;
}

// Names that the sanitizers' run times look for.
extern "C" {
const char* __asan_default_options();
const char* __asan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=4096"; }
void __asan_on_error();
void __asan_on_error() { std::fprintf(stderr, "seed %u\n", current_seed); }
}

namespace planish {
namespace {

uint32_t from_environment(const char* name, uint32_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

using Memory = std::unique_ptr<std::byte, void (*)(void*)>;

// Of exactly this size, so that a byte beyond is found out. Mostly 0 and 1, which serve as indices and as numbers.
Memory filled(size_t bytes, DataType dtype, uint32_t seed) {
  Memory memory(static_cast<std::byte*>(std::malloc(std::max<size_t>(bytes, 1))), std::free);
  TensorView view = make_view(memory.get(), dtype, {});
  std::mt19937 random(seed);
  const uint32_t most = seed % 4 == 0 ? 9 : 2;
  for (size_t i = 0; i < bytes / static_cast<size_t>(element_bytes(dtype)); ++i)
    store_int(view, static_cast<int64_t>(i), static_cast<int64_t>(random() % most) - (most > 2 ? 4 : 0));
  return memory;
}

// Where a step would take minutes the question is not asked.
constexpr int64_t kMostElements = 1 << 20;

bool is_small(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    for (const auto* views : {&step.inputs, &step.outputs})
      for (const ViewDesc& view : *views) {
        double elements = 1;
        for (Dim dim : view.dims) elements *= dim.is_constant() ? static_cast<double>(dim.value()) : 4;
        if (view.buffer >= 0 && elements > static_cast<double>(kMostElements)) return false;
      }
    for (const auto& body : step.bodies)
      if (!is_small(body)) return false;
    if (step.kernel == "loop" && step.inputs[0].buffer < 0) return false;  // may never end
  }
  return true;
}

// Whether it ran.
bool attempt(const Plan& plan, const std::shared_ptr<Device>& device, uint32_t seed) {
  auto file = std::make_shared<std::vector<std::byte>>(serialize(plan));
  auto engine = Engine::create(deserialize(*file, file), device);
  auto context = engine->create_context(0);
  std::mt19937 random(seed);
  for (const Binding& binding : engine->bindings()) {
    if (!binding.is_input || binding.type.shape.is_static()) continue;
    std::vector<int64_t> extents;
    for (Dim dim : binding.type.shape) extents.push_back(dim.is_constant() ? dim.value() : 1 + random() % 4);
    if (!context->set_shape(binding.name, extents).ok()) return false;
  }
  if (!is_small(plan.profiles[0].steps)) return false;
  std::vector<Memory> memory;
  for (const Binding& binding : engine->bindings()) {
    std::vector<int64_t> extents;
    // Outputs whose extents only running tells get memory of the context's own.
    if (!context->extents(binding.name, extents).ok()) {
      if (binding.is_input || binding.type.shape.is_static()) return false;
      continue;
    }
    const auto bytes = static_cast<size_t>(make_view(nullptr, binding.type.dtype, extents).element_count() *
                                           element_bytes(binding.type.dtype));
    if (bytes > static_cast<size_t>(kMostElements) * 8) return false;
    memory.push_back(filled(bytes, binding.type.dtype, seed + static_cast<uint32_t>(memory.size())));
    context->bind(binding.name, memory.back().get(), bytes).raise();
  }
  const bool ran = context->enqueue().ok();
  return context->enqueue().ok() && ran;
}

TEST(PlanFuzz, ChangedPlansAreRefusedOrRun) {
  const std::vector<Plan> plans = testing::plan_catalogue();
  const std::shared_ptr<Device> device = create_cpu_device(2);
  for (const Plan& plan : plans) EXPECT_TRUE(attempt(plan, device, 1)) << print(plan);
  const uint32_t first = from_environment("PLANISH_FUZZ_FIRST", 1),
                 cases = from_environment("PLANISH_FUZZ_CASES", 8000);
  int ran = 0, refused = 0;
  for (current_seed = first; current_seed < first + cases; ++current_seed) {
    Plan plan = plans[current_seed % plans.size()];
    testing::PlanMutation(plans, current_seed).apply(plan);
    try {
      ++(attempt(plan, device, current_seed) ? ran : refused);
    } catch (const Error&) {
      ++refused;
    }
  }
  std::printf("%d ran, %d were refused\n", ran, refused);
  EXPECT_GT(ran, static_cast<int>(cases / 50));
  EXPECT_GT(refused, static_cast<int>(cases / 4));
}

}  // namespace
}  // namespace planish
