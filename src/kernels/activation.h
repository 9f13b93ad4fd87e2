#pragma once
// Activations that end a sum in registers: the forms of programs that networks are full of. Any other program runs over
// rows that are in cache.

#include <cmath>
#include <cstdint>

#include "kernels/pointwise.h"

namespace planish {

// With ramp(x) = clamp(scale x + shift, low, high):
//   sigmoid  1 / (1 + exp(-x))      silu  x sigmoid(x)
//   ramp     ramp(x) factor         gate  x ramp(x) factor: hard swish
//   leaky    x > 0 ? x : slope x
//   gelu     x factor (1 + erf(scale x))
//   tanh_gelu  x factor (1 + tanh(scale x + cube x^3))
struct Activation {
  enum class Kind : uint8_t { none, sigmoid, silu, ramp, gate, leaky, gelu, tanh_gelu };
  Kind kind = Kind::none;
  float scale = 1, shift = 0, low = -INFINITY, high = INFINITY, factor = 1, slope = 0, cube = 0;
  bool adds = false;  // then input 1 is added
  bool present() const { return kind != Kind::none; }
};

// The form that a program has as a function of input 0; none, where it has another.
Activation activation_of(const PointwiseProgram& program);

}  // namespace planish
