#pragma once
// The same model with named extents instead of numbers at its inputs.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace planish::conformance {

// The name of an input's extent on an axis; empty: the number stays.
using ExtentNames = std::function<std::string(const std::string& input, size_t axis)>;

// Types of outputs and of inner values lose their extents: they would contradict the names.
std::string with_named_extents(std::string_view model, const ExtentNames& names);

}  // namespace planish::conformance
