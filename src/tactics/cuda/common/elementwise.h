#pragma once
// Kernels that compute each element from those in its place.

#include "tactics/cuda/common/launch.h"

namespace planish::tactics::cuda {

// Operands r0, r1, … of `inputs` (types of view.cuh) widened to `arithmetic`; `body` defines `result`, which is stored
// as `output`. `count`: elements of the result.
Launch elementwise_launch(const std::string& arithmetic, const std::vector<std::string>& inputs,
                          const std::string& output, const std::string& body, Dim count);

// A step that copies an operand's elements into another of the same extents, whatever their strides.
void copy_elements(StepBuilder& builder, Operand from, Operand to, const std::string& arch);

}  // namespace planish::tactics::cuda
