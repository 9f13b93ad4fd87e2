#pragma once
// The shapes that the caller gives to inputs of a model.

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish::importers {

using InputShapes = std::map<std::string, std::vector<DimRange>>;  // by input, one range an axis

// An input with extents that nobody gave: 1 stands for each of them, or they stay open.
struct OpenInput {
  std::string name;
  std::string written;     // as the model has it: "[N,3,H,W]", ? for an extent without a name
  std::string taken;       // "[1,3,1,1]"
  std::string example;     // extents that such an input may have: "1x3x224x224"
  bool only_batch = true;  // no axis but the first is open
};
using OpenInputs = std::vector<OpenInput>;

// "input 'x' [N,3,H,W] is taken as [1,3,1,1], …"
std::string text_of(const OpenInputs& inputs);
// Whether none has more than an open batch.
bool only_batches(const OpenInputs& inputs);

// What is given for an input of this rank; nullptr: nothing. Error(invalid_argument) for another rank.
const std::vector<DimRange>* given_shape(const InputShapes& shapes, const std::string& input, size_t rank);

// Error(not_found) where the graph has no input of a name.
void refuse_unknown_inputs(const InputShapes& shapes, const Graph& graph);

// Adds the input; refuses more axes than there may be, and more elements than anything holds.
ValueId add_model_input(Graph& graph, const std::string& name, DataType dtype, std::vector<Dim> dims);

}  // namespace planish::importers
