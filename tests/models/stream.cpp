// stream PLAN THREADS: one execution for each set of inputs that arrives on standard input (the bindings' bytes one
// after another, in the plan's order); the outputs' bytes leave on standard output. Extents must be fixed.

#include <cstdio>
#include <cstdlib>

#include "base/checked.h"
#include "base/error.h"
#include "runtime/engine.h"

namespace planish {
namespace {

struct Memory {
  std::vector<std::byte> bytes;
  bool is_input = false;
};

std::vector<Memory> bind_all(const Engine& engine, Context& context) {
  std::vector<Memory> all;
  for (const Binding& binding : engine.bindings()) {
    if (!binding.type.shape.is_static())
      fail(Code::invalid_argument, "'{}' {} is not of fixed extents", binding.name, binding.type.str());
    const int64_t bytes = checked_mul(checked_product(binding.type.shape.extents()), element_bytes(binding.type.dtype));
    all.push_back({std::vector<std::byte>(static_cast<size_t>(bytes)), binding.is_input});
  }
  size_t i = 0;
  for (const Binding& binding : engine.bindings()) {
    context.bind(binding.name, all[i].bytes.data(), all[i].bytes.size()).raise();
    ++i;
  }
  return all;
}

bool read_inputs(std::vector<Memory>& all) {
  for (Memory& memory : all)
    if (memory.is_input && std::fread(memory.bytes.data(), 1, memory.bytes.size(), stdin) != memory.bytes.size())
      return false;
  return true;
}

void stream(const char* plan, int threads) {
  const auto engine = Engine::create(load(plan), create_cpu_device(threads));
  const auto context = engine->create_context();
  std::vector<Memory> all = bind_all(*engine, *context);
  while (read_inputs(all)) {
    context->enqueue().raise();
    for (const Memory& memory : all)
      if (!memory.is_input) std::fwrite(memory.bytes.data(), 1, memory.bytes.size(), stdout);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace planish

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    planish::stream(argv[1], std::atoi(argv[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stream: %s\n", error.what());
    return 1;
  }
  return 0;
}
