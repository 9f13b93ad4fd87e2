#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"

namespace planish {
namespace {

void verify_regions(const Node& node) {
  for (const auto& region : node.regions) {
    with_context([&] { return fmt::format("region of '{}'", node.name); }, [&] { verify_structure(*region); });
    if (region->outputs().empty()) fail(Code::internal, "a region of '{}' has no results", node.name);
  }
}

}  // namespace

void verify_structure(const Graph& graph) {
  for (NodeId id : graph.nodes()) {  // refuses cycles
    const Node& node = graph.node(id);
    for (ValueId input : node.inputs)
      if (input.valid()) graph.value(input);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Value& value = graph.value(node.outputs[i]);
      if (value.producer != id || value.result != static_cast<int>(i))
        fail(Code::internal, "result {} of '{}' names another producer", i, node.name);
      if (value.type.dtype == DataType::none) fail(Code::internal, "result {} of '{}' has no type", i, node.name);
    }
    verify_regions(node);
  }
  for (ValueId output : graph.outputs()) graph.value(output);
}

}  // namespace planish
