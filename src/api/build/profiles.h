#pragma once
// Profiles: one plan that serves several sets of shapes, each with steps and an arena of its own.

#include <string>
#include <vector>

#include "api/build/network.h"
#include "base/sized.h"
#include "compile/build.h"

namespace planish::api {

struct InputRange {
  std::string input;
  std::vector<DimRange> axes;
};

// Entries stand as far apart as their struct_size says.
template <class T, class Visit>
void each_sized(const T* list, size_t count, const char* what, Visit visit) {
  const auto* at = reinterpret_cast<const std::byte*>(list);
  for (size_t i = 0; i < count; ++i) {
    const T* entry = reinterpret_cast<const T*>(&required(at, what));
    visit(read_sized(entry, what));
    at += entry->struct_size;
  }
}

std::vector<InputRange> ranges_of(const planish_range* list, size_t count);

// Error(invalid_argument): an input's extent is dynamic, and neither `ranges` nor the network give its range.
void require_ranges(const planish_network& network, const std::vector<InputRange>& ranges);

// The caller's function as BuildOptions has it; empty without one.
std::function<bool(const BuildProgress&)> progress_of(planish_progress_fn call, void* user);

// Gives the symbols of the inputs' extents these ranges. Error(invalid_argument): no such input, another rank, a
// fixed extent outside its range, an expression, or one symbol with two ranges.
void apply_ranges(Graph& graph, const std::vector<InputRange>& ranges);

// Appends the profiles of `other`, which was built from the same network; constants are shared by content.
void merge_profiles(Plan& plan, Plan other);

}  // namespace planish::api
