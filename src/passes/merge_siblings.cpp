// Convolutions of one image by kernels alike, followed by the same activation, become one with the filters of all:
//   f(conv(x, w0, b0)), f(conv(x, w1, b1)) … -> split(f(conv(x, [w0; w1 …], [b0; b1 …])))
// The parts are windows of its result. To read an element of x costs about as much as 32 filters take of it, and
// windows are read a little slower than what lies together: it pays where one of the filters is no more than that
// (GoogLeNet 5 %; of 64 filters each, nothing is won), up to 256 of them together, beside which a pass over x is
// nothing any more. A part that a concat of channels takes is written there in place, and stays as it is; integers have
// their own products.

#include <algorithm>
#include <cstring>
#include <map>

#include "ops/builder.h"
#include "passes/common/siblings.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr int64_t kFewFilters = 32, kMostFilters = 256;

// A convolution with a pointwise epilogue of constants and itself only: operands x, w and perhaps b.
struct Sibling {
  NodeId node;
  ValueId weights, bias;
  std::string kind;  // equal where all but the filters is
  int64_t filters = 0;
};

bool goes_into_concat(const Graph& graph, ValueId id) {
  for (NodeId user : graph.users(id))
    if (graph.node(user).op == "concat") return true;
  return false;
}

std::optional<Sibling> sibling_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const Graph* body = node.op == "fused" ? node.regions[0].get() : nullptr;
  const Node& anchor = body != nullptr ? body->node(body->nodes().front()) : node;
  const size_t operands = node.inputs.size();
  if (anchor.op != "conv" || operands < 2 || operands > 3 || anchor.inputs.size() != operands) return std::nullopt;
  for (size_t i = 0; body != nullptr && i < operands; ++i)
    if (anchor.inputs[i] != body->inputs()[i] || body->users(body->inputs()[i]).size() != 1) return std::nullopt;
  for (size_t i = 1; i < operands; ++i)
    if (!is_float_constant(graph, node.inputs[i])) return std::nullopt;
  const ValueId result = node.outputs[0];
  const Shape& weights = graph.value(node.inputs[1]).type.shape;
  const int64_t filters = weights[0].value();
  if (anchor.attrs.get_or<int64_t>("group", 1) != 1 || filters >= kMostFilters || goes_into_concat(graph, result) ||
      graph.is_output(result) || graph.value(result).type.dtype != DataType::f32)
    return std::nullopt;
  std::string kind = (body != nullptr ? text_of(*body) : "conv" + anchor.attrs.str()) + std::to_string(operands);
  for (int i = 1; i < weights.rank(); ++i) kind += " " + weights[i].str();
  return Sibling{id, node.inputs[1], operands > 2 ? node.inputs[2] : ValueId{}, kind, filters};
}

// Constants of one kind, one behind the other along the first axis.
Tensor stacked(const Graph& graph, const std::vector<Sibling>& siblings, ValueId Sibling::*which) {
  std::vector<int64_t> extents(graph.value(siblings[0].*which).constant.extents().begin(),
                               graph.value(siblings[0].*which).constant.extents().end());
  extents[0] = 0;
  for (const Sibling& s : siblings) extents[0] += s.filters;
  return Tensor::make(DataType::f32, extents, [&](std::byte* to) {
    for (const Sibling& s : siblings) {
      const Tensor& part = graph.value(s.*which).constant;
      std::memcpy(to, part.as<float>().data(), static_cast<size_t>(part.byte_count()));
      to += part.byte_count();
    }
  });
}

void merge(Graph& graph, ValueId x, const std::vector<Sibling>& siblings) {
  std::vector<ValueId> operands = {x, graph.add_constant(stacked(graph, siblings, &Sibling::weights))};
  if (siblings[0].bias.valid()) operands.push_back(graph.add_constant(stacked(graph, siblings, &Sibling::bias)));
  std::vector<Part> parts;
  for (const Sibling& s : siblings) parts.push_back({s.node, s.filters});
  merge_nodes(graph, std::move(operands), parts, 1);
}

// Those of one kind while there is room, where one of them has few filters.
bool merge_users(Graph& graph, ValueId x) {
  std::map<std::string, std::vector<Sibling>> kinds;
  for (NodeId user : graph.users(x))
    if (graph.node(user).inputs[0] == x)
      if (auto sibling = sibling_of(graph, user)) kinds[sibling->kind].push_back(std::move(*sibling));
  bool changed = false;
  for (auto& [kind, all] : kinds) {
    std::stable_sort(all.begin(), all.end(), [](const Sibling& a, const Sibling& b) { return a.filters < b.filters; });
    int64_t filters = 0;
    const auto end =
        std::find_if(all.begin(), all.end(), [&](const Sibling& s) { return (filters += s.filters) > kMostFilters; });
    all.erase(end, all.end());
    if (all.size() < 2 || all[0].filters > kFewFilters) continue;
    merge(graph, x, all);
    changed = true;
  }
  return changed;
}

}  // namespace

Pass merge_siblings() {
  return {"merge_siblings", [](Graph& graph) {
            std::vector<ValueId> images(graph.inputs().begin(), graph.inputs().end());
            for (NodeId id : graph.nodes())
              for (ValueId output : graph.node(id).outputs)
                if (output.valid() && graph.users(output).size() > 1) images.push_back(output);
            bool changed = false;
            for (ValueId x : images) changed |= merge_users(graph, x);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
