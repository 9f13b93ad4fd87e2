#include "cli/layer_values.h"

#include <algorithm>
#include <set>

namespace planish::cli {
namespace {

// Nodes of the model by name, for the lookup of what a step stands for.
std::map<std::string, NodeId> nodes_by_name(const Graph& model) {
  std::map<std::string, NodeId> named;
  for (NodeId id : model.nodes()) named[model.node(id).name] = id;
  return named;
}

bool leaves(const Graph& model, ValueId value, const std::set<NodeId>& group) {
  if (model.is_output(value)) return true;
  const auto users = model.users(value);
  return std::any_of(users.begin(), users.end(), [&](NodeId user) { return group.count(user) == 0; });
}

// The one value that leaves the group of nodes a step stands for; empty when there are several, as then only
// the pass that made the step knows which one it is.
std::string result_of_group(const Graph& model, const std::map<std::string, NodeId>& named,
                            const std::vector<std::string>& origins) {
  std::set<NodeId> group;
  for (const std::string& origin : origins) {
    auto at = named.find(origin);
    if (at == named.end()) return {};
    group.insert(at->second);
  }
  std::vector<std::string> leaving;
  for (NodeId id : group)
    for (ValueId value : model.node(id).outputs)
      if (leaves(model, value, group)) leaving.push_back(model.value(value).name);
  return leaving.size() == 1 ? leaving[0] : std::string();
}

const Step* find_step(const std::vector<Step>& steps, uint32_t id) {
  auto at = std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.id == id; });
  return at == steps.end() ? nullptr : &*at;
}

}  // namespace

LayerValues::LayerValues(const Graph& model, const Plan& plan, const BuildReport& report) {
  const auto named = nodes_by_name(model);
  std::map<std::string, std::pair<uint32_t, size_t>>
      last;  // a value that several steps write is complete after the last
  for (const StepResult& result : report.results) {
    const Step* step = find_step(plan.profiles[0].steps, result.step);
    if (step == nullptr) continue;
    std::string value = result.value;
    if (!model.find_value(value)) value = step->outputs.size() == 1 ? result_of_group(model, named, step->origins) : "";
    if (!value.empty()) last[value] = {result.step, result.output};
  }
  for (const auto& [value, place] : last) by_step_[place.first].push_back({place.second, value});
}

void LayerValues::visit(Session& session, const Visitor& visitor) const {
  session.context()
      .set_observer([&](const Step& step, std::span<const TensorView> outputs) {
        auto at = by_step_.find(step.id);
        if (at == by_step_.end()) return;
        for (const Found& found : at->second)
          if (outputs[found.output].present()) visitor(step.name, found.value, Tensor::copy_of(outputs[found.output]));
      })
      .raise();
  session.run();
  session.context().set_observer({}).raise();
}

}  // namespace planish::cli
