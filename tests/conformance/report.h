#pragma once
// The results as a page of docs/.

#include <string>
#include <vector>

#include "conformance/result.h"

namespace planish::conformance {

void write_report(const std::string& path, const std::vector<Result>& results);

}  // namespace planish::conformance
