#pragma once
// Joint choice of candidates and layouts: a partitioned Boolean quadratic program whose variables are the nodes,
// whose options are their candidates in each layout, and whose edges cost the conversions between them.

#include <functional>
#include <map>

#include "tactics/tactic.h"
#include "tensor/type.h"

namespace planish {

struct Assigned {
  size_t candidate = 0;               // index into the node's candidates; not meaningful for concat
  Layout layout = Layout::row_major;  // of results whose rule is `any`, and of a concat's result
  bool half = false;                  // result 0, of f32, lies in memory as bf16
};

struct LayoutCosts {
  std::function<const CandidateSink&(const Node&)> candidates;
  std::function<double(const Node&, const Candidate&)> microseconds;  // without conversions
  double copy_rate = 8e3;                                             // bytes a microsecond of a conversion
  // Values of f32 may lie as bf16. Microseconds are then those of operands and results that do wherever they may.
  bool half = false;
};

// A dense copy of the tensor in another order or element type: read and written once at `rate` bytes a microsecond, and
// a step.
double conversion_us(const Graph& graph, const TensorType& type, double rate);

// For every node of the graph that computes, by its address: views and control flow have no entry.
std::map<const Node*, Assigned> assign_layouts(const Graph& graph, const LayoutCosts& costs);

}  // namespace planish
