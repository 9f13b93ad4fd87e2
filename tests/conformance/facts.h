#pragma once
// What an ONNX file says of itself, read without the engine: enough to find a case's files, its class, and to make its
// extents dynamic.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace planish::conformance {

enum class ValueKind { tensor, sequence, optional, other };

struct ValueFacts {
  std::string name;
  ValueKind kind = ValueKind::other;
  int64_t element_type = 0;  // ONNX's number, of the innermost tensor
};

struct ModelFacts {
  std::vector<ValueFacts> inputs;  // that no initializer gives
  std::vector<ValueFacts> outputs;
  std::set<std::string> ops;       // "Add", "ai.onnx.ml.Binarizer"; of bodies and functions as well
  std::set<int64_t> types;         // element types of inputs, outputs, constants, and of attributes `to` and the like
  bool holds_collections = false;  // a sequence or an optional is an input or output
};

// Throws protozero::exception for what is no protobuf.
ModelFacts read_facts(std::string_view model);

}  // namespace planish::conformance
