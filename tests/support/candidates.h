#pragma once
// Networks of integers, on which every candidate at every level of the host gives what the reference kernels give.

#include <gtest/gtest.h>

#include <set>

#include "compile/emitter.h"
#include "compile/pipeline.h"
#include "support/forced.h"
#include "support/kernel_cases.h"
#include "support/networks.h"
#include "tactics/tactic.h"

namespace planish::testing {

constexpr Precisions kAllPrecisions{.tf32 = true, .bf16 = true};

// What rounding the operands costs; nothing for integers of few bits.
inline double rounding_of(const std::string& candidate) {
  return candidate.find(".bf16.") != std::string::npos ? 1e-2 : candidate.find(".tf32") != std::string::npos ? 2e-5 : 0;
}

// Names of every candidate of the optimised graph at a level.
inline std::set<std::string> candidates_of(const Graph& graph, Isa isa) {
  std::set<std::string> names;
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate : cpu_tactics().propose({graph, graph.node(id), isa, 2, kAllPrecisions}).candidates)
      names.insert(candidate.name);
  return names;
}

// A network of one node, what the candidate takes and gives as bf16 lying so: results are those of fp32 within what
// rounding its operands changes.
inline void compare_halves(const Graph& graph, EmitOptions emit, const std::string& candidate,
                           const std::map<std::string, Tensor>& inputs, const std::map<std::string, Tensor>& expected,
                           double tolerance, const std::string& what) {
  if (graph.nodes().size() != 1) return;
  emit.half_bindings = true;
  const Plan plan = forced_plan(graph, emit, candidate);
  std::map<std::string, Tensor> halves = inputs;
  bool any = false;
  for (const Binding& binding : plan.bindings) {
    const bool half = binding.type.dtype == DataType::bf16;
    if (half && binding.is_input) halves[binding.name] = as_bf16(inputs.at(binding.name));
    any = any || half;
  }
  if (!any) return;
  for (const auto& [name, found] : run(plan, halves)) {
    const bool half = found.dtype() == DataType::bf16;
    const Tensor stated = half ? as_bf16(expected.at(name)) : expected.at(name);
    EXPECT_LE(relative_l2(found, stated), tolerance) << what << " in bf16";
  }
}

// Every candidate at every level of the host against the reference kernels. F(4x4, 3x3) is not exact on integers:
// winograd_test has its bound.
template <class MakeGraph>
void compare_candidates(MakeGraph make, const std::map<std::string, Tensor>& inputs, double tolerance,
                        const std::string& what) {
  auto device = create_cpu_device(2);
  BuildOptions plain;
  plain.optimize = false;
  const auto expected = run(build(make(), *device, plain), inputs);
  for (const std::string& level : host_levels()) {
    Graph graph = make();
    infer_all(graph);
    run_pipeline(graph, pipeline(true), "");
    EmitOptions emit;
    emit.target.isa = parse_isa(level);
    emit.target.threads = 2;
    emit.precisions = kAllPrecisions;
    for (const std::string& candidate : candidates_of(graph, emit.target.isa)) {
      if (tolerance == 0 && candidate.starts_with("winograd.f4")) continue;
      const auto found = run(forced_plan(graph, emit, candidate), inputs);
      for (const auto& [name, tensor] : expected)
        EXPECT_LE(relative_l2(found.at(name), tensor), tolerance == 0 ? 0 : std::max(tolerance, rounding_of(candidate)))
            << level << " " << candidate << " " << what;
      const double rounded = tolerance == 0 ? 0 : std::max(1e-2, rounding_of(candidate));
      compare_halves(graph, emit, candidate, inputs, expected, rounded, level + " " + candidate + " " + what);
    }
  }
}

}  // namespace planish::testing
