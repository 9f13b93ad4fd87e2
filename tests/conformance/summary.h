#pragma once
// Results counted, for people and for the page.

#include <map>
#include <string>
#include <vector>

#include "conformance/result.h"

namespace planish::conformance {

struct Count {
  int passed = 0, cases = 0;
  void add(bool pass) {
    passed += pass ? 1 : 0;
    ++cases;
  }
  double percent() const { return cases == 0 ? 0 : 100.0 * passed / cases; }
};

struct ClassCounts {
  std::vector<std::pair<std::string, Count>> classes;  // core first, then by size
  Count all;                                           // without the light models
  Count light;
};
ClassCounts count_classes(const std::vector<Result>& results);

struct DynamicCounts {
  int right = 0, refused = 0, untried = 0;
};
DynamicCounts count_dynamic(const std::vector<Result>& results);  // of the cases that pass

// Reasons by how many cases have them, with the cases.
std::vector<std::pair<std::string, std::vector<std::string>>> by_reason(const std::vector<Result>& results);

void print_results(const std::vector<Result>& results);
int print_stops(const std::vector<Result>& results);  // crashes and hangs; how many
void print_dynamic(const std::vector<Result>& results);
void print_summary(const std::vector<Result>& results);  // "core 1625 of 1652 (98.4 %)", …, "all …"

}  // namespace planish::conformance
