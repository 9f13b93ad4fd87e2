#pragma once
// What a model needs and nobody here does.

#include <string>
#include <vector>

namespace planish {

struct UnsupportedNode {
  std::string op;     // "ai.onnx::Foo"; of a Caffe network, the type of the layer
  int64_t opset = 0;  // 0: of a format without opsets
  int count = 0;
  std::string first;  // name of the first such node
  std::string why;
};

[[noreturn]] void fail_unsupported(const std::vector<UnsupportedNode>& rows);  // with the whole table

}  // namespace planish
