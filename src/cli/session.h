#pragma once
// A loaded plan with memory for its inputs and outputs: what run, bench and verify share.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine.h"
#include "tensor/tensor.h"

namespace planish::cli {

// Reads NAME=FILE arguments: .npy, .npz (NAME is the member; "=FILE.npz" alone gives all), .pb, .jpg, .png,
// anything else as raw bytes of the binding's type. `recipes`: NAME=RECIPE of --image.
std::map<std::string, Tensor> read_inputs(const std::vector<std::string>& arguments,
                                          const std::vector<std::string>& recipes);

// Bytes of a file without a format: they take the type and extents of the input they are for.
bool is_raw(const Tensor& tensor);

// Values for an input nobody gave: floats uniform in [0, 1), integers in [0, 100), ones where the name says
// "mask", 0, 1, 2… where it says "position". Seeded by the name: the same on every machine.
Tensor random_input(const std::string& name, DataType dtype, const std::vector<int64_t>& extents);

class Session {
 public:
  Session(Plan plan, std::shared_ptr<Device> device);

  // Gives every input a value; the names of those that were made up are returned.
  std::vector<std::string> set_inputs(std::map<std::string, Tensor> inputs);
  void run();  // throws what the status says
  std::map<std::string, Tensor> outputs() const;

  Engine& engine() { return *engine_; }
  Context& context() { return *context_; }
  const Plan& plan() const { return engine_->plan(); }
  const std::map<std::string, Tensor>& inputs() const { return inputs_; }

 private:
  std::vector<int64_t> extents_for(const Binding& binding) const;
  void bind_outputs();

  std::shared_ptr<Engine> engine_;
  std::unique_ptr<Context> context_;
  std::map<std::string, Tensor> inputs_;
  std::map<std::string, std::shared_ptr<std::byte>> output_memory_;
};

}  // namespace planish::cli
