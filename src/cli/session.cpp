#include "cli/session.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace planish::cli {
namespace {

std::string extents_text(const std::vector<int64_t>& extents) { return Shape::of(extents).str(); }

Tensor fit(const Binding& binding, const Input& input, const std::vector<int64_t>& extents) {
  const Tensor& tensor = input.tensor;
  if (input.number) return number_tensor(binding.type.dtype, extents, *input.number);
  if (input.raw) {
    const int64_t needed = checked_mul(checked_product(extents), element_bytes(binding.type.dtype));
    if (needed != tensor.byte_count())
      fail(Code::invalid_argument, "{} bytes are needed for {}, the raw file has {}", needed, binding.type.str(),
           tensor.byte_count());
    return Tensor::make(binding.type.dtype, extents, [&](std::byte* out) { std::copy_n(tensor.data(), needed, out); });
  }
  if (tensor.dtype() != binding.type.dtype)
    fail(Code::invalid_argument, "{} is accepted, the file holds {}", data_type_name(binding.type.dtype),
         tensor.type().str());
  return tensor;
}

template <class ByName>
void check_names(const Plan& plan, const ByName& given) {
  for (const auto& [name, unused] : given) {
    std::string known;
    bool found = false;
    for (const Binding& binding : plan.bindings) {
      if (!binding.is_input) continue;
      found = found || binding.name == name;
      known += (known.empty() ? "" : ", ") + binding.name + " " + binding.type.str();
    }
    if (!found) fail(Code::not_found, "the model has no input '{}'; it has: {}", name, known);
  }
}

}  // namespace

std::vector<int64_t> Session::extents_for(const Binding& binding, const Extents& named) const {
  if (const auto at = named.find(binding.name); at != named.end()) return at->second;
  SymbolValues typical;
  for (const auto& [name, info] : plan().profiles[0].symbols) typical[name] = info.range.opt;
  return binding.type.shape.evaluate(typical);
}

std::vector<std::string> Session::set_inputs(const Inputs& given, const Extents& named) {
  check_names(plan(), given);
  check_names(plan(), named);
  std::vector<std::string> made_up;
  for (const Binding& binding : plan().bindings) {
    if (!binding.is_input) continue;
    const auto extents = extents_for(binding, named);
    const std::string what = binding.name + " " + extents_text(extents);
    const auto at = given.find(binding.name);
    if (at == given.end()) {
      made_up.push_back(what);
      runner_.set_input(binding.name,
                        with_context([&] { return "input " + what; },
                                     [&] { return random_input(binding.name, binding.type.dtype, extents); }));
      continue;
    }
    with_context(
        [&] { return at->second.source; },
        [&] {
          if (named.contains(binding.name) && at->second.has_extents() && at->second.tensor.extents() != extents)
            fail(Code::invalid_argument, "it holds {}, --shape says {}", at->second.tensor.type().str(), what);
          runner_.set_input(
              binding.name,
              with_context([&] { return fmt::format("input '{}' {}", binding.name, extents_text(extents)); },
                           [&] { return fit(binding, at->second, extents); }));
        });
  }
  runner_.bind_outputs();
  return made_up;
}

}  // namespace planish::cli
