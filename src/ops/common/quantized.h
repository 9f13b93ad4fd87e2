#pragma once
// Quantised numbers: what quantize_linear and dequantize_linear nodes say of them.

#include <optional>
#include <vector>

#include "ir/graph.h"
#include "kernels/pointwise.h"

namespace planish {

// One scale and zero point for all: x = (q - zero) * scale.
struct TensorScale {
  double scale = 1;
  int64_t zero = 0;
  DataType numbers = DataType::none;
  friend bool operator==(const TensorScale&, const TensorScale&) = default;
};

// Of a node between f32 and numbers of 8 bits whose parameters are constant; nothing for any other.
std::optional<TensorScale> tensor_scale(const Graph& graph, const Node& node);
// Of the dequantize_linear that makes the value.
std::optional<TensorScale> tensor_scale_of(const Graph& graph, ValueId id);

// Whether the node dequantises numbers of 8 bits by what dynamic_quantize_linear found of them: one scale for all, or
// one for each row along the last axis (a block as deep as that).
bool has_dynamic_scale(const Graph& graph, const Node& node);
bool has_dynamic_scale(const Graph& graph, ValueId id);  // of the node that makes the value

// (r - zero) * scale and round_half_even(r / scale) + zero
PwBuilder::Reg add_dequantize(PwBuilder& builder, PwBuilder::Reg r, const TensorScale& by);
PwBuilder::Reg add_quantize(PwBuilder& builder, PwBuilder::Reg r, const TensorScale& by);
// Whole numbers become those of the type, 0 for NaN.
PwBuilder::Reg add_saturate(PwBuilder& builder, PwBuilder::Reg r, DataType numbers);

// Constant weights: numbers less their zero points, and one scale for all or for each position of the axis.
struct QuantizedWeights {
  Tensor centred;  // i16
  std::vector<double> scales;
  int64_t least = 0, most = 0;  // of the centred numbers
};

// From the operands of a dequantize_linear (`zeros` may be absent): nothing where they are none of such.
std::optional<QuantizedWeights> quantized_weights(const Tensor& numbers, const Tensor& scales, const Tensor& zeros,
                                                  const Attrs& attrs, int axis);
// Of a node whose operands are constant.
std::optional<QuantizedWeights> quantized_weights(const Graph& graph, const Node& node, int axis);

}  // namespace planish
