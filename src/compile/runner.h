#pragma once
// A plan made ready to run: tensors in, tensors out.

#include <map>
#include <memory>
#include <string>

#include "runtime/engine.h"
#include "tensor/tensor.h"

namespace planish {

class Runner {
 public:
  Runner(Plan plan, std::shared_ptr<Device> device);

  // The tensor is kept while it is bound. Error: a name, type or extents that the plan does not take.
  void set_input(const std::string& name, Tensor tensor);
  // Gives outputs memory; after every input has its extents. Outputs whose extents depend on data are the context's.
  void bind_outputs();
  void run();                                        // throws what the status says
  TensorView output(const std::string& name) const;  // valid until the next call
  std::map<std::string, Tensor> outputs() const;

  Engine& engine() { return *engine_; }
  Context& context() { return *context_; }
  const Plan& plan() const { return engine_->plan(); }
  const std::map<std::string, Tensor>& inputs() const { return inputs_; }

 private:
  struct Memory {
    std::shared_ptr<std::byte> data;
    int64_t bytes = 0;
    bool bound = false;
  };
  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Context> context_;
  std::map<std::string, Tensor> inputs_;
  std::map<std::string, Memory> memory_;
};

}  // namespace planish
