#pragma once
// PointwiseProgram: a small DAG of scalar primitives in three-address form, applied element by element.
//
// It is the one statement of what an elementwise operator means: the reference kernel interprets it, CPU
// kernels run it on tiles in registers or L1, CUDA source and every epilogue are generated from it.
//
//   text:  "2: r2 = add(r0, r1); r3 = max(r2, 0.0); return r3"
//
// Registers r0 … r(n-1) are the n inputs, in operand order; instruction k writes r(n+k).
// Arithmetic is in double (reference) or fp32 (fast) for floats, in int64 for integer programs.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace planish {

enum class PwOp : uint8_t {
  constant,  // immediate
  // one operand
  neg,
  abs,
  exp,
  log,
  sqrt,
  rsqrt,
  reciprocal,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  sigmoid,
  floor,
  ceil,
  round /* half to even */,
  trunc,
  sign,
  logical_not,
  is_nan,
  bit_not,
  softplus,  // log(1 + exp(x)), stable
  // two operands
  add,
  sub,
  mul,
  div /* integers: truncates */,
  pow,
  min,
  max /* both pass NaN on */,
  mod /* sign of divisor */,
  fmod /* of dividend */,
  equal,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or,
  logical_xor,
  bit_and,
  bit_or,
  bit_xor,
  shift_left,
  shift_right,
  is_inf,  // b: 1 detects +inf, 2 detects -inf, 3 both
  // three operands
  select,  // a != 0 ? b : c
};

int pw_arity(PwOp op);
std::string_view pw_name(PwOp op);
int64_t pw_integer(double immediate);  // a constant among integers: truncated, saturated, 0 for NaN

struct PwInstr {
  PwOp op = PwOp::constant;
  uint16_t a = 0, b = 0, c = 0;
  double immediate = 0;
  friend bool operator==(const PwInstr&, const PwInstr&) = default;
};

struct PointwiseProgram {
  int inputs = 0;
  std::vector<PwInstr> code;
  std::vector<uint16_t> results;  // registers, one an output

  std::string str() const;
  static PointwiseProgram parse(std::string_view text);  // Error(invalid_plan) for anything malformed
  void verify() const;                                   // registers defined before use, sizes within 4096
  friend bool operator==(const PointwiseProgram&, const PointwiseProgram&) = default;
};

// Writes programs. A Reg is a register number.
class PwBuilder {
 public:
  using Reg = uint16_t;
  explicit PwBuilder(int inputs) { program_.inputs = inputs; }

  Reg constant(double value);
  Reg unary(PwOp op, Reg a);
  Reg binary(PwOp op, Reg a, Reg b);
  Reg select(Reg condition, Reg then, Reg otherwise);
  // Appends `program` with its inputs taken from `arguments`; returns its results.
  std::vector<Reg> inline_program(const PointwiseProgram& program, const std::vector<Reg>& arguments);
  PointwiseProgram finish(std::vector<Reg> results);

 private:
  Reg emit(PwInstr instruction);
  PointwiseProgram program_;
};

}  // namespace planish
