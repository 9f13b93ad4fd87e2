#pragma once
// The graph as text: exact both ways, parse(print(g)) equals g, weights by hash or in full.
//
//   graph "resnet" symbols {N: shape [1, 1, 8]} (%data : f32[N,3,224,224]) {
//     %w = constant f32[8,3,3,3] #0123…            // looked up in the constants given to parse
//     %two = constant f32[2] [1.0, 2.0]            // up to 16 elements: in full
//     %y = conv(%data, %w, _) {pads=[1, 1, 1, 1]} "conv1" : f32[N,8,224,224]
//     %a, %b = if(%c, %y) {} "if1" : f32[4], f32[4]
//       region (%y2 : f32[N,8,224,224]) { … return %r, %s }
//       region (…) { … }
//     return %y
//   }
//
// `_` is an absent operand. The quoted node name may be followed by origins: "conv1" from ["a", "b"].
// A value name that is not made of letters, digits, '_', '.', ':', '/', '-' is written %"in quotes".

#include <map>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace planish {

struct PrintOptions {
  int64_t inline_elements = 16;  // larger constants print as their hash
};

std::string print(const Graph& graph, const PrintOptions& = {});

// Constants by content hash (hex). Error(invalid_argument) with line and column for anything malformed.
using ConstantPool = std::map<std::string, Tensor, std::less<>>;
Graph parse_graph(std::string_view text, const ConstantPool& constants = {});
ConstantPool constants_of(const Graph& graph);

}  // namespace planish
