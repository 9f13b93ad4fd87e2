#pragma once
// An ONNX file as structs. Strings and weights are views of the mapped file.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/attrs.h"
#include "tensor/tensor.h"

namespace planish::onnx::wire {

struct GraphProto;

struct Attribute {
  std::string name;
  AttrValue value;  // every kind but graphs
  std::vector<std::shared_ptr<GraphProto>> graphs;
  std::string reference;  // in a function: the attribute of its call that is meant
  bool supported = true;  // false: a kind that nothing here reads (sparse tensors, type protos)
};

struct Node {
  std::string name, op_type, domain;
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> attributes;
};

struct ValueInfo {
  std::string name;
  DataType dtype = DataType::none;
  bool has_shape = false;
  struct Dimension {
    int64_t value = -1;  // -1: unknown
    std::string param;
  };
  std::vector<Dimension> dims;
};

struct GraphProto {
  std::string name;
  std::vector<Node> nodes;
  std::vector<std::pair<std::string, Tensor>> initializers;
  std::vector<ValueInfo> inputs, outputs;
};

using Opsets = std::map<std::string, int64_t>;  // by domain; "" is ai.onnx

// A node of this name and domain stands for these.
struct Function {
  std::string name, domain;
  std::vector<std::string> inputs, outputs;
  std::vector<Attribute> defaults;
  std::vector<Node> nodes;
  Opsets opsets;
};

struct Model {
  Opsets opsets;
  GraphProto graph;
  std::vector<Function> functions;

  const Function* function(const std::string& domain, const std::string& name) const {
    for (const Function& function : functions)
      if (function.name == name && function.domain == domain) return &function;
    return nullptr;
  }
};

// By ONNX's number; DataType::none for those that it does not give, or that nothing here computes with.
DataType dtype_of(int64_t number);

// What reading needs to know: where external data may lie, and who keeps the bytes alive.
struct Source {
  std::string folder;  // of the model file; empty: external data is refused
  std::shared_ptr<const void> owner;
};

// Error(invalid_model) for anything malformed.
Model read_model(std::span<const std::byte> bytes, const Source& source);
Tensor read_tensor(std::string_view bytes, const Source& source, std::string* name = nullptr);

// Bytes [offset, offset + length) of a file inside `folder`. Refused: absolute paths, "..", links of either
// kind, anything but regular files, ranges beyond the end.
Tensor external_tensor(const std::string& folder, const std::string& location, int64_t offset, int64_t length,
                       DataType dtype, std::vector<int64_t> extents);

}  // namespace planish::onnx::wire
