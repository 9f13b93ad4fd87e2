#pragma once
// Adding reshapes to a known shape.

#include <optional>

#include "ir/patch.h"

namespace planish::passes {

// reshape(x, shape): a constant target where at most one extent is an expression, else `dims`. Nothing for an extent
// of 0, which would read as "copy", or one that only running the plan tells.
std::optional<ValueId> add_reshape(Patch& patch, ValueId x, const Shape& shape);

}  // namespace planish::passes
