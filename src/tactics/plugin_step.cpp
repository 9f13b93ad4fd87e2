#include "tactics/plugin_step.h"

namespace planish {

Candidate plugin_candidate(const Node& node, MemorySpace space) {
  Candidate candidate;
  candidate.name = "plugin";
  candidate.space = space;
  const bool any_strides = node.attrs.get_or<int64_t>("any_strides", 0) != 0;
  candidate.inputs.assign(node.inputs.size(), any_strides ? LayoutRule::any : LayoutRule::row_major);
  candidate.emit = [&node](StepBuilder& builder) {
    std::vector<Operand> inputs, outputs;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      inputs.push_back(node.inputs[i].valid() ? builder.input(i) : builder.absent());
    for (size_t i = 0; i < node.outputs.size(); ++i) outputs.push_back(builder.output(i));
    const Attrs params = {{"bytes", node.attrs.get<Tensor>("bytes")}, {"version", node.attrs.get<int64_t>("version")}};
    builder.step(StepKind::plugin, node.attrs.get<std::string>("plugin"), params, std::move(inputs),
                 std::move(outputs));
  };
  return candidate;
}

}  // namespace planish
