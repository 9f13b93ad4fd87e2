#pragma once
// ONNX messages on the wire, as ModelProto has them.

#include <string>
#include <vector>

#include "importers/common/wire.h"
#include "tensor/tensor.h"

namespace planish::onnx::wire {

struct NewNode {
  std::string op_type, domain, name;
  std::vector<std::string> inputs, outputs;
  std::vector<std::pair<std::string, int64_t>> attributes;
};

std::string node_message(const NewNode& node);
// Elements of 4 bits and less are packed.
std::string tensor_message(const std::string& name, const Tensor& tensor);
std::string opset_message(const std::string& domain, int64_t version);

int64_t number_of(DataType type);  // ONNX's; 0: it has none

}  // namespace planish::onnx::wire
