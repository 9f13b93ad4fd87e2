#pragma once
// Which value of the model each step of a plan computes: steps of differently optimised plans are compared by it.

#include <functional>
#include <map>
#include <string>

#include "cli/session.h"
#include "compile/build.h"
#include "ir/graph.h"

namespace planish::cli {

class LayerValues {
 public:
  // `model`: the graph as imported; `report`: of the build whose plan is looked at.
  LayerValues(const Graph& model, const Plan& plan, const BuildReport& report);

  // Runs `session` (of that plan); each result of a step that is a value of the model is handed over, in order.
  using Visitor = std::function<void(const std::string& layer, const std::string& value, const Tensor& contents)>;
  void visit(Session& session, const Visitor& visitor) const;

 private:
  struct Found {
    size_t output;
    std::string value;
  };
  std::map<uint32_t, std::vector<Found>> by_step_;
};

}  // namespace planish::cli
