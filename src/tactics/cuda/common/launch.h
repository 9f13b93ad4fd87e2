#pragma once
// Launch: a launch step of a kernel of kernels/cuda, put together.

#include <string>
#include <vector>

#include "tactics/tactic.h"

namespace planish::tactics::cuda {

constexpr int64_t kBlock = 256;

struct Launch {
  std::string source;                // CUDA source
  std::vector<std::string> options;  // -D…
  std::string kernel;
  std::vector<Dim> grid = {1, 1, 1};
  std::vector<std::string> arguments;  // plan/launch.h
  std::vector<Dim> values;
  std::vector<double> floats;
  std::vector<Tensor> constants;  // operands behind those of the node
  int64_t block = kBlock;         // threads
  int64_t cluster = 1;            // blocks
  int64_t shared = 0;             // bytes of dynamic shared memory

  void integer(Dim value) { arguments.push_back("int"), values.push_back(value); }
  void wide(Dim value) { arguments.push_back("long"), values.push_back(value); }
  void real(double value) { arguments.push_back("float"), floats.push_back(value); }
  void three(const std::vector<Dim>& list);    // padded with ones
  Attrs attrs(const std::string& arch) const;  // compiles
};

// One launch as a candidate, named after its kernel: the step reads these operands of the node, in this order, and
// writes all its results. Operands of any strides, row-major results.
Candidate launch_candidate(const TacticQuery& query, Launch launch, std::vector<size_t> operands, double us);

// The epilogue of a kernel: what follows its anchor in a fused node, as source in front of the kernel, and as further
// operands of the step.
struct Epilogue {
  std::string source;              // macros and function; empty: the result is stored as it is
  std::vector<std::string> types;  // of the extras
  std::vector<size_t> extras;      // operands of the node, in the order of the parameters
  std::string refusal;             // why it cannot be; empty: it can
};
Epilogue epilogue_of(const TacticQuery& query, const EpilogueForm& form);
void add_extras(const Epilogue& epilogue, size_t first_input, Launch& launch);  // its arguments: the last ones

// Microseconds on a GPU of this kind: traffic, arithmetic at `tera` operations a second, and the launch.
double estimate_us(const TacticQuery& query, double flops, double tera);
double typical_elements(const TacticQuery& query, const Shape& shape);

// Position of an operand of the node.
size_t operand_index(const Node& node, ValueId id);

// "operand 1 is f64[3]", or "" where kernels take all operands and results.
std::string refuse_types(const TacticQuery& query);

}  // namespace planish::tactics::cuda
