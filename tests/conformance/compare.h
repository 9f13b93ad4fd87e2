#pragma once
// How near a result must be to the expected one.

#include <string>

#include "conformance/array.h"

namespace planish::conformance {

// In words, for reports.
std::string tolerance_text();

// What is apart; empty where the element type and extents are equal and the values within tolerance.
std::string difference(const Array& found, const Array& expected);

}  // namespace planish::conformance
