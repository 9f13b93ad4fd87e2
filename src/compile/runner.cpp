#include "compile/runner.h"

#include <algorithm>

#include "base/checked.h"

namespace planish {

Runner::Runner(Plan plan, std::shared_ptr<Device> device)
    : engine_(Engine::create(std::move(plan), std::move(device))),
      context_(with_context([&] { return fmt::format("memory of '{}'", engine_->plan().model); },
                            [&] { return engine_->create_context(); })) {}

void Runner::set_input(const std::string& name, Tensor tensor) {
  context_->set_shape(name, tensor.extents()).raise();
  context_->bind(name, const_cast<std::byte*>(tensor.data()), static_cast<size_t>(tensor.byte_count())).raise();
  inputs_[name] = std::move(tensor);
}

void Runner::bind_outputs() {
  for (const Binding& binding : plan().bindings) {
    if (binding.is_input) continue;
    Memory& memory = memory_[binding.name];
    std::vector<int64_t> extents;
    memory.bound = context_->extents(binding.name, extents).ok();
    if (!memory.bound) continue;
    const int64_t bytes = checked_mul(checked_product(extents), element_bytes(binding.type.dtype));
    if (!memory.data || memory.bytes < bytes) {
      memory.data = engine_->device().allocate(std::max<int64_t>(bytes, 1));
      memory.bytes = bytes;
    }
    context_->bind(binding.name, memory.data.get(), static_cast<size_t>(bytes)).raise();
  }
}

void Runner::run() { context_->enqueue().raise(); }

TensorView Runner::output(const std::string& name) const {
  const int index = engine_->binding_index(name);
  if (index < 0) fail(Code::not_found, "the plan has no output '{}'", name);
  std::vector<int64_t> extents;
  context_->extents(name, extents).raise();
  const auto at = memory_.find(name);
  const void* data = nullptr;
  if (at != memory_.end() && at->second.bound)
    data = at->second.data.get();
  else
    context_->output_data(name, data).raise();
  return make_view(const_cast<void*>(data), plan().bindings[static_cast<size_t>(index)].type.dtype, extents);
}

std::map<std::string, Tensor> Runner::outputs() const {
  std::map<std::string, Tensor> tensors;
  for (const Binding& binding : plan().bindings)
    if (!binding.is_input) tensors[binding.name] = Tensor::copy_of(output(binding.name));
  return tensors;
}

}  // namespace planish
