#pragma once
// What a launch step's parameters say: an image, the grid, and where each argument of the kernel comes from.

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace planish {

// Where an argument comes from. Operands are i0, i1, … (inputs) and o0, … (outputs).
enum class ArgumentKind : uint8_t {
  elementwise,  // "elementwise": o0 and all inputs, spread over its extents, with axes joined where they can be
  view,         // "view:i0": address, extents, strides
  spread,       // "spread:i0": the same, with the extents of o0 and strides of 0 where it repeats
  pointer,      // "pointer:i0"
  int32,        // "int": the next of `values`
  int64,        // "long": the next of `values`
  float32,      // "float": the next of `floats`
  map,          // "map": a tensor map from the next kMapNumbers of `maps`
};

struct Argument {
  ArgumentKind kind = ArgumentKind::int32;
  bool is_output = false;
  size_t index = 0;  // of the operand
  friend bool operator==(const Argument&, const Argument&) = default;
};

// operand (-1 - i: output i), im2col, element, rank, dims[5], strides[5], box[5], steps[5], lower[3], upper[3],
// channels, pixels, interleave, swizzle, promotion, fill: the fields of TensorMapShape.
constexpr size_t kMapNumbers = 36;

struct LaunchAttrs {
  Tensor image;                        // u8: a cubin for the plan's target
  std::vector<int64_t> grid, block;    // three each; the grid in expressions of the extents
  std::vector<int64_t> cluster;        // three, or none
  int64_t shared = 0;                  // bytes of dynamic shared memory
  int64_t overlap = 0;                 // the kernel itself waits for the one in front of it
  std::vector<std::string> arguments;  // in the kernel's order
  std::vector<int64_t> values, maps;   // in expressions of the extents
  std::vector<double> floats;
  template <class V>
  void fields(V& v) {
    v("image", image);
    v("grid", grid);
    v("block", block);
    v("cluster", cluster);
    v("shared", shared);
    v("overlap", overlap);
    v("arguments", arguments);
    v("values", values);
    v("maps", maps);
    v("floats", floats);
  }
};

Argument parse_argument(const std::string& text);  // Error(invalid_plan) for anything else

struct Step;
// Parameters, operands and numbers go together, whatever the extents. Error(invalid_plan) says what does not.
void check_launch(const Step& step);

}  // namespace planish
