#pragma once
// Pointwise programs on tiles: every register is a row of up to kTile floats that stays in L1.

#include <memory>
#include <vector>

#include "kernels/pointwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kTile = 512;

// One operand of a tile: `step` 1 reads along, 0 repeats the first element, others gather.
struct TileOperand {
  const float* data = nullptr;
  int64_t step = 1;
};

// Elements 0 … n-1 (n <= kTile) of the program's result 0 to `out`, which may be operand 0's memory.
// exp, tanh, erf and sigmoid are within 4e-7 of the true value, relative or (tanh, erf) absolute.
void run_tile(const PointwiseProgram& program, const TileOperand* operands, int64_t n, float* out);

// The results by the bits of the program's one operand, both bytes of `type`.
void fill_table(const PointwiseProgram& program, DataType type, uint8_t (&table)[256]);

}  // namespace planish::kernels::cpu::PLANISH_ISA
