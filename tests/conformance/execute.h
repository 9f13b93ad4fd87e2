#pragma once
// A plan run on a case's inputs through the public interface.

#include <vector>

#include "conformance/case.h"
#include "planish/engine.hpp"

namespace planish::conformance {

// Results in the order of the case's outputs. Throws planish::Error.
std::vector<Array> execute(const Engine& engine, const Case& given);

}  // namespace planish::conformance
