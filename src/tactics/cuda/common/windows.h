#pragma once
// A convolution's windows, transposed ones among them, over one to three axes.

#include <string>
#include <vector>

#include "kernels/reference/conv.h"
#include "tactics/tactic.h"

namespace planish::tactics::cuda {

struct Windows {
  EpilogueForm form;
  ConvAttrs attrs;
  std::vector<size_t> operands;  // x, w, bias? as operands of the node
  Shape x, w, y;
  std::vector<Dim> stride, dilation, pad;  // one an axis
  bool transposed = false;
};

// Of a conv or conv_transpose of floats with what is fused behind it. Empty, or why it is none that kernels take.
std::string read_conv_windows(const TacticQuery& query, Windows& windows);

}  // namespace planish::tactics::cuda
