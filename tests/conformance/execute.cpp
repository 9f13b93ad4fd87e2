#include "conformance/execute.h"

#include <optional>

#include "planish/context.hpp"

namespace planish::conformance {
namespace {

void bind_inputs(Context& context, const Engine& engine, const Case& given) {
  for (const Binding& binding : engine.bindings()) {
    if (!binding.is_input) continue;
    for (const NamedArray& input : given.inputs) {
      if (input.name != binding.name) continue;
      if (static_cast<planish_dtype>(binding.dtype) != input.array.dtype)
        throw Error(Code::mismatch,
                    "input '" + input.name + "' is " + binding.type + ", the data are " + type_text(input.array));
      context.set_shape(binding.name, input.array.extents);
      context.bind(binding.name, input.array.bytes);
    }
  }
}

// Extents that are known before the run; not those that depend on data.
std::optional<Extents> known_extents(const Context& context, const std::string& output) {
  try {
    const Extents extents = context.shape(output);
    for (int64_t extent : extents)
      if (extent < 0) return std::nullopt;
    return extents;
  } catch (const Error&) {
    return std::nullopt;  // what else may be wrong, the run says
  }
}

Array bound_output(Context& context, const Binding& binding) {
  Array array{static_cast<planish_dtype>(binding.dtype), {}, {}};
  if (const auto extents = known_extents(context, binding.name)) {
    array.extents = *extents;
    array.bytes.resize(static_cast<size_t>(context.bytes(binding.name)));
    context.bind(binding.name, array.bytes);
  }
  return array;
}

void fetch_output(const Context& context, const std::string& name, Array& array) {
  array.extents = context.shape(name);
  const size_t bytes = static_cast<size_t>(context.bytes(name));
  if (array.bytes.size() == bytes) return;
  const auto* data = static_cast<const std::byte*>(context.output(name));
  array.bytes.assign(data, data + bytes);
}

}  // namespace

std::vector<Array> execute(const Engine& engine, const Case& given) {
  Context context(engine);
  bind_inputs(context, engine, given);
  std::vector<Array> results;
  for (const NamedArray& output : given.outputs) results.push_back(bound_output(context, engine.binding(output.name)));
  context.run();
  for (size_t i = 0; i < results.size(); ++i) fetch_output(context, given.outputs[i].name, results[i]);
  return results;
}

}  // namespace planish::conformance
