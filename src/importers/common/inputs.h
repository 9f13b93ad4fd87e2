#pragma once
// The shapes that the caller gives to inputs of a model.

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish::importers {

using InputShapes = std::map<std::string, std::vector<DimRange>>;  // by input, one range an axis

// What is given for an input of this rank; nullptr: nothing. Error(invalid_argument) for another rank.
const std::vector<DimRange>* given_shape(const InputShapes& shapes, const std::string& input, size_t rank);

// Error(not_found) where the graph has no input of a name.
void refuse_unknown_inputs(const InputShapes& shapes, const Graph& graph);

// Adds the input; refuses more axes than there may be, and more elements than anything holds.
ValueId add_model_input(Graph& graph, const std::string& name, DataType dtype, std::vector<Dim> dims);

}  // namespace planish::importers
