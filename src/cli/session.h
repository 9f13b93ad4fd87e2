#pragma once
// A loaded plan with memory for its inputs and outputs: what run, bench and verify share.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/inputs.h"
#include "runtime/engine.h"
#include "tensor/tensor.h"

namespace planish::cli {

class Session {
 public:
  Session(Plan plan, std::shared_ptr<Device> device);

  // Gives every input a value; the names of those that were made up are returned. They and raw bytes have the extents
  // that are named here, else the profile's typical ones.
  std::vector<std::string> set_inputs(const Inputs& inputs, const Extents& named = {});
  void run();  // throws what the status says
  std::map<std::string, Tensor> outputs() const;

  Engine& engine() { return *engine_; }
  Context& context() { return *context_; }
  const Plan& plan() const { return engine_->plan(); }
  const std::map<std::string, Tensor>& inputs() const { return inputs_; }

 private:
  std::vector<int64_t> extents_for(const Binding& binding, const Extents& named) const;
  void set_input(const Binding& binding, Tensor tensor);
  void bind_outputs();

  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Context> context_;
  std::map<std::string, Tensor> inputs_;
  std::map<std::string, std::shared_ptr<std::byte>> output_memory_;
};

}  // namespace planish::cli
