#pragma once
// A loaded plan with memory for its inputs and outputs: what run, bench and verify share.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/inputs.h"
#include "compile/runner.h"

namespace planish::cli {

class Session {
 public:
  Session(Plan plan, std::shared_ptr<Device> device) : runner_(std::move(plan), std::move(device)) {}

  // Gives every input a value; the names of those that were made up are returned. They, raw bytes and numbers have the
  // extents that are named here, else the profile's typical ones.
  std::vector<std::string> set_inputs(const Inputs& inputs, const Extents& named = {});
  void run() { runner_.run(); }  // throws what the status says
  std::map<std::string, Tensor> outputs() const { return runner_.outputs(); }

  Engine& engine() { return runner_.engine(); }
  Context& context() { return runner_.context(); }
  const Plan& plan() const { return runner_.plan(); }
  const std::map<std::string, Tensor>& inputs() const { return runner_.inputs(); }

 private:
  std::vector<int64_t> extents_for(const Binding& binding, const Extents& named) const;

  Runner runner_;
};

}  // namespace planish::cli
