#pragma once
// Products on tensor cores: convolutions and matrices by matrices, over conv_small.cuh and conv_large.cuh.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/tensor_map.h"

namespace planish::tactics::cuda {

constexpr int64_t kProcessors = 132;

// D[rows][columns] = program(A B^T + bias, residual), as kernels/cuda/convolution.cuh states it.
struct TensorProduct {
  DataType type = DataType::none;    // of A and the weights
  DataType result = DataType::none;  // of D and the residual
  Dim rows;
  int64_t columns = 0, channels = 0;  // channels: of a tap; a matrix has one tap
  int64_t taps = 1, taps_h = 1, taps_w = 1;
  bool image = false;  // A is an image of extents {n, h, w}
  std::vector<Dim> extents, out_extents;
  std::vector<int64_t> strides = {1, 1}, dilations = {1, 1}, pads = {0, 0};
  Tensor weights, bias;                                     // bias: absent or one value a column
  Tensor scales;                                            // of the sums of bytes, f32, one a column; absent: none
  int64_t column_step = 0, tap_step = 0, channel_step = 0;  // of the weights' elements
  int64_t groups = 1, group_step = 0;                       // columns / groups columns each; `channels` are of a group
  PointwiseProgram program;                                 // of r0 and, with a residual, r1; empty: r0
  PointwiseProgram after;          // of what this makes and `addends`, a step of its own; empty: none
  std::vector<size_t> addends;     // of the node
  bool takes_after = false;        // whoever reads the epilogue looks at `after`, too
  bool tame = false;               // the program's values are as PLANISH_TAME of kernels/cuda/primitives.cuh has them
  bool small_sums = false;         // sums of bytes are below 2^22
  size_t operand = 0;              // A, of the node
  std::optional<size_t> residual;  // of the node
  std::optional<size_t> factors;   // of the node: A is multiplied by, [image, channel]
  std::vector<LayoutRule> inputs;  // of the candidate
  LayoutRule output = LayoutRule::row_major;
  int64_t result_columns = 0;  // of the node's result where `columns` has more, which are zeros; else 0
  // Makes A's rows of the operand, [rows, channels]; none: it lies so.
  std::function<Operand(StepBuilder&, const std::string& arch)> unfold;
};

// A group's product in blocks of depth, as kernels read them: a block lies within a tap.
struct Blocks {
  int64_t bytes, depth, per_tap, count, group, packed_rows;  // group: rows are permuted in blocks of 8 * group
  // whole_groups: groups divide the columns; else runs of four columns do, of which the last group may lack some.
  explicit Blocks(const TensorProduct& p, int64_t most_bytes = 128, bool whole_groups = false);
};

// The weights as kernels/cuda/README.md has them, [groups * packed rows][taps * depth of a tap].
Tensor packed_weights(const TensorProduct& product, const Blocks& blocks);
std::string operand_type(DataType type);  // "half_t"; of f32 "tf32_t"

// Bias and residual of a form's epilogue, and what is left of it. Empty, or why it is not of that form.
std::string read_epilogue(const TacticQuery& query, const EpilogueForm& form, TensorProduct& product);

// Of a convolution with constant weights over one or two axes: windows, bias and epilogue; `group`: its groups, to
// one of which `channels` belong. Operands of images are asked for channels last. Empty, or why it is none.
std::string read_windows(const TacticQuery& query, const EpilogueForm& form, int64_t& group, TensorProduct& product);

// Of a matrix by a constant one. Empty, or why it is none.
std::string read_matrix(const TacticQuery& query, TensorProduct& product);

Tensor bias_of(const TensorProduct& product);            // f32, zeros where there is none
std::string program_text(const TensorProduct& product);  // struct Program

// Empty, or why tensor cores of the query's architecture do not take the product.
std::string refuse_product(const TacticQuery& query, const TensorProduct& product);

// Elements from row to row of A, the result and the residual.
struct ProductPitches {
  int64_t operand, result, residual;
};
// Of a step of A, packed weights, bias, a residual and scales, where they are, into the result.
using ProductLaunch = std::function<Attrs(const ProductPitches& pitches)>;

// The rows of a matrix in boxes of `box_rows`, swizzled; operand as plan/launch.h has it.
TensorMapFields matrix_map(int64_t operand, DataType type, Dim rows, int64_t columns, int64_t pitch, int64_t box_rows,
                           int64_t box_bytes);

// The product by a step of this kernel, with what brings operands and result to where they belong.
Candidate product_candidate(const TacticQuery& query, std::shared_ptr<const TensorProduct> product, std::string name,
                            std::string kernel, ProductLaunch launch_of);

// The configurations that are likely to be best.
void offer_product(const TacticQuery& query, CandidateSink& sink, std::shared_ptr<const TensorProduct> product);

}  // namespace planish::tactics::cuda
