#include "importers/common/inputs.h"

#include <algorithm>

#include "base/error.h"

namespace planish::importers {
namespace {

std::string input_list(const Graph& graph) {
  std::string text;
  for (ValueId id : graph.inputs())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", graph.value(id).name, graph.value(id).type.str());
  return text;
}

}  // namespace

std::string text_of(const OpenInputs& inputs) {
  std::string text;
  for (const OpenInput& input : inputs)
    text +=
        fmt::format("{}input '{}' {} is taken as {}", text.empty() ? "" : ", ", input.name, input.written, input.taken);
  return text;
}

bool only_batches(const OpenInputs& inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [](const OpenInput& input) { return input.only_batch; });
}

const std::vector<DimRange>* given_shape(const InputShapes& shapes, const std::string& input, size_t rank) {
  const auto at = shapes.find(input);
  if (at == shapes.end()) return nullptr;
  if (at->second.size() != rank)
    fail(Code::invalid_argument, "input '{}' has rank {}, a shape of rank {} was given", input, rank,
         at->second.size());
  return &at->second;
}

void refuse_unknown_inputs(const InputShapes& shapes, const Graph& graph) {
  const auto has = [&](const std::string& name) {
    return std::any_of(graph.inputs().begin(), graph.inputs().end(),
                       [&](ValueId id) { return graph.value(id).name == name; });
  };
  for (const auto& [name, ranges] : shapes)
    if (!has(name)) fail(Code::not_found, "the model has no input '{}'; it has: {}", name, input_list(graph));
}

ValueId add_model_input(Graph& graph, const std::string& name, DataType dtype, std::vector<Dim> dims) {
  double least = 1;
  for (Dim dim : dims) least *= static_cast<double>(dim.lower_bound(graph.symbols));
  if (least > 1e15)
    fail(Code::invalid_argument, "input '{}' is {}; up to 10^15 elements are accepted", name, Shape(dims).str());
  return graph.add_input(name, {dtype, Shape(std::move(dims))});
}

}  // namespace planish::importers
