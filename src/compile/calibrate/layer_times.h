#pragma once
// How long the layers of a plan take, by the names that they have in another form of the network.

#include <map>
#include <string>
#include <vector>

#include "compile/calibrate/calibrate.h"
#include "compile/runner.h"

namespace planish {

// Sets inputs and memory of outputs, runs; ms of the run alone.
double timed_run(Runner& runner, const Sample& sample);

// Elements are 0, extents typical.
Sample zero_sample(const Graph& graph);

// Of each of `products` of `graph` the ms of the steps that stand for it, the least of `runs` runs. Its own
// name or one of its origins names a step's layer; a step of several is the first one's.
std::map<std::string, double> layer_times(Runner& runner, const Graph& graph, const std::vector<NodeId>& products,
                                          const std::vector<Sample>& samples, size_t runs);

}  // namespace planish
