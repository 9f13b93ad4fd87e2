#include "conformance/run_case.h"

#include <fmt/core.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "conformance/compare.h"
#include "conformance/dynamic.h"
#include "conformance/execute.h"
#include "conformance/known_lists.h"
#include "conformance/suite.h"
#include "planish/build.hpp"

namespace planish::conformance {
namespace {

const Device& device() {
  static const Device one(1);
  return one;
}

BuildOptions untuned() {
  BuildOptions options;
  options.device = &device();
  options.tuning = Tuning::off;
  return options;
}

Engine engine_of(const Plan& plan) {
  LoadOptions options;
  options.device = &device();
  return Engine(plan, options);
}

Engine engine_of(const std::string& path) {
  LoadOptions options;
  options.device = &device();
  return Engine(path, options);
}

InputRanges fixed_ranges(const Case& given) {
  InputRanges ranges;
  for (const NamedArray& input : given.inputs) ranges.push_back(InputRange::fixed(input.name, input.array.extents));
  return ranges;
}

// What the outputs have wrong; empty when nothing.
std::string differences(const Case& given, const std::vector<Array>& found) {
  std::string text;
  for (size_t i = 0; i < found.size(); ++i)
    if (const std::string why = difference(found[i], given.outputs[i].array); !why.empty())
      text += fmt::format("{}output {}: {}", text.empty() ? "" : "; ", i, why);
  return text;
}

bool same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].extents != b[i].extents || a[i].bytes != b[i].bytes) return false;
  return true;
}

// --- dynamic extents

// How extents get names, tried in this order until the engine takes one.
enum class Naming {
  each_its_own,  // every axis of every input
  by_extent,     // axes of equal extents share one
  first_input,   // its axes alone, which may only grow: operands stay weights, windows fit
};

bool becomes_dynamic(size_t input, int64_t extent, Naming naming) {
  return extent > 1 && (input == 0 || naming != Naming::first_input);
}

InputRanges wide_ranges(const Case& given, Naming naming) {
  InputRanges ranges = fixed_ranges(given);
  for (size_t i = 0; i < ranges.size(); ++i)
    for (size_t axis = 0; axis < ranges[i].opt.size(); ++axis) {
      const int64_t extent = ranges[i].opt[axis];
      if (!becomes_dynamic(i, extent, naming)) continue;
      ranges[i].min[axis] = naming == Naming::first_input ? extent : (extent + 1) / 2;
      ranges[i].max[axis] = extent * 2;
    }
  return ranges;
}

ExtentNames extent_names(const Case& given, Naming naming) {
  return [&given, naming](const std::string& name, size_t axis) -> std::string {
    for (size_t i = 0; i < given.inputs.size(); ++i) {
      const auto& extents = given.inputs[i].array.extents;
      if (given.inputs[i].name != name || axis >= extents.size() || !becomes_dynamic(i, extents[axis], naming))
        continue;
      return naming == Naming::by_extent ? fmt::format("extent_{}", extents[axis])
                                         : fmt::format("extent_{}_{}", i, axis);
    }
    return "";
  };
}

bool has_dynamic_axis(const Case& given, Naming naming) {
  for (size_t i = 0; i < given.inputs.size(); ++i)
    for (int64_t extent : given.inputs[i].array.extents)
      if (becomes_dynamic(i, extent, naming)) return true;
  return false;
}

std::vector<Array> run_named(const Case& given, Naming naming) {
  const std::string model = with_named_extents(given.model, extent_names(given, naming));
  const auto bytes = std::as_bytes(std::span(model));
  const Network network = Network::import_bytes(bytes, given.path, wide_ranges(given, naming));
  return execute(engine_of(build(network, untuned())), given);
}

// A refusal is in order, a wrong answer is not: it makes the case wrong.
void run_dynamic(const Case& given, Outcome& outcome) {
  for (const Naming naming : {Naming::each_its_own, Naming::by_extent, Naming::first_input}) {
    if (!has_dynamic_axis(given, naming)) continue;
    try {
      const std::string why = differences(given, run_named(given, naming));
      outcome.dynamic = DynamicVerdict::right;
      if (why.empty()) return;
      outcome.verdict = Verdict::wrong;
      outcome.reason = "with dynamic extents, " + why;
      return;
    } catch (const Error& error) {
      if (error.code() == Code::internal || error.code() == Code::invalid_plan) throw;  // our own fault
      outcome.dynamic = DynamicVerdict::refused;
      outcome.dynamic_reason = error.what();
    }
  }
}

void run_fixed(const Case& given, const std::string& scratch, Outcome& outcome) {
  const Plan plan = build(Network::import_file(given.path, fixed_ranges(given)), untuned());
  const std::vector<Array> built = execute(engine_of(plan), given);
  plan.save(scratch);
  const std::vector<Array> loaded = execute(engine_of(scratch), given);
  outcome.reason = differences(given, built);
  if (outcome.reason.empty() && !same_bits(built, loaded))
    outcome.reason = "the plan from its file gives other results";
  outcome.verdict = outcome.reason.empty() ? Verdict::pass : Verdict::wrong;
}

// The GPU of this machine; none where there is none.
const Device* gpu() {
  static const std::unique_ptr<Device> found = [] {
    try {
      return std::make_unique<Device>("cuda", 1);
    } catch (const Error&) {
      return std::unique_ptr<Device>();
    }
  }();
  return found.get();
}

template <class Run>
Outcome outcome_of(Run run) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  try {
    run(outcome);
  } catch (const std::exception& error) {
    outcome.verdict = Verdict::refused;
    outcome.reason = error.what();
  }
  const auto spent = std::chrono::steady_clock::now() - start;
  outcome.milliseconds = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(spent).count());
  return outcome;
}

}  // namespace

Outcome run_case(const CaseRef& ref, const std::string& scratch) {
  return outcome_of([&](Outcome& outcome) {
    const bool light = ref.suite == kLight;
    const Case given = light ? read_light_case(ref) : read_case(ref);
    run_fixed(given, scratch, outcome);
    if (outcome.verdict == Verdict::pass && !light) run_dynamic(given, outcome);
  });
}

Outcome run_case_on_gpu(const CaseRef& ref, const std::string& arch) {
  return outcome_of([&](Outcome& outcome) {
    const Case given = with_known_lists(ref.suite == kLight ? read_light_case(ref) : read_case(ref));
    BuildOptions options = untuned();
    options.cuda = arch;
    options.fallback = false;
    if (gpu() != nullptr) options.device = gpu();
    const auto bytes = std::as_bytes(std::span(given.model));
    const Plan plan = build(Network::import_bytes(bytes, given.path, fixed_ranges(given)), options);
    if (gpu() != nullptr) {
      LoadOptions load;
      load.device = gpu();
      outcome.reason = differences(given, execute(Engine(plan, load), given));
    }
    outcome.verdict = outcome.reason.empty() ? Verdict::pass : Verdict::wrong;
  });
}

}  // namespace planish::conformance
