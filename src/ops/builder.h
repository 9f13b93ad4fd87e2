#pragma once
// Adding nodes with type inference: for importers, passes, and people who build networks by hand.

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/patch.h"
#include "ops/op.h"

namespace planish {

// Checks arity and attributes, infers types and contents, adds the node. A node all of whose results have
// known constant contents still becomes a node; folding is a pass. Errors name the node and operator.
// `output_count`: for operators whose number of results is not fixed.
NodeId add_node(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs = {}, std::string name = {},
                int output_count = -1, std::vector<std::string> output_names = {});
ValueId add_op(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs = {}, std::string name = {});
ValueId add_op(Patch& patch, OpName op, std::vector<ValueId> inputs, Attrs attrs = {});
// A control node: `bodies` are its regions. Results have the types the operator infers from them.
NodeId add_region_node(Graph& graph, OpName op, std::vector<ValueId> inputs, Attrs attrs,
                       std::vector<std::unique_ptr<Graph>> bodies, std::string name,
                       std::vector<std::string> output_names);

// Types and contents of every value again, in order (after shapes were given to inputs). Errors name nodes.
void infer_all(Graph& graph);

// Of the model, or of the shapes it is given: what stands in a branch alone is no error before it runs.
bool concerns_model(const Error& error);
// With inputs and results as `other` has them; running it is an error that says why.
std::unique_ptr<Graph> refusing_region(const Graph& other, const SymbolTable& symbols, const std::string& why);

// verify_structure, plus: every operator known, attributes fit, inferred types agree with the stated ones.
void verify(const Graph& graph);

// The program of a region made of pointwise nodes only (operands: the region's inputs; constants of one
// element become immediates; quantize_linear and dequantize_linear of one scale between f32 and bytes count as such),
// or of a single pointwise node. Error(internal) for anything else.
PointwiseProgram pointwise_program(const Graph& body);
PointwiseProgram pointwise_program(const Graph& graph, const Node& node);
bool is_pointwise(const Node& node);

Dim flops_of(const Graph& graph, const Node& node);  // regions included

}  // namespace planish
