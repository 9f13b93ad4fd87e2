#include "compile/trial.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>

#include "base/checked.h"
#include "base/hash.h"

namespace planish {
namespace {

// Random elements, repeated after the first 2^16.
void fill(std::byte* data, DataType dtype, int64_t count, uint64_t seed) {
  std::mt19937_64 bits(seed);
  const int64_t distinct = std::min<int64_t>(count, 1 << 16);
  const TensorView view = make_view(data, dtype, {&distinct, 1});
  for (int64_t i = 0; i < distinct; ++i) {
    if (is_float(dtype))
      store_double(view, i, static_cast<double>(bits() >> 40) * 0x1p-23 - 1);
    else
      store_int(view, i, static_cast<int64_t>(bits() % 2));
  }
  const auto bytes = static_cast<size_t>(count * element_bytes(dtype));
  for (auto done = static_cast<size_t>(distinct * element_bytes(dtype)); done < bytes;) {
    const size_t more = std::min(done, bytes - done);
    std::memcpy(data + done, data, more);
    done += more;
  }
}

}  // namespace

double computing_us(std::span<const StepTiming> timings) {
  double ms = 0;
  for (const StepTiming& timing : timings)
    if (timing.step->kind != StepKind::copy) ms += timing.milliseconds;
  return ms * 1e3;
}

Trial::Trial(const Plan& plan, Device& device)
    : engine_(Engine::create(Plan(plan), std::shared_ptr<Device>(&device, [](Device*) {}))),
      context_(engine_->create_context()) {
  SymbolValues typical;
  for (const auto& [name, info] : plan.profiles[0].symbols) typical[name] = info.range.opt;
  for (const Binding& binding : engine_->bindings()) bind(binding, binding.type.shape.evaluate(typical));
}

void Trial::bind(const Binding& binding, const std::vector<int64_t>& extents) {
  if (binding.is_input) context_->set_shape(binding.name, extents).raise();
  const int64_t count = checked_product(extents), bytes = checked_mul(count, element_bytes(binding.type.dtype));
  memory_.push_back(engine_->device().allocate(bytes));
  if (binding.is_input) fill(memory_.back().get(), binding.type.dtype, count, hash64(binding.name));
  context_->bind(binding.name, memory_.back().get(), static_cast<size_t>(bytes)).raise();
}

double Trial::whole_us() {
  const auto begin = std::chrono::steady_clock::now();
  context_->enqueue().raise();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

double Trial::computing_us() {
  if (!profiled_) context_->enable_profiling(true).raise();
  profiled_ = true;
  std::vector<StepTiming> timings;
  context_->enqueue().raise();
  context_->timings(timings).raise();
  return planish::computing_us(timings);
}

}  // namespace planish
