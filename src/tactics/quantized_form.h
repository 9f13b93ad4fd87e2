#pragma once
// A fused node of quantised numbers, read: dequantisations, a product, an epilogue, perhaps a quantisation.

#include <map>
#include <optional>

#include "ops/common/quantized.h"
#include "tactics/tactic.h"

namespace planish {

// `form` is of what the numbers mean: its epilogue reads dequantised extras, its operands are the numbers.
struct QuantizedForm {
  EpilogueForm form;
  TensorScale x;                 // of steps of 1 where x's scale is dynamic
  std::vector<ValueId> dynamic;  // x's scale and zero point where only running tells them; else empty
  QuantizedWeights weights;
  std::map<ValueId, TensorScale> extras;  // those that are numbers
  std::optional<TensorScale> inner;       // of what is quantised, and again read, in front of the epilogue
  std::optional<TensorScale> result;      // nothing: f32
  PointwiseProgram table;                 // of the result's bytes; no results: they stay as they are
};
std::optional<QuantizedForm> quantized_form(const Graph& graph, const Node& node);

}  // namespace planish
