#include "tactics/leading_add.h"

#include <algorithm>

namespace planish {
namespace {

bool reads(const PwInstr& i, uint16_t r) {
  const int arity = pw_arity(i.op);
  return (arity > 0 && i.a == r) || (arity > 1 && i.b == r) || (arity > 2 && i.c == r);
}

}  // namespace

uint16_t leading_addend(const PointwiseProgram& program) {
  if (program.code.empty() || program.code[0].op != PwOp::add) return 0;
  const PwInstr& first = program.code[0];
  const uint16_t other = first.a == 0 ? first.b : first.a;
  if ((first.a != 0 && first.b != 0) || other == 0 || other >= program.inputs) return 0;
  const auto uses = std::count_if(program.code.begin(), program.code.end(),
                                  [&](const PwInstr& i) { return reads(i, other) || reads(i, 0); });
  return uses == 1 && std::count(program.results.begin(), program.results.end(), 0) == 0 ? other : 0;
}

void drop_leading_add(PointwiseProgram& program, uint16_t addend) {
  const auto inputs = static_cast<uint16_t>(program.inputs);
  const auto moved = [&](uint16_t r) -> uint16_t {
    if (r == inputs) return 0;
    if (r > inputs) return static_cast<uint16_t>(r - 2);
    return r > addend ? static_cast<uint16_t>(r - 1) : r;
  };
  program.code.erase(program.code.begin());
  for (PwInstr& i : program.code) i = {i.op, moved(i.a), moved(i.b), moved(i.c), i.immediate};
  for (uint16_t& r : program.results) r = moved(r);
  --program.inputs;
}

bool take_bias(const TacticQuery& query, PointwiseProgram& program, std::vector<ValueId>& extras, int64_t channels,
               Tensor& bias) {
  const uint16_t addend = leading_addend(program);
  if (addend == 0) return false;
  const Value& value = query.graph.value(extras[addend - 1u]);
  if (!value.is_constant() || value.constant.element_count() != channels) return false;
  bias = value.constant;
  drop_leading_add(program, addend);
  extras.erase(extras.begin() + (addend - 1));
  return true;
}

}  // namespace planish
