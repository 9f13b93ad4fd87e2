#pragma once
// Messages cut down to what cases have in common, so that they can be counted.

#include <string>

#include "conformance/result.h"

namespace planish::conformance {

// One short phrase: "no importer of Foo", "sequences are not carried", "wrong values". Holds no tab.
std::string short_reason(const Result& result);

}  // namespace planish::conformance
